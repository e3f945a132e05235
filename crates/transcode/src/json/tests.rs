//! JSON and messages, over contracts that hold everything that a contract can hold.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use freehold_contract::Sources;
use proptest::collection::vec;
use proptest::prelude::{any, proptest};
use proptest::prop_assert;
use prost::Message;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value,
};
use serde_json::{Value as Written, json};

use crate::problems::Problems;

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/everything/proto");
    let files = ["everything/v1/everything.proto", "odd/v1/odd.proto", "money/v1/money.proto"];
    let text = |path: &str| (path.to_owned(), fs::read_to_string(folder.join(path)).unwrap());
    let wild = ("wild/v1/wild.proto".to_owned(), WILD.to_owned());
    let sources: Sources = files.into_iter().map(text).chain([wild]).collect();
    freehold_contract::load(&sources).unwrap().pool
});

/// The types of Protobuf's own that the fixture has no field of.
const WILD: &str = r#"
    syntax = "proto3";
    package wild.v1;
    import "google/protobuf/any.proto";
    import "google/protobuf/field_mask.proto";
    import "google/protobuf/struct.proto";
    import "google/protobuf/wrappers.proto";
    message Wild {
        google.protobuf.Any any = 1;
        google.protobuf.FieldMask mask = 2;
        google.protobuf.Struct struct = 3;
        google.protobuf.Value value = 4;
        google.protobuf.ListValue list = 5;
        google.protobuf.NullValue null = 6;
        google.protobuf.Int64Value wrapped = 7;
        repeated google.protobuf.Value values = 8;
    }
"#;

fn descriptor(name: &str) -> MessageDescriptor {
    POOL.get_message_by_name(name).unwrap()
}

/// Reads a text; what is wrong with it as "field: problem".
fn read(name: &str, text: &str) -> Result<DynamicMessage, String> {
    let json =
        super::parse(text.as_bytes()).map_err(|misread| format!("{}: {}", misread.path, misread.problem))?;
    let mut problems = Problems::default();
    let message = super::message(&descriptor(name), json, &mut problems);
    problems.none().map(|()| message).map_err(|status| status.message().to_owned())
}

/// What is wrong with a text.
fn refused(name: &str, text: &str) -> String {
    read(name, text).map_or_else(|problem| problem, |read| panic!("{text} is read as {}", written(&read)))
}

fn written(message: &DynamicMessage) -> Written {
    let text = super::write(&message_descriptor(message), message.encode_to_vec().into()).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn message_descriptor(message: &DynamicMessage) -> MessageDescriptor {
    use prost_reflect::ReflectMessage;
    message.descriptor()
}

/// Bytes that a message is made from; after the last one they are all zero, so that a shorter list is a simpler message.
struct Entropy(std::vec::IntoIter<u8>);

impl Entropy {
    fn byte(&mut self) -> u8 {
        self.0.next().unwrap_or_default()
    }

    fn number(&mut self) -> u64 {
        let bytes = 1 + self.byte() % 8;
        (0..bytes).fold(0, |number, _| number << 8 | u64::from(self.byte()))
    }

    fn text(&mut self) -> String {
        const LETTERS: [char; 8] = ['a', 'é', '"', '\\', '\n', '\0', '/', '\u{1F600}'];
        (0..self.byte() % 4).map(|_| LETTERS[usize::from(self.byte() % 8)]).collect()
    }
}

fn message(descriptor: &MessageDescriptor, entropy: &mut Entropy, depth: u32) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    let well_known = descriptor.package_name() == "google.protobuf";
    if well_known && matches!(descriptor.name(), "Timestamp" | "Duration") {
        message.set_field_by_name("seconds", Value::I64((entropy.number() % 250_000_000_000).cast_signed()));
        message.set_field_by_name("nanos", Value::I32((entropy.number() % 1_000_000_000) as i32));
        return message;
    }
    if well_known && descriptor.name() == "Value" {
        // One that says nothing is none, and infinity is nothing that it can say.
        let number = entropy.number();
        match number % 4 {
            0 => message.set_field_by_name("null_value", Value::EnumNumber(0)),
            1 => message.set_field_by_name("bool_value", Value::Bool(number.is_multiple_of(3))),
            2 => message.set_field_by_name("number_value", Value::F64(number as f64)),
            _ => message.set_field_by_name("string_value", Value::String(entropy.text())),
        }
        return message;
    }
    for field in descriptor.fields() {
        let nested = field.kind().as_message().is_some() && depth == 0;
        if !nested && !entropy.byte().is_multiple_of(3) {
            let value = field_value(&field, entropy, depth);
            // A later member of a oneof takes the place of an earlier one.
            message.set_field(&field, value);
        }
    }
    message
}

fn field_value(field: &FieldDescriptor, entropy: &mut Entropy, depth: u32) -> Value {
    let kind = field.kind();
    let items = entropy.byte() % 3;
    if field.is_map() {
        let entry = kind.as_message().unwrap();
        let (keys, values) = (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind());
        let entries = (0..items).map(|_| {
            let key: MapKey = value(&keys, entropy, depth).into_map_key().unwrap();
            (key, value(&values, entropy, depth))
        });
        return Value::Map(entries.collect());
    }
    if field.is_list() {
        return Value::List((0..items).map(|_| value(&kind, entropy, depth)).collect());
    }
    value(&kind, entropy, depth)
}

fn value(kind: &Kind, entropy: &mut Entropy, depth: u32) -> Value {
    let number = entropy.number();
    match kind {
        Kind::Double => Value::F64(f64::from_bits(number)).finite(),
        Kind::Float => Value::F32(f32::from_bits(number as u32)).finite(),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(number as i32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(number.cast_signed()),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(number as u32),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(number),
        Kind::Bool => Value::Bool(number % 2 == 1),
        Kind::String => Value::String(entropy.text()),
        Kind::Bytes => Value::Bytes(number.to_be_bytes()[..(number % 9) as usize].to_vec().into()),
        // Also numbers that the contract does not name.
        Kind::Enum(_) => Value::EnumNumber((number % 6) as i32),
        Kind::Message(inner) => Value::Message(message(inner, entropy, depth.saturating_sub(1))),
    }
}

trait Finite {
    /// Itself, where it is a number: nothing equals what is none.
    fn finite(self) -> Self;
}

impl Finite for Value {
    fn finite(self) -> Self {
        match self {
            Self::F64(value) if value.is_nan() => Self::F64(f64::INFINITY),
            Self::F32(value) if value.is_nan() => Self::F32(f32::NEG_INFINITY),
            number => number,
        }
    }
}

proptest! {
    #[test]
    fn a_message_survives_json(entropy in vec(any::<u8>(), 0..600), which in 0..4_usize) {
        let name = ["everything.v1.Thing", "everything.v1.PutRequest", "everything.v1.Found", "odd.v1.Option"][which];
        let made = message(&descriptor(name), &mut Entropy(entropy.into_iter()), 3);
        // As its receiver sees it: a list that was set to nothing is no longer set.
        let original = DynamicMessage::decode(descriptor(name), made.encode_to_vec().as_slice()).unwrap();
        let text = written(&original).to_string();
        // What differs is shown as JSON: a message is never shown with its type, which may hold itself.
        let back = read(name, &text);
        prop_assert!(back.as_ref() == Ok(&original), "{}\n{:?}", text, back.map(|back| written(&back)));
    }

    /// A text is read or refused; whatever is read can be written.
    #[test]
    fn no_text_makes_a_reader_panic(
        entropy in vec(any::<u8>(), 0..300),
        edits in vec((any::<usize>(), any::<u8>()), 1..6),
    ) {
        let original = message(&descriptor("everything.v1.PutRequest"), &mut Entropy(entropy.into_iter()), 3);
        let mut text = written(&original).to_string().into_bytes();
        for (at, byte) in edits {
            const SYNTAX: &[u8] = b"{}[]:,\"\\0-.eE nulltrue";
            let (at, byte) = (at % text.len().max(1), usize::from(byte));
            match byte % 3 {
                0 => text.insert(at, SYNTAX[byte % SYNTAX.len()]),
                1 if at < text.len() => drop(text.remove(at)),
                _ => text.truncate(at.max(1)),
            }
        }
        if let Ok(json) = super::parse(&text) {
            let mut problems = Problems::default();
            let message = super::message(&descriptor("everything.v1.PutRequest"), json, &mut problems);
            match problems.none() {
                Ok(()) => drop(written(&message)),
                Err(status) => prop_assert!(!status.message().is_empty()),
            }
        }
    }
}

#[test]
fn what_json_has_several_ways_for_is_read_in_all_of_them() {
    for (one, other) in [
        (json!({"anInt32": 3}), json!({"an_int32": "3"})),
        (json!({"anInt32": 3.0}), json!({"anInt32": "3e0"})),
        (json!({"anInt64": "-9223372036854775808"}), json!({"anInt64": i64::MIN})),
        (json!({"aUint64": "18446744073709551615"}), json!({"aUint64": u64::MAX})),
        (json!({"aDouble": 1.5}), json!({"aDouble": "1.5"})),
        (json!({"color": "COLOR_BLUE"}), json!({"color": 2})),
        (json!({"someBytes": "+/8="}), json!({"someBytes": "-_8"})),
        (json!({"made": "2024-01-02T03:04:05Z"}), json!({"made": "2024-01-02T05:04:05.000+02:00"})),
        (json!({"id": null, "color": null, "part": null, "strings": null, "counts": null}), json!({})),
    ] {
        let read = |value: &Written| read("everything.v1.Thing", &value.to_string());
        let (one, other) = (read(&one).unwrap(), read(&other).unwrap());
        assert!(one == other, "{} {}", written(&one), written(&other));
    }
    let special = read("everything.v1.Thing", r#"{"aDouble": "NaN", "aFloat": "-Infinity"}"#).unwrap();
    assert_eq!(written(&special), json!({"aDouble": "NaN", "aFloat": "-Infinity"}));
}

#[test]
fn what_is_out_of_its_range_is_refused() {
    for (text, problem) in [
        (r#"{"anInt32": 2147483648}"#, "anInt32: is out of range: 2147483648"),
        (r#"{"anInt32": "x"}"#, "anInt32: must be an integer, is a string of something else"),
        (r#"{"anInt32": ""}"#, "anInt32: must be an integer, is a string of something else"),
        (r#"{"anInt32": 0.5}"#, "anInt32: must be an integer, has a fraction"),
        (r#"{"anInt64": "9223372036854775808"}"#, "anInt64: is out of range: 9223372036854775808"),
        (r#"{"aUint32": -1}"#, "aUint32: is out of range: -1"),
        (r#"{"aFloat": 1e39}"#, "aFloat: is out of range: 1000000000000000000000000000000000000000"),
        (r#"{"aDouble": "inf"}"#, "aDouble: must be a number, is a string of something else"),
        (r#"{"aBool": "true"}"#, "aBool: must be a boolean, is a string"),
        (r#"{"id": {}}"#, "id: must be a string, is an object"),
        (r#"{"part": "x"}"#, "part: must be an object, is a string"),
        (r#"{"age": "1"}"#, "age: is no google.protobuf.Duration: "),
        (r#"{"made": 1}"#, "made: is no google.protobuf.Timestamp: "),
        (r#"{"strings": [null]}"#, "strings[0]: must be a string, is null"),
        (r#"{"counts": {"a": null}}"#, "counts[a]: must be an integer, is null"),
        (r#"{"counts": [1]}"#, "counts: must be an object, is a list"),
        (
            r#"{"partsByPlace": {"x": {}}}"#,
            "partsByPlace[x]: its key must be an integer, is a string of something else",
        ),
        (r#"{"partsByPlace": {"1": {}, "01": {}}}"#, "partsByPlace[01]: is given twice"),
        (r#"{"colorsByTruth": {"yes": 1}}"#, "colorsByTruth[yes]: its key must be a boolean, is a string"),
        (r#"{"rank": 1, "nickname": "x"}"#, "nickname: cannot be given together with rank"),
        (r#"{"gone": 1}"#, "gone: is no field of everything.v1.Thing"),
        (
            r#"{"origin": {"twin": {"part": {"fixing": "FIXING_GLEU"}}}}"#,
            "origin.twin.part.fixing: is no value of everything.v1.Thing.Part.Fixing; did you mean FIXING_GLUE?",
        ),
    ] {
        let said = refused("everything.v1.Thing", text);
        assert!(said.starts_with(problem), "{text}: {said}");
    }
}

#[test]
fn types_that_have_a_mapping_of_their_own_are_read_in_it() {
    let wild = json!({
        "any": {"@type": "type.googleapis.com/money.v1.Money", "currency": "EUR", "cents": "7"},
        "mask": "aB,c.dE", "struct": {"a": [1.5, null, {"b": true}]}, "value": null, "list": ["x", {}],
        "null": null, "wrapped": "0", "values": [null, 1.0],
    });
    let read_back = written(&read("wild.v1.Wild", &wild.to_string()).unwrap());
    let mut expected = wild;
    expected.as_object_mut().unwrap().remove("null");
    assert_eq!(read_back, expected);
    for (text, field) in [
        (r#"{"any": {"@type": "type.googleapis.com/no.such.Type"}}"#, "any"),
        (r#"{"any": {"currency": "EUR"}}"#, "any"),
        (r#"{"mask": 1}"#, "mask"),
        (r#"{"struct": []}"#, "struct"),
        (r#"{"struct": {"a": 1, "a": 2}}"#, "struct.a"),
        (r#"{"wrapped": true}"#, "wrapped"),
        (r#"{"null": 1.5}"#, "null"),
    ] {
        let said = refused("wild.v1.Wild", text);
        assert!(said.starts_with(&format!("{field}: ")), "{text}: {said}");
    }
}

/// `prost-reflect` reads JSON too. What it lets pass is why it is not asked to: of two values it takes the second.
#[test]
fn a_reader_that_lets_names_repeat_is_not_this_one() {
    let text = r#"{"id": "a", "id": "b"}"#;
    let mut lenient = serde_json::Deserializer::from_str(text);
    let taken = DynamicMessage::deserialize(descriptor("everything.v1.Thing"), &mut lenient).unwrap();
    assert_eq!(taken.get_field_by_name("id").unwrap().as_str(), Some("b"));
    assert_eq!(refused("everything.v1.Thing", text), "id: is given twice at line 1 column 22");
}

/// A body of four megabytes has room for a million wrong fields: each that is looked at costs a search for its like.
#[test]
fn after_twenty_problems_nothing_more_is_read() {
    let wrong = (0..20).map(|number| format!(r#""x{number}": true, "#)).collect::<String>();
    let items = "true, ".repeat(20);
    for (text, unread) in [
        (format!(r#"{{{wrong}"id": "a"}}"#), "id"),
        (format!(r#"{{"strings": [{items}"a"]}}"#), "strings"),
        (format!(r#"{{"counts": {{{wrong}"a": 1}}}}"#), "counts"),
    ] {
        let mut problems = Problems::default();
        let json = super::parse(text.as_bytes()).unwrap();
        let message = super::message(&descriptor("everything.v1.Thing"), json, &mut problems);
        assert!(!message.has_field_by_name(unread), "{unread} of {text}");
        assert!(problems.none().unwrap_err().message().matches("; ").count() == 19, "{unread}");
    }
}
