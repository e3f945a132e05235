//! Whether two types that are called differently are the same: a type that was moved travels as it did before.
//!
//! Two messages have the same shape where each field of the first is in the second under its number and name, with the
//! same type, label, JSON name, presence, default, checks and secrecy, and the second asks for nothing more.
//! **Invariant:** what was only taken for the same, within a cycle that turns out to differ, is not remembered.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, OneofDescriptor};

use crate::editions::{is_closed, tells_absent};
use crate::language;

/// The names of two messages.
type Pair = (String, String);

/// The pairs that have been compared.
#[derive(Default)]
pub(super) struct Shapes {
    known: RefCell<HashMap<Pair, bool>>,
    /// The pairs taken for the same since the comparison under way began, in that order.
    assumed: RefCell<Vec<Pair>>,
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
        let start = self.assume(pair);
        let same = old.is_map_entry() == new.is_map_entry()
            && old.fields().all(|field| {
                new.get_field(field.number()).is_some_and(|other| self.same_field(&field, &other))
            })
            && new.fields().all(|field| {
                old.get_field(field.number()).is_some() || !language::field_rules(&field).required
            });
        self.conclude(start, same);
        same
    }

    /// Takes a pair for the same, and says where among the assumptions it stands.
    fn assume(&self, pair: Pair) -> usize {
        self.known.borrow_mut().insert(pair.clone(), true);
        let mut assumed = self.assumed.borrow_mut();
        assumed.push(pair);
        assumed.len() - 1
    }

    /// A pair that differs takes along what was found the same since, for that may rest on it. One that does not stands
    /// once nothing is assumed any more.
    fn conclude(&self, start: usize, same: bool) {
        let (mut known, mut assumed) = (self.known.borrow_mut(), self.assumed.borrow_mut());
        if !same {
            let mut since = assumed.drain(start..);
            known.extend(since.next().map(|pair| (pair, false)));
            for pair in since {
                known.remove(&pair);
            }
        } else if start == 0 {
            assumed.clear();
        }
    }

    fn same_field(&self, old: &FieldDescriptor, new: &FieldDescriptor) -> bool {
        old.name() == new.name()
            && old.json_name() == new.json_name()
            && old.cardinality() == new.cardinality()
            && tells_absent(old) == tells_absent(new)
            && old.is_group() == new.is_group()
            && same_tie(oneof(old).as_ref(), oneof(new).as_ref())
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

/// The oneof that ties a field to others; one that holds a single field ties it to nothing.
pub(super) fn oneof(field: &FieldDescriptor) -> Option<OneofDescriptor> {
    field.containing_oneof().filter(|oneof| oneof.fields().len() > 1)
}

/// Whether fields are tied to the same others, or to none.
pub(super) fn same_tie(old: Option<&OneofDescriptor>, new: Option<&OneofDescriptor>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => same_oneof(old, new),
        (old, new) => old.is_none() && new.is_none(),
    }
}

/// Whether two oneofs are the same: neither encoding knows their names, so those that hold the same fields are. A field
/// that only one of the messages has tells nothing.
pub(super) fn same_oneof(old: &OneofDescriptor, new: &OneofDescriptor) -> bool {
    let held = |oneof: &OneofDescriptor, other: &MessageDescriptor| {
        let numbers = oneof.fields().map(|field| field.number());
        numbers.filter(|number| other.get_field(*number).is_some()).collect::<BTreeSet<u32>>()
    };
    !old.is_synthetic()
        && !new.is_synthetic()
        && (old.name() == new.name() || held(old, new.parent_message()) == held(new, old.parent_message()))
}

/// What a reader takes an absent field for, where the contract says so.
pub(super) fn default(field: &FieldDescriptor) -> Option<&str> {
    field.field_descriptor_proto().default_value.as_deref()
}
