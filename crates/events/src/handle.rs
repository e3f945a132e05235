//! A running consumer: how it stands, how to wait for it, how to end it.

use std::fmt;
use std::time::Duration;

use freehold_store::{Queries, Store, StoreError, vals};
use freehold_wire::pb::{HeadResponse, Position};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::link::Link;
use crate::projection::{Projection, generations};
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

/// One subscription as it runs. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) subscription: Subscription,
    /// `None` where it could not begin.
    pub(crate) link: Option<Link>,
    pub(crate) progress: watch::Receiver<Progress>,
}

/// One subscription's tasks.
pub(crate) struct Running {
    pub(crate) part: Part,
    pub(crate) tasks: Vec<JoinHandle<()>>,
}

/// One projection's task, and the generations that it feeds: first the one that is read.
pub(crate) struct Overseen {
    pub(crate) projection: Projection,
    pub(crate) parts: watch::Receiver<Vec<Part>>,
    pub(crate) task: JoinHandle<()>,
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
    overseen: Vec<Overseen>,
    /// What keeps the shares of this instance.
    keeper: Option<JoinHandle<()>>,
}

impl Handle {
    pub(crate) fn new(
        store: Store,
        stop: CancellationToken,
        running: Vec<Running>,
        overseen: Vec<Overseen>,
        keeper: Option<JoinHandle<()>>,
    ) -> Self {
        Self { store, stop, running, overseen, keeper }
    }

    /// Ends all subscriptions; it always does, within two seconds. What is in flight takes effect or not, as a whole.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let end = Instant::now() + GRACE;
        let subscriptions = self.running.iter_mut().flat_map(|running| &mut running.tasks);
        let projections = self.overseen.iter_mut().map(|overseen| &mut overseen.task);
        for task in subscriptions.chain(projections).chain(&mut self.keeper) {
            if timeout_at(end, &mut *task).await.is_err() {
                task.abort();
            }
        }
    }

    /// How each subscription stands; of a projection, each generation that is fed, the one that is read first.
    ///
    /// # Errors
    /// [`StoreError`] where the parked keys cannot be counted.
    pub async fn status(&self) -> Result<Vec<Status>, StoreError> {
        let mut parts: Vec<Part> = self.running.iter().map(|running| running.part.clone()).collect();
        parts.extend(self.overseen.iter().flat_map(|overseen| overseen.parts.borrow().clone()));
        let mut all = Vec::with_capacity(parts.len());
        for part in &parts {
            all.push(self.status_of(part).await?);
        }
        Ok(all)
    }

    /// Waits until every subscription has come to where its owner's head is now and no key waits for a retry. Keys
    /// behind a dead letter are not waited for. Of a projection, the generation that is read counts; of keys that several
    /// instances divide, those of this one.
    ///
    /// # Errors
    /// [`Behind`] after that time.
    pub async fn caught_up(&self, within: Duration) -> Result<(), Behind> {
        let end = Instant::now() + within;
        let behind =
            |subscription: &str, problem| Behind { subscription: subscription.to_owned(), within, problem };
        for Running { part, .. } in &self.running {
            let caught = self.reaches_head(part, end).await;
            caught.map_err(|problem| behind(part.subscription.name(), problem))?;
        }
        for overseen in &self.overseen {
            let caught = self.is_read_at_head(overseen, end).await;
            caught.map_err(|problem| behind(overseen.projection.name(), problem))?;
        }
        Ok(())
    }

    /// Whichever generation is read by then.
    async fn is_read_at_head(&self, overseen: &Overseen, end: Instant) -> Result<(), String> {
        let mut parts = overseen.parts.clone();
        loop {
            let read = self.read_of(overseen, &mut parts).await.map_err(|error| error.to_string())?;
            let problem = match read {
                Some(part) => match self.reaches_head(&part, end).await {
                    Ok(()) => return Ok(()),
                    Err(problem) => problem,
                },
                None => "is not fed".to_owned(),
            };
            if Instant::now() >= end {
                return Err(problem);
            }
            // A swap changes them; what is told once may have been told before it was looked for.
            let _ = timeout_at(end.min(Instant::now() + LOOK), parts.changed()).await;
        }
    }

    async fn read_of(
        &self,
        overseen: &Overseen,
        parts: &mut watch::Receiver<Vec<Part>>,
    ) -> Result<Option<Part>, StoreError> {
        let projection = &overseen.projection;
        let read = generations::read(&mut self.store.read().await?, projection.name()).await?;
        let name = read.map(|generation| projection.subscription_name(generation));
        let parts = parts.borrow_and_update();
        Ok(parts.iter().find(|part| Some(part.subscription.name()) == name.as_deref()).cloned())
    }

    async fn reaches_head(&self, part: &Part, end: Instant) -> Result<(), String> {
        let Some(link) = &part.link else { return Err("could not begin".to_owned()) };
        let head = head_by(link, end).await;
        let head = head.map_err(|problem| format!("does not hear of its owner's head: {problem}"))?;
        self.reaches(part, head.position.unwrap_or_default(), end).await
    }

    async fn reaches(&self, part: &Part, head: Position, end: Instant) -> Result<(), String> {
        let mut progress = part.progress.clone();
        let there = |progress: &Progress| {
            progress.position.as_ref().is_some_and(|position| position.mark >= head.mark)
        };
        let arrived = timeout_at(end, progress.wait_for(there)).await.is_ok_and(|told| told.is_ok());
        if !arrived {
            return Err(format!("is not at {head:?}: {:?}", part.progress.borrow()));
        }
        loop {
            let status = self.status_of(part).await.map_err(|error| error.to_string())?;
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

    async fn status_of(&self, part: &Part) -> Result<Status, StoreError> {
        const COUNT: &str = "SELECT count(*) AS parked, count(CASE WHEN state = 'dead' THEN 1 END) AS dead \
                             FROM freehold_parked WHERE subscription = $1 AND state <> 'behind'";
        let name = part.subscription.name();
        let row = self.store.read().await?.one(COUNT, vals![name]).await?;
        let count = |column: &str| match &row {
            Some(row) => row.get::<i64>(column).map(i64::unsigned_abs),
            None => Ok(0),
        };
        let Progress { state, position } = part.progress.borrow().clone();
        Ok(Status {
            subscription: name.to_owned(),
            owner: part.subscription.owner().to_owned(),
            state,
            position,
            parked_keys: count("parked")?,
            dead_letters: count("dead")?,
        })
    }
}

/// Asks the owner for as long as there is time: a call may fail although the owner is there.
async fn head_by(link: &Link, end: Instant) -> Result<HeadResponse, String> {
    let mut problem = "no answer".to_owned();
    loop {
        match timeout_at(end, link.head()).await {
            Ok(Ok(head)) => return Ok(head),
            Ok(Err(error)) => problem = error.to_string(),
            Err(_) => {}
        }
        if Instant::now() >= end {
            return Err(problem);
        }
        sleep(LOOK).await;
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subscriptions = self.running.iter().map(|running| running.part.subscription.name());
        f.debug_list()
            .entries(subscriptions.chain(self.overseen.iter().map(|it| it.projection.name())))
            .finish()
    }
}
