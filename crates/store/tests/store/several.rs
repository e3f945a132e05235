//! Several instances of an owner on one database: each serves, writes and ticks, and none waits for one that has stopped.
//! On SQLite an owner is one process.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use freehold_store::{Store, StoreError, Work, outbox};
use freehold_wire::pb::Token;
use freehold_wire::{Coverage, Session};
use sqlx::Executor;
use sqlx::postgres::PgConnection;
use tokio::sync::oneshot;

use crate::child;
use crate::engines::Database;
use crate::sample::{self, Paid, context, insert, run};
use crate::ticks::{Reader, SOON, emit, inverted};

on_postgres! {
    two_instances_are_one_history,
    instances_that_start_at_once_begin_one_after_the_other,
    an_instance_that_is_killed_leaves_its_events_to_the_others,
    an_instance_that_is_stopped_keeps_nobody_waiting,
    a_unit_that_has_stopped_lets_go_of_its_keys,
    an_instance_that_lost_its_connection_gets_another,
    an_instance_whose_database_was_set_back_stops,
}

/// Whether a store takes it that somebody has seen the token.
async fn takes(store: &Store, token: &Token) -> Result<(), StoreError> {
    let context = context().with_session(Session::of([token.clone()]));
    store.read_within(&context).await.map(drop)
}

/// What one tells is a token and a position at the other, at once. The planted bug, an instance that tells marks as of the
/// epoch that it began itself, is refused by the other.
async fn two_instances_are_one_history(database: Database) {
    let first = database.open().await;
    emit(&first, "a").await;
    let own = first.head().epochs()[0].id;
    let second = database.open().await;
    let mut told = Vec::new();
    for round in 0..20 {
        let (here, there) = if round % 2 == 0 { (&first, &second) } else { (&second, &first) };
        let token = emit(here, "a").await;
        takes(there, &token).await.unwrap();
        told.push(token);
    }
    for (here, there) in [(&first, &second), (&second, &first)] {
        assert_eq!(here.latest().await.unwrap().mark(), 21);
        for token in &told {
            assert_eq!(here.head().covers(token), Ok(Coverage::Covered), "{token:?}");
        }
        let mut read = here.read().await.unwrap();
        for event in outbox::after(here, &mut read, 0, 100).await.unwrap() {
            let position = sample::position(&event);
            assert_eq!(there.latest_for(&position).await.unwrap().reached(&position), Ok(()));
        }
        drop(read);
        let seen = Reader::default().read_all(here).await;
        assert_eq!((seen.len(), inverted(&seen)), (21, None));
    }
    let planted = told[20 - 2].clone().with_epoch(own);
    assert!(takes(&second, &planted).await.is_err(), "the planted bug must be found");

    let mut commits = first.commits();
    emit(&second, "b").await;
    tokio::time::timeout(SOON, commits.wait_for(|mark| *mark == 22)).await.unwrap().unwrap();
    second.close().await;
    assert_eq!(emit(&first, "a").await.mark, 23, "who ends does not end the other");
}

async fn instances_that_start_at_once_begin_one_after_the_other(database: Database) {
    let (a, b, c) = tokio::join!(database.open(), database.open(), database.open());
    for (store, version) in [(&a, 1), (&b, 2), (&c, 3)] {
        assert_eq!(emit(store, "a").await.mark, version);
    }
    let head = a.latest().await.unwrap();
    assert_eq!(head.epochs().len(), 3);
    assert_eq!(head.epochs(), c.head().epochs());
    assert!(head.epochs().iter().all(|epoch| epoch.first == 1), "{head:?}");
}

/// E8 of the owner: killed between a commit and its tick, or anywhere else. What the keys' versions say was emitted is there.
async fn an_instance_that_is_killed_leaves_its_events_to_the_others(database: Database) {
    const VERSIONS: &str = "SELECT CAST(sum(version) AS BIGINT) AS n FROM freehold_entity";
    let store = database.open().await;
    for round in 1..=4 {
        let mut child = Writer::start("tokens", &database);
        let mut told = child.next();
        for _ in 0..fastrand::i64(..20) {
            emit(&store, "b").await;
            told = child.next();
        }
        child.0.kill().unwrap();
        child.0.wait().unwrap();
        takes(&store, &told).await.unwrap();
        // Its last commit may still be on its way to the disk.
        let settled = async {
            loop {
                let (head, versions) = (store.latest().await.unwrap(), sample::count(&store, VERSIONS).await);
                if head.mark() == versions {
                    return;
                }
            }
        };
        tokio::time::timeout(SOON, settled).await.unwrap();
        let seen = Reader::default().read_all(&store).await;
        assert_eq!(inverted(&seen), None, "round {round}");
    }
}

/// E9. The planted bug, a lock that is the process's and not its transaction's, keeps the other waiting for ever.
async fn an_instance_that_is_stopped_keeps_nobody_waiting(database: Database) {
    let store = database.open().await;
    let mut child = Writer::start("snapshots", &database);
    for _ in 0..4 {
        for _ in 0..fastrand::i64(1..8) {
            child.next();
        }
        child.signal("-STOP");
        for _ in 0..3 {
            emit(&store, "a").await;
        }
        child.signal("-CONT");
        let told = child.next();
        takes(&store, &told).await.unwrap();
    }
    child.0.kill().unwrap();
    child.0.wait().unwrap();
    assert_eq!(inverted(&Reader::default().read_all(&store).await), None);
}

/// A process that has stopped in the middle of a unit looks like a handler that holds up its thread.
async fn a_unit_that_has_stopped_lets_go_of_its_keys(database: Database) {
    let (first, second) = (database.open().await, database.open().await);
    let (go_on, goes_on) = mpsc::channel::<()>();
    let goes_on = Arc::new(Mutex::new(goes_on));
    let (mut budget, mut stopped) = (Duration::from_secs(1), None);
    // A slow machine may not even get there in that time.
    while stopped.is_none() {
        let (stands, has_stopped) = oneshot::channel();
        let (first, goes_on) = (first.clone(), goes_on.clone());
        let unit = tokio::spawn(async move {
            let briefly = context().with_budget(budget);
            let unit = first.unit(&briefly, async move |work: &mut Work| -> Result<(), StoreError> {
                work.emit(&Paid::new("a")).await?;
                let _ = stands.send(());
                let _ = goes_on.lock().unwrap().recv();
                Ok(())
            });
            unit.await.map(drop)
        });
        stopped = has_stopped.await.is_ok().then_some(unit);
        budget *= 2;
    }
    assert_eq!(emit(&second, "a").await.mark, 1, "the other has the key, and nothing was committed");
    go_on.send(()).unwrap();
    assert!(stopped.unwrap().await.unwrap().is_err());
}

/// The backends that tick.
async fn ticking(outside: &mut PgConnection) -> Vec<i32> {
    const TICKING: &str = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = $1 \
                           AND objid::text = (hashtext(current_schema)::bigint & 4294967295)::text";
    const OWNER_LOCK: i32 = 0x6672_686c;
    sqlx::query_scalar(TICKING).bind(OWNER_LOCK).fetch_all(outside).await.unwrap()
}

async fn terminate(outside: &mut PgConnection, backend: i32) {
    sqlx::query("SELECT pg_terminate_backend($1)").bind(backend).execute(outside).await.unwrap();
}

async fn an_instance_that_lost_its_connection_gets_another(database: Database) {
    let store = database.open().await;
    let mut outside = database.connect().await;
    for version in 1..=3 {
        for backend in ticking(&mut outside).await {
            terminate(&mut outside, backend).await;
        }
        assert_eq!(emit(&store, "a").await.mark, version, "a commit waits until there is a tick again");
    }
}

/// E7 of an instance that runs on: the server comes back from a backup, or as a standby that was behind. The planted bug
/// ticks before it has looked, and gives a mark that was told once more to another event.
async fn an_instance_whose_database_was_set_back_stops(database: Database) {
    const BACK: &str =
        "DELETE FROM freehold_outbox WHERE key = 'lost'; DELETE FROM freehold_tick WHERE last_mark = 2";
    let store = database.open().await;
    emit(&store, "a").await;
    let lost = emit(&store, "lost").await;
    let mut outside = database.connect().await;
    // Nobody comes back to it too early.
    outside.execute(sqlx::raw_sql("BEGIN; LOCK TABLE freehold_tick")).await.unwrap();
    for backend in ticking(&mut outside).await {
        terminate(&mut outside, backend).await;
    }
    outside.execute(sqlx::raw_sql(BACK)).await.unwrap();
    outside.execute(sqlx::raw_sql("COMMIT")).await.unwrap();
    let told = run(&store, async |work: &mut Work| work.emit(&Paid::new("a")).await).await;
    assert!(matches!(told, Err(StoreError::CommitUnknown(_) | StoreError::Closed)), "{told:?}");
    let refused = run(&store, async |work: &mut Work| insert(work, "x", 1).await).await;
    assert!(matches!(refused, Err(StoreError::Closed)));
    // The planted bug leaves reads open, to which the token of what is lost is covered.
    assert!(matches!(store.read().await.map(drop), Err(StoreError::Closed)));
    assert!(takes(&store, &lost).await.is_err());
    tokio::time::timeout(SOON, store.ended()).await.expect("who serves from it is told");

    let store = database.open().await;
    let token = emit(&store, "a").await;
    assert_eq!(store.head().covers(&token), Ok(Coverage::Covered));
    assert!(takes(&store, &lost).await.is_err(), "what is lost is told to be");
    assert_eq!(inverted(&Reader::default().read_all(&store).await), None);
}

/// A process that commits and prints its tokens.
struct Writer(Child, Lines<BufReader<ChildStdout>>);

impl Writer {
    fn start(errand: &str, database: &Database) -> Self {
        let mut child = child::start(errand, &database.url);
        let out = child.stdout.take().unwrap();
        Self(child, BufReader::new(out).lines())
    }

    /// The next token that it was given.
    fn next(&mut self) -> Token {
        loop {
            let line = self.1.next().unwrap().unwrap();
            let mut words = line.split(' ');
            if words.next() == Some("token") {
                let mut number = || words.next().unwrap().to_owned();
                let (epoch, mark) = (number().parse().unwrap(), number().parse().unwrap());
                return Token::default().with_owner("orders").with_epoch(epoch).with_mark(mark);
            }
        }
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.0.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // One that has ended already is no matter.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
