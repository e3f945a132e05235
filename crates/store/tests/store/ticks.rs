//! Ticks on PostgreSQL: whatever order transactions begin and end in, the outbox is read completely, once, and per key in
//! the order of versions. SQLite has one writer, so there these cases have nothing to show.
//!
//! Beside the outbox's own reader run two that one would write without thinking: one goes on behind the highest id that
//! it has seen, one reads in the order of transactions up to the oldest that is open.

use std::collections::BTreeMap;
use std::time::Duration;

use freehold_store::{Queries, Store, StoreError, Work, outbox, vals};
use freehold_wire::pb::Token;
use sqlx::{AssertSqlSafe, Connection, Executor};
use tokio::task::JoinHandle;

use crate::engines::{Database, open, with_setting};
use crate::gates::{Gates, wait_at};
use crate::sample::{self, Order, Paid, insert, run};

/// How long a test waits for what must come true.
pub(crate) const SOON: Duration = Duration::from_secs(60);

on_postgres! {
    an_event_that_is_committed_late_is_not_skipped,
    a_key_is_not_inverted_behind_a_transaction_that_stays_open,
    a_transaction_that_is_killed_leaves_no_gap,
    a_prepared_transaction_holds_up_its_own_events_alone,
    writers_that_finish_in_any_order_lose_and_invert_nothing,
    more_events_than_a_tick_has_are_several_ticks,
    a_tick_looks_at_no_event_but_its_own,
    an_exact_read_sees_its_mark_and_nothing_behind_it,
    a_tick_sees_what_was_committed_whatever_isolation_is_usual_there,
    a_database_restored_into_another_cluster_goes_on,
}

/// A tick that had its snapshot before its lock would give out marks that another one has given out. The planted bug takes
/// what the server, the database or the role defaults to.
async fn a_tick_sees_what_was_committed_whatever_isolation_is_usual_there(database: Database) {
    let url = with_setting(&database.url, "default_transaction_isolation", "serializable");
    let store = open(sample::options(&url)).await.unwrap();
    let unit = run(&store, async |work: &mut Work| {
        let level = "SELECT current_setting('transaction_isolation') AS level";
        work.one(level, vals![]).await?.unwrap().get::<String>("level")
    });
    assert_eq!(unit.await.unwrap().0, "read committed");
}

/// Key and version, in the order of reading.
pub(crate) type Seen = Vec<(String, i64)>;

/// The outbox's own reader.
#[derive(Default)]
pub(crate) struct Reader {
    cursor: i64,
    seen: Seen,
}

impl Reader {
    async fn poll(&mut self, store: &Store) {
        let mut read = store.read().await.unwrap();
        for event in outbox::after(store, &mut read, self.cursor, 7).await.unwrap() {
            assert_eq!(sample::position(&event).mark, self.cursor + 1, "marks have no gap");
            self.cursor += 1;
            self.seen.push((event.subject, event.version));
        }
    }

    /// Reads to the head.
    pub(crate) async fn read_all(mut self, store: &Store) -> Seen {
        while self.cursor < store.head().mark() {
            self.poll(store).await;
        }
        self.seen
    }
}

/// The planted bugs.
enum Naive {
    /// `id > last`.
    BehindTheLast(i64),
    /// In the order of transactions, of those that are older than every open one.
    ByTransaction(Seen),
}

impl Naive {
    async fn poll(&mut self, store: &Store) -> Seen {
        const BEHIND: &str =
            "SELECT ordinal, key, version FROM freehold_outbox WHERE ordinal > $1 ORDER BY ordinal";
        const BY_TRANSACTION: &str = "SELECT key, version FROM freehold_outbox \
                                      WHERE xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY xid, ordinal";
        let mut read = store.read().await.unwrap();
        let row = |row: &freehold_store::Row| (row.get("key").unwrap(), row.get("version").unwrap());
        match self {
            Self::BehindTheLast(last) => {
                let rows = read.all(BEHIND, vals![*last]).await.unwrap();
                *last = rows.last().map_or(*last, |row| row.get("ordinal").unwrap());
                rows.iter().map(row).collect()
            }
            Self::ByTransaction(seen) => {
                let rows: Seen = read.all(BY_TRANSACTION, vals![]).await.unwrap().iter().map(row).collect();
                let news: Seen = rows.into_iter().filter(|event| !seen.contains(event)).collect();
                seen.extend(news.iter().cloned());
                news
            }
        }
    }
}

fn seen(events: &[(&str, i64)]) -> Seen {
    events.iter().map(|(key, version)| ((*key).to_owned(), *version)).collect()
}

/// A key whose versions do not come one by one.
pub(crate) fn inverted(seen: &Seen) -> Option<&str> {
    let mut last = BTreeMap::new();
    seen.iter().find_map(|(key, version)| {
        let before = last.insert(key, *version).unwrap_or(0);
        (before + 1 != *version).then_some(key.as_str())
    })
}

pub(crate) async fn emit(store: &Store, key: &str) -> Token {
    let event = Paid::new(key);
    run(store, async move |work: &mut Work| work.emit(&event).await).await.unwrap().1
}

/// A unit that emits and then waits at a gate.
fn emitting_then_waiting(store: &Store, key: &'static str, gate: i64) -> JoinHandle<Result<(), StoreError>> {
    let store = store.clone();
    tokio::spawn(async move {
        let unit = run(&store, async move |work: &mut Work| -> Result<(), StoreError> {
            work.emit(&Paid::new(key)).await?;
            wait_at(work, gate).await
        });
        unit.await.map(drop)
    })
}

/// A unit that has written, waits at a gate, and then emits.
fn waiting_then_emitting(store: &Store, key: &'static str, gate: i64) -> JoinHandle<Result<(), StoreError>> {
    let store = store.clone();
    tokio::spawn(async move {
        let unit = run(&store, async move |work: &mut Work| -> Result<(), StoreError> {
            insert(work, &format!("gate {gate}"), 1).await?;
            wait_at(work, gate).await?;
            work.emit(&Paid::new(key)).await.map(drop)
        });
        unit.await.map(drop)
    })
}

/// E1.
async fn an_event_that_is_committed_late_is_not_skipped(database: Database) {
    let store = database.open().await;
    let (mut gates, [gate]) = Gates::closed(&database).await;
    let (mut reader, mut naive) = (Reader::default(), Naive::BehindTheLast(0));

    let late = emitting_then_waiting(&store, "late", gate);
    gates.reached(gate).await;
    emit(&store, "soon").await;
    reader.poll(&store).await;
    assert_eq!((reader.seen.clone(), naive.poll(&store).await), (seen(&[("soon", 1)]), seen(&[("soon", 1)])));
    gates.open(gate).await;
    late.await.unwrap().unwrap();
    reader.poll(&store).await;
    assert_eq!(reader.seen, seen(&[("soon", 1), ("late", 1)]));
    assert_eq!(naive.poll(&store).await, [], "the planted bug, `id > last`, loses it");
}

/// E2, and E5 of a transaction that stays open.
async fn a_key_is_not_inverted_behind_a_transaction_that_stays_open(database: Database) {
    let store = database.open().await;
    let (mut gates, [first, second]) = Gates::closed(&database).await;
    let (mut reader, mut naive) = (Reader::default(), Naive::ByTransaction(Vec::new()));

    let early = waiting_then_emitting(&store, "a", first);
    gates.reached(first).await;
    let open = waiting_then_emitting(&store, "b", second);
    gates.reached(second).await;
    emit(&store, "a").await;
    gates.open(first).await;
    early.await.unwrap().unwrap();
    reader.poll(&store).await;
    assert_eq!(reader.seen, seen(&[("a", 1), ("a", 2)]), "they wait for nobody");
    assert_eq!(
        naive.poll(&store).await,
        [("a".to_owned(), 2)],
        "the planted bug stalls, and begins with the second"
    );
    gates.open(second).await;
    open.await.unwrap().unwrap();
    let naive = [seen(&[("a", 2)]), naive.poll(&store).await].concat();
    assert_eq!(inverted(&naive), Some("a"), "the planted bug, order by transaction, inverts it");
    assert_eq!(inverted(&reader.read_all(&store).await), None);
}

/// E4: an id that was given out and never comes holds up nobody.
async fn a_transaction_that_is_killed_leaves_no_gap(database: Database) {
    let store = database.open().await;
    let (mut gates, [gate]) = Gates::closed(&database).await;
    let killed = emitting_then_waiting(&store, "killed", gate);
    let backend = gates.reached(gate).await;
    emit(&store, "before").await;
    sqlx::query("SELECT pg_terminate_backend($1)").bind(backend).execute(&mut gates.0).await.unwrap();
    killed.await.unwrap().unwrap_err();
    emit(&store, "behind").await;
    assert_eq!(Reader::default().read_all(&store).await, seen(&[("before", 1), ("behind", 1)]));
}

/// E5: nobody knows when it ends, and it may outlive the server.
async fn a_prepared_transaction_holds_up_its_own_events_alone(database: Database) {
    let store = database.open().await;
    let mut outside = database.connect().await;
    let name: String = sqlx::query_scalar("SELECT current_schema").fetch_one(&mut outside).await.unwrap();
    let prepared = format!(
        "BEGIN; INSERT INTO freehold_entity (entity, key, version, deleted) VALUES ('orders.v1.Order', 'p', 1, FALSE); \
         INSERT INTO freehold_outbox (id, entity, key, version, type, deleted, time_ms, traceparent, cause, tokens) \
         VALUES ('p', 'orders.v1.Order', 'p', 1, 'orders.v1.Paid', FALSE, 1, '', '', ''); \
         PREPARE TRANSACTION '{name}'"
    );
    outside.execute(sqlx::raw_sql(AssertSqlSafe(prepared))).await.unwrap();
    let mut reader = Reader::default();
    for version in 1..=3 {
        assert_eq!(emit(&store, "a").await.mark, version);
        reader.poll(&store).await;
        assert_eq!(reader.seen.last(), Some(&("a".to_owned(), version)), "it waits for nobody");
    }
    let named = async {
        while !store.blockers().contains(&format!("the prepared transaction {name}")) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, named).await.unwrap();
    let mut commits = store.commits();
    outside.execute(sqlx::raw_sql(AssertSqlSafe(format!("COMMIT PREPARED '{name}'")))).await.unwrap();
    tokio::time::timeout(SOON, commits.wait_for(|mark| *mark == 4)).await.unwrap().unwrap();
    reader.poll(&store).await;
    assert_eq!(reader.seen.last(), Some(&("p".to_owned(), 1)), "nobody asked for it, and it was found");
}

/// E1 to E4 at large, with refusals in between.
async fn writers_that_finish_in_any_order_lose_and_invert_nothing(database: Database) {
    const WRITERS: i64 = 32;
    const EACH: i64 = 12;
    let store = database.open().await;
    let writers = (0..WRITERS).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            for round in 0..EACH {
                let (key, refused) = (format!("k{}", (writer + round) % 5), round % 4 == 3);
                let unit = run(&store, async move |work: &mut Work| {
                    work.emit(&Paid::new(&key)).await?;
                    let millis = fastrand::i64(0..8);
                    work.exec("SELECT pg_sleep($1 / 1000.0)", vals![millis]).await?;
                    if refused { Err(StoreError::KeyReused) } else { Ok(()) }
                });
                assert_eq!(unit.await.is_err(), refused);
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let mut reader = Reader::default();
    while writers.iter().any(|writer| !writer.is_finished()) {
        reader.poll(&store).await;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let seen = reader.read_all(&store).await;
    assert_eq!(seen.len() as i64, WRITERS * EACH * 3 / 4);
    assert_eq!(inverted(&seen), None);
}

/// E14: what a tick and its reading cost does not grow with what is kept, also where the server has planned them while there
/// was nothing. Red before the fifth migration: both looked through the era for the events of transactions that were open.
async fn a_tick_looks_at_no_event_but_its_own(database: Database) {
    const KEPT: usize = 500;
    const PLANNED: usize = 10;
    const TICK: &str = "SELECT mark FROM freehold_take_tick(0, NULL)";
    const LOOKED: &str = "SELECT CAST(seq_tup_read + COALESCE(idx_tup_fetch, 0) AS BIGINT) AS n \
                          FROM pg_stat_xact_user_tables WHERE relid = CAST('freehold_outbox' AS REGCLASS)";
    let store = database.open().await;
    let mut outside = database.connect().await;
    // Nobody tells the server in between how much there is by now.
    let unattended = "ALTER TABLE freehold_outbox SET (autovacuum_enabled = off)";
    outside.execute(unattended).await.unwrap();
    for _ in 0..PLANNED {
        emit(&store, "first").await;
        outside.execute(sqlx::query(TICK)).await.unwrap();
        outbox::after(&store, &mut store.read().await.unwrap(), 0, 1).await.unwrap();
    }
    let (mut gates, [gate]) = Gates::closed(&database).await;
    let open = waiting_then_emitting(&store, "late", gate);
    gates.reached(gate).await;
    let many = run(&store, async |work: &mut Work| {
        for _ in 0..KEPT {
            work.emit(&Paid::new("many")).await?;
        }
        Ok::<_, StoreError>(())
    });
    many.await.unwrap();
    let last = emit(&store, "last").await.mark;

    let mut tick = outside.begin().await.unwrap();
    let before: i64 = sqlx::query_scalar(LOOKED).fetch_one(&mut *tick).await.unwrap();
    tick.execute(sqlx::query(TICK)).await.unwrap();
    let looked: i64 = sqlx::query_scalar(LOOKED).fetch_one(&mut *tick).await.unwrap();
    tick.rollback().await.unwrap();
    assert!(looked - before < 10, "a tick looked at {} rows", looked - before);

    let mut read = store.read().await.unwrap();
    let before = sample::number(&mut read, LOOKED).await;
    let events = outbox::after(&store, &mut read, last - 1, 1).await.unwrap();
    assert_eq!(events.iter().map(|event| event.subject.as_str()).collect::<Vec<_>>(), ["last"]);
    let looked = sample::number(&mut read, LOOKED).await - before;
    assert!(looked < 10, "a reader looked at {looked} rows");
    gates.open(gate).await;
    open.await.unwrap().unwrap();
}

/// A tick is a bounded page, however large the unit; what a reader skips of it is bounded too.
async fn more_events_than_a_tick_has_are_several_ticks(database: Database) {
    let store = database.open().await;
    let unit = run(&store, async |work: &mut Work| -> Result<(), StoreError> {
        for _ in 0..1100 {
            work.emit(&Paid::new("a")).await?;
            work.put(&Order::new("b", work.now() + fastrand::i64(..1 << 40))).await?;
        }
        Ok(())
    });
    let (_, token) = unit.await.unwrap();
    assert_eq!(token.mark, 2200);
    let largest = "SELECT max(last_mark - first_mark + 1) AS n FROM freehold_tick";
    assert_eq!(sample::count(&store, largest).await, 1000);
    let seen = Reader::default().read_all(&store).await;
    assert_eq!((seen.len(), inverted(&seen)), (2200, None));
}

/// E6, R5, invariant 6: what a snapshot is made of. Each event is a version more, so the versions add up to the mark. The
/// planted bug, any read under the last mark, has what is committed and has no mark yet.
async fn an_exact_read_sees_its_mark_and_nothing_behind_it(database: Database) {
    const SUM: &str = "SELECT CAST(COALESCE(sum(version), 0) AS BIGINT) AS n FROM freehold_entity";
    let store = database.open().await;
    let mut outside = database.connect().await;
    outside.execute(sqlx::raw_sql("BEGIN; LOCK TABLE freehold_tick IN SHARE MODE")).await.unwrap();
    let writer = tokio::spawn({
        let store = store.clone();
        async move { emit(&store, "a").await }
    });
    let ahead = async {
        loop {
            let mut read = store.read().await.unwrap();
            let sum: i64 = read.one(SUM, vals![]).await.unwrap().unwrap().get("n").unwrap();
            if sum == 1 {
                return outbox::standing(&store, &mut read).await.unwrap().mark;
            }
        }
    };
    assert_eq!(tokio::time::timeout(SOON, ahead).await.unwrap(), 0, "the planted bug must be found");
    outside.execute(sqlx::raw_sql("COMMIT")).await.unwrap();
    writer.await.unwrap();

    let writers = (0..8).map(|writer: i64| {
        let store = store.clone();
        tokio::spawn(async move {
            for _ in 0..10 {
                emit(&store, &format!("k{}", writer % 3)).await;
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    while writers.iter().any(|writer| !writer.is_finished()) {
        let (mut read, position) = store.exact_read().await.unwrap();
        let sum: i64 = read.one(SUM, vals![]).await.unwrap().unwrap().get("n").unwrap();
        assert_eq!(sum, position.mark);
    }
}

/// E7. The ids of transactions begin anew there; here the database is made to come from a cluster that was ahead. The
/// planted bug goes on as if it were the same one, and never sees an event again.
async fn a_database_restored_into_another_cluster_goes_on(database: Database) {
    const AHEAD: &str = "UPDATE freehold_outbox SET xid = CAST(CAST(CAST(CAST(xid AS TEXT) AS BIGINT) + 1000000000 AS TEXT) AS XID8); \
         UPDATE freehold_tick SET sees = '2000000000:2000000000:' \
         WHERE ordinal = (SELECT max(ordinal) FROM freehold_tick)";
    const UNSEEN: &str = "INSERT INTO freehold_outbox (id, entity, key, version, type, deleted, time_ms, traceparent, cause, tokens, xid) \
         VALUES ('u', 'orders.v1.Order', 'u', 1, 'orders.v1.Paid', FALSE, 1, '', '', '', '2000000005')";
    const NAIVE: &str = "SELECT count(*) AS n FROM freehold_outbox WHERE key = 'new' AND xid >= '2000000000'";
    let store = database.open().await;
    emit(&store, "a").await;
    let before = sample::events(&store).await;
    store.close().await;
    let mut outside = database.connect().await;
    outside.execute(sqlx::raw_sql(AHEAD)).await.unwrap();
    outside.execute(sqlx::raw_sql(UNSEEN)).await.unwrap();

    let store = database.open().await;
    let token = emit(&store, "new").await;
    assert_eq!(token.mark, 3);
    let after = sample::events(&store).await;
    assert_eq!(after[0], before[0], "what was told is told again");
    assert_eq!(Reader::default().read_all(&store).await, seen(&[("a", 1), ("u", 1), ("new", 1)]));
    assert_eq!(sample::count(&store, NAIVE).await, 0, "the planted bug must be found");
    store.close().await;
    let store = database.open().await;
    assert_eq!(emit(&store, "new").await.mark, 4, "an era is begun once");
    assert_eq!(sample::count(&store, "SELECT max(era) AS n FROM freehold_tick").await, 2);
}
