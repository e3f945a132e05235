//! Requests made from their contracts alone: sound ones, ones that break one limit, ones that go up to one.

use freehold_contract::language::field_rules;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};

/// How deep messages within messages are followed; a type may hold itself.
const DEEPEST: usize = 4;
/// The character that limits are tried with: it counts as one and takes four bytes.
const WIDE: &str = "\u{1F9ED}";

/// What is in the texts of requests that are about something else.
const WORD: &str = "sound";

/// A request and the field that it is about.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// The path of the field, as an error names it: "lines[0].units".
    pub(crate) path: String,
    /// What is done to it.
    pub(crate) how: &'static str,
    pub(crate) message: DynamicMessage,
}

/// A message that keeps all its limits and holds no more than it must; `word` is in each of its texts.
pub(crate) fn sound(of: &MessageDescriptor, word: &str) -> DynamicMessage {
    let mut message = DynamicMessage::new(of.clone());
    for field in of.fields() {
        let rules = field_rules(&field);
        if field.is_list() {
            if rules.required {
                set(&mut message, &field, Value::List(vec![sound_value(&field, word)]));
            }
        } else if rules.required || (!field.supports_presence() && rules.min > Some(0)) {
            set(&mut message, &field, sound_value(&field, word));
        }
    }
    message
}

/// For every limit of the message, and of those in it, a message that breaks it and no other.
pub(crate) fn broken(of: &MessageDescriptor) -> Vec<Sample> {
    with_each_field(of, DEEPEST, &|field| {
        let rules = field_rules(field);
        let mut values = Vec::new();
        if rules.required {
            values.push(("is missing", None));
        }
        if rules.required && field.is_list() && field.kind() == Kind::String {
            values.push(("is empty", Some(text(field, 0))));
        }
        if let Some(min) = rules.min.filter(|min| fits(field, *min - 1)) {
            values.push(("is too small", Some(number(field, min - 1))));
        }
        if let Some(max) = rules.max.filter(|max| fits(field, *max + 1)) {
            values.push(("is too great", Some(number(field, max + 1))));
        }
        if let Some(most) = rules.max_length {
            values.push(("is too long", Some(text(field, most as usize + 1))));
            if field.kind() == Kind::String {
                values.push(("holds a NUL", Some(Value::String("a\0b".to_owned()))));
            }
        }
        if let Some(most) = rules.max_items {
            let items = vec![sound_value(field, WORD); most as usize + 1];
            values.push(("has too many items", Some(Value::List(items))));
        }
        values
    })
}

/// For every limit of the message, and of those in it, a message that goes up to it; and last a sound one as it is,
/// which gives back what those before it held in its name.
pub(crate) fn brimming(of: &MessageDescriptor) -> Vec<Sample> {
    let mut samples = with_each_field(of, DEEPEST, &|field| {
        let rules = field_rules(field);
        let numbers = [("is as small as can be", rules.min), ("is as great as can be", rules.max)];
        let numbers = numbers.into_iter().filter_map(|(how, limit)| Some((how, Some(number(field, limit?)))));
        let longest = rules.max_length.map(|most| ("is as long as can be", Some(text(field, most as usize))));
        let items = |most| {
            Value::List((0..most).map(|index| sound_value(field, &format!("{WORD}-{index}"))).collect())
        };
        let fullest = rules.max_items.map(|most| ("is as full as can be", Some(items(most))));
        numbers.chain(longest).chain(fullest).collect()
    });
    samples.push(as_it_is(of));
    samples
}

/// For every text of the message, a message with another text in its place; and last a sound one as it is.
pub(crate) fn with_texts(of: &MessageDescriptor, texts: &[(&'static str, &str)]) -> Vec<Sample> {
    let mut samples = with_each_field(of, DEEPEST, &|field| {
        if field.kind() != Kind::String || field.is_map() {
            return Vec::new();
        }
        texts.iter().map(|(how, text)| (*how, Some(Value::String((*text).to_owned())))).collect()
    });
    samples.push(as_it_is(of));
    samples
}

fn as_it_is(of: &MessageDescriptor) -> Sample {
    Sample { path: String::new(), how: "is as it is", message: sound(of, WORD) }
}

/// The message with another first text: another request, and sound if it was.
pub(crate) fn altered(message: &DynamicMessage) -> DynamicMessage {
    let mut altered = message.clone();
    let shape = prost_reflect::ReflectMessage::descriptor(message);
    let mut texts = shape.fields().filter(|field| field.kind() == Kind::String && !field.is_list());
    let field = texts.next().unwrap_or_else(|| panic!("{} has no text", shape.full_name()));
    let text = message.get_field(&field).as_str().map(|text| format!("{text}x"));
    altered.set_field(&field, Value::String(text.expect("the field is a text")));
    altered
}

/// What is to be done to a field: in which words, and the value it gets; none clears it. A list gets a list, or the one
/// item that it holds then.
type Changes = Vec<(&'static str, Option<Value>)>;

/// A sound message for each change of each field, also of the fields of messages in it.
fn with_each_field(
    of: &MessageDescriptor,
    deepest: usize,
    changes: &dyn Fn(&FieldDescriptor) -> Changes,
) -> Vec<Sample> {
    let mut samples = Vec::new();
    for field in of.fields() {
        for (how, value) in changes(&field) {
            let (mut message, mut path) = (sound(of, WORD), field.name().to_owned());
            match value {
                Some(item) if field.is_list() && item.as_list().is_none() => {
                    set(&mut message, &field, Value::List(vec![item]));
                    path += "[0]";
                }
                Some(value) => set(&mut message, &field, value),
                None => message.clear_field(&field),
            }
            samples.push(Sample { path, how, message });
        }
        if let (Kind::Message(inner), false, true) = (field.kind(), field.is_map(), deepest > 0) {
            for sample in with_each_field(&inner, deepest - 1, changes) {
                samples.push(within(of, &field, sample));
            }
        }
    }
    samples
}

/// A sound message that holds the sample in a field.
fn within(of: &MessageDescriptor, field: &FieldDescriptor, sample: Sample) -> Sample {
    let mut message = sound(of, WORD);
    let (name, value) = (field.name(), Value::Message(sample.message));
    let (name, value) = if field.is_list() {
        (format!("{name}[0]"), Value::List(vec![value]))
    } else {
        (name.to_owned(), value)
    };
    set(&mut message, field, value);
    Sample { path: format!("{name}.{}", sample.path), how: sample.how, message }
}

fn set(message: &mut DynamicMessage, field: &FieldDescriptor, value: Value) {
    message.try_set_field(field, value).unwrap_or_else(|error| panic!("{}: {error}", field.full_name()));
}

/// One value that keeps the limits of its field; one item for a list.
fn sound_value(field: &FieldDescriptor, word: &str) -> Value {
    match field.kind() {
        Kind::String => Value::String(word.to_owned()),
        Kind::Bytes => Value::Bytes(word.to_owned().into()),
        Kind::Bool => Value::Bool(true),
        Kind::Enum(_) => Value::EnumNumber(1),
        Kind::Message(inner) => Value::Message(sound(&inner, word)),
        _ => number(field, field_rules(field).min.unwrap_or(1).max(1)),
    }
}

/// A text, or bytes, of so many characters.
fn text(field: &FieldDescriptor, length: usize) -> Value {
    match field.kind() {
        Kind::Bytes => Value::Bytes(vec![7; length].into()),
        _ => Value::String(WIDE.repeat(length)),
    }
}

/// Whether a number is one of the field's type.
fn fits(field: &FieldDescriptor, number: i64) -> bool {
    match field.kind() {
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => i32::try_from(number).is_ok(),
        Kind::Uint32 | Kind::Fixed32 => u32::try_from(number).is_ok(),
        Kind::Uint64 | Kind::Fixed64 => u64::try_from(number).is_ok(),
        _ => true,
    }
}

fn number(field: &FieldDescriptor, number: i64) -> Value {
    let fitting = "the limit is a number of the field's type";
    match field.kind() {
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(number.try_into().expect(fitting)),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(number.try_into().expect(fitting)),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(number.try_into().expect(fitting)),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(number),
        other => panic!("{}: a limit on {other:?}", field.full_name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::message;

    /// What the suite rests on: a limit that these samples left out would be tried nowhere.
    #[test]
    fn every_limit_of_a_request_is_broken_by_a_sample() {
        let samples = broken(&message("orders.v1.PlaceOrderRequest"));
        let of = |path: &str| -> Vec<&str> {
            samples.iter().filter(|sample| sample.path == path).map(|sample| sample.how).collect()
        };
        let id = ["is missing", "is too long", "holds a NUL"];
        for path in ["id", "customer_id", "lines[0].product_id"] {
            assert_eq!(of(path), id, "{path}");
        }
        assert_eq!(of("lines"), ["is missing", "has too many items"]);
        for path in ["lines[0].units", "lines[0].unit_cents", "lines[0].discount_basis_points"] {
            assert_eq!(of(path), ["is too small", "is too great"], "{path}");
        }
        assert_eq!(samples.len(), 17);
        let samples = broken(&message("users.v1.BatchGetUsersRequest"));
        let of: Vec<_> = samples.iter().map(|sample| (sample.path.as_str(), sample.how)).collect();
        let items = [("ids[0]", "is empty"), ("ids[0]", "is too long"), ("ids[0]", "holds a NUL")];
        assert_eq!(
            of,
            [[("ids", "is missing")].as_slice(), &items, &[("ids", "has too many items")]].concat()
        );
    }

    #[test]
    fn a_sound_message_holds_what_it_must_and_no_more() {
        let sound = sound(&message("orders.v1.PlaceOrderRequest"), "a");
        let text = |name: &str| sound.get_field_by_name(name).unwrap().as_str().map(str::to_owned);
        assert_eq!((text("id").as_deref(), text("customer_id").as_deref()), (Some("a"), Some("a")));
        let lines = sound.get_field_by_name("lines").unwrap();
        let line = lines.as_list().unwrap()[0].as_message().unwrap();
        let set: Vec<String> = line.fields().map(|(field, _)| field.name().to_owned()).collect();
        assert_eq!(set, ["product_id", "units"]);
    }
}
