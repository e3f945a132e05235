//! A running consumer: how it stands, how to wait for it, how to end it.

use std::fmt;
use std::time::Duration;

use freehold_store::{Queries, Store, StoreError, vals};
use freehold_wire::pb::Position;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::link::Link;
use crate::purpose::{Progress, State};
use crate::subscription::Subscription;

/// How long a subscription's tasks may take to end before they are aborted.
const GRACE: Duration = Duration::from_secs(2);
/// How often a wait looks at what the database says.
const LOOK: Duration = Duration::from_millis(20);

/// How a subscription stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Its name.
    pub subscription: String,
    /// Whose feed it reads.
    pub owner: String,
    /// What it is doing.
    pub state: State,
    /// How far it has come; `None` before it has begun.
    pub position: Option<Position>,
    /// How many keys wait: for a retry, for a missing version, or for somebody to look at a dead letter.
    pub parked_keys: u64,
    /// How many of them wait behind a dead letter.
    pub dead_letters: u64,
}

/// One subscription's tasks.
pub(crate) struct Running {
    pub(crate) subscription: Subscription,
    /// `None` where it could not begin.
    pub(crate) link: Option<Link>,
    pub(crate) progress: watch::Receiver<Progress>,
    pub(crate) tasks: Vec<JoinHandle<()>>,
}

/// Why a wait for quiet ended without it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("failed to catch up within {within:?}: `{subscription}` {problem}")]
pub struct Behind {
    /// The subscription that is behind.
    pub subscription: String,
    /// How long was waited.
    pub within: Duration,
    /// What it lacked.
    pub problem: String,
}

/// A running consumer; dropping it ends it too, without waiting.
pub struct Handle {
    store: Store,
    stop: CancellationToken,
    running: Vec<Running>,
}

impl Handle {
    pub(crate) fn new(store: Store, stop: CancellationToken, running: Vec<Running>) -> Self {
        Self { store, stop, running }
    }

    /// Ends all subscriptions; it always does, within two seconds. What is in flight takes effect or not, as a whole.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let end = Instant::now() + GRACE;
        for task in self.running.iter_mut().flat_map(|running| &mut running.tasks) {
            if timeout_at(end, &mut *task).await.is_err() {
                task.abort();
            }
        }
    }

    /// How each subscription stands.
    ///
    /// # Errors
    /// [`StoreError`] where the parked keys cannot be counted.
    pub async fn status(&self) -> Result<Vec<Status>, StoreError> {
        let mut all = Vec::with_capacity(self.running.len());
        for running in &self.running {
            all.push(self.status_of(running).await?);
        }
        Ok(all)
    }

    /// Waits until every subscription has come to where its owner's head is now and no key waits for a retry. Keys
    /// behind a dead letter are not waited for.
    ///
    /// # Errors
    /// [`Behind`] after that time.
    pub async fn caught_up(&self, within: Duration) -> Result<(), Behind> {
        let end = Instant::now() + within;
        for running in &self.running {
            let behind = |problem: String| Behind {
                subscription: running.subscription.name().to_owned(),
                within,
                problem,
            };
            let Some(link) = &running.link else { return Err(behind("could not begin".to_owned())) };
            match timeout_at(end, link.head()).await {
                Ok(Ok(head)) => {
                    self.reaches(running, head.position.unwrap_or_default(), end).await.map_err(behind)?
                }
                Ok(Err(error)) => return Err(behind(format!("does not hear of its owner's head: {error}"))),
                Err(_) => return Err(behind("does not hear of its owner's head".to_owned())),
            }
        }
        Ok(())
    }

    async fn reaches(&self, running: &Running, head: Position, end: Instant) -> Result<(), String> {
        let mut progress = running.progress.clone();
        let there = |progress: &Progress| {
            progress.position.as_ref().is_some_and(|position| position.mark >= head.mark)
        };
        let arrived = timeout_at(end, progress.wait_for(there)).await.is_ok_and(|told| told.is_ok());
        if !arrived {
            return Err(format!("is not at {head:?}: {:?}", running.progress.borrow()));
        }
        loop {
            let status = self.status_of(running).await.map_err(|error| error.to_string())?;
            let waiting = status.parked_keys - status.dead_letters;
            if waiting == 0 {
                return Ok(());
            }
            if Instant::now() >= end {
                return Err(format!("has {waiting} keys that wait for a retry"));
            }
            sleep(LOOK).await;
        }
    }

    async fn status_of(&self, running: &Running) -> Result<Status, StoreError> {
        const COUNT: &str = "SELECT count(*) AS parked, count(CASE WHEN state = 'dead' THEN 1 END) AS dead \
                             FROM freehold_parked WHERE subscription = $1 AND state <> 'behind'";
        let name = running.subscription.name();
        let row = self.store.read().await?.one(COUNT, vals![name]).await?;
        let count = |column: &str| match &row {
            Some(row) => row.get::<i64>(column).map(i64::unsigned_abs),
            None => Ok(0),
        };
        let Progress { state, position } = running.progress.borrow().clone();
        Ok(Status {
            subscription: name.to_owned(),
            owner: running.subscription.owner().to_owned(),
            state,
            position,
            parked_keys: count("parked")?,
            dead_letters: count("dead")?,
        })
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.running.iter().map(|running| &running.subscription)).finish()
    }
}
