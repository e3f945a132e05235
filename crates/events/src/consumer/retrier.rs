//! Trying parked events again: one key at a time, each attempt counted before it begins.
//!
//! Runs beside the stream and whether or not the owner can be reached: a parked event is the consumer's own.
//! **Invariant:** an attempt that kills the process has been counted, so a poison event cannot do it for ever.

use std::sync::Arc;
use std::time::Duration;

use freehold_store::{Store, StoreError, Work, inbox};
use freehold_wire::pb::Envelope;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::fault::Point;
use super::intake::{Intake, Stopped, now_ms};
use crate::inbox::{Known, Verdict};
use crate::parked::{self, First, Key, Parking, Stay};
use crate::position;
use crate::reaction::ReactionError;
use crate::retry::{Failure, Next, Tried};

/// How often it looks for events that were redriven or skipped.
const LOOK: Duration = Duration::from_secs(1);

/// Tries the parked events of one subscription.
pub(crate) struct Retrier {
    pub(crate) intake: Intake,
    /// A key has parked.
    pub(crate) parked: Arc<Notify>,
}

impl Retrier {
    /// Runs until it is dropped.
    pub(crate) async fn run(self) {
        loop {
            let wait = match self.round().await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::warn!(subscription = self.intake.subscription.name(), %error, "failed to retry parked events");
                    LOOK
                }
            };
            // Whether it was told or time has passed, it looks again.
            let _ = timeout(wait, self.parked.notified()).await;
        }
    }

    /// Tries everything that is due; answers how long nothing else is.
    async fn round(&self) -> Result<Duration, StoreError> {
        let name = self.intake.subscription.name();
        while let Some(first) = due(&self.intake.store, name).await? {
            self.attempt(first).await?;
        }
        let mut read = self.intake.store.read().await?;
        self.intake.meter.parked(parked::keys(&mut read, name).await?);
        let next = parked::next_due(&mut read, name).await?;
        drop(read);
        let latest = now_ms() + millis(self.intake.retry.cap.max(self.held()));
        if next.is_some_and(|at| at > latest) {
            self.wait_no_longer(latest).await?;
        }
        let wait = next.map_or(LOOK, |at| Duration::from_millis(u64::try_from(at - now_ms()).unwrap_or(0)));
        Ok(wait.min(LOOK))
    }

    /// Brings near what waits for longer than any delay is: the clock was ahead when it was put off.
    async fn wait_no_longer(&self, latest: i64) -> Result<(), StoreError> {
        let name = self.intake.subscription.name().to_owned();
        let unit = async move |work: &mut Work| parked::wait_no_longer(work, &name, latest).await;
        self.intake.store.unit::<_, StoreError, _>(&self.intake.context(), unit).await.map(drop)
    }

    /// How long an event is not due again while an attempt at it may be under way.
    fn held(&self) -> Duration {
        self.intake.budget * 2
    }

    /// One attempt at an event.
    pub(crate) async fn attempt(&self, first: First) -> Result<(), StoreError> {
        let Some(claimed) = self.claim(first).await? else { return Ok(()) };
        self.intake.faults.reach(Point::AfterClaim).map_err(Stopped::into_store)?;
        let waited = since(claimed.parked_ms);
        let error = match self.run_one(&claimed.event, waited).await {
            Ok(()) => return Ok(()),
            Err(Stopped::Reaction(error)) => error,
            Err(stopped) => ReactionError::Store(stopped.into_store()),
        };
        if let Some(failure) = error.blame() {
            return self.settle(claimed, failure, &error).await;
        }
        // The database's own trouble does not count against the event, however long it lasts.
        self.uncount(claimed).await.and(Err(error.into_store()))
    }

    /// Counts the attempt; gives up on an event whose attempts never ended.
    async fn claim(&self, first: First) -> Result<Option<First>, StoreError> {
        let tried = tried(&first);
        let next = self.intake.retry.after(Failure::Unclear, tried, fastrand::f64());
        let Next::Retry(delay) = next else {
            let error =
                ReactionError::Refuse(format!("{} attempts ended without an answer", first.unanswered));
            self.settle(first, Failure::Unclear, &error).await?;
            return Ok(None);
        };
        // Until the attempt has ended it must not be due again.
        let next_ms = now_ms() + millis(delay.max(self.held()));
        let name = self.intake.subscription.name().to_owned();
        let unit = async move |work: &mut Work| {
            parked::claim(work, Key::of(&name, &first.event), &first, next_ms).await
        };
        let (claimed, _) = self.intake.store.unit::<_, StoreError, _>(&self.intake.context(), unit).await?;
        Ok(claimed)
    }

    /// Takes back what the claim counted.
    async fn uncount(&self, claimed: First) -> Result<(), StoreError> {
        let next_ms = now_ms() + millis(self.intake.retry.delay(claimed.attempts, fastrand::f64()));
        let name = self.intake.subscription.name().to_owned();
        let unit = async move |work: &mut Work| {
            parked::uncount(work, Key::of(&name, &claimed.event), &claimed, next_ms).await
        };
        self.intake.store.unit::<_, StoreError, _>(&self.intake.context(), unit).await.map(drop)
    }

    async fn run_one(&self, event: &Envelope, waited: Duration) -> Result<(), Stopped> {
        let (intake, event) = (self.intake.clone(), event.clone());
        let unit = async move |work: &mut Work| {
            intake.subscription.enter(work).await?;
            let name = intake.subscription.name();
            let key = Key::of(name, &event);
            let origin = position::load(work, name).await?.map_or(0, |standing| standing.origin);
            let taken = inbox::lock(work, name, key.entity, key.key).await?;
            let known = Known { taken: (taken > 0).then_some(taken), parked: None };
            let verdict = intake.faults.judge(known, event.version, parked::is_history(&event, origin));
            if verdict == Verdict::Deliver
                && let Some(cause) = intake.subscription.missing_cause(work, &event, waited).await?
            {
                return Err(Stopped::Reaction(ReactionError::Retry(cause)));
            }
            if verdict == Verdict::Deliver && parked::remove(work, key, event.version).await? {
                intake.deliver(work, &event).await?;
            }
            intake.faults.reach(Point::BeforeCommit)?;
            parked::arrange(work, key, origin).await?;
            Ok::<_, Stopped>(())
        };
        self.intake.store.unit(&self.intake.context(), unit).await.map(drop)
    }

    /// Writes down how an attempt failed, where the event still stands as the attempt began: it may have been decided about,
    /// or been tried again by another instance, or its data is gone, and how it failed may quote that.
    pub(super) async fn settle(
        &self,
        first: First,
        failure: Failure,
        error: &ReactionError,
    ) -> Result<(), StoreError> {
        let stay = self.intake.after(failure, tried(&first), error);
        let name = self.intake.subscription.name().to_owned();
        let unit = async move |work: &mut Work| {
            let (key, version) = (Key::of(&name, &first.event), first.event.version);
            inbox::lock(work, key.subscription, key.entity, key.key).await?;
            let as_it_began = |now: &First| {
                (now.state, now.attempts, &now.event) == (Parking::Waiting, first.attempts, &first.event)
            };
            if !parked::first(work, key).await?.is_some_and(|now| as_it_began(&now)) {
                return Ok(());
            }
            if stay.state == Parking::Dead {
                parked::log(work, key, version, ("dead", "", &stay.reason)).await?;
            }
            parked::set(work, key, version, stay).await
        };
        self.intake.store.unit::<_, StoreError, _>(&self.intake.context(), unit).await.map(drop)
    }
}

/// Accepts what the owner no longer keeps: a key whose first events are gone begins at what is left. A version that is
/// missing in the middle is a dead letter that says so.
pub(crate) async fn settle_gaps(intake: &Intake) -> Result<(), StoreError> {
    while settle_some(intake).await? {}
    Ok(())
}

/// Settles a page of gaps in one unit of work; answers whether there was any.
async fn settle_some(intake: &Intake) -> Result<bool, StoreError> {
    let (intake, context) = (intake.clone(), intake.context());
    let store = intake.store.clone();
    let unit = async move |work: &mut Work| {
        let name = intake.subscription.name();
        let mut gaps = parked::gaps(work, name).await?;
        gaps.retain(|first| intake.holds(&first.event.subject));
        for first in &gaps {
            settle_gap(work, name, first).await?;
        }
        Ok(!gaps.is_empty())
    };
    let (any, _) = store.unit::<_, StoreError, _>(&context, unit).await?;
    Ok(any)
}

async fn settle_gap(work: &mut Work, subscription: &str, first: &First) -> Result<(), StoreError> {
    let key = Key::of(subscription, &first.event);
    let version = first.event.version;
    if inbox::lock(work, key.subscription, key.entity, key.key).await? == 0 {
        inbox::advance(work, key.subscription, key.entity, key.key, version - 1).await?;
        parked::log(work, key, version, ("started", "", "the owner keeps nothing before it")).await?;
        let now = work.now();
        return parked::set(work, key, version, Stay { next_ms: now, ..Stay::held(Parking::Waiting, "") })
            .await;
    }
    let reason = format!("version {} never arrived", version - 1);
    parked::log(work, key, version, ("dead", "", &reason)).await?;
    parked::set(work, key, version, Stay::held(Parking::Dead, &reason)).await
}

async fn due(store: &Store, subscription: &str) -> Result<Option<First>, StoreError> {
    parked::due(&mut store.read().await?, subscription, now_ms()).await
}

fn tried(first: &First) -> Tried {
    let First { attempts, unanswered, tried_ms, .. } = *first;
    Tried { attempts, unanswered, since: since(tried_ms) }
}

fn since(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(now_ms() - ms).unwrap_or(0))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
