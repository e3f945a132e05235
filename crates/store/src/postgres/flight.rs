//! Whether a statement of a unit is on its way to the server. A unit that waits while none is, waits for something
//! foreign; one that drops a statement before its answer has lost sight of its transaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

pub(super) const IDLE: u8 = 0;
pub(super) const IN_FLIGHT: u8 = 1;
pub(super) const ABANDONED: u8 = 2;

/// The state, shared between a lane and whoever polls its unit.
#[derive(Clone, Default)]
pub(super) struct Flight(Arc<AtomicU8>);

/// A statement on its way; dropped before it has landed, it is abandoned.
pub(super) struct Landing(Flight);

impl Flight {
    pub(super) fn is(&self, state: u8) -> bool {
        self.0.load(Ordering::Relaxed) == state
    }

    /// What was abandoned stays so.
    pub(super) fn take_off(&self) -> Landing {
        let _ = self.0.compare_exchange(IDLE, IN_FLIGHT, Ordering::Relaxed, Ordering::Relaxed);
        Landing(self.clone())
    }
}

impl Landing {
    pub(super) fn landed(self) {
        let Flight(state) = &self.0;
        let _ = state.compare_exchange(IN_FLIGHT, IDLE, Ordering::Relaxed, Ordering::Relaxed);
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        let Flight(state) = &self.0;
        let _ = state.compare_exchange(IN_FLIGHT, ABANDONED, Ordering::Relaxed, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_that_is_dropped_before_its_answer_is_abandoned_for_good() {
        let flight = Flight::default();
        let landing = flight.take_off();
        assert!(flight.is(IN_FLIGHT));
        landing.landed();
        assert!(flight.is(IDLE));
        drop(flight.take_off());
        assert!(flight.is(ABANDONED));
        flight.take_off().landed();
        assert!(flight.is(ABANDONED));
    }
}
