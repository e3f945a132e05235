//! What a fault proxy does to the connections that pass through it, and to the bytes on each of them.
//!
//! A value of [`Faults`] is the whole weather: it is set as a whole, and what is not named in it does not happen.
//! Shares are between 0 (never) and 1 (always).

use std::time::Duration;

/// Everything that a proxy does wrong at one time. The default is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Faults {
    /// The share of new connections that are reset.
    pub reset: f64,
    /// Where such a connection is reset: at a byte of the answers that is drawn from the first so many. 0: at once.
    pub reset_within: u64,
    /// The share of new connections that are closed at once, as by a peer that accepts and lets go.
    pub close: f64,
    /// The share of new connections that are accepted and never spoken on: nothing of them reaches the server.
    pub half_open: f64,
    /// From the client to the server.
    pub requests: Lane,
    /// From the server to the client.
    pub answers: Lane,
}

/// What happens to the bytes of one direction. None is lost for good, doubled or out of order: TCP sees to that.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lane {
    /// How long every piece is under way.
    pub delay: Duration,
    /// Up to how much longer, drawn for each piece.
    pub jitter: Duration,
    /// The share of pieces that are lost. What is lost is sent again: it and all behind it come later by `stall`.
    pub loss: f64,
    /// How long a lost piece takes to come all the same; [`Lane::RESENT`] is what TCP takes at least.
    pub stall: Duration,
    /// The most bytes per second.
    pub bytes_per_second: Option<u64>,
    /// Nothing passes until the faults change: a black hole in this direction, or a peer that is frozen in both.
    pub held: bool,
    /// Ends the connection at a byte.
    pub cut: Option<Cut>,
}

/// Ends a connection when so many bytes have passed in a direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// How many bytes pass.
    pub after: u64,
    /// What comes then.
    pub end: End,
}

/// How a connection ends before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Closed, in good order: whoever reads sees an end.
    Close,
    /// Reset: whoever reads or writes gets an error, and may lose what was under way.
    Reset,
}

impl Faults {
    /// Nothing goes wrong.
    pub const NONE: Self = Self {
        reset: 0.0,
        reset_within: 0,
        close: 0.0,
        half_open: 0.0,
        requests: Lane::CLEAR,
        answers: Lane::CLEAR,
    };

    /// Nothing passes in either direction, of old connections and new ones; all of it comes when the faults change.
    #[must_use]
    pub fn black_hole() -> Self {
        let held = Lane { held: true, ..Lane::CLEAR };
        Self { requests: held, answers: held, ..Self::NONE }
    }

    /// Answers take so long to come.
    #[must_use]
    pub fn delay(delay: Duration) -> Self {
        Self { answers: Lane { delay, ..Lane::CLEAR }, ..Self::NONE }
    }
}

impl Default for Lane {
    fn default() -> Self {
        Self::CLEAR
    }
}

impl Lane {
    /// Everything passes.
    pub const CLEAR: Self = Self {
        delay: Duration::ZERO,
        jitter: Duration::ZERO,
        loss: 0.0,
        stall: Self::RESENT,
        bytes_per_second: None,
        held: false,
        cut: None,
    };

    /// How long TCP waits at least before it sends a lost packet again, on Linux.
    pub const RESENT: Duration = Duration::from_millis(200);
}
