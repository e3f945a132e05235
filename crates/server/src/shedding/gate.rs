//! Who is let in, who waits and who is refused: a plain state machine over what arrives and what ends.
//!
//! In: calls with a criticality and a deadline, and the time. Out: verdicts; whoever waits is named by the ticket that it
//! came with. The most critical goes first, the least critical is refused first. Strict, because a contract that calls
//! a method sheddable has said so. **Invariant:** nobody is let in from the queue whose deadline is too near to be met, and
//! nobody waits while there is room.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use freehold_wire::Criticality;

use super::limit::Limit;

/// How many may wait. What bounds the queue is time; this bounds what it takes up.
const WAITING: usize = 4096;
/// What has waited is let in where it has so many times what such calls take at present.
const MARGIN: f64 = 1.5;

/// A call that wants to be let in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    /// Its method, by number.
    pub(super) method: usize,
    /// How much it matters.
    pub(super) criticality: Criticality,
    /// When nobody waits for its answer any more.
    pub(super) deadline: Instant,
}

/// What becomes of a call that has arrived.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is let in.
    Admitted,
    /// It waits under its ticket, until then at most.
    Waits(Instant),
    /// It is refused.
    Shed,
}

/// What becomes of calls that were waiting.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Settled {
    /// They are let in.
    pub(super) admitted: Vec<u64>,
    /// They are refused.
    pub(super) shed: Vec<u64>,
}

/// The gate of one server.
#[derive(Debug)]
pub(super) struct Gate {
    limit: Limit,
    at_work: usize,
    /// By criticality, the least first; each by ticket, the earliest first.
    waiting: [VecDeque<(u64, Call)>; 3],
}

impl Gate {
    /// The gate of a server that has methods with these deadlines.
    pub(super) fn new(deadlines: impl Iterator<Item = Duration>, now: Instant) -> Self {
        Self { limit: Limit::new(deadlines, now), at_work: 0, waiting: Default::default() }
    }

    /// A call has arrived; if it waits, `ticket`, which is greater than all before, names it. Somebody else may lose their
    /// place to it.
    pub(super) fn arrive(&mut self, ticket: u64, call: Call, now: Instant) -> (Verdict, Settled) {
        let mut settled = Settled::default();
        if call.deadline <= now {
            return (Verdict::Shed, settled);
        }
        self.limit.came(call.method, call.deadline.saturating_duration_since(now));
        let all = waiting(&self.waiting);
        if self.at_work < self.limit.get() && all == 0 {
            self.begin();
            return (Verdict::Admitted, settled);
        }
        let rank = call.criticality as usize;
        let patience = patience(&call, now);
        if self.limit.wait_behind(waiting(&self.waiting[rank..]), call.method) > patience {
            return (Verdict::Shed, settled);
        }
        if all >= WAITING {
            let Some((lost, _)) = self.waiting[..rank].iter_mut().find_map(VecDeque::pop_front) else {
                return (Verdict::Shed, settled);
            };
            settled.shed.push(lost);
        }
        self.waiting[rank].push_back((ticket, call));
        (Verdict::Waits(now + patience), settled)
    }

    /// A call that was let in at `began` is over; `done` says whether it was worked on to its end.
    pub(super) fn leave(&mut self, method: usize, began: Instant, done: bool, now: Instant) -> Settled {
        self.at_work = self.at_work.saturating_sub(1);
        self.limit.ended(method, began, done, now);
        self.let_in(now)
    }

    /// Whoever waits under `ticket` does so no longer; whether it did.
    pub(super) fn give_up(&mut self, ticket: u64) -> bool {
        self.waiting.iter_mut().any(|waiting| {
            let at = waiting.binary_search_by_key(&ticket, |(waits, _)| *waits);
            at.ok().and_then(|at| waiting.remove(at)).is_some()
        })
    }

    fn let_in(&mut self, now: Instant) -> Settled {
        let mut settled = Settled::default();
        while self.at_work < self.limit.get() {
            let next = self.waiting.iter_mut().rev().find_map(VecDeque::pop_front);
            let Some((ticket, call)) = next else { break };
            if self.would_be_late(&call, now) {
                settled.shed.push(ticket);
            } else {
                self.begin();
                settled.admitted.push(ticket);
            }
        }
        settled
    }

    fn begin(&mut self) {
        self.at_work += 1;
        self.limit.began(self.at_work);
    }

    /// Whether a call that has waited and begins now would end after its deadline, as far as is known. One that has not
    /// waited is tried all the same: how long calls take has to be found out again somehow.
    fn would_be_late(&self, call: &Call, now: Instant) -> bool {
        let left = call.deadline.saturating_duration_since(now);
        left.is_zero() || left < self.limit.present(call.method).mul_f64(MARGIN)
    }
}

/// How long a call may wait: the more it matters the longer, and there is time left for the answer, or for another server.
fn patience(call: &Call, now: Instant) -> Duration {
    let quarters = match call.criticality {
        Criticality::Sheddable => 1,
        Criticality::Default => 2,
        Criticality::Critical => 3,
    };
    call.deadline.saturating_duration_since(now) / 4 * quarters
}

fn waiting(ranks: &[VecDeque<(u64, Call)>]) -> usize {
    ranks.iter().map(VecDeque::len).sum()
}

#[cfg(test)]
mod tests;
