//! E40 over the mesh's own contracts: what was emitted under any released version is read by today's views and copies.
//!
//! The corpus has an event or entity of each type as each released version encodes it, every field set. What was emitted
//! once never changes, so no line of a snapshot does either; a release adds one.

use std::fs;
use std::path::{Path, PathBuf};

use freehold_contract::model::Model;
use freehold_contract::{Sources, load};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};

/// How deep messages in messages are filled.
const DEPTH: u32 = 3;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every contract of a folder, by the path that others import it by.
fn sources(folder: &Path, inside: &str, sources: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{inside}{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            self::sources(&entry.path(), &format!("{path}/"), sources);
        } else if path.ends_with(".proto") {
            sources.push((path, fs::read_to_string(entry.path()).unwrap()));
        }
    }
}

fn today() -> Model {
    let mut texts = Vec::new();
    sources(&root().join("proto"), "", &mut texts);
    load(&texts.into_iter().collect::<Sources>()).unwrap()
}

/// The released versions, oldest first.
fn releases() -> Vec<(String, DescriptorPool)> {
    let files = fs::read_dir(root().join("contracts/released")).unwrap();
    let mut releases: Vec<_> = files
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "binpb"))
        .map(|path| {
            let pool = DescriptorPool::decode(fs::read(&path).unwrap().as_slice()).unwrap();
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), pool)
        })
        .collect();
    releases.sort_by(|one, other| one.0.cmp(&other.0));
    releases
}

/// A message with every field set, each to something of its own.
fn sample(message: &MessageDescriptor, depth: u32) -> DynamicMessage {
    let mut sample = DynamicMessage::new(message.clone());
    for field in message.fields().filter(|field| !field.is_map()) {
        let Some(value) = value(&field, depth) else { continue };
        let value = if field.is_list() { Value::List(vec![value]) } else { value };
        sample.set_field(&field, value);
    }
    sample
}

fn value(field: &FieldDescriptor, depth: u32) -> Option<Value> {
    let number = field.number() + 100;
    Some(match field.kind() {
        Kind::Bool => Value::Bool(true),
        Kind::String => Value::String(format!("the {}", field.name())),
        Kind::Bytes => Value::Bytes(vec![0xff, number as u8].into()),
        Kind::Float => Value::F32(number as f32),
        Kind::Double => Value::F64(f64::from(number)),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(number as i32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(i64::from(number)),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(number),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(u64::from(number)),
        Kind::Enum(known) => Value::EnumNumber(known.values().last()?.number()),
        Kind::Message(_) if depth == 0 => return None,
        Kind::Message(inner) => Value::Message(sample(&inner, depth - 1)),
    })
}

/// What each view and copy of today is of, with its own name.
fn takings(model: &Model) -> Vec<(String, String)> {
    let consumers = model.consumers.iter();
    let mut takings: Vec<(String, String)> = consumers
        .flat_map(|consumer| {
            let views = consumer.views.iter().map(|view| (view.of.clone(), view.name.clone()));
            views.chain(consumer.replicas.iter().map(|copy| (copy.of.clone(), copy.name.clone())))
        })
        .collect();
    takings.sort();
    takings
}

/// The planted bug, a view that takes a field by its name alone, would read nothing here.
#[test]
fn what_was_emitted_under_any_release_is_read_by_todays_views_and_copies() {
    let today = today();
    let mut read = 0;
    for (version, pool) in releases() {
        let mut corpus = String::new();
        let mut last = String::new();
        for (of, name) in takings(&today) {
            // What did not exist then was not emitted.
            let Some(then) = pool.get_message_by_name(&of) else { continue };
            let emitted = sample(&then, DEPTH);
            let bytes = emitted.encode_to_vec();
            if last != of {
                let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                corpus.push_str(&format!("{of} {hex}\n"));
                last.clone_from(&of);
            }
            let shape = today.pool.get_message_by_name(&name).unwrap();
            let view = DynamicMessage::decode(shape.clone(), bytes.as_slice()).unwrap();
            for field in shape.fields().filter(|field| !field.is_map()) {
                let Some(source) = then.get_field(field.number()) else { continue };
                let (was, is) = (emitted.get_field(&source).to_string(), view.get_field(&field).to_string());
                assert_eq!(was, is, "{version}: {of} as {name}, {}", field.name());
                read += 1;
            }
        }
        insta::assert_snapshot!(format!("corpus_{version}"), corpus);
    }
    assert!(read > 30, "{read} fields were read");
}
