//! A stream of one driver's locations, as seen by those who write them down.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};

use freehold_store::StoreError;

use crate::trail::Fate;

/// Where locations come from, and what became of them so far.
#[derive(Debug)]
pub(crate) struct Source {
    /// The driver's id.
    pub(crate) id: String,
    /// The number that stands for the driver.
    pub(crate) driver: i64,
    kept: AtomicI64,
    refused: AtomicI64,
    broken: OnceLock<Broken>,
}

/// Why no more locations are taken from a stream.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Broken {
    #[error("the driver has been erased")]
    Erased,
    #[error(transparent)]
    Store(StoreError),
}

impl Source {
    /// A stream that nothing has come from.
    pub(crate) fn new(id: String, driver: i64) -> Self {
        let (kept, refused) = (AtomicI64::new(0), AtomicI64::new(0));
        Self { id, driver, kept, refused, broken: OnceLock::new() }
    }

    /// Notes what became of a location.
    pub(super) fn note(&self, fate: Fate) {
        match fate {
            Fate::Kept => drop(self.kept.fetch_add(1, Ordering::Relaxed)),
            Fate::Refused => drop(self.refused.fetch_add(1, Ordering::Relaxed)),
            Fate::Driverless => drop(self.broken.set(Broken::Erased)),
        }
    }

    /// Notes that a location was lost; the first reason stays.
    pub(super) fn fail(&self, error: &StoreError) {
        // One that is broken already has told why.
        let _ = self.broken.set(Broken::Store(error.clone()));
    }

    /// Why no more is taken from it.
    pub(crate) fn broken(&self) -> Option<&Broken> {
        self.broken.get()
    }

    /// How many locations have been kept.
    pub(crate) fn kept(&self) -> i64 {
        self.kept.load(Ordering::Relaxed)
    }

    /// How many were not newer than what was known.
    pub(crate) fn refused(&self) -> i64 {
        self.refused.load(Ordering::Relaxed)
    }
}
