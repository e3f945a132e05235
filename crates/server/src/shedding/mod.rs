//! Load shedding: how many calls a server works on at once, and which ones it refuses when that is not enough.
//!
//! `limit` finds the number, `gate` decides, both without a clock of their own; here is what waits and tells. In: a call
//! that is in order otherwise. Out: a [`Pass`], or a refusal that says when to come back.
//! **Invariant:** a place that somebody was given is free again when they are gone, however they went.

mod gate;
mod limit;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use freehold_wire::{Context, Criticality, Reason, metadata, reason};
use tokio::sync::oneshot;
use tokio::time::timeout_at;
use tonic::Status;
use tonic::metadata::MetadataValue;

use self::gate::{Call, Gate, Settled, Verdict};

/// When a refused caller may come back at the earliest; chance adds as much again.
const COME_BACK: Duration = Duration::from_millis(100);

/// Lets calls in. Cloning shares it.
#[derive(Debug, Clone)]
pub(crate) struct Shedding(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    gate: Gate,
    tickets: u64,
    waiting: HashMap<u64, (oneshot::Sender<Pass>, usize)>,
}

/// What a call works under; its place is free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Pass {
    shedding: Shedding,
    method: usize,
    began: Instant,
    done: bool,
}

/// A call that waits; whoever drops it waits no longer.
struct Waiting<'a> {
    shedding: &'a Shedding,
    ticket: u64,
    until: Instant,
    told: oneshot::Receiver<Pass>,
}

impl Shedding {
    /// Lets calls in of methods with these deadlines.
    pub(crate) fn new(deadlines: impl Iterator<Item = Duration>) -> Self {
        let gate = Gate::new(deadlines, Instant::now());
        Self(Arc::new(Mutex::new(State { gate, tickets: 0, waiting: HashMap::new() })))
    }

    /// Waits until a call may begin that has arrived at `arrived`, for a part of the time that it has.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED with the reason OVERLOADED: it has not begun, and the status says when to come back.
    pub(crate) async fn enter(
        &self,
        method: usize,
        context: &Context,
        arrived: Instant,
    ) -> Result<Pass, Status> {
        let (criticality, deadline) = (context.criticality(), context.deadline());
        let (verdict, waiting, given) = {
            let mut state = self.state();
            state.tickets += 1;
            let (ticket, call) = (state.tickets, Call { method, criticality, deadline });
            let (verdict, settled) = state.gate.arrive(ticket, call, Instant::now());
            let waiting = match verdict {
                Verdict::Waits(until) => {
                    let (pass, told) = oneshot::channel();
                    state.waiting.insert(ticket, (pass, method));
                    Some(Waiting { shedding: self, ticket, until, told })
                }
                Verdict::Admitted | Verdict::Shed => None,
            };
            (verdict, waiting, state.given(settled, self))
        };
        tell(given);
        let passed = match waiting {
            Some(waiting) => waiting.pass().await,
            None => (verdict == Verdict::Admitted).then(|| self.pass(method, arrived)),
        };
        passed.ok_or_else(|| overloaded(criticality))
    }

    fn pass(&self, method: usize, began: Instant) -> Pass {
        Pass { shedding: self.clone(), method, began, done: false }
    }

    /// What is decided under the lock is decided whole, so a panic elsewhere does not count.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whom to give a pass; whoever is shed hears of it by the end of their channel.
    fn given(&mut self, settled: Settled, shedding: &Shedding) -> Vec<(oneshot::Sender<Pass>, Pass)> {
        for ticket in settled.shed {
            self.waiting.remove(&ticket);
        }
        let now = Instant::now();
        let admitted = settled.admitted.into_iter().filter_map(|ticket| self.waiting.remove(&ticket));
        admitted.map(|(told, method)| (told, shedding.pass(method, now))).collect()
    }
}

/// Outside of the lock: a pass that nobody takes any more is given back under it.
fn tell(given: Vec<(oneshot::Sender<Pass>, Pass)>) {
    for (told, pass) in given {
        drop(told.send(pass));
    }
}

impl Waiting<'_> {
    async fn pass(mut self) -> Option<Pass> {
        match timeout_at(self.until.into(), &mut self.told).await {
            Ok(told) => told.ok(),
            // It may have been let in at that moment.
            Err(_) => self.told.try_recv().ok(),
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.shedding.state();
        state.gate.give_up(self.ticket);
        state.waiting.remove(&self.ticket);
    }
}

impl Pass {
    /// The call was worked on to its end: how long that took says how busy the server is.
    pub(crate) fn done(&mut self) {
        self.done = true;
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let given = {
            let mut state = self.shedding.state();
            let settled = state.gate.leave(self.method, self.began, self.done, Instant::now());
            state.given(settled, &self.shedding)
        };
        tell(given);
    }
}

/// A caller of what can be shed is told not to try again; the others come back apart from one another.
fn overloaded(criticality: Criticality) -> Status {
    let delay = COME_BACK + COME_BACK.mul_f64(fastrand::f64());
    let message = "the server has more calls than it can answer in time; this one has not begun";
    let mut status = Reason::ResourceExhausted.retry_after(reason::OVERLOADED, message, delay);
    let pushback = match criticality {
        Criticality::Sheddable => -1,
        Criticality::Default | Criticality::Critical => i64::try_from(delay.as_millis()).unwrap_or(-1),
    };
    status.metadata_mut().insert(metadata::PUSHBACK, MetadataValue::from(pushback));
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(10);

    async fn enter(shedding: &Shedding) -> Result<Pass, Status> {
        let context = Context::new("tester", LONG).with_criticality(Criticality::Default);
        shedding.enter(0, &context, Instant::now()).await
    }

    /// A server at whose gate one more has to wait.
    async fn full() -> (Shedding, Vec<Pass>) {
        let (shedding, mut passes) = (Shedding::new([LONG].into_iter()), Vec::new());
        while let Ok(pass) = tokio::time::timeout(Duration::ZERO, enter(&shedding)).await {
            passes.push(pass.unwrap());
        }
        (shedding, passes)
    }

    /// The planted fault is a wait that nobody ends: the caller's place is then given to somebody who is gone.
    #[tokio::test]
    async fn whoever_goes_away_does_not_wait_on() {
        let (shedding, mut passes) = full().await;
        assert!(shedding.state().waiting.is_empty());
        passes.pop();
        let _pass = enter(&shedding).await.unwrap();
    }

    #[tokio::test]
    async fn whoever_waits_is_let_in_when_another_leaves() {
        let (shedding, mut passes) = full().await;
        let next = tokio::spawn(async move { enter(&shedding).await.is_ok() });
        tokio::task::yield_now().await;
        passes.pop();
        assert!(next.await.unwrap());
    }

    /// The rest of the time is for the answer, or for another server.
    #[tokio::test]
    async fn nobody_waits_until_their_deadline() {
        let (shedding, _passes) = full().await;
        let context = Context::new("tester", LONG / 100).with_criticality(Criticality::Default);
        let refused = shedding.enter(0, &context, Instant::now()).await.unwrap_err();
        assert_eq!(reason::of(&refused), reason::OVERLOADED);
        assert!(refused.metadata().contains_key(metadata::PUSHBACK));
    }
}
