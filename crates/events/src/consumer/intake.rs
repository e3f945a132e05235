//! Taking what arrived: many events in one unit of work, and who is to blame when that unit fails.
//!
//! A failing unit is cut down until one event fails alone; that event parks its key, all others flow. The position moves
//! in the same unit as the effects, the high-waters and the parked rows. **Invariant:** an event that was only near a
//! failure is never held responsible for it.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use freehold_store::{Store, StoreError, Work, inbox};
use freehold_wire::Context;
use freehold_wire::pb::{Envelope, Position};

use super::fault::{Faults, Point};
use super::high_waters::HighWaters;
use crate::inbox::{Known, Verdict};
use crate::meter::{Counts, Meter};
use crate::parked::{self, Key, Parking, Stay};
use crate::position;
use crate::reaction::ReactionError;
use crate::replays::{self, Claim};
use crate::retry::{Failure, Next, RetryPolicy, Tried};
use crate::sharing::Hold;
use crate::subscription::Subscription;
use crate::superseded;

/// Why an event is parked over which a process may have died.
const CAREFUL: &str = "a process may have died over it";

/// What takes in the events of one subscription. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Intake {
    pub(crate) store: Store,
    pub(crate) subscription: Subscription,
    pub(crate) retry: RetryPolicy,
    /// How long one unit of work may take.
    pub(crate) budget: Duration,
    pub(crate) faults: Faults,
    pub(crate) meter: Meter,
    /// What this instance holds; `None` where it runs alone, and holds everything.
    pub(crate) hold: Option<Hold>,
    /// The replay that it reads for, whose position then moves instead of the subscription's.
    pub(crate) replay: Option<Claim>,
}

/// What has arrived for a subscription. Cloning is cheap.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    pub(crate) events: Arc<[Envelope]>,
    /// Everything up to here.
    pub(crate) position: Position,
    /// The owner's head when the subscription began.
    pub(crate) origin: i64,
    /// A process may have died over these: each is parked first, so that its attempts are counted.
    pub(crate) careful: bool,
}

impl Arrived {
    /// The position of a part that ends before `end`.
    fn until(&self, end: usize) -> Position {
        match end.checked_sub(1).and_then(|last| self.events.get(last)) {
            Some(last) if end < self.events.len() => last.position.unwrap_or_default(),
            _ => self.position,
        }
    }
}

/// What a batch led to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// A key has parked.
    pub(crate) parked: bool,
    /// A version is missing.
    pub(crate) gap: bool,
    /// The rest was refused: this instance does not hold the shares any more under which it was read.
    pub(crate) fenced: bool,
    pub(crate) counts: Counts,
}

/// Why a unit of work came to nothing.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// A reaction failed.
    Reaction(ReactionError),
    /// The unit failed.
    Store(StoreError),
    /// Rows that the reactions of several events had gathered could not be inserted.
    Gathered(StoreError),
    /// The instance does not hold the shares any more.
    Fenced,
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Stopped {
    /// The error as the database's own.
    pub(crate) fn into_store(self) -> StoreError {
        match self {
            Self::Reaction(error) => error.into_store(),
            Self::Store(error) | Self::Gathered(error) => error,
            Self::Fenced => StoreError::Forbidden("another instance holds these shares".to_owned()),
        }
    }
}

/// Which event of a batch has its reaction running; the unit may die in it without an answer.
#[derive(Debug, Clone)]
struct Running(Arc<AtomicUsize>);

impl Running {
    const NONE: usize = usize::MAX;

    fn new() -> Self {
        Self(Arc::new(AtomicUsize::new(Self::NONE)))
    }

    fn set(&self, index: usize) {
        self.0.store(index, Ordering::SeqCst);
    }

    fn get(&self) -> Option<usize> {
        Some(self.0.load(Ordering::SeqCst)).filter(|index| *index != Self::NONE)
    }
}

impl Intake {
    /// Takes in what arrived, up to `position`.
    pub(crate) async fn absorb(&self, arrived: Arrived) -> Result<Taken, StoreError> {
        self.empty_before_tombstones(&arrived).await?;
        let mut sum = Taken::default();
        let all = arrived.events.len();
        let (mut range, mut gathers) = (0..all, all > 1);
        loop {
            let running = Running::new();
            let attempt = self.unit(&arrived, range.clone(), gathers, &running).await;
            let taken = match (attempt, running.get()) {
                (Ok(taken), _) => taken,
                (Err(Stopped::Fenced), _) => return Ok(self.fenced(sum)),
                // Whose row it is, shows where each is inserted by itself.
                (Err(Stopped::Gathered(_)), _) => {
                    gathers = false;
                    continue;
                }
                (Err(stopped), Some(index)) => match narrow(&range, index) {
                    Some(narrower) => {
                        range = narrower;
                        continue;
                    }
                    None => self.blame(&arrived, index, stopped).await?,
                },
                // It is not what a reaction does: fewer events have the same time.
                (Err(Stopped::Store(StoreError::DeadlineExceeded)), None) if range.len() > 1 => {
                    range.end = range.start + range.len() / 2;
                    continue;
                }
                (Err(stopped), None) => return Err(stopped.into_store()),
            };
            sum.parked |= taken.parked;
            sum.gap |= taken.gap;
            if taken.fenced {
                return Ok(self.fenced(sum));
            }
            if range.end == all {
                return Ok(sum);
            }
            range = range.end..all;
        }
    }

    /// Empties what is parked before the tombstones that arrived, in units of its own: with a long tail it takes longer than
    /// a unit may, and all keys would wait for that.
    async fn empty_before_tombstones(&self, arrived: &Arrived) -> Result<(), StoreError> {
        for event in arrived.events.iter().filter(|event| event.deleted && self.holds(&event.subject)) {
            let name = self.subscription.name().to_owned();
            let mut parked =
                parked::first_version(&mut self.store.read().await?, Key::of(&name, event)).await?;
            while let Some(first) = parked.filter(|first| *first < event.version) {
                let (name, event) = (name.clone(), event.clone());
                let unit = async move |work: &mut Work| {
                    superseded::empty_page(work, Key::of(&name, &event), first..=event.version - 1).await
                };
                (parked, _) = self.store.unit::<_, StoreError, _>(&self.context(), unit).await?;
            }
        }
        Ok(())
    }

    async fn unit(
        &self,
        arrived: &Arrived,
        range: Range<usize>,
        gathers: bool,
        running: &Running,
    ) -> Result<Taken, Stopped> {
        let (intake, arrived, running) = (self.clone(), arrived.clone(), running.clone());
        let events = range.len();
        let unit = async move |work: &mut Work| {
            if gathers {
                work.gather();
            }
            let taken = intake.take_up_to(work, &arrived, range, &running).await;
            taken.map_err(|stopped| match work.has_lost_rows() {
                true => Stopped::Gathered(stopped.into_store()),
                false => stopped,
            })
        };
        self.faults.reach(Point::BeforeUnit)?;
        self.faults.takes_too_long(events)?;
        self.faults.stand_still().await;
        let (taken, _) = self.store.unit(&self.context(), unit).await?;
        self.meter.committed(taken.counts);
        self.faults.reach(Point::AfterCommit)?;
        Ok(taken)
    }

    /// Takes a range, and moves the position to its end.
    async fn take_up_to(
        &self,
        work: &mut Work,
        arrived: &Arrived,
        range: Range<usize>,
        running: &Running,
    ) -> Result<Taken, Stopped> {
        self.subscription.enter(work).await?;
        let until = arrived.until(range.end);
        let taken = self.take(work, arrived, range, running).await?;
        self.faults.reach(Point::BeforePosition)?;
        self.advance(work, &until).await?;
        self.faults.reach(Point::BeforeCommit)?;
        Ok(taken)
    }

    /// Moves the position, or refuses the unit of an instance that does not hold its shares, or its replay, any more.
    async fn advance(&self, work: &mut Work, until: &Position) -> Result<(), Stopped> {
        let name = self.subscription.name();
        let moved = match (self.replay, &self.hold) {
            (Some(claim), _) => replays::advance(work, claim, until).await?,
            (None, Some(hold)) => hold.advance(work, name, until).await?,
            (None, None) => {
                position::advance(work, name, until).await?;
                true
            }
        };
        if moved || self.faults.unfenced() { Ok(()) } else { Err(Stopped::Fenced) }
    }

    fn fenced(&self, sum: Taken) -> Taken {
        self.meter.fenced();
        Taken { fenced: true, ..sum }
    }

    /// Whether the events of this key are this instance's to take.
    pub(crate) fn holds(&self, key: &str) -> bool {
        self.hold.as_ref().is_none_or(|hold| hold.shares.has(key))
    }

    async fn take(
        &self,
        work: &mut Work,
        arrived: &Arrived,
        range: Range<usize>,
        running: &Running,
    ) -> Result<Taken, Stopped> {
        let (name, origin) = (self.subscription.name(), arrived.origin);
        let mut taken = Taken { parked: parked::any(work, name).await?, ..Taken::default() };
        let held = |index: &usize| self.holds(&arrived.events[*index].subject);
        let mine: Vec<usize> = range.filter(held).collect();
        let events = mine.iter().map(|index| &arrived.events[*index]);
        let mut waters = HighWaters::lock(work, name, events).await?;
        for index in mine {
            let event = &arrived.events[index];
            let key = Key::of(name, event);
            let parked = if taken.parked { parked::first_version(work, key).await? } else { None };
            let known = Known { taken: waters.of(event), parked };
            let verdict = self.faults.judge(known, event.version, parked::is_history(event, origin));
            let is_to_be_arranged = match verdict {
                Verdict::Duplicate => {
                    taken.counts.redelivered += 1;
                    false
                }
                Verdict::Deliver => match self.puts_off(work, arrived, event).await? {
                    Some(stay) => {
                        parked::park(work, name, event, stay).await?;
                        taken.parked = true;
                        true
                    }
                    None => {
                        running.set(index);
                        self.effect(work, event).await?;
                        running.set(Running::NONE);
                        waters.advance(event);
                        taken.counts.delivered += u64::from(self.subscription.wants(event));
                        known.parked.is_some()
                    }
                },
                Verdict::Behind => {
                    parked::park(work, name, event, Stay::held(Parking::Behind, "")).await?;
                    event.deleted
                }
                Verdict::Gap => {
                    parked::park(work, name, event, Stay::held(Parking::Gap, parked::MISSING)).await?;
                    taken = Taken { parked: true, gap: true, ..taken };
                    false
                }
            };
            if is_to_be_arranged {
                waters.write(work).await?;
                parked::arrange(work, key, origin).await?;
            }
        }
        waters.write(work).await?;
        Ok(taken)
    }

    /// How an event stays that is not to be tried in this unit, if it is one.
    async fn puts_off(
        &self,
        work: &mut Work,
        arrived: &Arrived,
        event: &Envelope,
    ) -> Result<Option<Stay>, StoreError> {
        if !self.subscription.wants(event) {
            return Ok(None);
        }
        let reason = match arrived.careful {
            true => Some(CAREFUL.to_owned()),
            false => self.subscription.missing_cause(work, event, Duration::ZERO).await?,
        };
        let next_ms = work.now();
        Ok(reason.map(|reason| Stay { next_ms, ..Stay::held(Parking::Waiting, &reason) }))
    }

    /// The effect of an event and its high-water, in one unit.
    pub(crate) async fn deliver(&self, work: &mut Work, event: &Envelope) -> Result<(), Stopped> {
        self.effect(work, event).await?;
        let name = self.subscription.name();
        inbox::advance(work, name, &event.entity, &event.subject, event.version).await?;
        Ok(())
    }

    /// The effect of an event, whose high-water is still to be written.
    async fn effect(&self, work: &mut Work, event: &Envelope) -> Result<(), Stopped> {
        if self.subscription.wants(event) {
            work.turn_to(&self.reacting(event));
            self.subscription.react(work, event).await.map_err(Stopped::Reaction)?;
        }
        self.faults.reach(Point::BetweenEffectAndInbox)
    }

    /// Parks an event that failed alone, or answers the error where the event is not at fault.
    async fn blame(&self, arrived: &Arrived, index: usize, stopped: Stopped) -> Result<Taken, StoreError> {
        let error = match stopped {
            Stopped::Reaction(error) => error,
            stopped => ReactionError::Store(stopped.into_store()),
        };
        let Some(failure) = error.blame() else { return Err(error.into_store()) };
        let (until, origin) = (arrived.until(index + 1), arrived.origin);
        let event = arrived.events[index].clone();
        let stay = self.after(failure, Tried { attempts: 1, unanswered: 1, since: Duration::ZERO }, &error);
        let intake = self.clone();
        let unit = async move |work: &mut Work| {
            intake.subscription.enter(work).await?;
            let name = intake.subscription.name();
            let key = Key::of(name, &event);
            if stay.state == Parking::Dead {
                parked::log(work, key, event.version, ("dead", "", &stay.reason)).await?;
            }
            parked::park(work, name, &event, stay).await?;
            parked::arrange(work, key, origin).await?;
            intake.advance(work, &until).await
        };
        match self.store.unit::<_, Stopped, _>(&self.context(), unit).await {
            Ok(_) => Ok(Taken { parked: true, ..Taken::default() }),
            Err(Stopped::Fenced) => Ok(Taken { fenced: true, ..Taken::default() }),
            Err(stopped) => Err(stopped.into_store()),
        }
    }

    /// How an event stands after a failed attempt.
    pub(crate) fn after(&self, failure: Failure, tried: Tried, error: &ReactionError) -> Stay {
        let unanswered = if failure == Failure::Unclear { tried.unanswered } else { 0 };
        let (state, delay) = match self.retry.after(failure, tried, fastrand::f64()) {
            Next::Retry(delay) => (Parking::Waiting, delay),
            Next::Dead => (Parking::Dead, Duration::ZERO),
        };
        let next_ms = now_ms().saturating_add(i64::try_from(delay.as_millis()).unwrap_or(i64::MAX));
        Stay { state, attempts: tried.attempts, unanswered, next_ms, reason: with_sources(error) }
    }

    /// The context of a unit before it turns to an event.
    pub(crate) fn context(&self) -> Context {
        Context::new(self.subscription.consumer(), self.budget)
    }

    /// The context of an event's reaction.
    pub(crate) fn reacting(&self, event: &Envelope) -> Context {
        Context::reacting(self.subscription.consumer(), event, self.budget)
    }
}

/// The part of a failed batch to try next: what came before the failing event, then that event alone; `None` where it
/// was alone.
fn narrow(range: &Range<usize>, failing: usize) -> Option<Range<usize>> {
    if range.len() <= 1 {
        return None;
    }
    Some(if failing > range.start { range.start..failing } else { range.start..range.start + 1 })
}

/// An error with what it was caused by, for the record. No engine but SQLite keeps a NUL in a text.
fn with_sources(error: &ReactionError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text.chars().map(|c| if c == '\0' { char::REPLACEMENT_CHARACTER } else { c }).take(1000).collect()
}

/// Milliseconds since 1970 by this machine's clock.
pub(crate) fn now_ms() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_batch_is_cut_down_to_the_event_that_fails_alone() {
        assert_eq!(narrow(&(0..8), 5), Some(0..5));
        assert_eq!(narrow(&(5..8), 5), Some(5..6));
        assert_eq!(narrow(&(5..6), 5), None);
    }

    #[test]
    fn a_reason_has_no_nul() {
        assert_eq!(with_sources(&ReactionError::Refuse("a\0b".to_owned())).find('\0'), None);
        assert!(with_sources(&ReactionError::Refuse("a\0b".to_owned())).contains("a\u{fffd}b"));
    }
}
