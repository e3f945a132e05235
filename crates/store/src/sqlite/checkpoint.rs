//! Checkpoints in the background: moving the WAL into the database on a connection and a thread of their own, so that no
//! unit of work waits for it.

use std::path::Path;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;

use super::connection;
use crate::error::StoreError;

/// Pages in the WAL and not yet in the database that are worth a checkpoint, which costs two fsyncs: four megabytes.
const WORTH_IT: i64 = 1000;

/// How many units the writer commits before the background looks how long the WAL is: waking it costs as much as a
/// small commit does.
const LOOK_EVERY: usize = 64;

/// Wakes the background; dropping it ends it.
pub(super) struct Checkpoints {
    /// Units since the last look.
    unseen: usize,
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    pub(super) fn start(path: &Path, name: &str) -> Result<Self, StoreError> {
        let connection = connection::checkpointer(path)?;
        let (wake, woken) = mpsc::sync_channel(1);
        let thread = thread::Builder::new().name(format!("{name}-checkpoint"));
        let thread = thread.spawn(move || run(&connection, &woken));
        let thread = thread.map_err(|error| StoreError::Io(std::sync::Arc::new(error)))?;
        Ok(Self { unseen: 0, wake: Some(wake), thread: Some(thread) })
    }

    /// Tells that there has been a commit of so many units. Never waits.
    pub(super) fn committed(&mut self, units: usize) {
        self.unseen += units;
        if self.unseen < LOOK_EVERY {
            return;
        }
        self.unseen = 0;
        if let Some(wake) = &self.wake {
            // A full channel has a wake-up in it already.
            let _ = wake.try_send(());
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

fn run(connection: &Connection, woken: &Receiver<()>) {
    while woken.recv().is_ok() {
        let waiting = checkpoint(connection, "NOOP");
        let outcome = waiting
            .and_then(|pages| if pages < WORTH_IT { Ok(0) } else { checkpoint(connection, "PASSIVE") });
        if let Err(error) = outcome {
            // The writer checkpoints by itself when the WAL gets too long.
            tracing::warn!(%error, "a background checkpoint failed");
        }
    }
}

/// Runs a checkpoint of that mode and answers how many pages of the WAL are not in the database yet.
fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<i64> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
        let (in_wal, moved): (i64, i64) = (row.get(1)?, row.get(2)?);
        Ok(in_wal - moved)
    })
}
