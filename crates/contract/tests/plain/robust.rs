//! Bytes that are no descriptor set, or a broken one: a typed error or findings, never a panic.

use std::sync::LazyLock;

use freehold_contract::DescriptorsError;
use freehold_contract::Finding;
use freehold_contract::compat::Contract;
use freehold_contract::compat::plain::compare;
use freehold_contract::schema::Schema;
use proptest::prelude::*;
use prost::Message;
use prost_types::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet, MethodDescriptorProto,
    ServiceDescriptorProto,
};

use crate::{CATEGORIES, corpus};

/// A tree with something of everything, encoded.
static EVERYTHING: LazyLock<Vec<u8>> = LazyLock::new(everything);

fn everything() -> Vec<u8> {
    let pairs = corpus::by_rule();
    let pair = pairs.values().flatten().find(|pair| pair.name == "types-change-and-defaults-too").unwrap();
    let more = "syntax = \"proto2\"; package more; import \"a.proto\";\n\
        message M { map<string, test.v1.A> by = 1; oneof choice { string s = 2; group G = 3 {} }\n\
        extensions 100 to max; reserved 5 to 9; reserved \"gone\"; message N { enum E { Z = 0; } } }\n\
        extend M { optional string note = 100; }\n\
        service S { rpc Get(M) returns (stream M) { option idempotency_level = IDEMPOTENT; } }\n";
    let files = pair.previous.iter().cloned().chain([("more.proto".to_owned(), more.to_owned())]);
    let contract = Contract::compile(files.collect()).unwrap_or_else(|(findings, _)| panic!("{findings:?}"));
    contract.model.descriptors
}

fn compare_all(previous: &Schema, current: &Schema) -> Vec<Finding> {
    CATEGORIES.iter().flat_map(|(category, _)| compare(previous, current, *category, "previous")).collect()
}

proptest! {
    #[test]
    fn broken_bytes_are_refused_or_compared(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12), cut in any::<Option<prop::sample::Index>>()) {
        let whole = &*EVERYTHING;
        let mut bytes = whole.clone();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(whole.len()));
        }
        if let Ok(broken) = Schema::decode(&bytes) {
            let whole = Schema::decode(whole).unwrap();
            compare_all(&whole, &broken);
            compare_all(&broken, &whole);
            prop_assert_eq!(compare_all(&broken, &broken), []);
        }
    }

    #[test]
    fn rubbish_is_refused_or_empty(bytes in prop::collection::vec(any::<u8>(), 0..4096)) {
        if let Ok(schema) = Schema::decode(&bytes) {
            prop_assert_eq!(compare_all(&schema, &schema), []);
        }
    }
}

fn refusal(files: Vec<FileDescriptorProto>) -> String {
    Schema::decode(&FileDescriptorSet { file: files }.encode_to_vec()).unwrap_err().to_string()
}

fn file(name: &str) -> FileDescriptorProto {
    FileDescriptorProto { name: Some(name.to_owned()), ..FileDescriptorProto::default() }
}

fn message(name: &str) -> DescriptorProto {
    DescriptorProto { name: Some(name.to_owned()), ..DescriptorProto::default() }
}

fn field(name: &str, number: i32) -> FieldDescriptorProto {
    FieldDescriptorProto {
        name: Some(name.to_owned()),
        number: Some(number),
        ..FieldDescriptorProto::default()
    }
}

#[test]
fn what_contradicts_itself_is_refused_by_name() {
    assert_eq!(refusal(vec![file("a.proto"), file("a.proto")]), "failed to load a.proto: it is there twice");
    assert_eq!(refusal(vec![file("")]), "failed to load : a file without a name");
    let with =
        |messages: Vec<DescriptorProto>| FileDescriptorProto { message_type: messages, ..file("a.proto") };
    assert_eq!(refusal(vec![with(vec![message("")])]), "failed to load a.proto: something in `` has no name");
    let twice = vec![with(vec![message("A"), message("A")])];
    assert_eq!(refusal(twice), "failed to load a.proto: `A` is declared twice");
    let holds =
        |fields: Vec<FieldDescriptorProto>| with(vec![DescriptorProto { field: fields, ..message("A") }]);
    let twice = vec![holds(vec![field("a", 1), field("b", 1)])];
    assert_eq!(refusal(twice), "failed to load a.proto: `A` has the number 1 twice");
    let nameless = vec![holds(vec![field("", -7)])];
    assert_eq!(refusal(nameless), "failed to load a.proto: the field -7 has no name");
    let lost = vec![holds(vec![FieldDescriptorProto { oneof_index: Some(-1), ..field("a", 1) }])];
    assert_eq!(refusal(lost), "failed to load a.proto: the field `a` is in a oneof that is not there");
    let get = MethodDescriptorProto { name: Some("Get".to_owned()), ..MethodDescriptorProto::default() };
    let service =
        ServiceDescriptorProto { name: Some("S".to_owned()), method: vec![get.clone(), get], options: None };
    let twice = FileDescriptorProto { service: vec![service], ..file("a.proto") };
    assert_eq!(refusal(vec![twice]), "failed to load a.proto: `S` has the RPC `Get` twice");
}

#[test]
fn an_edition_that_is_not_known_is_refused_by_its_number() {
    let mut set = FileDescriptorSet { file: vec![file("a.proto")] }.encode_to_vec();
    assert!(Schema::decode(&set).is_ok());
    // The edition, 2 bytes behind the key, and the length of the file that holds it.
    set.extend_from_slice(&[0x70, 0x8f, 0x4e]);
    set[1] += 3;
    let refused = Schema::decode(&set).unwrap_err();
    assert!(matches!(&refused, DescriptorsError::Edition { edition, .. } if edition == "9999"), "{refused}");
}

#[test]
fn nesting_beyond_the_limit_is_refused() {
    let mut inner = message("M");
    for _ in 0..5_000 {
        inner = DescriptorProto { nested_type: vec![inner], ..message("M") };
    }
    let deep = FileDescriptorProto { message_type: vec![inner], ..file("a.proto") };
    let bytes = FileDescriptorSet { file: vec![deep] }.encode_to_vec();
    assert!(matches!(Schema::decode(&bytes), Err(DescriptorsError::Decode(_))));
}

#[test]
fn a_hundred_megabytes_of_rubbish_are_refused() {
    let bytes = "all rubbish\n".repeat(9 << 20);
    assert!(matches!(Schema::decode(bytes.as_bytes()), Err(DescriptorsError::Decode(_))));
}
