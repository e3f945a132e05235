//! Where a test may kill a relay, and how it may misbehave: what the suite of the buses must notice.
//!
//! Outside tests there is nothing to set and nothing happens.

use freehold_store::StoreError;

use super::publishing::Stopped;

/// A line at which a process can die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Point {
    /// Events are read, nothing is published.
    BeforePublish,
    /// They are published and acknowledged, nothing is marked.
    AfterPublish,
    /// They are marked.
    AfterMark,
}

/// Kills a relay at a point, or has it misbehave.
#[derive(Clone, Default)]
pub(crate) struct Faults {
    #[cfg(test)]
    pub(crate) dies: Option<std::sync::Arc<dyn Fn(Point) -> bool + Send + Sync>>,
    /// The planted bug: events are marked before the bus has them.
    #[cfg(test)]
    pub(crate) marks_first: bool,
    /// The planted bug: a mark does not look for its fence.
    #[cfg(test)]
    pub(crate) unfenced: bool,
}

#[cfg_attr(not(test), expect(clippy::unused_self, reason = "only a test sets a fault"))]
impl Faults {
    /// Goes on, or fails as if the process had died here.
    pub(crate) fn reach(&self, point: Point) -> Result<(), Stopped> {
        #[cfg(test)]
        if self.dies.as_ref().is_some_and(|dies| dies(point)) {
            return Err(Stopped::Store(StoreError::Closed));
        }
        let _ = (point, StoreError::Closed);
        Ok(())
    }

    /// Whether events are marked before they are published.
    pub(crate) fn marks_first(&self) -> bool {
        #[cfg(test)]
        return self.marks_first;
        #[cfg(not(test))]
        false
    }

    /// Whether marks are made under any fence.
    pub(crate) fn unfenced(&self) -> bool {
        #[cfg(test)]
        return self.unfenced;
        #[cfg(not(test))]
        false
    }
}

impl std::fmt::Debug for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Faults")
    }
}
