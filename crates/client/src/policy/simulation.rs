//! All policies together, in simulated time: calls to replicas that fail, hang, are slow or gone, as a seed says.
//!
//! Nothing waits here; a run of twenty seconds takes a millisecond, so that thousands of seeds are tried
//! (`PROPTEST_CASES`). **Invariant:** whatever the replicas do, a call ends by its deadline, attempts stay within the
//! budget, and never more than half of the replicas are ejected.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use freehold_wire::Retry;
use proptest::prelude::*;
use tonic::Code;

use super::balancer::{Balancer, ReplicaId, Wish};
use super::budget::Budget;
use super::load::Verdict;
use super::retry::{Attempts, Failed, Next};

/// How long calls come in, and from when on every replica is well.
const RUN: Duration = Duration::from_secs(20);
const WELL: Duration = Duration::from_secs(14);
/// How long a call may take, and how often one is made.
const DEADLINE: Duration = Duration::from_secs(1);
const EVERY: Duration = Duration::from_millis(10);
/// How long a replica stays as it is.
const PHASE: Duration = Duration::from_secs(2);
/// When a call that found no place looks again.
const AGAIN: Duration = Duration::from_millis(10);

/// What is wrong with a replica for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Well,
    Slow,
    Failing,
    Flaky,
    Refusing,
    Hanging,
    Gone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Begin,
    End { replica: ReplicaId, began: Instant, outcome: Outcome },
}

/// How an attempt comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Served,
    Failed,
    Refused,
    /// Its call's time was up.
    Late,
}

struct Call {
    deadline: Instant,
    attempts: Attempts,
    tried: Vec<ReplicaId>,
    served: bool,
}

struct World {
    random: fastrand::Rng,
    began: Instant,
    /// For each replica what it is like, phase by phase.
    moods: Vec<Vec<Mood>>,
    balancer: Balancer,
    budget: Budget,
    calls: Vec<Call>,
    steps: BinaryHeap<Reverse<(Instant, usize, Step)>>,
    /// Attempts that a replica has seen.
    seen: u32,
}

impl World {
    fn of(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let (mut balancer, count) = (Balancer::default(), random.u64(1..6));
        (0..count).for_each(|id| balancer.join(id));
        let phases = WELL.as_secs() / PHASE.as_secs();
        let moods = (0..count).map(|_| (0..phases).map(|_| mood(&mut random)).collect()).collect();
        let (began, budget) = (Instant::now(), Budget::default());
        let (calls, steps) = (Vec::new(), BinaryHeap::new());
        Self { random, began, moods, balancer, budget, calls, steps, seen: 0 }
    }

    /// Lets all calls come and end.
    fn run(&mut self) -> Result<(), TestCaseError> {
        let (mut arrival, last) = (self.began, self.began + RUN);
        loop {
            let next = self.steps.peek().map(|Reverse((at, ..))| *at);
            if arrival < last && next.is_none_or(|next| arrival <= next) {
                self.arrive(arrival);
                arrival += EVERY;
                continue;
            }
            let Some(Reverse((now, call, step))) = self.steps.pop() else { return Ok(()) };
            prop_assert!(now <= self.calls[call].deadline, "a call outlives its deadline");
            match step {
                Step::Begin => self.begin(call, now),
                Step::End { replica, began, outcome } => self.end(call, replica, began, outcome, now)?,
            }
            prop_assert!(self.balancer.ejected() * 2 <= self.moods.len(), "more than half are ejected");
        }
    }

    fn arrive(&mut self, now: Instant) {
        self.budget.deposit(now);
        let attempts = Attempts::new(Retry::Safe, false);
        self.steps.push(Reverse((now, self.calls.len(), Step::Begin)));
        self.calls.push(Call { deadline: now + DEADLINE, attempts, tried: Vec::new(), served: false });
    }

    fn begin(&mut self, call: usize, now: Instant) {
        for id in 0..self.moods.len() as ReplicaId {
            let open = self.mood(id, now) != Mood::Gone;
            self.balancer.set_open(id, open);
        }
        let Call { tried, deadline, .. } = &mut self.calls[call];
        let picked = self.balancer.pick(Wish { tried, repeatable: true }, now, self.random.u64(..));
        let Some(replica) = picked else {
            // Nobody is there; a call that has waited until its deadline ends there.
            if now + AGAIN <= *deadline {
                self.steps.push(Reverse((now + AGAIN, call, Step::Begin)));
            }
            return;
        };
        tried.push(replica);
        let deadline = *deadline;
        let (takes, outcome) = self.outcome(replica, now);
        self.seen += u32::from(outcome != Outcome::Refused);
        let (at, outcome) = match now + takes {
            at if at < deadline => (at, outcome),
            _ => (deadline, Outcome::Late),
        };
        self.steps.push(Reverse((at, call, Step::End { replica, began: now, outcome })));
    }

    fn end(
        &mut self,
        call: usize,
        replica: ReplicaId,
        began: Instant,
        outcome: Outcome,
        now: Instant,
    ) -> Result<(), TestCaseError> {
        let verdict = match outcome {
            Outcome::Served => Verdict::Served,
            Outcome::Failed => Verdict::Failed,
            Outcome::Refused | Outcome::Late => Verdict::Dropped,
        };
        self.balancer.end(replica, verdict, now - began, now, self.random.f64());
        let call_of = &mut self.calls[call];
        call_of.served = outcome == Outcome::Served;
        if !matches!(outcome, Outcome::Failed | Outcome::Refused) {
            return Ok(());
        }
        let unprocessed = outcome == Outcome::Refused;
        let failed = Failed { code: Code::Unavailable, unprocessed, pushback: None };
        let left = call_of.deadline.saturating_duration_since(now);
        let next = call_of.attempts.after(failed, left, &mut self.budget, now, self.random.f64());
        if let Next::Again(wait) = next {
            prop_assert!(wait < left, "a wait of {wait:?} with {left:?} left");
            self.steps.push(Reverse((now + wait, call, Step::Begin)));
        }
        Ok(())
    }

    fn outcome(&mut self, replica: ReplicaId, now: Instant) -> (Duration, Outcome) {
        let usual = Duration::from_micros(self.random.u64(1_000..10_000));
        match self.mood(replica, now) {
            Mood::Well => (usual, Outcome::Served),
            Mood::Slow => (usual * 100, Outcome::Served),
            Mood::Failing => (Duration::from_micros(100), Outcome::Failed),
            Mood::Flaky if self.random.bool() => (usual, Outcome::Failed),
            Mood::Flaky => (usual, Outcome::Served),
            Mood::Refusing => (Duration::from_micros(100), Outcome::Refused),
            Mood::Hanging | Mood::Gone => (DEADLINE, Outcome::Late),
        }
    }

    fn mood(&self, replica: ReplicaId, now: Instant) -> Mood {
        let phase = (now - self.began).as_secs() / PHASE.as_secs();
        let moods = usize::try_from(replica).ok().and_then(|replica| self.moods.get(replica));
        let mood = moods.zip(usize::try_from(phase).ok()).and_then(|(moods, phase)| moods.get(phase));
        mood.copied().unwrap_or(Mood::Well)
    }
}

fn mood(random: &mut fastrand::Rng) -> Mood {
    // As often well as not.
    match random.u8(0..12) {
        0 => Mood::Slow,
        1 => Mood::Failing,
        2 => Mood::Flaky,
        3 => Mood::Refusing,
        4 => Mood::Hanging,
        5 => Mood::Gone,
        _ => Mood::Well,
    }
}

proptest! {
    /// C1, C8, C18.
    #[test]
    fn whatever_replicas_do_calls_end_in_time_and_within_the_budget(seed in any::<u64>()) {
        let mut world = World::of(seed);
        world.run()?;
        let (calls, seconds) = (world.calls.len() as f64, RUN.as_secs_f64());
        let most = calls * 1.20 + 10.0 * (seconds + 1.0);
        prop_assert!(f64::from(world.seen) <= most, "{} attempts of {calls} calls", world.seen);
        let since = world.began + WELL + DEADLINE;
        let lost = world.calls.iter().filter(|call| call.deadline > since && !call.served).count();
        prop_assert_eq!(lost, 0, "all replicas are well again");
    }
}
