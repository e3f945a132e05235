//! SQLite: one file, one writer thread with group commit, many readers on their callers' threads.
//!
//! `writer` and `batch` are the heart; `reader` serves snapshots; `guard` holds statements to their limits; `checkpoint`
//! works in the background; `connection` asserts what durability rests on. **Invariant:** one store at a time has a file.

mod batch;
mod checkpoint;
mod connection;
mod errors;
mod guard;
mod lane;
mod lock;
pub(crate) use lock::is_locked;
mod reader;
mod replies;
mod shape;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

pub(crate) use self::lane::Lane;
pub(crate) use self::reader::{Home, Readers, begin as begin_read};
use futures_util::FutureExt;

use self::checkpoint::Checkpoints;
use self::writer::Writer;
use crate::engine;
use crate::epoch::History;
use crate::error::StoreError;
use crate::ledger::Ledger;
use crate::open::{self, OpenError};
use crate::options::Options;
use crate::queue::{Queue, queue};
use crate::read::Read;
use crate::store::Opened;
use crate::unit::Job;

/// The most reads at a time, unless said.
const READERS: usize = 16;

/// A running SQLite store.
pub(crate) struct Database {
    queue: Queue,
    readers: Readers,
}

/// Opens the file that the options name.
pub(crate) async fn open(options: Options) -> Result<Opened<Database>, OpenError> {
    let runtime = tokio::runtime::Handle::current();
    let opening = tokio::task::spawn_blocking(move || open_blocking(&options, runtime));
    opening.await.unwrap_or_else(|panic| Err(StoreError::Panicked(panic.to_string()).into()))
}

/// Opens the file to read it, and says whose it is.
pub(crate) fn open_read_only(url: &str) -> Result<(String, Readers), OpenError> {
    const MOST: usize = 4;
    let path = connection::path_of(url)?;
    let mut looking = engine::Lane::Sqlite(connection::reader(&path)?);
    let service = now(open::owner(&mut looking, url))?;
    Ok((service, Readers::new(path, MOST)))
}

impl Database {
    pub(crate) async fn submit(&self, job: Job) -> Result<(), StoreError> {
        self.queue.submit(job).await
    }

    pub(crate) async fn read(&self, deadline: Instant) -> Result<Read, StoreError> {
        self.readers.read(deadline).await
    }

    pub(crate) fn queue(&self) -> &Queue {
        &self.queue
    }

    pub(crate) async fn close(&self) {
        self.readers.close();
        self.queue.close().await;
    }
}

fn open_blocking(options: &Options, runtime: tokio::runtime::Handle) -> Result<Opened<Database>, OpenError> {
    let path = connection::path_of(&options.url)?;
    let lock = lock::take(&path)?;
    if path.metadata().is_ok_and(|file| file.len() > 0) {
        let mut looking = engine::Lane::Sqlite(connection::looker(&path)?);
        now(open::inspect(&mut looking, options))?;
    }
    let (lane, history, mark) = prepare(&path, options)?;
    let ledger = Ledger::new(history, options.clock.clone(), mark);
    let view = ledger.view();
    let (queue, orders) = queue(options.queue);
    let name = format!("{}-store", options.service);
    let writer = Writer {
        lane: Some(lane),
        checkpoints: Checkpoints::start(&path, &name)?,
        lock,
        orders: orders.orders,
        ledger,
    };
    let run = move || {
        // A unit that starts a timer or a call then waits for it, and is told so, instead of panicking.
        let _runtime = runtime.enter();
        writer.run();
        drop(orders.end);
    };
    thread::Builder::new().name(name).spawn(run).map_err(|error| StoreError::Io(Arc::new(error)))?;
    let readers = Readers::new(path, options.readers.unwrap_or(READERS));
    Ok(Opened { database: Database { queue, readers }, view })
}

/// Applies migrations and begins an epoch, in one transaction; answers the writer's connection.
fn prepare(path: &Path, options: &Options) -> Result<(Lane, History, i64), OpenError> {
    let lane = connection::writer(path, options.most_bytes)?;
    lane.control("BEGIN IMMEDIATE /* opening */").map_err(errors::of_statement)?;
    let mut lane = engine::Lane::Sqlite(lane);
    let (history, mark) = now(open::prepare(&mut lane, options, (options.clock)()))?;
    let engine::Lane::Sqlite(lane) = lane else { return Err(StoreError::Closed.into()) };
    assert_strict(&lane)?;
    lane.control("COMMIT /* opening */").map_err(errors::of_commit)?;
    Ok((lane, history, mark))
}

/// A table that takes any type in any column would behave differently on PostgreSQL.
fn assert_strict(lane: &Lane) -> Result<(), OpenError> {
    const LOOSE: &str = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict = 0 \
                         AND name NOT LIKE 'sqlite_%'";
    match lane.one(LOOSE, &[])? {
        Some(row) => Err(OpenError::LooseTable(row.get("name")?)),
        None => Ok(()),
    }
}

/// The result of a future that waits for SQLite alone, whose statements are done when they return.
fn now<T>(future: impl Future<Output = Result<T, OpenError>>) -> Result<T, OpenError> {
    future.now_or_never().unwrap_or(Err(OpenError::Database(StoreError::ForeignAwait)))
}
