//! What keeps an instance's shares: shows that it lives, sees whether the others do, takes what is its part, leaves.
//!
//! A thin shell around `roster` and `division`, one per consumer. It also writes down how far all shares have come, which
//! is what may be acknowledged. **Invariant:** what is acknowledged is the position of the slowest share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use freehold_store::{Store, StoreError, Work};
use freehold_wire::Context;
use tokio::sync::{Notify, watch};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::member::{Member, settle};
use super::portions;
use super::roster::{Looked, Roster};
use crate::consumer::Faults;
use crate::position;
use crate::purpose::{Progress, Report};

/// How often an instance shows that it lives, and for how long another one must not have done so to be taken for dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    pub(crate) beat: Duration,
    pub(crate) lease: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { beat: Duration::from_secs(1), lease: Duration::from_secs(5) }
    }
}

/// Keeps the shares of one instance.
pub(crate) struct Keeper {
    pub(crate) store: Store,
    pub(crate) instance: Arc<str>,
    pub(crate) kept: Vec<Kept>,
    pub(crate) pace: Pace,
    /// How long one unit of work may take.
    pub(crate) budget: Duration,
    pub(crate) began: Instant,
    pub(crate) faults: Faults,
}

/// One of its subscriptions.
pub(crate) struct Kept {
    member: Member,
    /// How far all shares have come, whoever holds them.
    whole: Report,
    roster: Roster,
}

impl Keeper {
    /// Takes part in a subscription; answers as whom, and how far all of it will have come.
    pub(crate) fn join(&mut self, subscription: &str) -> (Member, watch::Receiver<Progress>) {
        let (instance, recalled) = (Arc::clone(&self.instance), Arc::new(Notify::new()));
        let member = Member { instance, subscription: subscription.into(), recalled };
        let (whole, told) = Report::new();
        self.kept.push(Kept { member: member.clone(), whole, roster: Roster::default() });
        (member, told)
    }

    /// Runs until it is stopped; what the instance held is free then.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        stop.run_until_cancelled(self.keep()).await;
        if let Err(error) = self.leave().await {
            tracing::warn!(instance = &*self.instance, %error, "failed to give back its shares; others take them later");
        }
    }

    async fn keep(&mut self) {
        loop {
            self.faults.stand_still().await;
            if let Err(error) = self.round().await {
                tracing::warn!(instance = &*self.instance, %error, "failed to look after its shares");
            }
            sleep(self.pace.beat).await;
        }
    }

    async fn round(&mut self) -> Result<(), StoreError> {
        let instance = Arc::clone(&self.instance);
        let beat = async move |work: &mut Work| portions::beat(work, &instance).await;
        self.store.unit::<_, StoreError, _>(&self.context(), beat).await?;
        for at in 0..self.kept.len() {
            self.look_after(at).await?;
        }
        Ok(())
    }

    async fn look_after(&mut self, at: usize) -> Result<(), StoreError> {
        let (context, kept) = (self.context(), &mut self.kept[at]);
        let (me, subscription) = (&self.instance, &kept.member.subscription);
        let asked = self.began.elapsed();
        let division = portions::division(&mut self.store.read().await?, subscription).await?;
        let Some(mut division) = division else { return Ok(()) };
        let looked = Looked { asked, answered: self.began.elapsed() };
        let dead = kept.roster.look(me, &division.portions, self.pace.lease, looked);
        let slowest = division.slowest();
        if slowest.mark > division.whole.mark {
            let name = Arc::clone(subscription);
            let unit = async move |work: &mut Work| position::advance(work, &name, &slowest).await;
            self.store.unit::<_, StoreError, _>(&context, unit).await?;
        }
        kept.whole.moved(slowest);
        // What it would change is asked first without a lock: nothing, nearly always.
        if division.settle(me, &dead) && settle(&self.store, &context, &kept.member, dead).await? {
            kept.member.recalled.notify_one();
        }
        Ok(())
    }

    async fn leave(&self) -> Result<(), StoreError> {
        for kept in &self.kept {
            let Member { instance, subscription, .. } = kept.member.clone();
            let unit = async move |work: &mut Work| portions::leave(work, &subscription, &instance).await;
            self.store.unit::<_, StoreError, _>(&self.context(), unit).await?;
        }
        Ok(())
    }

    fn context(&self) -> Context {
        Context::new(self.store.service(), self.budget)
    }
}
