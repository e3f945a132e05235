//! What `(freehold.v1.field)` says of a field: the limits that its owner holds a request to.

use prost_reflect::{DescriptorPool, DynamicMessage, ExtensionDescriptor, FieldDescriptor, Value};

/// The option, where the contracts have it.
pub(crate) struct FieldOption(Option<ExtensionDescriptor>);

/// The limits of one field.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    pub(crate) required: bool,
    pub(crate) min: Option<i64>,
    pub(crate) max: Option<i64>,
    pub(crate) max_length: Option<u32>,
    pub(crate) max_items: Option<u32>,
    pub(crate) private: bool,
}

impl FieldOption {
    pub(crate) fn of(pool: &DescriptorPool) -> Self {
        Self(pool.get_extension_by_name("freehold.v1.field"))
    }

    /// The limits of a field.
    pub(crate) fn limits(&self, field: &FieldDescriptor) -> Limits {
        let options = field.options();
        let Some(option) = self.0.as_ref().filter(|option| options.has_extension(option)) else {
            return Limits::default();
        };
        let said = options.get_extension(option);
        let Some(said) = said.as_message() else { return Limits::default() };
        Limits {
            required: truth(said, "required"),
            min: given(said, "min").and_then(|value| value.as_i64()),
            max: given(said, "max").and_then(|value| value.as_i64()),
            max_length: given(said, "max_length").and_then(|value| value.as_u32()),
            max_items: given(said, "max_items").and_then(|value| value.as_u32()),
            private: truth(said, "private"),
        }
    }
}

fn truth(said: &DynamicMessage, field: &str) -> bool {
    given(said, field).and_then(|value| value.as_bool()).unwrap_or_default()
}

fn given(said: &DynamicMessage, field: &str) -> Option<Value> {
    said.has_field_by_name(field).then(|| said.get_field_by_name(field))?.map(|value| value.into_owned())
}
