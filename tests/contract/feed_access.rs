//! What a feed gives to whom: every caller and every shared type, over the wire, decided from the needs' own texts; and
//! fields that nobody declared, or that are private, in no byte of any answer.

use std::collections::BTreeSet;

use freehold_contract::model::{Consumer, Field};
use freehold_testkit::mounted::refusal;
use freehold_wire::pb::subscribe_response::Item;
use freehold_wire::pb::{
    AckRequest, Envelope, HeadRequest, HeadResponse, ReadRequest, ReadResponse, SnapshotRequest,
    SnapshotResponse, SubscribeRequest, SubscribeResponse,
};
use freehold_wire::prost::Message;
use freehold_wire::reason;
use prost_reflect::DynamicMessage;
use tonic::{Code, Status};

use crate::contract::{callers, consumer, message, sharing};
use crate::mesh::shared;
use crate::records::Records;
use crate::wire::{Wire, bounded, named};
use crate::world::{BUYER_EMAIL, COST_CENTS, NOTE, PRODUCTS, USERS};

/// What must stay where it is: the entity, the field, its bytes.
fn canaries() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let mut cost = Vec::new();
    freehold_wire::prost::encoding::encode_varint(COST_CENTS.cast_unsigned(), &mut cost);
    vec![
        ("catalog.v1.Product", "cost_cents", cost),
        ("catalog.v1.Product", "buyer_email", BUYER_EMAIL.into()),
        ("users.v1.User", "note", NOTE.into()),
    ]
}

/// C32 for feeds: a type is given if and only if it was declared, and an error names the line and the file.
#[tokio::test]
async fn every_caller_gets_the_types_that_its_needs_declare_and_no_others() {
    let mesh = shared().await;
    let wires = mesh.up().wires().await;
    for owner in sharing() {
        let wire = &wires[&owner.name];
        for caller in callers() {
            for entity in &owner.entities {
                let copied = taken(caller, &entity.name, Purpose::Copy).is_some();
                let read = ReadRequest::default().with_entity(entity.name.as_str()).with_keys(["any"]);
                let read = wire.call("freehold.v1.Feed/Read", &named(caller), read.encode_to_vec()).await;
                is_decided(caller, &entity.name, "replica", copied, read.map(drop));
                let snapshot = SnapshotRequest::default().with_entity(entity.name.as_str()).encode_to_vec();
                let snapshot = wire.open("freehold.v1.Feed/Snapshot", &named(caller), snapshot).await;
                is_decided(caller, &entity.name, "replica", copied, snapshot.map(drop));
            }
            let events = owner.events.iter().map(|event| &event.name);
            for of in owner.entities.iter().map(|entity| &entity.name).chain(events) {
                let seen = taken(caller, of, Purpose::Any).is_some();
                let subscribed =
                    wire.open("freehold.v1.Feed/Subscribe", &named(caller), subscribe(caller, of)).await;
                is_decided(caller, of, "view", seen, subscribed.map(drop));
            }
        }
    }
}

#[track_caller]
fn is_decided(caller: Option<&str>, of: &str, needs: &str, declared: bool, answer: Result<(), Status>) {
    let Err(status) = answer else {
        return assert!(declared, "{caller:?} was given {of}, which it does not declare");
    };
    assert!(!declared, "{caller:?} declares {of}, and was refused: {status}");
    assert_eq!(status.code(), Code::PermissionDenied, "{caller:?} {of}: {status}");
    let said = status.message();
    match caller.map(|name| (name, consumer(name))) {
        None => assert_eq!(reason::of(&status), "ANONYMOUS", "{said}"),
        Some((name, None)) => {
            assert_eq!(reason::of(&status), "UNKNOWN_CONSUMER", "{said}");
            assert!(said.contains(name) && said.contains("needs.proto"), "{said}");
        }
        Some((name, Some(consumer))) => {
            assert_eq!(reason::of(&status), "UNDECLARED", "{said}");
            let line = format!("option (freehold.v1.{needs}).of = \"{of}\";");
            assert!(said.contains(name) && said.contains(&consumer.file) && said.contains(&line), "{said}");
        }
    }
}

/// Of what is given, the declared fields alone: in a snapshot, in a read by keys, in the changes of a stream.
#[tokio::test]
async fn no_undeclared_field_of_an_entity_is_on_the_wire() {
    let mesh = shared().await;
    let wires = mesh.up().wires().await;
    let mut looked = 0;
    for owner in sharing() {
        for caller in callers() {
            for entity in &owner.entities {
                let of = entity.name.as_str();
                if let Some(fields) = taken(caller, of, Purpose::Copy) {
                    let rows = copied(&wires[&owner.name], caller, of).await;
                    looked += holds_no_more_than(of, &fields, rows);
                }
                if let Some(fields) = taken(caller, of, Purpose::Any) {
                    let events = followed(&wires[&owner.name], caller, of).await;
                    looked += holds_no_more_than(
                        of,
                        &fields,
                        events.iter().map(|(bytes, event)| (bytes.clone(), event.data.clone())),
                    );
                }
            }
        }
    }
    assert!(looked >= 2 * (USERS.len() + PRODUCTS.len()), "only {looked} entities were looked at");
}

/// Of the entities that a subscription concerns, events that it does not name come as headers.
#[tokio::test]
async fn an_event_that_was_not_asked_for_comes_without_its_data() {
    let mesh = shared().await;
    let wires = mesh.up().wires().await;
    let confirmed = "orders.v1.OrderConfirmed";
    let events = followed(&wires["orders"], Some("notifications"), confirmed).await;
    let (wanted, others): (Vec<_>, Vec<_>) =
        events.iter().map(|(_, event)| event).partition(|event| event.r#type == confirmed);
    assert!(wanted.len() >= 2 && wanted.iter().all(|event| event.data.is_some()), "{wanted:?}");
    assert!(others.iter().any(|event| event.r#type == "orders.v1.OrderPlaced"), "{others:?}");
    assert!(others.iter().all(|event| event.data.is_none() && event.dataschema.is_empty()), "{others:?}");
    for event in &wanted {
        assert_eq!(numbers(&event.r#type, event.data.as_deref().unwrap()), BTreeSet::from([1, 2, 3]));
    }
}

/// A subscription is its consumer's own.
#[tokio::test]
async fn nobody_reads_or_moves_the_subscription_of_another() {
    let mesh = shared().await;
    let wires = mesh.up().wires().await;
    let (orders, wire) = (named(Some("orders")), &wires["users"]);
    let theirs =
        SubscribeRequest::default().with_subscription("notifications/tests").with_types(["users.v1.User"]);
    let opened = wire.open("freehold.v1.Feed/Subscribe", &orders, theirs.encode_to_vec()).await;
    is_foreign(opened.map(drop));
    let ack = AckRequest::default().with_subscription("notifications/tests");
    let ack = ack.with_position(head(wire).await.position.unwrap()).encode_to_vec();
    is_foreign(wire.call("freehold.v1.Feed/Ack", &orders, ack).await.map(drop));
}

#[track_caller]
fn is_foreign(answer: Result<(), Status>) {
    let refused = refusal(answer);
    assert_eq!(refused, (Code::PermissionDenied, "FOREIGN_SUBSCRIPTION".to_owned()));
}

/// What is private is in the owner's own rows, and in nothing that it shares or answers.
#[tokio::test]
async fn what_is_private_never_leaves_its_owner() {
    let mesh = shared().await;
    let records = Records::of(&mesh.data());
    assert_eq!(records.holders("users", NOTE), ["app_user.note"]);
    let cost = records.number("catalog", "SELECT max(cost_cents) FROM product");
    assert_eq!(cost, COST_CENTS, "the product has it");
    let wires = mesh.up().wires().await;
    let reads =
        [("catalog", "catalog.v1.CatalogService/ListProducts"), ("users", "users.v1.UsersService/ListUsers")];
    for (owner, method) in reads {
        let answer = wires[owner].call(method, &named(None), []).await.unwrap();
        for (of, field, canary) in canaries().iter().filter(|(_, field, _)| *field != "buyer_email") {
            assert!(!contains(&answer.message, canary), "{method} shows {of}.{field}");
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Purpose {
    Copy,
    Any,
}

/// The numbers of the fields that the caller declared of a type; `None` where it did not declare the type.
fn taken(caller: Option<&str>, of: &str, purpose: Purpose) -> Option<BTreeSet<u32>> {
    let Consumer { views, replicas, .. } = consumer(caller?)?;
    let numbers = |fields: &[Field]| fields.iter().map(|field| field.number).collect::<Vec<_>>();
    let views = views.iter().filter(|view| purpose == Purpose::Any && view.of == of);
    let replicas = replicas.iter().filter(|replica| replica.of == of);
    let needs: Vec<_> = views
        .map(|view| numbers(&view.fields))
        .chain(replicas.map(|replica| numbers(&replica.fields)))
        .collect();
    (!needs.is_empty()).then(|| needs.into_iter().flatten().collect())
}

/// How many of the messages were looked at; each comes with the bytes that it arrived in.
#[track_caller]
fn holds_no_more_than(
    of: &str,
    fields: &BTreeSet<u32>,
    arrived: impl IntoIterator<Item = (Vec<u8>, Option<Vec<u8>>)>,
) -> usize {
    let shape = message(of);
    let declared =
        |field: &str| shape.get_field_by_name(field).is_some_and(|field| fields.contains(&field.number()));
    let mut looked = 0;
    for (bytes, data) in arrived {
        for (_, field, canary) in canaries().iter().filter(|(entity, ..)| *entity == of) {
            assert!(declared(field) || !contains(&bytes, canary), "{of}.{field} is on the wire");
        }
        if let Some(data) = data {
            assert!(numbers(of, &data).is_subset(fields), "{of}: {:?} of {fields:?}", numbers(of, &data));
            looked += 1;
        }
    }
    looked
}

/// The numbers of the fields that are in an encoded message.
fn numbers(of: &str, data: &[u8]) -> BTreeSet<u32> {
    let decoded = DynamicMessage::decode(message(of), data).unwrap();
    let known = decoded.fields().map(|(field, _)| field.number());
    known.chain(decoded.unknown_fields().map(|field| field.number())).collect()
}

/// All rows of an entity, by a snapshot and by keys.
async fn copied(wire: &Wire, caller: Option<&str>, of: &str) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    let request = SnapshotRequest::default().with_entity(of).encode_to_vec();
    let mut chunks = wire.open("freehold.v1.Feed/Snapshot", &named(caller), request).await.unwrap();
    let (mut rows, mut keys) = (Vec::new(), Vec::new());
    while let Some(bytes) = bounded("a chunk", chunks.message()).await.unwrap() {
        for row in SnapshotResponse::decode(bytes.as_slice()).unwrap().rows {
            keys.push(row.key);
            rows.push((bytes.clone(), row.data));
        }
    }
    let request = ReadRequest::default().with_entity(of).with_keys(keys).encode_to_vec();
    let bytes = wire.call("freehold.v1.Feed/Read", &named(caller), request).await.unwrap().message;
    let read = ReadResponse::decode(bytes.as_slice()).unwrap().rows;
    assert_eq!(read.len(), rows.len());
    rows.extend(read.into_iter().map(|row| (bytes.clone(), row.data)));
    rows
}

/// All events up to now of the stream that a type belongs to, each with the bytes that it arrived in.
async fn followed(wire: &Wire, caller: Option<&str>, of: &str) -> Vec<(Vec<u8>, Envelope)> {
    let head = head(wire).await.position.unwrap().mark;
    let mut stream =
        wire.open("freehold.v1.Feed/Subscribe", &named(caller), subscribe(caller, of)).await.unwrap();
    let mut events = Vec::new();
    loop {
        let bytes = bounded("an event", stream.message()).await.unwrap().expect("the stream goes on");
        match SubscribeResponse::decode(bytes.as_slice()).unwrap().item {
            Some(Item::Event(event)) => events.push((bytes, event)),
            Some(Item::Heartbeat(beat)) if beat.position.is_some_and(|position| position.mark >= head) => {
                return events;
            }
            _ => {}
        }
    }
}

async fn head(wire: &Wire) -> HeadResponse {
    let request = HeadRequest::default().encode_to_vec();
    let head = wire.call("freehold.v1.Feed/Head", &named(None), request).await.unwrap();
    HeadResponse::decode(head.message.as_slice()).unwrap()
}

fn subscribe(caller: Option<&str>, of: &str) -> Vec<u8> {
    let subscription = format!("{}/tests", caller.unwrap_or("nobody"));
    SubscribeRequest::default().with_subscription(subscription).with_types([of]).encode_to_vec()
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}
