//! Where a test may kill an applier: the lines between which a crash must change nothing.
//!
//! Outside tests there is nothing to set and nothing happens.

use freehold_store::StoreError;

/// A line at which a process can die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Point {
    /// A chunk is written, the key that it ends at is not.
    InChunk,
    /// A chunk is committed.
    AfterChunk,
    /// The rows of a batch are written, its position is not.
    BeforePosition,
    /// The new table is in the place of the old one, uncommitted.
    AfterReplace,
    /// A batch is committed, nobody knows it.
    AfterCommit,
}

/// Kills an applier at a point; one that is not under test has none.
#[derive(Clone, Default)]
pub(crate) struct Faults {
    #[cfg(test)]
    pub(crate) dies: Option<std::sync::Arc<dyn Fn(Point) -> bool + Send + Sync>>,
}

impl Faults {
    /// Goes on, or fails as if the process had died here.
    #[cfg_attr(not(test), expect(clippy::unused_self, reason = "only a test sets a fault"))]
    pub(crate) fn reach(&self, point: Point) -> Result<(), StoreError> {
        #[cfg(test)]
        if self.dies.as_ref().is_some_and(|dies| dies(point)) {
            return Err(StoreError::Closed);
        }
        let _ = point;
        Ok(())
    }
}
