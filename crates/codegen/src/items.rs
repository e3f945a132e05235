//! The plain model that the generator writes from: packages, messages, enums and services with their docs, resolved.
//!
//! Data alone. Read from the contract model once (`read`), then written by one small function per kind of item (`emit`).

use freehold_contract::language::FieldRules;
use freehold_contract::model::Service;

/// A Protobuf package, or the part of it that one module holds.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    /// "catalog.v1".
    pub(crate) name: String,
    /// The doc comments of its files, a line each.
    pub(crate) docs: Vec<String>,
    /// Its messages, by file and as declared.
    pub(crate) messages: Vec<Message>,
    /// Its enums outside messages.
    pub(crate) enums: Vec<Enumeration>,
    /// Its services.
    pub(crate) services: Vec<Service>,
}

/// A message.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// "orders.v1.Order.Line".
    pub(crate) full_name: String,
    /// "Line".
    pub(crate) name: String,
    pub(crate) docs: Vec<String>,
    pub(crate) members: Vec<Member>,
    /// The messages declared in it.
    pub(crate) messages: Vec<Message>,
    /// The enums declared in it.
    pub(crate) enums: Vec<Enumeration>,
}

/// What a message has under a name of its own.
#[derive(Debug, Clone)]
pub(crate) enum Member {
    Field(Field),
    Oneof(Oneof),
}

/// A field.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    /// As the contract spells it: "unit_cents".
    pub(crate) name: String,
    pub(crate) number: u32,
    pub(crate) docs: Vec<String>,
    pub(crate) kind: Kind,
    pub(crate) shape: Shape,
    /// It leads back to its own message and needs a box.
    pub(crate) boxed: bool,
    pub(crate) rules: FieldRules,
}

/// A choice between fields.
#[derive(Debug, Clone)]
pub(crate) struct Oneof {
    /// "as_of".
    pub(crate) name: String,
    /// The name of its type, out of the way of the message's own types: "as_of", or "as_of_choice".
    pub(crate) type_name: String,
    pub(crate) docs: Vec<String>,
    pub(crate) fields: Vec<Field>,
}

/// What a field holds, or one item of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Scalar(Scalar),
    /// An enum, by full name.
    Enumeration(String),
    /// A message, by full name.
    Message(String),
}

/// How often a field holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Always; the default where it was not sent.
    Plain,
    /// At most once, and unset is not the default.
    Optional,
    Repeated {
        packed: bool,
    },
    /// By a key.
    Map(Scalar),
}

/// The scalar types of Protobuf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    Double,
    Float,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Bool,
    String,
    Bytes,
}

/// An enum.
#[derive(Debug, Clone)]
pub(crate) struct Enumeration {
    /// "orders.v1.OrderState".
    pub(crate) full_name: String,
    /// "OrderState".
    pub(crate) name: String,
    pub(crate) docs: Vec<String>,
    /// One per number: of aliases, the first.
    pub(crate) values: Vec<EnumValue>,
}

/// A value of an enum.
#[derive(Debug, Clone)]
pub(crate) struct EnumValue {
    /// "ORDER_STATE_PLACED".
    pub(crate) name: String,
    pub(crate) number: i32,
    pub(crate) docs: Vec<String>,
}

impl Message {
    /// Its fields, those of oneofs included, as declared.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &Field> {
        self.members.iter().flat_map(|member| match member {
            Member::Field(field) => std::slice::from_ref(field),
            Member::Oneof(oneof) => oneof.fields.as_slice(),
        })
    }

    /// The same, to be changed.
    pub(crate) fn fields_mut(&mut self) -> impl Iterator<Item = &mut Field> {
        self.members.iter_mut().flat_map(|member| match member {
            Member::Field(field) => std::slice::from_mut(field),
            Member::Oneof(oneof) => oneof.fields.as_mut_slice(),
        })
    }

    /// Its oneofs.
    pub(crate) fn oneofs(&self) -> impl Iterator<Item = &Oneof> {
        self.members.iter().filter_map(|member| match member {
            Member::Oneof(oneof) => Some(oneof),
            Member::Field(_) => None,
        })
    }

    /// Whether there is anything in its module.
    pub(crate) fn has_module(&self) -> bool {
        !self.messages.is_empty() || !self.enums.is_empty() || self.oneofs().next().is_some()
    }

    /// Itself and the messages in it.
    pub(crate) fn all(&self) -> Vec<&Message> {
        let nested = self.messages.iter().flat_map(Message::all);
        std::iter::once(self).chain(nested).collect()
    }
}

impl Package {
    /// All its messages, nested ones included.
    pub(crate) fn all_messages(&self) -> Vec<&Message> {
        self.messages.iter().flat_map(Message::all).collect()
    }
}

impl Oneof {
    /// Whether one of its fields is about a person.
    pub(crate) fn has_personal(&self) -> bool {
        self.fields.iter().any(|field| field.rules.personal)
    }
}

impl Field {
    /// Whether its value can be refused: the rules say something about it, or it is a text, which may not hold all that
    /// a text can.
    pub(crate) fn has_limits(&self) -> bool {
        let rules = &self.rules;
        let has_text = self.kind == Kind::Scalar(Scalar::String) || self.shape == Shape::Map(Scalar::String);
        has_text
            || rules.required
            || rules.min.is_some()
            || rules.max.is_some()
            || rules.max_length.is_some()
            || rules.max_items.is_some()
    }

    /// The message that it holds, by full name.
    pub(crate) fn message(&self) -> Option<&str> {
        match &self.kind {
            Kind::Message(name) => Some(name),
            Kind::Scalar(_) | Kind::Enumeration(_) => None,
        }
    }
}
