//! Tombstones behind parked changes: what was erased is in no parked row, and what is left is passed over.

use std::sync::Arc;

use freehold_store::{Engine, Queries, StoreError, Work, vals};
use freehold_testkit::engines;
use freehold_wire::pb::subscribe_response::Item;
use freehold_wire::pb::{Envelope, Position};

use crate::consumer::intake::Arrived;
use crate::consumer::retrier::Retrier;
use crate::fixture::{Mails, ORDER, Order, Owner, SOON, SUBSCRIPTION, Way, context, eventually, placed};
use crate::parked::{self, First, Key, Parking, Stay};
use crate::retry::Failure;
use crate::{DeadLetters, ReactionError, superseded};

const CANARY: &str = "Canary Row 1";
const KEY: Key<'_> = Key { subscription: SUBSCRIPTION, entity: ORDER, key: "k0" };

fn order(key: &str, state: &str) -> Order {
    Order { id: key.to_owned(), state: state.to_owned(), secret: String::new() }
}

async fn erase(owner: &Owner, key: &'static str) {
    let unit = async move |work: &mut Work| work.erase::<Order>(key).await;
    owner.store.unit::<_, StoreError, _>(&context(), unit).await.unwrap();
}

/// R20, in dead letters. The planted bug is an erasure that does not get to what is parked: it is what stands before the
/// tombstone comes.
#[tokio::test]
async fn a_tombstone_takes_the_data_of_the_changes_that_it_parks_behind() {
    for database in engines::each().await {
        let (owner, mails) = (Owner::open().await, Mails::on(database).await);
        mails.fail(|key, version| match (key, version) {
            ("k0" | "k1", 1) => Err(ReactionError::Refuse(format!("{CANARY} of {key} is no state"))),
            _ => Ok(()),
        });
        let handle = mails.start(Way::sound(owner.feed()));
        owner.put(order("k0", CANARY)).await;
        owner.put(order("k0", "Canary Row 1 again")).await;
        owner.emit(placed("k0", 7)).await;
        owner.put(order("k1", "of another")).await;
        handle.caught_up(SOON).await.unwrap();
        let held = ["freehold_parked.envelope", "freehold_parked.reason", "freehold_parked_log.reason"];
        assert_eq!(holders(&mails, CANARY).await, held, "the planted bug must be found");

        erase(&owner, "k0").await;
        let passed = || async { mails.versions("k0").await == [3, 4] };
        eventually("the event and the tombstone", passed).await;
        assert_eq!(holders(&mails, "Canary Row 1 of k0").await, Vec::<String>::new());
        assert_eq!(holders(&mails, "Canary Row 1 again").await, Vec::<String>::new());
        let left = mails.count("SELECT count(*) AS n FROM freehold_parked").await;
        assert_eq!(left, 1, "the dead letter of the other key");
        assert_eq!(holders(&mails, "of another").await, ["freehold_parked.envelope"]);
        assert_eq!(emptied(&mails).await, [1, 2]);
        handle.stop().await;
    }
}

/// A version that is missing may be an event's: what it holds goes on holding, without its data.
#[tokio::test]
async fn a_change_that_waits_for_a_missing_version_waits_without_its_data() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    let damage = |item: &Item| match item {
        Item::Event(event) => usize::from(event.version != 2),
        _ => 1,
    };
    let handle = mails.start(Way::damaged(owner.feed(), damage));
    handle.caught_up(SOON).await.unwrap();
    owner.put(order("k0", "new")).await;
    owner.emit(placed("k0", 7)).await;
    owner.put(order("k0", CANARY)).await;
    handle.caught_up(SOON).await.unwrap();
    erase(&owner, "k0").await;
    handle.caught_up(SOON).await.unwrap();
    assert_eq!(holders(&mails, CANARY).await, Vec::<String>::new());
    let letters = DeadLetters::new(mails.store.clone());
    let waiting = letters.list(10).await.unwrap().remove(0);
    assert_eq!((waiting.version, waiting.reason.as_str()), (3, "version 2 never arrived"));
    letters.skip(SUBSCRIPTION, ORDER, "k0", 2, "ann").await.unwrap();
    handle.caught_up(SOON).await.unwrap();
    assert_eq!(mails.versions("k0").await, [1, 4]);
    handle.stop().await;
}

/// In whichever order they park, and only the changes before it.
#[tokio::test]
async fn a_parked_tombstone_concerns_the_changes_before_it_alone() {
    for database in engines::each().await {
        let mails = Mails::on(database).await;
        let tombstone = envelope(ORDER, 4).with_deleted(true);
        let data = |event: Envelope| event.with_data(CANARY);
        let early = [data(envelope(ORDER, 1)), data(envelope("o.v1.Placed", 2))];
        let late = [data(envelope(ORDER, 3)), data(envelope(ORDER, 5))];
        for event in early.into_iter().chain([tombstone]).chain(late) {
            park(&mails, event, Parking::Gap).await;
        }
        assert_eq!(with_data(&mails).await, [2, 5]);
        assert_eq!(emptied(&mails).await, [1, 3]);
    }
}

/// E24: however many changes wait, a tombstone empties them in units that end in time.
#[tokio::test]
async fn a_long_tail_is_emptied_page_by_page() {
    for database in engines::each().await {
        let mails = Mails::on(database).await;
        let unit = async |work: &mut Work| -> Result<_, StoreError> {
            for version in 1..=120 {
                let event = envelope(ORDER, version).with_data(CANARY);
                parked::park(work, SUBSCRIPTION, &event, Stay::held(Parking::Behind, "")).await?;
            }
            superseded::empty_page(work, KEY, 1..=110).await
        };
        let (next, _) = mails.store.unit(&context(), unit).await.unwrap();
        assert_eq!((next, with_data(&mails).await.len()), (Some(51), 70));

        let arrived = Arrived {
            events: [envelope(ORDER, 111).with_deleted(true)].into(),
            position: Position::default().with_mark(111),
            origin: 0,
            careful: false,
        };
        let feed = Way::sound(Owner::open().await.feed());
        mails.consumer(feed).intake(&mails.subscription()).absorb(arrived).await.unwrap();
        assert_eq!(with_data(&mails).await, (111..=120).collect::<Vec<_>>());
    }
}

/// The planted bug is a verdict about what is no longer known: it would hold the tombstone until somebody comes.
#[tokio::test]
async fn an_attempt_that_fails_while_the_tombstone_parks_holds_nothing() {
    for database in engines::each().await {
        let mails = Mails::on(database).await;
        let (retrier, claimed, error) = attempted(&mails).await;
        park(&mails, envelope(ORDER, 2).with_deleted(true), Parking::Behind).await;
        retrier.settle(claimed, Failure::Poison, &error).await.unwrap();
        nothing_is_held(&mails).await;
    }
}

/// What a tombstone is about to supersede loses its data first. The planted bug quotes it after that.
#[tokio::test]
async fn an_attempt_that_fails_before_the_tombstone_parks_holds_nothing() {
    for database in engines::each().await {
        let mails = Mails::on(database).await;
        let (retrier, claimed, error) = attempted(&mails).await;
        let unit = async |work: &mut Work| superseded::empty_page(work, KEY, 1..=1).await;
        mails.store.unit::<_, StoreError, _>(&context(), unit).await.unwrap();
        retrier.settle(claimed, Failure::Poison, &error).await.unwrap();
        park(&mails, envelope(ORDER, 2).with_deleted(true), Parking::Behind).await;
        nothing_is_held(&mails).await;
    }
}

/// An attempt at a change whose failure quotes it.
async fn attempted(mails: &Mails) -> (Retrier, First, ReactionError) {
    park(mails, envelope(ORDER, 1).with_data(CANARY), Parking::Waiting).await;
    let claimed = claim(mails).await;
    (retrier(mails).await, claimed, ReactionError::Refuse(format!("{CANARY} is no state")))
}

async fn nothing_is_held(mails: &Mails) {
    assert_eq!(holders(mails, CANARY).await, Vec::<String>::new());
    let due = "SELECT count(*) AS n FROM freehold_parked WHERE state = 'waiting' AND version = 1";
    assert_eq!(mails.count(due).await, 1);
    assert_eq!(mails.count("SELECT count(*) AS n FROM freehold_parked WHERE state = 'dead'").await, 0);
}

async fn retrier(mails: &Mails) -> Retrier {
    let feed = Way::sound(Owner::open().await.feed());
    Retrier { intake: mails.consumer(feed).intake(&mails.subscription()), parked: Arc::default() }
}

/// E29: what two instances try, one of which was taken for dead, stands as the later attempt ended. The planted bug, an
/// attempt that writes down how it failed whatever has come of the event, takes a dead letter back.
#[tokio::test]
async fn an_attempt_that_was_overtaken_decides_nothing() {
    for database in engines::each().await {
        let mails = Mails::on(database).await;
        park(&mails, envelope(ORDER, 1), Parking::Waiting).await;
        let retrier = retrier(&mails).await;
        let (late, later) = (claim(&mails).await, claim(&mails).await);
        let refused = ReactionError::Refuse("no".to_owned());
        retrier.settle(later, Failure::Poison, &refused).await.unwrap();
        let again = ReactionError::Retry("down".to_owned());
        retrier.settle(late, Failure::Transient, &again).await.unwrap();
        assert_eq!(mails.count("SELECT count(*) AS n FROM freehold_parked WHERE state = 'dead'").await, 1);
    }
}

/// Begins an attempt at the first event of the key.
async fn claim(mails: &Mails) -> First {
    let unit = async |work: &mut Work| -> Result<_, StoreError> {
        let first = parked::first(work, KEY).await?.unwrap();
        Ok(parked::claim(work, KEY, &first, 0).await?.unwrap())
    };
    mails.store.unit(&context(), unit).await.unwrap().0
}

async fn park(mails: &Mails, event: Envelope, state: Parking) {
    let unit = async move |work: &mut Work| {
        parked::park(work, SUBSCRIPTION, &event, Stay::held(state, "")).await?;
        parked::arrange(work, Key::of(SUBSCRIPTION, &event), 0).await
    };
    mails.store.unit::<_, StoreError, _>(&context(), unit).await.unwrap();
}

fn envelope(kind: &str, version: i64) -> Envelope {
    Envelope::default().with_type(kind).with_entity(ORDER).with_subject("k0").with_version(version)
}

/// The parked versions whose envelope has data.
async fn with_data(mails: &Mails) -> Vec<i64> {
    const PARKED: &str = "SELECT version, envelope FROM freehold_parked ORDER BY version";
    let rows = mails.store.read().await.unwrap().all(PARKED, vals![]).await.unwrap();
    let events = rows.iter().map(|row| row.get::<Vec<u8>>("envelope").unwrap());
    let events = events.map(|bytes| <Envelope as prost::Message>::decode(bytes.as_slice()).unwrap());
    events.filter(|event| event.data.is_some()).map(|event| event.version).collect()
}

/// The versions of which it is on record that they lost their data.
async fn emptied(mails: &Mails) -> Vec<i64> {
    const LOG: &str = "SELECT version FROM freehold_parked_log WHERE action = 'emptied' ORDER BY version";
    let rows = mails.store.read().await.unwrap().all(LOG, vals![]).await.unwrap();
    rows.iter().map(|row| row.get("version").unwrap()).collect()
}

/// The columns, "table.column", of which a row holds the text, as such or in bytes.
async fn holders(mails: &Mails, text: &str) -> Vec<String> {
    let (columns, holds) = match mails.store.engine() {
        Engine::Sqlite => (
            "SELECT tables.name AS t, columns.name AS c, '' AS kind FROM sqlite_schema AS tables \
             JOIN pragma_table_info(tables.name) AS columns WHERE tables.type = 'table' ORDER BY 1, 2",
            "instr(CAST({} AS BLOB), CAST($1 AS BLOB)) > 0",
        ),
        Engine::Postgres => (
            "SELECT table_name::text AS t, column_name::text AS c, data_type::text AS kind \
             FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY 1, 2",
            "position($1 IN CASE WHEN '{kind}' = 'bytea' THEN encode({}::text::bytea, 'escape') ELSE {}::text END) > 0",
        ),
    };
    let mut read = mails.store.read().await.unwrap();
    let mut holders = Vec::new();
    for column in read.all(columns, vals![]).await.unwrap() {
        let [table, name, kind] = ["t", "c", "kind"].map(|part| column.get::<String>(part).unwrap());
        let holds = holds.replace("{kind}", &kind).replace("{}", &name);
        // A query is a part of the program; the columns of a test are not known before it.
        let sql: &'static str = format!("SELECT 1 AS n FROM {table} WHERE {holds} LIMIT 1").leak();
        if read.one(sql, vals![text]).await.unwrap().is_some() {
            holders.push(format!("{table}.{name}"));
        }
    }
    holders
}
