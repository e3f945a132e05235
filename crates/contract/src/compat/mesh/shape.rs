//! Whether two types that are called differently are the same: a type that was moved travels as it did before.
//!
//! Two messages have the same shape where each field of the first is in the second under its number and name, with the
//! same type, label, JSON name, presence, default, checks and secrecy, and the second asks for nothing more.
//! **Invariant:** a pair of names is compared once, whatever cycles the types make.

use std::cell::RefCell;
use std::collections::HashMap;

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, Syntax};

use crate::language;

/// The pairs that have been compared.
#[derive(Default)]
pub(super) struct Shapes {
    known: RefCell<HashMap<(String, String), bool>>,
}

impl Shapes {
    /// Whether what a field holds is the same, wherever its type is declared.
    pub(super) fn same_kind(&self, old: &Kind, new: &Kind) -> bool {
        match (old, new) {
            (Kind::Message(old), Kind::Message(new)) => {
                old.full_name() == new.full_name() || self.same_message(old, new)
            }
            (Kind::Enum(old), Kind::Enum(new)) => old.full_name() == new.full_name() || same_enum(old, new),
            (old, new) => old == new,
        }
    }

    /// Whether two messages have the same shape.
    pub(super) fn same_message(&self, old: &MessageDescriptor, new: &MessageDescriptor) -> bool {
        let pair = (old.full_name().to_owned(), new.full_name().to_owned());
        if let Some(known) = self.known.borrow().get(&pair) {
            return *known;
        }
        // Types that hold themselves are the same unless something else tells them apart.
        self.known.borrow_mut().insert(pair.clone(), true);
        let same = old.is_map_entry() == new.is_map_entry()
            && old.fields().all(|field| {
                new.get_field(field.number()).is_some_and(|other| self.same_field(&field, &other))
            })
            && new.fields().all(|field| {
                old.get_field(field.number()).is_some() || !language::field_rules(&field).required
            });
        self.known.borrow_mut().insert(pair, same);
        same
    }

    fn same_field(&self, old: &FieldDescriptor, new: &FieldDescriptor) -> bool {
        old.name() == new.name()
            && old.json_name() == new.json_name()
            && old.cardinality() == new.cardinality()
            && old.supports_presence() == new.supports_presence()
            && old.is_group() == new.is_group()
            && oneof(old) == oneof(new)
            && default(old) == default(new)
            && language::field_rules(old) == language::field_rules(new)
            && self.same_kind(&old.kind(), &new.kind())
    }
}

/// Each value of the first is in the second under its number, and unknown ones are treated alike.
pub(super) fn same_enum(old: &EnumDescriptor, new: &EnumDescriptor) -> bool {
    is_closed(old) == is_closed(new)
        && old.values().all(|value| {
            new.get_value_by_name(value.name()).is_some_and(|other| other.number() == value.number())
        })
}

/// Whether a reader drops values that it does not know.
pub(super) fn is_closed(choice: &EnumDescriptor) -> bool {
    choice.parent_file().syntax() == Syntax::Proto2
}

/// The oneof that ties a field to others; one that holds a single field ties it to nothing.
pub(super) fn oneof(field: &FieldDescriptor) -> Option<String> {
    let oneof = field.containing_oneof()?;
    (oneof.fields().len() > 1).then(|| oneof.name().to_owned())
}

/// What a reader takes an absent field for, where the contract says so.
pub(super) fn default(field: &FieldDescriptor) -> Option<&str> {
    field.field_descriptor_proto().default_value.as_deref()
}
