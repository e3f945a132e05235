//! Where a saga stands and what it does next, decided without IO: (answer, now, chance) in, the next action out.
//!
//! A saga runs its steps in order; when one is refused, or its time is up, it undoes in reverse order every step that
//! may have had an effect, and tries each undo for ever. [`Progress::next`] says what to do, [`Progress::take`] what
//! came of it; the executor writes a progress down before it acts on it.
//! **Invariant:** a saga ends done or compensated, never both, and no step is tried once one has been undone.

use crate::backoff::Backoff;
use crate::failure::Failure;
use crate::step::Limits;

/// What a definition lays down: the limits of its steps in order, and how failures are met.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Limits>,
    pub(crate) backoff: Backoff,
    /// From so many failed attempts on, what is tried for ever counts as stuck.
    pub(crate) stuck_after: u32,
}

/// What a saga is about. Steps count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// This step is next; past the last, what is left is to record that the saga is done.
    Running(usize),
    /// So many steps are left to undo, the last of them next; at 0, what is left is to record the end.
    Compensating(usize),
    Done,
    Compensated,
}

/// Where a saga stands; what its row holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) phase: Phase,
    /// Failed attempts at what is next.
    pub(crate) attempts: u32,
    /// Nothing happens before then.
    pub(crate) next_ms: i64,
    /// When the time of a running step is up.
    pub(crate) until_ms: i64,
    /// An attempt at the running step may have been sent that was not answered: one is known, or nobody can know, as
    /// the step was read from a row.
    pub(crate) doubt: bool,
    /// Why it compensates.
    pub(crate) failure: Failure,
    /// What the last failed attempt said.
    pub(crate) trouble: String,
}

/// How a saga ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Done,
    Compensated,
}

/// What a saga does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Try this step, for at most so many milliseconds.
    Act { step: usize, budget_ms: i64 },
    /// Undo this step, for at most so many milliseconds.
    Undo { step: usize, budget_ms: i64 },
    /// The step's time is up: take [`Answer::Retry`] for it without trying again.
    Expire { step: usize },
    /// Record the end.
    Finish(End),
    /// Nothing before then.
    Wait { until_ms: i64 },
    /// Nothing, for ever.
    Rest,
}

/// What came of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Done,
    /// It was not done and will not be; an earlier attempt may still have had an effect.
    Refused(Failure),
    /// It may or may not have been done.
    Retry(Failure),
}

impl Progress {
    /// A saga that begins at `now`; its first step's intent.
    pub(crate) fn begin(plan: &Plan, now: i64) -> Self {
        let mut progress = Self {
            phase: Phase::Done,
            attempts: 0,
            next_ms: now,
            until_ms: now,
            doubt: false,
            failure: Failure::default(),
            trouble: String::new(),
        };
        progress.enter(Phase::Running(0), plan, now);
        progress
    }

    /// What to do at `now`.
    pub(crate) fn next(&self, plan: &Plan, now: i64) -> Action {
        match self.phase {
            Phase::Done | Phase::Compensated => Action::Rest,
            _ if now < self.next_ms => Action::Wait { until_ms: self.next_ms },
            Phase::Compensating(0) => Action::Finish(End::Compensated),
            Phase::Compensating(left) => {
                Action::Undo { step: left - 1, budget_ms: plan.timeout_ms(left - 1) }
            }
            Phase::Running(step) if step >= plan.steps.len() => Action::Finish(End::Done),
            Phase::Running(step) if now >= self.until_ms => Action::Expire { step },
            Phase::Running(step) => {
                Action::Act { step, budget_ms: plan.timeout_ms(step).min(self.until_ms - now) }
            }
        }
    }

    /// Takes what came of the action that was next; `chance` in 0..1 spreads the next attempt.
    pub(crate) fn take(&mut self, answer: Answer, plan: &Plan, now: i64, chance: f64) {
        match (self.phase, answer) {
            (Phase::Done | Phase::Compensated, _) => {}
            (Phase::Running(step), Answer::Done) if step >= plan.steps.len() => {
                self.enter(Phase::Done, plan, now);
            }
            (Phase::Running(step), Answer::Done) => self.enter(Phase::Running(step + 1), plan, now),
            (Phase::Running(step), Answer::Refused(failure)) => self.refuse(step, failure, plan, now),
            (Phase::Running(step), Answer::Retry(failure)) => self.retry(step, failure, plan, now, chance),
            (Phase::Compensating(0), Answer::Done) => self.enter(Phase::Compensated, plan, now),
            (Phase::Compensating(left), Answer::Done) => {
                self.enter(Phase::Compensating(left - 1), plan, now);
            }
            (Phase::Compensating(_), Answer::Refused(failure) | Answer::Retry(failure)) => {
                self.wait(&failure, plan, now, chance);
            }
        }
    }

    /// Whether it fails at something that is tried for ever, and has for long.
    pub(crate) fn is_stuck(&self, plan: &Plan) -> bool {
        let endless = match self.phase {
            Phase::Running(step) => step >= plan.steps.len(),
            Phase::Compensating(_) => true,
            Phase::Done | Phase::Compensated => false,
        };
        endless && self.attempts >= plan.stuck_after
    }

    /// Undoes what was done before, and the refused step itself where it is in doubt.
    ///
    /// A refusal says that this attempt did nothing and never will. It says nothing of the attempts before it: one may
    /// still be on its way, and as owners do not record refusals, it takes effect when it arrives after the refusal of
    /// a later one, for what was out of stock then may be back. Only the mark of an undo keeps it out. So a refused step
    /// is left alone if and only if the refused attempt is the only one that can ever have been sent: the first since
    /// this very driver entered the step, or since this very process began the saga ([`crate::unsent`]). This rests on
    /// one process at a time driving a database, which the store sees to.
    fn refuse(&mut self, step: usize, failure: Failure, plan: &Plan, now: i64) {
        // Past the last step there is no step to doubt: all of them were done.
        let begun = (step + usize::from(self.doubt)).min(plan.steps.len());
        self.compensate(begun, failure, plan, now);
    }

    /// The effect of this attempt is unknown: again while time and attempts are left, else undo it too.
    fn retry(&mut self, step: usize, failure: Failure, plan: &Plan, now: i64, chance: f64) {
        self.doubt = true;
        self.wait(&failure, plan, now, chance);
        let Some(limits) = plan.steps.get(step) else { return };
        if self.attempts >= limits.attempts || self.next_ms >= self.until_ms {
            self.compensate(step + 1, failure, plan, now);
        }
    }

    fn wait(&mut self, failure: &Failure, plan: &Plan, now: i64, chance: f64) {
        self.attempts = self.attempts.saturating_add(1);
        self.next_ms = now.saturating_add(plan.backoff.delay_ms(self.attempts, chance));
        self.trouble = failure.to_string();
    }

    fn compensate(&mut self, begun: usize, failure: Failure, plan: &Plan, now: i64) {
        self.failure = failure;
        self.enter(Phase::Compensating(begun), plan, now);
    }

    fn enter(&mut self, phase: Phase, plan: &Plan, now: i64) {
        self.phase = phase;
        self.attempts = 0;
        self.next_ms = now;
        self.doubt = false;
        self.trouble.clear();
        if let Phase::Running(step) = phase {
            self.until_ms = now.saturating_add(plan.deadline_ms(step));
        }
    }
}

impl Plan {
    fn timeout_ms(&self, step: usize) -> i64 {
        self.steps.get(step).map_or(0, |limits| milliseconds(limits.timeout))
    }

    fn deadline_ms(&self, step: usize) -> i64 {
        self.steps.get(step).map_or(0, |limits| milliseconds(limits.deadline))
    }
}

fn milliseconds(time: std::time::Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
