//! Entities and events of a megabyte: what waits for a subscriber, and what makes one message, is bounded by its bytes.

use std::pin::pin;
use std::time::Instant;

use freehold_store::{entity, outbox};
use freehold_wire::dispatch::MAX_MESSAGE;
use freehold_wire::feed::FeedService;
use freehold_wire::pb::subscribe_response::Item;
use freehold_wire::pb::{EntityRow, ReadRequest, SnapshotRequest, SnapshotResponse};
use freehold_wire::reason;
use futures_util::{FutureExt, StreamExt};
use prost::Message;
use tonic::Code;

use crate::feed::access::Access;
use crate::feed::outlet::outlet;
use crate::feed::pump::Pump;
use crate::feed::{Feed, Options, PAGE_BYTES, READ_TOO_LARGE, WAITING_BYTES};
use crate::fixture::{CONTRACT, ORDER, Order, Owner, SOON, SUBSCRIPTION, context};
use freehold_testkit::engines;

/// An entity of about so many bytes.
async fn put(owner: &Owner, key: usize, bytes: usize) {
    let order = Order { id: format!("k{key:03}"), state: "x".repeat(bytes), secret: String::new() };
    owner.put(order).await;
}

/// As large as a store takes them, together many times as large as a message may be.
async fn owner_of_large() -> Owner {
    let owner = Owner::open().await;
    for key in 0..12 {
        put(&owner, key, outbox::MAX_DATA - 20).await;
    }
    owner
}

/// With default options, by which hundreds of events may wait.
fn pump(owner: &Owner) -> Pump {
    let access = Access::of(&CONTRACT, "orders").unwrap();
    let grant = access.subscribe(context().caller(), SUBSCRIPTION, &[ORDER.to_owned()]).unwrap();
    Pump::new(owner.store.clone(), grant, Options::default(), 0, Instant::now() + SOON)
}

/// A pump on a way for that many bytes, on which nothing is taken until the pump can do no more. What waits then is at
/// most what may wait, or one message; after that everything comes.
async fn waits(bytes: u32) -> Result<(), String> {
    let owner = owner_of_large().await;
    let (out, stream) = outlet(Options::default().batch, bytes);
    let (mut running, mut stream) = (pin!(pump(&owner).run(out)), pin!(stream));
    assert!(running.as_mut().now_or_never().is_none());
    assert!(stream.next().now_or_never().is_some(), "the opening heartbeat makes room");
    // A poll for each page, and some more: on SQLite reading does not wait, so a pump waits for nothing but room.
    for _ in 0..100 {
        assert!(running.as_mut().now_or_never().is_none());
        tokio::task::yield_now().await;
    }
    let (mut waited, mut events) = (Vec::new(), Vec::new());
    while let Some(Some(sent)) = stream.next().now_or_never() {
        let sent = sent.unwrap();
        waited.push(sent.encoded_len());
        events.extend(event(sent.item));
    }
    while events.len() < 12 {
        assert!(running.as_mut().now_or_never().is_none());
        tokio::task::yield_now().await;
        while let Some(Some(sent)) = stream.next().now_or_never() {
            events.extend(event(sent.unwrap().item));
        }
    }
    assert_eq!(events, (0..12).map(|key| format!("k{key:03}")).collect::<Vec<_>>());
    let sum: usize = waited.iter().sum();
    let bounded = sum <= WAITING_BYTES as usize || waited.len() == 1;
    if bounded { Ok(()) } else { Err(format!("{sum} bytes wait")) }
}

fn event(item: Option<Item>) -> Option<String> {
    match item {
        Some(Item::Event(event)) => Some(event.subject),
        _ => None,
    }
}

#[tokio::test]
async fn what_waits_for_a_slow_subscriber_is_bounded_by_its_bytes() {
    if engines::is_about_postgres() {
        return; // It is polled by hand, and there reading waits for the server.
    }
    assert_eq!(waits(WAITING_BYTES).await, Ok(()));
    assert!(waits(u32::MAX).await.is_err(), "the planted bug, bounded by the number of events only, is seen");
}

/// A chunk that holds no more than was meant, and is one message.
fn one_message(chunk: &SnapshotResponse) -> Result<(), String> {
    let (rows, bytes) = (chunk.rows.len(), chunk.encoded_len());
    let bounded = rows == 1 || bytes <= PAGE_BYTES + chunk.epochs.len() * 32 + 64;
    if bounded && bytes < MAX_MESSAGE { Ok(()) } else { Err(format!("{rows} rows are {bytes} bytes")) }
}

/// R5: a snapshot of large entities comes in small chunks, and completely.
#[tokio::test]
async fn a_chunk_of_large_entities_is_one_message() {
    let owner = owner_of_large().await;
    for key in 12..20 {
        put(&owner, key, PAGE_BYTES / 3).await;
    }
    let feed = Feed::new(owner.store.clone(), &CONTRACT).unwrap();
    let stream = feed.snapshot(context(), SnapshotRequest::default().with_entity(ORDER)).await.unwrap();
    let chunks: Vec<_> = StreamExt::map(stream, Result::unwrap).collect().await;
    for chunk in &chunks {
        assert_eq!(one_message(chunk), Ok(()));
    }
    let keys = chunks.iter().flat_map(|chunk| &chunk.rows).map(|row| row.key.clone());
    assert_eq!(keys.collect::<Vec<_>>(), (0..20).map(|key| format!("k{key:03}")).collect::<Vec<_>>());
    assert_eq!(chunks.iter().map(|chunk| chunk.rows.len()).max(), Some(2), "what fits comes together");

    let mut read = owner.store.read().await.unwrap();
    let records = entity::chunk(&mut read, ORDER, "", 500).await.unwrap();
    let rows = records.into_iter().map(|record| {
        let row = EntityRow::default().with_key(record.key).with_version(record.version);
        row.with_data(record.data.unwrap())
    });
    let planted = SnapshotResponse::default().with_rows(rows);
    assert!(one_message(&planted).is_err(), "the planted bug, a chunk by the number of its rows, is seen");
}

#[tokio::test]
async fn a_reply_of_large_entities_is_one_message_or_asks_for_less() {
    let owner = owner_of_large().await;
    let read = async |keys: usize| {
        let request =
            ReadRequest::default().with_entity(ORDER).with_keys((0..keys).map(|key| format!("k{key:03}")));
        owner.feed().read(context(), request).await
    };
    let most = read(2).await.unwrap();
    assert!(most.rows.len() == 2 && most.encoded_len() < MAX_MESSAGE);
    let refused = read(12).await.unwrap_err();
    assert_eq!((refused.code(), reason::of(&refused).as_str()), (Code::ResourceExhausted, READ_TOO_LARGE));
}
