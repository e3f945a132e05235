//! The feed on a real database: who gets what, in which order, from where on.

mod instances;
mod keeping;
mod large;
mod retention;
mod subscribers;
mod watching;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use freehold_store::{Queries, StoreError, Work, vals};
use freehold_wire::dispatch::Messages;
use freehold_wire::feed::FeedService;
use freehold_wire::pb::subscribe_response::Item;
use freehold_wire::pb::{
    AckRequest, Envelope, HeadRequest, Heartbeat, Position, ReadRequest, SnapshotRequest, SubscribeRequest,
    SubscribeResponse,
};
use freehold_wire::{Context, reason};
use futures_util::StreamExt;
use prost::Message;
use tonic::Code;

use super::{Feed, Options};
use crate::fixture::{
    CONTRACT, Noted, ORDER, Order, Owner, Placed, PlacedView, SOON, SUBSCRIPTION, Stock, context, placed,
};
use crate::link::HISTORY_LOST;

fn request(types: &[&str]) -> SubscribeRequest {
    SubscribeRequest::default().with_subscription(SUBSCRIPTION).with_types(types.iter().copied())
}

async fn open(feed: &Feed, types: &[&str]) -> Messages<SubscribeResponse> {
    feed.subscribe(context(), request(types)).await.unwrap()
}

async fn next(stream: &mut Messages<SubscribeResponse>) -> Item {
    let next = tokio::time::timeout(SOON, StreamExt::next(stream)).await.unwrap();
    next.unwrap().unwrap().item.unwrap()
}

async fn next_event(stream: &mut Messages<SubscribeResponse>) -> Envelope {
    loop {
        if let Item::Event(event) = next(stream).await {
            return event;
        }
    }
}

async fn next_heartbeat(stream: &mut Messages<SubscribeResponse>) -> Heartbeat {
    loop {
        if let Item::Heartbeat(heartbeat) = next(stream).await {
            return heartbeat;
        }
    }
}

fn mark(position: &Option<Position>) -> i64 {
    position.as_ref().unwrap().mark
}

#[tokio::test]
async fn only_declared_fields_and_types_leave() {
    let owner = Owner::open().await;
    owner.emit(placed("k0", 5)).await;
    owner.emit(Noted { order_id: "k0".to_owned() }).await;
    owner.put(Stock { id: "s0".to_owned(), units: 1 }).await;
    owner.emit(placed("k1", 6)).await;
    let mut stream = open(&owner.feed(), &["o.v1.Placed"]).await;

    let first = next_event(&mut stream).await;
    let data = first.data.clone().unwrap();
    assert_eq!(PlacedView::decode(data.as_slice()).unwrap().cents, 5);
    assert_eq!(Placed::decode(data.as_slice()).unwrap().note, "", "the undeclared field has left");
    assert_eq!(first.dataschema, "o.v1.Placed");

    let headers = next_event(&mut stream).await;
    assert_eq!((headers.version, headers.r#type.as_str()), (2, "o.v1.Noted"));
    assert_eq!((headers.data, headers.dataschema.as_str()), (None, ""), "headers only");
    assert_eq!(next_event(&mut stream).await.subject, "k1", "other entities are left out");
}

#[tokio::test]
async fn the_first_message_is_a_heartbeat_with_the_epochs() {
    let owner = Owner::open().await.restart().await;
    owner.emit(placed("k0", 5)).await;
    let mut stream = open(&owner.feed(), &["o.v1.Placed"]).await;
    let Item::Heartbeat(heartbeat) = next(&mut stream).await else { panic!("an event came first") };
    assert_eq!(heartbeat.epochs, owner.store.head().epochs());
    assert_eq!(heartbeat.epochs.len(), 2);
    assert_eq!(mark(&heartbeat.position), 0);
    assert!(heartbeat.interval.is_some() && heartbeat.time.is_some());
}

/// R7: progress never overtakes data, and moves where there is no data for this subscription.
#[tokio::test]
async fn a_heartbeat_never_overtakes_an_event() {
    let owner = Owner::open().await;
    let mut stream = open(&owner.feed(), &["o.v1.Placed"]).await;
    for round in 1..=50 {
        owner.emit(placed("k0", round)).await;
        owner.put(Stock { id: "s0".to_owned(), units: round }).await;
    }
    let (mut told, mut events) = (0, 0);
    while told < 100 {
        match next(&mut stream).await {
            Item::Event(event) => {
                assert!(mark(&event.position) > told, "a heartbeat had been ahead of it");
                told = mark(&event.position);
                events += 1;
            }
            Item::Heartbeat(heartbeat) => {
                assert!(mark(&heartbeat.position) >= told);
                told = mark(&heartbeat.position);
            }
            _ => {}
        }
    }
    assert_eq!(events, 50);
}

#[tokio::test]
async fn a_silent_owner_sends_heartbeats() {
    let owner = Owner::open().await;
    let mut stream = open(&owner.feed(), &["o.v1.Placed"]).await;
    let first = next_heartbeat(&mut stream).await;
    let second = next_heartbeat(&mut stream).await;
    assert_eq!(first.position, second.position);
    assert!(second.time.unwrap().nanos >= 0 && second.epochs.is_empty());
}

#[tokio::test]
async fn a_stream_resumes_after_its_position() {
    let owner = Owner::open().await;
    owner.place_all(1, 5).await;
    let feed = owner.feed();
    let mut stream = open(&feed, &["o.v1.Placed"]).await;
    next_event(&mut stream).await;
    let second = next_event(&mut stream).await;
    let resumed = request(&["o.v1.Placed"]).with_after(second.position.unwrap());
    let mut stream = feed.subscribe(context(), resumed).await.unwrap();
    assert_eq!(next_event(&mut stream).await.version, 3);
}

/// A stream has a greatest age; its subscriber goes on at its position.
#[tokio::test]
async fn a_stream_ends_at_its_deadline() {
    let owner = Owner::open().await;
    let ended = async {
        let mut stream = loop {
            let short = Context::new("mails", Duration::from_secs(1));
            // On a machine that stands still it may not begin in time.
            match owner.feed().subscribe(short, request(&["o.v1.Placed"])).await {
                Ok(stream) => break stream,
                Err(late) => assert_eq!(late.code(), Code::DeadlineExceeded),
            }
        };
        while StreamExt::next(&mut stream).await.is_some() {}
    };
    tokio::time::timeout(SOON, ended).await.unwrap();
}

/// R14: a position that this owner never gave out is a typed error.
#[tokio::test]
async fn a_foreign_position_is_refused() {
    let (owner, other) = (Owner::open().await, Owner::open().await);
    owner.place_all(1, 3).await;
    other.place_all(1, 3).await;
    let head = other.feed().head(context(), HeadRequest::default()).await.unwrap().position.unwrap();
    let own = owner.feed().head(context(), HeadRequest::default()).await.unwrap().position.unwrap();
    for wrong in [head, own.with_mark(own.mark + 1), own.with_mark(-5)] {
        let asked = request(&["o.v1.Placed"]).with_after(wrong);
        let refused = owner.feed().subscribe(context(), asked).await.unwrap_err();
        assert_eq!((refused.code(), reason::of(&refused).as_str()), (Code::FailedPrecondition, HISTORY_LOST));
        let ack = AckRequest::default().with_subscription(SUBSCRIPTION).with_position(wrong);
        assert_eq!(owner.feed().ack(context(), ack).await.unwrap_err().code(), Code::FailedPrecondition);
    }
}

#[tokio::test]
async fn what_is_not_declared_is_refused() {
    let owner = Owner::open().await;
    let refused = owner.feed().subscribe(context(), request(&["o.v1.Noted"])).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert!(refused.message().contains("(freehold.v1.view).of = \"o.v1.Noted\""), "{}", refused.message());
    let stock = SnapshotRequest::default().with_entity("o.v1.Stock");
    assert_eq!(owner.feed().snapshot(context(), stock).await.unwrap_err().code(), Code::PermissionDenied);
    let stranger = Context::new("nobody", SOON);
    let refused = owner.feed().subscribe(stranger, request(&["o.v1.Placed"])).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn an_acknowledged_position_never_goes_back() {
    let owner = Owner::open().await;
    owner.place_all(1, 3).await;
    let feed = owner.feed();
    let head = feed.head(context(), HeadRequest::default()).await.unwrap().position.unwrap();
    let ack = |at: i64| {
        let position = head.with_mark(at);
        feed.ack(context(), AckRequest::default().with_subscription(SUBSCRIPTION).with_position(position))
    };
    assert_eq!(ack(1).await.unwrap_err().code(), Code::NotFound, "it never subscribed");
    drop(open(&feed, &["o.v1.Placed"]).await);
    for (at, stands) in [(2, 2), (1, 2), (3, 3)] {
        ack(at).await.unwrap();
        let look = "SELECT mark FROM freehold_subscription";
        let row = owner.store.read().await.unwrap().one(look, vals![]).await.unwrap().unwrap();
        assert_eq!(row.get::<i64>("mark").unwrap(), stands);
    }
}

async fn put_orders(owner: &Owner, keys: std::ops::Range<i64>) {
    for key in keys {
        let order = Order { id: format!("k{key:03}"), state: "new".to_owned(), secret: "s".to_owned() };
        owner.put(order).await;
    }
}

/// R5: a snapshot comes in chunks, resumes after a key, and has tombstones.
#[tokio::test]
async fn a_snapshot_comes_in_chunks_and_resumes() {
    let owner = Owner::open().await;
    put_orders(&owner, 0..12).await;
    let unit = async |work: &mut Work| work.delete::<Order>("k003").await;
    owner.store.unit::<_, StoreError, _>(&context(), unit).await.unwrap();
    let request = SnapshotRequest::default().with_entity(ORDER);
    let stream = owner.feed().snapshot(context(), request.clone()).await.unwrap();
    let chunks: Vec<_> = StreamExt::map(stream, Result::unwrap).collect().await;
    assert_eq!(chunks.iter().map(|chunk| chunk.rows.len()).collect::<Vec<_>>(), [5, 5, 2]);
    assert_eq!(chunks.iter().map(|chunk| chunk.last).collect::<Vec<_>>(), [false, false, true]);
    assert_eq!(mark(&chunks[0].position), 13);
    assert!(!chunks[0].epochs.is_empty() && chunks[1].epochs.is_empty());
    let dead = &chunks[0].rows[3];
    assert_eq!((dead.key.as_str(), dead.deleted, dead.data.as_ref(), dead.version), ("k003", true, None, 2));
    let order = Order::decode(chunks[0].rows[0].data.as_deref().unwrap()).unwrap();
    assert_eq!((order.state.as_str(), order.secret.as_str()), ("new", ""));

    let resumed = owner.feed().snapshot(context(), request.with_after_key("k009")).await.unwrap();
    let chunks: Vec<_> = StreamExt::map(resumed, Result::unwrap).collect().await;
    assert_eq!(chunks.len(), 1);
    assert_eq!(chunks[0].rows.iter().map(|row| row.key.as_str()).collect::<Vec<_>>(), ["k010", "k011"]);
}

/// R5: a snapshot ends although its owner adds keys faster than they are read.
#[tokio::test]
async fn a_snapshot_ends_while_its_owner_writes_on() {
    let owner = Owner::open().await;
    put_orders(&owner, 0..10).await;
    let request = SnapshotRequest::default().with_entity(ORDER);
    let mut stream = owner.feed().snapshot(context(), request).await.unwrap();
    let (mut chunks, mut keys) = (0, 10);
    while let Some(chunk) = StreamExt::next(&mut stream).await {
        chunks += 1;
        assert!(chunks <= 4, "it does not end");
        put_orders(&owner, keys..keys + 10).await;
        keys += 10;
        if chunk.unwrap().last {
            break;
        }
    }
}

#[tokio::test]
async fn an_empty_snapshot_is_one_empty_chunk() {
    let owner = Owner::open().await;
    let stream =
        owner.feed().snapshot(context(), SnapshotRequest::default().with_entity(ORDER)).await.unwrap();
    let chunks: Vec<_> = StreamExt::map(stream, Result::unwrap).collect().await;
    assert!(chunks.len() == 1 && chunks[0].last && chunks[0].rows.is_empty() && chunks[0].position.is_some());
}

#[tokio::test]
async fn entities_are_read_by_their_keys() {
    let owner = Owner::open().await;
    put_orders(&owner, 0..3).await;
    let request = ReadRequest::default().with_entity(ORDER).with_keys(["k002", "nothing", "k000"]);
    let read = owner.feed().read(context(), request).await.unwrap();
    assert_eq!(read.rows.iter().map(|row| row.key.as_str()).collect::<Vec<_>>(), ["k002", "k000"]);
    assert_eq!(mark(&read.position), 3);
}

/// Erased data leaves as headers only, so a gap stays a real one.
#[tokio::test]
async fn erased_events_are_headers_only() {
    let owner = Owner::open().await;
    put_orders(&owner, 0..1).await;
    let unit = async |work: &mut Work| work.erase::<Order>("k000").await;
    owner.store.unit::<_, StoreError, _>(&context(), unit).await.unwrap();
    let mut stream = open(&owner.feed(), &[ORDER]).await;
    let (blanked, tombstone) = (next_event(&mut stream).await, next_event(&mut stream).await);
    assert_eq!((blanked.version, blanked.data, blanked.deleted), (1, None, false));
    assert_eq!((tombstone.version, tombstone.data, tombstone.deleted), (2, None, true));
}

/// Progress is told and nobody is starved while a long stretch of another entity's events is read.
#[tokio::test]
async fn a_stretch_of_other_entities_events_is_told_and_starves_nobody() {
    const STRETCH: i64 = 200;
    let owner = Owner::open().await;
    for units in 1..=STRETCH {
        owner.put(Stock { id: "s0".to_owned(), units }).await;
    }
    owner.emit(placed("k0", 1)).await;
    // Every heartbeat is due at once.
    let options = Options { heartbeat: Duration::ZERO, batch: 1, chunk: 5 };
    let feed = Feed::with_options(owner.store.clone(), &CONTRACT, options).unwrap();
    let mut stream = open(&feed, &["o.v1.Placed"]).await;
    let turns = Arc::new(AtomicI64::new(0));
    let counted = Arc::clone(&turns);
    let other = tokio::spawn(async move {
        loop {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
        }
    });
    let mut told = Vec::new();
    loop {
        match next(&mut stream).await {
            Item::Heartbeat(heartbeat) => told.push(mark(&heartbeat.position)),
            Item::Event(event) => break assert_eq!(mark(&event.position), STRETCH + 1),
            _ => {}
        }
    }
    other.abort();
    assert!(told.is_sorted() && told.len() >= 100, "{told:?}");
    assert!(turns.load(Ordering::SeqCst) >= 100, "{turns:?} turns");
}
