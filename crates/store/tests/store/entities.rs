//! Entities and events: versions without gaps, tombstones that stay, nothing private, nothing of another owner.

use freehold_store::{Read, Store, StoreError, Work, entity, outbox};
use freehold_wire::pb::Token;
use freehold_wire::prost::Message;
use freehold_wire::tonic::{Code, Status};
use freehold_wire::{Context, Entity, Session};

use crate::engines::Database;
use crate::sample::{self, Order, Paid, context, run};

on_each_engine! {
    a_key_has_versions_from_one_without_gaps,
    what_is_private_stays_private,
    an_unchanged_put_appends_nothing,
    a_deleted_key_keeps_its_tombstone_and_its_version,
    an_erased_key_leaves_headers,
    a_lock_tells_the_version_also_of_a_key_that_is_none,
    of_64_appends_at_one_version_one_wins,
    entities_are_read_by_key_and_in_chunks,
    a_key_with_events_alone_is_no_entity,
    another_owners_message_is_refused,
    a_key_that_no_engine_takes_is_refused,
    an_event_larger_than_a_bus_takes_is_refused,
    an_event_says_where_it_comes_from,
}

async fn put(store: &Store, id: &'static str, cents: i64) -> i64 {
    let unit = run(store, async move |work: &mut Work| work.put(&Order::new(id, cents)).await);
    unit.await.unwrap().0
}

async fn record(store: &Store, key: &str) -> Option<entity::Record> {
    let mut read = store.read().await.unwrap();
    entity::by_keys(&mut read, Order::NAME, &[key.to_owned()]).await.unwrap().pop()
}

async fn a_key_has_versions_from_one_without_gaps(database: Database) {
    let store = database.open().await;
    assert_eq!((put(&store, "a", 1).await, put(&store, "a", 2).await, put(&store, "b", 1).await), (1, 2, 1));
    let paid = run(&store, async |work: &mut Work| work.emit(&Paid::new("a")).await);
    assert_eq!(paid.await.unwrap().0, 3);
    let events = sample::events(&store).await;
    let seen: Vec<_> = events.iter().map(|event| (event.subject.as_str(), event.version)).collect();
    assert_eq!(seen, [("a", 1), ("a", 2), ("b", 1), ("a", 3)]);
}

async fn what_is_private_stays_private(database: Database) {
    let store = database.open().await;
    put(&store, "a", 1).await;
    let shared = Order { note: String::new(), ..Order::new("a", 1) };
    let in_outbox = sample::events(&store).await[0].data.clone().unwrap();
    assert_eq!(Order::decode(in_outbox.as_slice()).unwrap(), shared);
    let in_entity = record(&store, "a").await.unwrap().data.unwrap();
    assert_eq!(Order::decode(in_entity.as_slice()).unwrap(), shared);
}

async fn an_unchanged_put_appends_nothing(database: Database) {
    let store = database.open().await;
    assert_eq!((put(&store, "a", 1).await, put(&store, "a", 1).await), (1, 1));
    let private = Order { note: "another".to_owned(), ..Order::new("a", 1) };
    let unit = run(&store, async move |work: &mut Work| work.put(&private).await);
    assert_eq!(unit.await.unwrap().0, 1);
    assert_eq!(sample::events(&store).await.len(), 1);
}

async fn a_deleted_key_keeps_its_tombstone_and_its_version(database: Database) {
    let store = database.open().await;
    put(&store, "a", 1).await;
    for _ in 0..2 {
        let unit = run(&store, async |work: &mut Work| work.delete::<Order>("a").await);
        assert_eq!(unit.await.unwrap().0, 2, "the second deletion changes nothing");
    }
    let gone = record(&store, "a").await.unwrap();
    assert_eq!((gone.version, gone.deleted, gone.data), (2, true, None));
    let tombstone = sample::events(&store).await.pop().unwrap();
    assert!(tombstone.deleted && tombstone.data.is_none() && tombstone.dataschema.is_empty());
    assert_eq!(put(&store, "a", 1).await, 3, "the versions go on");
    let unit = run(&store, async |work: &mut Work| work.delete::<Order>("never").await);
    assert_eq!(unit.await.unwrap().0, 0);
    assert!(record(&store, "never").await.is_none());
}

async fn an_erased_key_leaves_headers(database: Database) {
    let store = database.open().await;
    put(&store, "a", 1).await;
    put(&store, "b", 1).await;
    let unit = run(&store, async |work: &mut Work| -> Result<i64, StoreError> {
        work.emit(&Paid::new("a")).await?;
        work.erase::<Order>("a").await
    });
    assert_eq!(unit.await.unwrap().0, 3);
    let events = sample::events(&store).await;
    let of_a = events.iter().filter(|event| event.subject == "a");
    let headers: Vec<_> = of_a.map(|event| (event.version, event.data.is_some())).collect();
    assert_eq!(headers, [(1, false), (2, false), (3, false)]);
    assert!(events.iter().any(|event| event.subject == "b" && event.data.is_some()));
    assert_eq!(record(&store, "a").await.unwrap().data, None);
}

async fn a_lock_tells_the_version_also_of_a_key_that_is_none(database: Database) {
    let store = database.open().await;
    put(&store, "a", 1).await;
    let unit = run(&store, async |work: &mut Work| -> Result<_, StoreError> {
        Ok((work.lock::<Order>("a").await?, work.lock::<Order>("none").await?))
    });
    assert_eq!(unit.await.unwrap().0, (Some(1), None));
    assert!(record(&store, "none").await.is_none(), "a lock makes no entity");
}

/// E43. The planted bug compares with what was read before the unit.
async fn of_64_appends_at_one_version_one_wins(database: Database) {
    let store = database.open().await;
    put(&store, "real", 1).await;
    put(&store, "naive", 1).await;
    let (won, lost) = race(&store, async |work: &mut Work, _| -> Result<(), StoreError> {
        work.expect_version::<Order>("real", 1).await?;
        work.emit(&Paid::new("real")).await.map(drop)
    })
    .await;
    assert_eq!((won, lost), (1, 63));
    let (won, _) = race(&store, async |work: &mut Work, before| -> Result<(), StoreError> {
        assert_eq!(before, 1);
        work.emit(&Paid::new("naive")).await.map(drop)
    })
    .await;
    assert_ne!(won, 1, "the planted bug must be found");
}

/// Runs 64 units that all saw their key at version 1; answers how many won and how many were ABORTED.
async fn race<F>(store: &Store, append: F) -> (usize, usize)
where
    F: AsyncFnOnce(&mut Work, i64) -> Result<(), StoreError> + Send + Copy + 'static,
{
    let before = record(store, "naive").await.unwrap().version;
    let units = (0..64).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let unit = run(&store, async move |work: &mut Work| append(work, before).await);
            unit.await.map_err(Status::from)
        })
    });
    let (mut won, mut lost) = (0, 0);
    for unit in units.collect::<Vec<_>>() {
        match unit.await.unwrap() {
            Ok(_) => won += 1,
            Err(status) => {
                assert_eq!(status.code(), Code::Aborted);
                lost += 1;
            }
        }
    }
    (won, lost)
}

async fn entities_are_read_by_key_and_in_chunks(database: Database) {
    let store = database.open().await;
    for key in ["b", "a", "Z", "é", "c"] {
        put(&store, key, 1).await;
    }
    run(&store, async |work: &mut Work| work.delete::<Order>("c").await).await.unwrap();
    let mut read = store.read().await.unwrap();
    let keys = ["c", "none", "a"].map(str::to_owned);
    let found = entity::by_keys(&mut read, Order::NAME, &keys).await.unwrap();
    assert_eq!(found.iter().map(|found| found.key.as_str()).collect::<Vec<_>>(), ["c", "a"]);
    let (mut all, mut after) = (Vec::new(), String::new());
    while let Some(last) = next_chunk(&mut read, &after, &mut all).await {
        after = last;
    }
    assert_eq!(all, ["Z", "a", "b", "c", "é"], "in the order of bytes on every engine");
}

async fn next_chunk(read: &mut Read, after: &str, all: &mut Vec<String>) -> Option<String> {
    let chunk = entity::chunk(read, Order::NAME, after, 2).await.unwrap();
    all.extend(chunk.iter().map(|found| found.key.clone()));
    chunk.last().map(|last| last.key.clone())
}

async fn a_key_with_events_alone_is_no_entity(database: Database) {
    let store = database.open().await;
    run(&store, async |work: &mut Work| work.emit(&Paid::new("a")).await).await.unwrap();
    assert!(record(&store, "a").await.is_none());
    assert_eq!(put(&store, "a", 1).await, 2);
}

/// An entity of somebody else.
#[derive(Clone, PartialEq, prost::Message)]
struct User {
    #[prost(string, tag = "1")]
    id: String,
}

impl Entity for User {
    const NAME: &'static str = "users.v1.User";
    const OWNER: &'static str = "users";

    fn key(&self) -> &str {
        &self.id
    }

    fn shared(&self) -> Self {
        self.clone()
    }
}

async fn another_owners_message_is_refused(database: Database) {
    let store = database.open().await;
    let unit = run(&store, async |work: &mut Work| work.put(&User { id: "u".to_owned() }).await);
    assert!(matches!(unit.await, Err(StoreError::ForeignOwner { owner: "users", .. })));
}

async fn a_key_that_no_engine_takes_is_refused(database: Database) {
    let store = database.open().await;
    for key in [String::new(), "a\0b".to_owned(), "k".repeat(entity::MAX_KEY + 1)] {
        let unit = run(&store, async move |work: &mut Work| work.put(&Order::new(&key, 1)).await);
        assert!(matches!(unit.await, Err(StoreError::BadKey { .. })));
    }
    let longest = "k".repeat(entity::MAX_KEY);
    run(&store, async move |work: &mut Work| work.put(&Order::new(&longest, 1)).await).await.unwrap();
}

/// E16: at the bound it is taken, one byte above it is refused, and what was refused is not there.
async fn an_event_larger_than_a_bus_takes_is_refused(database: Database) {
    let store = database.open().await;
    let of_size = |bytes: usize| {
        let mut paid = Paid::new("a");
        let overhead = paid.encoded_len() - paid.receipt.len() + 3; // The length of a megabyte takes four bytes.
        paid.receipt = vec![7; bytes - overhead + 1];
        while paid.encoded_len() > bytes {
            paid.receipt.pop();
        }
        paid
    };
    for (bytes, fits) in [(outbox::MAX_DATA, true), (outbox::MAX_DATA + 1, false)] {
        let paid = of_size(bytes);
        assert_eq!(paid.encoded_len(), bytes);
        let unit = run(&store, async move |work: &mut Work| work.emit(&paid).await);
        match unit.await {
            Ok(_) => assert!(fits),
            Err(error) => assert!(!fits && matches!(error, StoreError::TooLarge { .. }), "{error}"),
        }
    }
    assert_eq!(sample::events(&store).await.len(), 1);
}

async fn an_event_says_where_it_comes_from(database: Database) {
    let store = database.open().await;
    let cause = freehold_wire::pb::Envelope::default()
        .with_id("the-cause")
        .with_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        .with_tokens([Token::default().with_owner("users").with_epoch(3).with_mark(4)]);
    let reacting = Context::reacting("orders", &cause, context().remaining());
    let unit = store.unit(&reacting, async |work: &mut Work| work.emit(&Paid::new("a")).await);
    let (_, token) = unit.await.unwrap();
    let event = sample::events(&store).await.pop().unwrap();
    assert_eq!((event.source.as_str(), event.r#type.as_str()), ("orders", "orders.v1.Paid"));
    assert_eq!((event.entity.as_str(), event.dataschema.as_str()), ("orders.v1.Order", "orders.v1.Paid"));
    assert_eq!((event.subject.as_str(), event.cause.as_str()), ("a", "the-cause"));
    assert!(event.traceparent.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
    assert_eq!(Session::of(event.tokens.clone()).token("users").unwrap().mark, 4);
    assert_eq!(sample::position(&event).mark, token.mark);
    assert_eq!(sample::position(&event).epoch, token.epoch);
    assert_eq!(uuid::Uuid::parse_str(&event.id).unwrap().get_version_num(), 7);
}
