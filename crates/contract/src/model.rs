//! The contract model: what the .proto files of a mesh say, resolved and by name.
//!
//! Plain data. Made by `load`, read by the lints, the generator, the graph and the compatibility gate; every name in it
//! is a full Protobuf name without a leading dot, every collection is in a fixed order (files by path, items as
//! declared), so that what is generated from it is the same bytes every time.

use std::time::Duration;

use prost_reflect::DescriptorPool;

/// The contracts of a mesh.
#[derive(Debug, Clone)]
pub struct Model {
    /// The descriptors behind it, for whoever needs a message's fields or comments.
    pub pool: DescriptorPool,
    /// The encoded `FileDescriptorSet`, custom options and source info included.
    pub descriptors: Vec<u8>,
    /// The services that own a package, by name.
    pub owners: Vec<Owner>,
    /// The consumers and their needs, by name.
    pub consumers: Vec<Consumer>,
}

impl Model {
    /// The deadline of a caller that sets none, of a method that declares none.
    #[must_use]
    pub const fn default_deadline() -> Duration {
        Duration::from_secs(2)
    }
}

/// Where something stands in a source file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The path of the file as it is imported: "catalog/v1/catalog.proto".
    pub file: String,
    /// The first byte; 0 where the text is not known.
    pub start: usize,
    /// Past the last byte; 0 where the text is not known.
    pub end: usize,
    /// The line of the first byte, from 1; 0 where only the file is known.
    pub line: usize,
    /// The column of the first byte in that line, in characters from 1, in bytes where the text is not known.
    pub column: usize,
}

impl Place {
    /// A file as a whole, or a place in a file whose text is not known: empty, at the start.
    #[must_use]
    pub fn whole(file: &str) -> Self {
        Self { file: file.to_owned(), start: 0, end: 0, line: 0, column: 0 }
    }

    /// The bytes from `start` to before `end` of a file's text; what lies beyond the text is moved to its end.
    #[must_use]
    pub fn in_text(file: &str, text: &str, start: usize, end: usize) -> Self {
        let start = boundary(text, start);
        let first = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            file: file.to_owned(),
            start,
            end: boundary(text, end).max(start),
            line: text[..first].matches('\n').count() + 1,
            column: text[first..start].chars().count() + 1,
        }
    }

    /// Whether the file as a whole is meant.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.line == 0
    }
}

/// The last character boundary at or before an offset.
fn boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// A service that owns a package.
#[derive(Debug, Clone)]
pub struct Owner {
    /// Its name: "catalog".
    pub name: String,
    /// Where its team is reached; may be empty.
    pub contact: String,
    /// Its packages: "catalog.v1".
    pub packages: Vec<String>,
    /// Its gRPC services.
    pub services: Vec<Service>,
    /// Its entities.
    pub entities: Vec<Entity>,
    /// Its events.
    pub events: Vec<Event>,
}

/// A gRPC service.
#[derive(Debug, Clone)]
pub struct Service {
    /// "catalog.v1.CatalogService".
    pub name: String,
    /// Its package.
    pub package: String,
    /// Its doc comment, a line each.
    pub docs: Vec<String>,
    /// Its methods, as declared.
    pub methods: Vec<Method>,
    /// Where it is declared.
    pub place: Place,
}

/// An RPC.
#[derive(Debug, Clone)]
pub struct Method {
    /// "GetProduct".
    pub name: String,
    /// "catalog.v1.CatalogService/GetProduct".
    pub full_name: String,
    /// Its doc comment, a line each.
    pub docs: Vec<String>,
    /// The full name of its request.
    pub request: String,
    /// The full name of its reply.
    pub reply: String,
    /// Whether the caller sends a stream.
    pub client_streaming: bool,
    /// Whether the owner sends a stream.
    pub server_streaming: bool,
    /// What it does.
    pub effect: Effect,
    /// How it may be called.
    pub rules: CallRules,
    /// Where it is declared.
    pub place: Place,
}

/// What an RPC does to its owner's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// `idempotency_level = NO_SIDE_EFFECTS`.
    Read,
    /// `(call).keyed`: a write, once per idempotency key.
    Keyed,
    /// `idempotency_level = IDEMPOTENT`: a write that may be repeated.
    Idempotent,
    /// `(call).at_most_once`: a live stream.
    AtMostOnce,
    /// A write that says nothing; FH4001 refuses it.
    Undeclared,
}

/// How an RPC may be called, with defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRules {
    /// The deadline of a caller that sets none; two seconds unless said.
    pub deadline: Duration,
    /// The least that must be left; zero unless said.
    pub min_deadline: Duration,
    /// Who may call.
    pub public: bool,
    /// A cache in the client.
    pub cache: Option<Cache>,
    /// The compensating method, by full name.
    pub undo: Option<String>,
    /// What is shed first: 1 sheddable, 2 default, 3 critical.
    pub criticality: i32,
}

/// A cache in the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    /// How long an answer is served.
    pub ttl: Duration,
    /// The entity whose changes invalidate it; may be empty.
    pub entity: String,
    /// Who owns the method and that entity.
    pub owner: String,
    /// Where the answer is one such entity: the number of its key.
    pub key: Option<u32>,
}

/// A message with a key, owned by one service.
#[derive(Debug, Clone)]
pub struct Entity {
    /// "catalog.v1.Product".
    pub name: String,
    /// The key field's name.
    pub key: String,
    /// The fields, with who may see them.
    pub fields: Vec<Field>,
    /// Where it is declared.
    pub place: Place,
}

/// A fact about an entity.
#[derive(Debug, Clone)]
pub struct Event {
    /// "catalog.v1.PriceChanged".
    pub name: String,
    /// The entity, by full name.
    pub of: String,
    /// The field that holds the entity's key.
    pub key: String,
    /// The fields, with who may see them.
    pub fields: Vec<Field>,
    /// Where it is declared.
    pub place: Place,
}

/// A field of an entity, an event, a view or a replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its number.
    pub number: u32,
    /// Never leaves the owner.
    pub private: bool,
    /// About a person.
    pub personal: bool,
}

/// A consumer and its needs.
#[derive(Debug, Clone)]
pub struct Consumer {
    /// Its name.
    pub name: String,
    /// The package of its needs.
    pub package: String,
    /// The file of its needs: "orders/v1/needs.proto".
    pub file: String,
    /// Where its team is reached; may be empty.
    pub contact: String,
    /// The calls it makes.
    pub calls: Vec<Need>,
    /// The calls that its sagas make.
    pub steps: Vec<Need>,
    /// The views it reads.
    pub views: Vec<View>,
    /// The copies it keeps.
    pub replicas: Vec<Replica>,
}

/// A declared call.
#[derive(Debug, Clone)]
pub struct Need {
    /// "package.Service/Method".
    pub method: String,
    /// The consumer's RPC that makes it; empty where none is named.
    pub from: String,
    /// Where it is declared.
    pub place: Place,
}

/// A declared view.
#[derive(Debug, Clone)]
pub struct View {
    /// The message that declares it: "orders.v1.PaymentCapturedView".
    pub name: String,
    /// The event or entity that is read.
    pub of: String,
    /// The entity whose stream it belongs to.
    pub entity: String,
    /// Whose it is.
    pub owner: String,
    /// The consumer makes today's shape of older ones.
    pub upcast: bool,
    /// The fields that are read.
    pub fields: Vec<Field>,
    /// Where it is declared.
    pub place: Place,
}

/// A declared replica.
#[derive(Debug, Clone)]
pub struct Replica {
    /// The message that declares it: "orders.v1.ProductCopy".
    pub name: String,
    /// The entity that is copied.
    pub of: String,
    /// Whose it is.
    pub owner: String,
    /// The key field's name in the copy.
    pub key: String,
    /// The fields that are copied.
    pub fields: Vec<Field>,
    /// The age beyond which a bounded read does not take the copy as it stands.
    pub max_staleness: Option<Duration>,
    /// What a read does then.
    pub when_stale: WhenStale,
    /// Where it is declared.
    pub place: Place,
}

/// What a read does when a copy does not meet its level in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenStale {
    /// Ask the owner for the keys.
    AskOwner,
    /// Serve the copy and say how old it is.
    ServeStale,
    /// Fail.
    Fail,
}
