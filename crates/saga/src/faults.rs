//! Where a process can die, so that tests can make it die there.
//!
//! The executor passes every boundary between an effect and its record. Only this crate's tests can set what happens
//! there; in every other build passing is free.

use std::fmt;
use std::sync::Arc;

/// Between which two lines the executor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Boundary {
    /// The saga's timer has fired, or it was asked for; nothing has been read yet.
    Fired,
    /// The intent is committed, the call is not made.
    BeforeCall,
    /// The call has been answered, nothing is written.
    AfterCall,
    /// All is written, nothing is committed. Within the unit of work.
    BeforeCommit,
    /// The change is committed, nobody knows.
    AfterCommit,
    /// The end is about to be told.
    BeforeTelling,
}

/// The process dies here. What it stands for never returns, so nothing may follow it.
#[derive(Debug)]
pub(crate) struct Killed;

/// Whether the process dies at a boundary.
pub(crate) type Dies = dyn Fn(Boundary) -> bool + Send + Sync;

/// What happens at the boundaries; nothing unless a test says so.
#[derive(Clone, Default)]
pub(crate) struct Faults {
    dies: Option<Arc<Dies>>,
}

impl Faults {
    /// Passes a boundary.
    pub(crate) fn pass(&self, boundary: Boundary) -> Result<(), Killed> {
        match &self.dies {
            Some(dies) if dies(boundary) => Err(Killed),
            _ => Ok(()),
        }
    }

    #[cfg(test)]
    pub(crate) fn new(dies: impl Fn(Boundary) -> bool + Send + Sync + 'static) -> Self {
        Self { dies: Some(Arc::new(dies)) }
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults").field("set", &self.dies.is_some()).finish()
    }
}
