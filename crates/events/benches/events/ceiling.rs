//! What the disk and SQLite give without any of ours: two files, a commit of so many events each, one after the other.
//!
//! The first file takes what an owner writes for an event, the second what a consumer does, by bare rusqlite, as durable.
//! Both files have a thread; the second takes what the first has committed. Nothing is encoded, sent or checked.

use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Instant;

use rusqlite::Connection;

use crate::mesh::{Outcome, PAYLOAD};

/// As many as callers wait for a commit at once.
const BATCH: i64 = 64;

const SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";
const TABLES: &str = "
    CREATE TABLE entity (entity TEXT, key TEXT, version INTEGER, data BLOB, PRIMARY KEY (entity, key)) STRICT;
    CREATE TABLE outbox (mark INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, entity TEXT, key TEXT,
        version INTEGER, time_ms INTEGER, data BLOB, UNIQUE (entity, key, version)) STRICT;
    CREATE TABLE inbox (subscription TEXT, entity TEXT, key TEXT, version INTEGER,
        PRIMARY KEY (subscription, entity, key)) STRICT, WITHOUT ROWID;
    CREATE TABLE effect (ordinal INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT, version INTEGER) STRICT;";

/// Events a second from the first file to the second.
pub(crate) fn measure(folder: &Path, events: i64, keys: i64) -> Outcome<f64> {
    let (owner, consumer) = (open(&folder.join("owner.db"))?, open(&folder.join("consumer.db"))?);
    // As far ahead as callers who wait for their answers can get.
    let (tell, told) = sync_channel(1);
    let began = Instant::now();
    let taking = std::thread::spawn(move || take(&consumer, &told, keys));
    for batch in 0..events / BATCH {
        let numbers = batch * BATCH..(batch + 1) * BATCH;
        owner.execute_batch("BEGIN IMMEDIATE")?;
        for number in numbers.clone() {
            emit(&owner, number, keys)?;
        }
        owner.execute_batch("COMMIT")?;
        tell.send(numbers)?;
    }
    drop(tell);
    taking.join().map_err(|_| "the consumer's thread ended")??;
    Ok((events / BATCH * BATCH) as f64 / began.elapsed().as_secs_f64())
}

fn open(file: &Path) -> Outcome<Connection> {
    let connection = Connection::open(file)?;
    connection.execute_batch(SETTINGS)?;
    connection.execute_batch(TABLES)?;
    Ok(connection)
}

fn emit(owner: &Connection, number: i64, keys: i64) -> Outcome<()> {
    const LOOK: &str = "SELECT version FROM entity WHERE entity = 'o.v1.Order' AND key = ?1";
    const ADVANCE: &str = "INSERT INTO entity (entity, key, version) VALUES ('o.v1.Order', ?1, ?2) \
                           ON CONFLICT (entity, key) DO UPDATE SET version = excluded.version";
    const APPEND: &str = "INSERT INTO outbox (id, entity, key, version, time_ms, data) \
                          VALUES (?1, 'o.v1.Order', ?2, ?3, ?4, ?5)";
    let (key, version) = (format!("k{}", number % keys), number / keys + 1);
    let mut look = owner.prepare_cached(LOOK)?;
    let before: Option<i64> = look.query_map([&key], |row| row.get(0))?.next().transpose()?;
    owner.prepare_cached(ADVANCE)?.execute((&key, before.unwrap_or(0) + 1))?;
    let id = format!("{number:036}");
    owner.prepare_cached(APPEND)?.execute((id, key, version, number, vec![7; PAYLOAD]))?;
    Ok(())
}

fn take(consumer: &Connection, told: &Receiver<std::ops::Range<i64>>, keys: i64) -> Outcome<()> {
    const LOOK: &str = "SELECT version FROM inbox WHERE subscription = 'mails/views/orders' AND entity = 'o.v1.Order' \
                        AND key = ?1";
    const EFFECT: &str = "INSERT INTO effect (key, version) VALUES (?1, ?2)";
    const ADVANCE: &str = "INSERT INTO inbox (subscription, entity, key, version) \
                           VALUES ('mails/views/orders', 'o.v1.Order', ?1, ?2) ON CONFLICT (subscription, entity, key) \
                           DO UPDATE SET version = excluded.version WHERE excluded.version > inbox.version";
    for numbers in told {
        consumer.execute_batch("BEGIN IMMEDIATE")?;
        for number in numbers {
            let (key, version) = (format!("k{}", number % keys), number / keys + 1);
            let mut look = consumer.prepare_cached(LOOK)?;
            let _known: Option<i64> = look.query_map([&key], |row| row.get(0))?.next().transpose()?;
            consumer.prepare_cached(EFFECT)?.execute((&key, version))?;
            consumer.prepare_cached(ADVANCE)?.execute((&key, version))?;
        }
        consumer.execute_batch("COMMIT")?;
    }
    Ok(())
}
