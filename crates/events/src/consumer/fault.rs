//! Where a test may kill a consumer: the lines between which a crash must change nothing.
//!
//! Outside tests there is nothing to set and nothing happens.

use super::intake::Stopped;
use crate::inbox::{Known, Verdict, judge};

/// What stands in the place of the inbox's decision, where that is the planted bug.
#[cfg(test)]
pub(crate) type Judge = fn(Known, i64, bool) -> Verdict;

/// A line at which a process can die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Point {
    /// A batch has arrived.
    BeforeUnit,
    /// The effect is written, its high-water is not.
    BetweenEffectAndInbox,
    /// Effects and high-waters are written, the position is not.
    BeforePosition,
    /// Everything is written.
    BeforeCommit,
    /// Everything is committed, nobody knows it.
    AfterCommit,
    /// An attempt is counted and has not begun.
    AfterClaim,
    /// A generation may take the place of the one that is read, and nothing has been written.
    BeforeSwap,
    /// The old generation was left, the new one is not read.
    BetweenStages,
    /// The new generation is read, the old one still has a position.
    BeforeOldPosition,
    /// A swap is written.
    BeforeSwapCommit,
    /// A swap is committed, nobody knows it.
    AfterSwapCommit,
    /// A part of a generation that was left is gone.
    PieceSwept,
    /// A generation that was left is withdrawn at its owner, which nobody has noted.
    Withdrawn,
}

/// Kills a consumer at a point; a consumer that is not under test has none.
#[derive(Clone, Default)]
pub(crate) struct Faults {
    #[cfg(test)]
    pub(crate) dies: Option<std::sync::Arc<dyn Fn(Point) -> bool + Send + Sync>>,
    /// The planted bug: a generation is swapped without a look at where it stands.
    #[cfg(test)]
    pub(crate) swaps_anywhere: bool,
    /// The process stands still while this says so, wherever it next takes something in or shows that it lives.
    #[cfg(test)]
    pub(crate) stopped: Option<tokio::sync::watch::Receiver<bool>>,
    /// The planted bug: a commit does not ask whether its instance still holds the shares.
    #[cfg(test)]
    pub(crate) unfenced: bool,
    /// A unit of more events than this does not get to its end in time.
    #[cfg(test)]
    pub(crate) most: Option<usize>,
    #[cfg(test)]
    pub(crate) judges: Option<Judge>,
}

impl Faults {
    /// Goes on, or fails as if the process had died here.
    #[cfg_attr(not(test), expect(clippy::unused_self, reason = "only a test sets a fault"))]
    pub(crate) fn reach(&self, point: Point) -> Result<(), Stopped> {
        #[cfg(test)]
        if self.dies.as_ref().is_some_and(|dies| dies(point)) {
            return Err(Stopped::Store(freehold_store::StoreError::Closed));
        }
        let _ = point;
        Ok(())
    }

    /// Goes on, or fails as a unit of so many events does whose time is up.
    #[cfg_attr(not(test), expect(clippy::unused_self, reason = "only a test sets a fault"))]
    pub(crate) fn takes_too_long(&self, events: usize) -> Result<(), Stopped> {
        #[cfg(test)]
        if self.most.is_some_and(|most| events > most) {
            return Err(Stopped::Store(freehold_store::StoreError::DeadlineExceeded));
        }
        let _ = events;
        Ok(())
    }

    /// Goes on, once the process does not stand still.
    #[cfg_attr(not(test), expect(clippy::unused_async, reason = "only a test stops a process"))]
    pub(crate) async fn stand_still(&self) {
        #[cfg(test)]
        if let Some(mut stopped) = self.stopped.clone() {
            // A test that has ended stops nothing.
            let _ = stopped.wait_for(|stopped| !stopped).await;
        }
    }

    /// Whether a commit is not fenced.
    #[cfg_attr(not(test), expect(clippy::unused_self, reason = "only a test plants a bug"))]
    pub(crate) fn unfenced(&self) -> bool {
        #[cfg(test)]
        return self.unfenced;
        #[cfg(not(test))]
        false
    }

    /// What becomes of an event.
    #[cfg_attr(not(test), expect(clippy::unused_self, reason = "only a test plants a bug"))]
    pub(crate) fn judge(&self, known: Known, version: i64, history: bool) -> Verdict {
        #[cfg(test)]
        if let Some(judge) = self.judges {
            return judge(known, version, history);
        }
        judge(known, version, history)
    }

    /// Whether positions are not compared.
    #[cfg_attr(not(test), expect(clippy::unused_self, reason = "only a test plants a bug"))]
    pub(crate) fn swaps_anywhere(&self) -> bool {
        #[cfg(test)]
        return self.swaps_anywhere;
        #[cfg(not(test))]
        false
    }
}

impl std::fmt::Debug for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Faults")
    }
}
