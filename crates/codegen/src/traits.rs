//! What follows for a message from what it holds, however deep: whether it can be a key, whether its `Debug` must be
//! written, whether something in it is private or has limits.
//!
//! A message may lead back to itself: each question is answered by a walk that visits a message once.

use std::collections::{BTreeMap, BTreeSet};

use crate::items::{Field, Kind, Message, Oneof, Package, Scalar, Shape};

/// The messages of all packages, for questions that go from one to the next.
#[derive(Debug, Clone, Default)]
pub(crate) struct Traits {
    messages: BTreeMap<String, Message>,
}

impl Traits {
    /// Adds the messages of a package.
    pub(crate) fn add(&mut self, package: &Package) {
        for message in package.all_messages() {
            self.messages.insert(message.full_name.clone(), message.clone());
        }
    }

    /// Whether the message can derive `Eq` and `Hash`: no floating point in it.
    pub(crate) fn is_eq(&self, message: &str) -> bool {
        !self.reaches(message, is_inexact)
    }

    /// Whether the message can derive `Copy`: nothing in it is on the heap.
    pub(crate) fn is_copy(&self, message: &str) -> bool {
        let has_oneof =
            |name: &str| self.messages.get(name).is_none_or(|message| message.oneofs().next().is_some());
        let is_moved = |field: &Field| {
            let by_kind = match &field.kind {
                Kind::Scalar(scalar) => matches!(scalar, Scalar::String | Scalar::Bytes),
                Kind::Enumeration(_) => false,
                Kind::Message(name) => has_oneof(name),
            };
            by_kind || field.boxed || matches!(field.shape, Shape::Repeated { .. } | Shape::Map(_))
        };
        !has_oneof(message) && !self.reaches(message, is_moved)
    }

    /// Whether a oneof can derive `Eq` and `Hash`.
    pub(crate) fn is_eq_oneof(&self, oneof: &Oneof) -> bool {
        let inexact =
            |field: &Field| is_inexact(field) || field.message().is_some_and(|name| !self.is_eq(name));
        !oneof.fields.iter().any(inexact)
    }

    /// Whether the message has its own `Debug`: to name enum values, or to keep personal data out of logs.
    pub(crate) fn has_own_debug(&self, message: &str) -> bool {
        let needs = |field: &Field| field.rules.personal || matches!(field.kind, Kind::Enumeration(_));
        self.messages.get(message).is_some_and(|message| message.fields().any(needs))
    }

    /// Whether the message, or one in it, has a private field.
    pub(crate) fn has_private(&self, message: &str) -> bool {
        self.reaches(message, |field| field.rules.private)
    }

    /// Whether the message, or one in it, has limits that a request is checked against.
    pub(crate) fn has_limits(&self, message: &str) -> bool {
        self.reaches(message, Field::has_limits)
    }

    /// The messages themselves, and all that are in them.
    pub(crate) fn within<'a>(&'a self, messages: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
        let mut seen = BTreeSet::new();
        let mut next: Vec<&str> = messages.into_iter().collect();
        while let Some(name) = next.pop() {
            let Some(message) = self.messages.get(name).filter(|_| seen.insert(name)) else { continue };
            next.extend(message.fields().filter_map(Field::message));
        }
        seen
    }

    /// Whether the message, or one in it, has such a field.
    fn reaches(&self, message: &str, is_such: impl Fn(&Field) -> bool) -> bool {
        let messages = self.within([message]).into_iter().filter_map(|name| self.messages.get(name));
        messages.flat_map(Message::fields).any(is_such)
    }
}

/// Whether equality of the field's values is not an equivalence.
fn is_inexact(field: &Field) -> bool {
    let is_float = |kind: &Kind| matches!(kind, Kind::Scalar(Scalar::Double | Scalar::Float));
    let is_inexact = |name: &str| {
        matches!(
            name,
            "google.protobuf.DoubleValue"
                | "google.protobuf.FloatValue"
                | "google.protobuf.ListValue"
                | "google.protobuf.Struct"
                | "google.protobuf.Value"
        )
    };
    let key_is_float = matches!(field.shape, Shape::Map(Scalar::Double | Scalar::Float));
    key_is_float || is_float(&field.kind) || field.message().is_some_and(is_inexact)
}
