//! What erasing a key leaves of it: headers, and no reply that may hold its data.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use freehold_store::{Queries, Store, StoreError, Work, vals};
use freehold_wire::tonic::{Code, Status};
use freehold_wire::{Committed, Context, reason};
use sqlx::Executor;

use crate::engines::{Database, open};
use crate::sample::{self, Order, Paid, context, insert, run};

on_each_engine! {
    the_recorded_replies_go_with_the_key,
    a_call_whose_reply_was_erased_does_not_run_again,
    the_reply_of_the_erasure_itself_stays,
    a_key_that_is_touched_after_its_erasure_is_erased_again,
    a_unit_without_a_key_and_a_refused_one_note_nothing,
    a_later_record_under_the_same_idempotency_key_is_another_one,
    replies_from_before_the_notes_go_too,
}

const CANARY: &str = "Canary Row 1";
const TOUCHED: &str = "SELECT count(*) AS n FROM freehold_touched";

fn keyed(key: &str) -> Context {
    context().with_key(key).with_request(&Order::new("r", 1))
}

fn reply(note: &str) -> Order {
    Order { note: note.to_owned(), ..Order::new("reply", 1) }
}

/// A write whose handler answers an order.
async fn write<F>(store: &Store, context: Context, handler: F) -> Result<Committed<Order>, StoreError>
where
    F: AsyncFnOnce(&mut Work) -> Result<Order, StoreError> + Send + 'static,
{
    store.write(&context, handler).await
}

/// A keyed write that puts an entity and answers what a test looks for.
async fn put(store: &Store, key: &str, id: &'static str, note: &'static str) -> Committed<Order> {
    let handler = async move |work: &mut Work| {
        work.put(&Order::new(id, 1)).await?;
        Ok(reply(note))
    };
    write(store, keyed(key), handler).await.unwrap()
}

/// A keyed write that answers something of `a` after one step with it.
async fn touch<F>(store: &Store, key: &str, step: F)
where
    F: AsyncFnOnce(&mut Work) -> Result<i64, StoreError> + Send + 'static,
{
    let handler = async move |work: &mut Work| {
        step(work).await?;
        Ok(reply(CANARY))
    };
    write(store, keyed(key), handler).await.unwrap();
}

async fn erase(store: &Store, id: &'static str) {
    run(store, async move |work: &mut Work| work.erase::<Order>(id).await).await.unwrap();
}

/// As it was before replies were found: the entity and its events, nothing else.
async fn erase_naively(store: &Store, id: &'static str) {
    run(store, async move |work: &mut Work| -> Result<u64, StoreError> {
        work.delete::<Order>(id).await?;
        work.exec("UPDATE freehold_outbox SET data = NULL WHERE key = $1", vals![id]).await
    })
    .await
    .unwrap();
}

/// R20. The planted bug is an erasure that forgets the replies.
async fn the_recorded_replies_go_with_the_key(database: Database) {
    let store = database.open().await;
    put(&store, "put", "a", CANARY).await;
    touch(&store, "emit", async |work: &mut Work| work.emit(&Paid::new("a")).await).await;
    touch(&store, "lock", async |work: &mut Work| Ok(work.lock::<Order>("a").await?.unwrap_or(0))).await;
    touch(&store, "delete", async |work: &mut Work| work.delete::<Order>("a").await).await;
    touch(&store, "none", async |work: &mut Work| Ok(work.lock::<Order>("a").await?.unwrap_or(0))).await;
    put(&store, "other", "b", "of another").await;

    erase_naively(&store, "a").await;
    assert_eq!(holders(&database, CANARY).await, ["freehold_idempotency"], "the planted bug must be found");
    erase(&store, "a").await;
    assert_eq!(holders(&database, CANARY).await, Vec::<String>::new());
    for key in ["put", "emit", "lock", "delete", "none"] {
        assert_eq!(replay(&store, key).await.unwrap_err(), (Code::FailedPrecondition, "REPLY_ERASED".into()));
    }
    assert_eq!(replay(&store, "other").await.unwrap(), reply("of another"));
    assert_eq!(sample::count(&store, TOUCHED).await, 1, "what the other one touched");
}

/// Sends a call again; its handler would leave an order.
async fn replay(store: &Store, key: &str) -> Result<Order, (Code, String)> {
    run_again(store, keyed(key)).await
}

async fn run_again(store: &Store, context: Context) -> Result<Order, (Code, String)> {
    let handler = async |work: &mut Work| {
        insert(work, "again", 1).await?;
        Ok(reply("again"))
    };
    let replied = write(store, context, handler).await;
    replied.map(|committed| committed.reply().clone()).map_err(|error| {
        let status = Status::from(error);
        (status.code(), reason::of(&status))
    })
}

/// The planted bug forgets the key together with the reply.
async fn a_call_whose_reply_was_erased_does_not_run_again(database: Database) {
    let store = database.open().await;
    put(&store, "k", "a", CANARY).await;
    put(&store, "forgotten", "a", CANARY).await;
    erase(&store, "a").await;
    assert!(replay(&store, "k").await.is_err());
    store.close().await;
    let store = database.open().await;
    assert!(replay(&store, "k").await.is_err(), "also after a restart");
    let other = run_again(&store, keyed("k").with_request(&Order::new("r", 2))).await;
    assert_eq!(other.unwrap_err().1, "REPLY_ERASED", "what was asked is no longer known");
    assert_eq!(sample::orders(&store).await, 0);
    run(&store, async |work: &mut Work| {
        work.exec("DELETE FROM freehold_idempotency WHERE key = 'forgotten'", vals![]).await
    })
    .await
    .unwrap();
    let _ = replay(&store, "forgotten").await;
    assert_ne!(sample::orders(&store).await, 0, "the planted bug must be found");
}

async fn the_reply_of_the_erasure_itself_stays(database: Database) {
    let store = database.open().await;
    put(&store, "put", "a", CANARY).await;
    for key in ["first", "second"] {
        let erasure = async |work: &mut Work| {
            work.lock::<Order>("a").await?;
            work.erase::<Order>("a").await?;
            Ok(reply("erased"))
        };
        assert!(!write(&store, keyed(key), erasure).await.unwrap().replayed());
    }
    for key in ["first", "second"] {
        assert_eq!(replay(&store, key).await.unwrap(), reply("erased"));
    }
    assert_eq!(holders(&database, CANARY).await, Vec::<String>::new());
}

async fn a_key_that_is_touched_after_its_erasure_is_erased_again(database: Database) {
    let store = database.open().await;
    let replacement = async |work: &mut Work| {
        work.erase::<Order>("a").await?;
        work.put(&Order::new("a", 2)).await?;
        Ok(reply(CANARY))
    };
    write(&store, keyed("k"), replacement).await.unwrap();
    erase(&store, "a").await;
    assert_eq!(holders(&database, CANARY).await, Vec::<String>::new());
}

async fn a_unit_without_a_key_and_a_refused_one_note_nothing(database: Database) {
    let store = database.open().await;
    let unkeyed = async |work: &mut Work| {
        work.put(&Order::new("a", 1)).await?;
        work.emit(&Paid::new("a")).await?;
        Ok(reply("unkeyed"))
    };
    write(&store, context(), unkeyed).await.unwrap();
    let refused = async |work: &mut Work| {
        work.put(&Order::new("a", 2)).await?;
        Err(StoreError::Busy("planted"))
    };
    write(&store, keyed("k"), refused).await.unwrap_err();
    assert_eq!(sample::count(&store, TOUCHED).await, 0);
    let noted = async |work: &mut Work| {
        for id in ["a", "b", "a"] {
            work.lock::<Order>(id).await?;
            work.put(&Order::new(id, 3)).await?;
        }
        Ok(reply("keyed"))
    };
    write(&store, keyed("k"), noted).await.unwrap();
    assert_eq!(sample::count(&store, TOUCHED).await, 2, "one note for each key");
}

async fn a_later_record_under_the_same_idempotency_key_is_another_one(database: Database) {
    let now = Arc::new(AtomicI64::new(1_000_000));
    let clock = now.clone();
    let store = open(database.options().clock(move || clock.load(Ordering::SeqCst))).await.unwrap();
    put(&store, "k", "a", CANARY).await;
    now.fetch_add(8 * 24 * 60 * 60 * 1000, Ordering::SeqCst);
    assert!(!put(&store, "k", "b", "of another").await.replayed());
    erase(&store, "a").await;
    assert_eq!(replay(&store, "k").await.unwrap(), reply("of another"));
    erase(&store, "b").await;
    assert!(replay(&store, "k").await.is_err());
}

/// A database of a program that knew nothing of the notes.
async fn replies_from_before_the_notes_go_too(database: Database) {
    const UNDO: &str = "DROP TABLE freehold_touched; \
                        DELETE FROM freehold_migration WHERE set_name = 'freehold' AND version = 2";
    const UNDO_TICKS: &str = "DROP VIEW freehold_event; DROP VIEW freehold_head; DROP TABLE freehold_tick; \
                              ALTER TABLE freehold_outbox DROP COLUMN era, DROP COLUMN xid; \
                              ALTER TABLE freehold_outbox RENAME COLUMN ordinal TO mark; \
                              UPDATE freehold_idempotency SET mark = mark + 1; \
                              DELETE FROM freehold_migration WHERE set_name = 'freehold' AND version = 3";
    let store = database.open().await;
    put(&store, "k", "a", CANARY).await;
    put(&store, "other", "b", "of another").await;
    store.close().await;
    drop(store);
    if database.is_postgres() {
        let undo = sqlx::AssertSqlSafe(format!("{UNDO_TICKS}; {UNDO}"));
        database.connect().await.execute(sqlx::raw_sql(undo)).await.unwrap();
    } else {
        rusqlite::Connection::open(database.file()).unwrap().execute_batch(UNDO).unwrap();
    }
    let store = database.open().await;
    erase(&store, "a").await;
    assert_eq!(holders(&database, CANARY).await, Vec::<String>::new());
    assert_eq!(replay(&store, "other").await.unwrap(), reply("of another"));
}

/// The tables of which a row holds the text, as such or in bytes.
async fn holders(database: &Database, text: &str) -> Vec<String> {
    let mut holders = Vec::new();
    for table in tables(database).await {
        if rows(database, &table).await.iter().any(|row| row.contains(text)) {
            holders.push(table);
        }
    }
    assert!(tables(database).await.len() > 8, "it has looked somewhere");
    holders
}

async fn tables(database: &Database) -> Vec<String> {
    if database.is_postgres() {
        let sql = "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema ORDER BY 1";
        return sqlx::query_scalar(sql).fetch_all(&mut database.connect().await).await.unwrap();
    }
    let connection = rusqlite::Connection::open(database.file()).unwrap();
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let mut statement = connection.prepare(sql).unwrap();
    let names = statement.query_map([], |row| row.get(0)).unwrap();
    names.collect::<Result<_, _>>().unwrap()
}

/// The rows of a table as text, with all that its bytes say in ASCII.
async fn rows(database: &Database, table: &str) -> Vec<String> {
    if database.is_postgres() {
        let sql = format!(
            "SELECT (SELECT string_agg(CASE WHEN value LIKE '\\\\x%' \
             THEN encode(decode(substr(value, 3), 'hex'), 'escape') ELSE value END, ' ') \
             FROM jsonb_each_text(to_jsonb(t))) FROM {table} t"
        );
        let rows = sqlx::query_scalar::<_, Option<String>>(sqlx::AssertSqlSafe(sql));
        let rows = rows.fetch_all(&mut database.connect().await).await.unwrap();
        return rows.into_iter().flatten().collect();
    }
    let connection = rusqlite::Connection::open(database.file()).unwrap();
    let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
    let columns = statement.column_count();
    let mut found = statement.query([]).unwrap();
    let mut rows = Vec::new();
    while let Some(row) = found.next().unwrap() {
        let bytes = |index| match row.get_ref(index).unwrap() {
            rusqlite::types::ValueRef::Text(bytes) | rusqlite::types::ValueRef::Blob(bytes) => bytes.to_vec(),
            _ => Vec::new(),
        };
        let cells = (0..columns).map(|index| String::from_utf8_lossy(&bytes(index)).into_owned());
        rows.push(cells.collect::<Vec<_>>().join(" "));
    }
    rows
}

/// A database in whose file there is something to erase, among neighbours, so that its page stays in use.
async fn with_a_receipt() -> Database {
    let database = Database::sqlite();
    let store = database.open().await;
    for id in ["a", "b", "c"] {
        let receipt = if id == "b" { CANARY } else { "any receipt " }.repeat(20).into_bytes();
        run(&store, async move |work: &mut Work| {
            work.put(&Order::new(id, 1)).await?;
            work.emit(&Paid { receipt, ..Paid::new(id) }).await
        })
        .await
        .unwrap();
    }
    store.close().await;
    assert!(is_in_file(&database));
    database
}

/// Once it is closed, a database is its file alone.
fn is_in_file(database: &Database) -> bool {
    let file = std::fs::read(database.file()).unwrap();
    file.windows(CANARY.len()).any(|bytes| bytes == CANARY.as_bytes())
}

/// R20, in the file itself.
#[tokio::test]
async fn what_is_erased_is_not_in_the_file() {
    let database = with_a_receipt().await;
    let store = database.open().await;
    erase(&store, "b").await;
    store.close().await;
    assert!(!is_in_file(&database));
}

/// The planted bug is a connection that leaves what it deletes where it was.
#[tokio::test]
async fn a_connection_with_other_settings_leaves_it_in_the_file() {
    const BLANK: &str = "UPDATE freehold_outbox SET data = NULL WHERE key = 'b'";
    let database = with_a_receipt().await;
    rusqlite::Connection::open(database.file()).unwrap().execute(BLANK, ()).unwrap();
    assert!(is_in_file(&database));
}
