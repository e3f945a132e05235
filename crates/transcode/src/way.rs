//! The way to a field of a request: through the messages that it is in, "address.city".

use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor, Value};

use crate::json::{DEEPEST, find, other_of_its_oneof, unknown};
use crate::problems::Problems;

/// Fields, each in the one before; never none.
#[derive(Clone, PartialEq)]
pub(crate) struct Way {
    outer: Vec<FieldDescriptor>,
    last: FieldDescriptor,
}

impl Way {
    /// The way that a path with dots describes.
    ///
    /// # Errors
    /// What is wrong with the path.
    pub(crate) fn of(message: &MessageDescriptor, path: &str) -> Result<Self, String> {
        let mut names = path.split('.');
        let name = names.next().unwrap_or_default();
        let mut way = Self { outer: Vec::new(), last: step(message, name)? };
        for name in names {
            let last = &way.last;
            let kind = last.kind();
            let inner = kind.as_message().filter(|_| !last.is_list() && !last.is_map());
            let inner = inner.ok_or_else(|| format!("{} holds no fields", last.json_name()))?;
            let next = step(inner, name)?;
            way.outer.push(std::mem::replace(&mut way.last, next));
            if way.outer.len() == DEEPEST {
                return Err(format!("nests deeper than {DEEPEST} levels"));
            }
        }
        Ok(way)
    }

    /// The field that it leads to.
    pub(crate) fn field(&self) -> &FieldDescriptor {
        &self.last
    }

    /// The field that it begins with.
    pub(crate) fn first(&self) -> &FieldDescriptor {
        self.outer.first().unwrap_or(&self.last)
    }

    /// The numbers of its fields.
    pub(crate) fn numbers(&self) -> Vec<u32> {
        self.outer.iter().chain([&self.last]).map(FieldDescriptor::number).collect()
    }

    /// What stands there; none where the field, or a message on the way, has no value.
    pub(crate) fn get(&self, message: &DynamicMessage) -> Option<Value> {
        let Some((first, rest)) = self.outer.split_first() else {
            return message.has_field(&self.last).then(|| message.get_field(&self.last).into_owned());
        };
        let inner = message.has_field(first).then(|| message.get_field(first))?;
        Self { outer: rest.to_vec(), last: self.last.clone() }.get(inner.as_message()?)
    }

    /// Sets the value there; one item more where it leads to a list.
    pub(crate) fn set(&self, message: &mut DynamicMessage, value: Value, problems: &mut Problems) {
        let mut within = message;
        for field in self.outer.iter().chain([&self.last]) {
            if let Some(other) = other_of_its_oneof(within, field) {
                return problems.add(format!("cannot be given together with {other}"));
            }
            if field == &self.last {
                break;
            }
            // All but the last are messages, as its making saw to.
            let Some(inner) = within.get_field_mut(field).as_message_mut() else { return };
            within = inner;
        }
        match within.get_field_mut(&self.last) {
            Value::List(items) => items.push(value),
            single => *single = value,
        }
    }
}

fn step(message: &MessageDescriptor, name: &str) -> Result<FieldDescriptor, String> {
    find(message, name).ok_or_else(|| unknown(message, name))
}
