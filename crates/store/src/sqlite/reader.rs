//! The readers: connections that cannot write, opened as they are needed, at most as many as the options say.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::connection;
use super::lane::Lane;
use crate::engine;
use crate::error::StoreError;
use crate::read::Read;

const BEGIN: &str = "BEGIN /* the store's own */";
const END: &str = "COMMIT /* the store's own */";

/// Begins the transaction of a read, once.
pub(crate) fn begin(lane: &Lane) -> Result<(), StoreError> {
    if lane.in_transaction() { Ok(()) } else { lane.control(BEGIN).map_err(super::errors::of_statement) }
}

/// A pool of readers. Cloning shares it.
#[derive(Clone)]
pub(crate) struct Readers {
    shared: Arc<Shared>,
    places: Arc<Semaphore>,
}

struct Shared {
    path: PathBuf,
    idle: Mutex<Vec<Lane>>,
}

/// Where a read's connection goes back to.
pub(crate) struct Home {
    shared: Arc<Shared>,
    place: OwnedSemaphorePermit,
}

impl Readers {
    pub(super) fn new(path: PathBuf, most: usize) -> Self {
        let shared = Shared { path, idle: Mutex::new(Vec::new()) };
        Self { shared: Arc::new(shared), places: Arc::new(Semaphore::new(most)) }
    }

    /// A connection to read with, at once or when one comes back before the deadline. Its transaction begins with its
    /// first statement.
    pub(crate) async fn read(&self, deadline: Instant) -> Result<Read, StoreError> {
        let place = self.place(deadline).await?;
        let idle = self.shared.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let lane = idle.map_or_else(|| connection::reader(&self.shared.path), Ok)?;
        lane.hold_to(deadline, None);
        let home = Home { shared: self.shared.clone(), place };
        Ok(Read::new(engine::Lane::Sqlite(lane), engine::Home::Sqlite(home), deadline))
    }

    /// Refuses further reads; those that run keep their connections until they end.
    pub(super) fn close(&self) {
        self.places.close();
        self.shared.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    async fn place(&self, deadline: Instant) -> Result<OwnedSemaphorePermit, StoreError> {
        use tokio::sync::TryAcquireError;
        match self.places.clone().try_acquire_owned() {
            Ok(place) => return Ok(place),
            Err(TryAcquireError::Closed) => return Err(StoreError::Closed),
            Err(TryAcquireError::NoPermits) => {}
        }
        let waiting = self.places.clone().acquire_owned();
        match tokio::time::timeout_at(deadline.into(), waiting).await {
            Ok(place) => place.map_err(|_| StoreError::Closed),
            Err(_) => Err(StoreError::Busy("all readers are in use")),
        }
    }
}

impl Home {
    /// Ends the read's transaction; a connection that cannot is thrown away.
    pub(crate) fn take_back(self, lane: Lane) {
        lane.release();
        let ended = !lane.in_transaction() || lane.control(END).is_ok();
        if ended && !self.place.semaphore().is_closed() {
            self.shared.idle.lock().unwrap_or_else(PoisonError::into_inner).push(lane);
        }
    }
}
