//! Checkpoints in the background: moving the WAL into the database on a connection and a thread of their own, so that no
//! unit of work waits for it.
//!
//! **Invariant:** the WAL is bounded. While commits follow one another it never begins anew, since there is always one
//! that is not moved yet; and SQLite lets a writer that finds a checkpoint at work go on. So at the bound the writer waits
//! for the background, whose checkpoint then gets to the end and waits until nobody reads from the WAL, so that the next
//! commit begins it anew. Who reads for longer than that keeps the WAL until he ends.

use std::cell::Cell;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;

use super::connection;
use crate::error::StoreError;

/// Pages that a WAL grows by before it is worth a checkpoint, which costs two fsyncs: four megabytes.
const WORTH_IT: i32 = 1000;

/// Pages of WAL at which the writer waits: sixteen megabytes.
const BOUND: i32 = 4096;

/// How long a checkpoint that a writer waits for waits for those who read from the WAL.
const READERS: Duration = Duration::from_millis(100);

thread_local! {
    /// Pages in the WAL after the last commit of this thread's connection.
    static PAGES: Cell<i32> = const { Cell::new(0) };
}

/// Counts the pages that a connection's commits leave in the WAL, instead of checkpointing there.
pub(super) fn count(connection: &Connection) {
    connection.wal_hook(Some(|_, pages| {
        PAGES.set(pages);
        Ok(())
    }));
}

/// What the background drops when it has made the checkpoint that somebody waits for.
type Waiting = Option<SyncSender<()>>;

/// Wakes the background; dropping it ends it.
pub(super) struct Checkpoints {
    /// Pages in the WAL when the background was woken last.
    asked: i32,
    wake: Option<SyncSender<Waiting>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    pub(super) fn start(path: &Path, name: &str) -> Result<Self, StoreError> {
        let connection = connection::checkpointer(path)?;
        let (wake, woken) = mpsc::sync_channel(1);
        let thread = thread::Builder::new().name(format!("{name}-checkpoint"));
        let thread = thread.spawn(move || run(&connection, &woken));
        let thread = thread.map_err(|error| StoreError::Io(std::sync::Arc::new(error)))?;
        Ok(Self { asked: 0, wake: Some(wake), thread: Some(thread) })
    }

    /// Tells that the thread's connection has committed. Waits where the WAL is at its bound, for one checkpoint.
    pub(super) fn committed(&mut self) {
        let pages = PAGES.get();
        if pages < self.asked {
            self.asked = 0; // The WAL has begun anew.
        }
        if pages < self.asked + WORTH_IT {
            return;
        }
        self.asked = pages;
        let Some(wake) = &self.wake else { return };
        if pages < BOUND {
            // A full channel has a wake-up in it already.
            let _ = wake.try_send(None);
            return;
        }
        let (waiting, done) = mpsc::sync_channel(0);
        if wake.send(Some(waiting)).is_ok() {
            // Nothing is sent: it is dropped.
            let _ = done.recv();
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(connection: &Connection, woken: &Receiver<Waiting>) {
    while let Ok(waiting) = woken.recv() {
        if let Err(error) = checkpoint(connection, waiting.is_some()) {
            tracing::warn!(%error, "a checkpoint failed; the WAL grows until one succeeds");
        }
    }
}

/// Passive, it moves what no reader needs, and waits for nobody. Where a writer waits, it waits for readers, too.
fn checkpoint(connection: &Connection, waited_for: bool) -> rusqlite::Result<()> {
    let (mode, patience) = if waited_for { ("RESTART", READERS) } else { ("PASSIVE", Duration::ZERO) };
    connection.busy_timeout(patience)?;
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()))
}
