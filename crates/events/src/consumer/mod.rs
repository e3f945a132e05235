//! The consumer: runs the subscriptions of one service beside its own database.
//!
//! Each subscription has a stream, a retrier and an acknowledger of its own; what they share is the database.
//! **Invariant:** one event takes effect once per subscription, under redelivery, replay and crash.

mod fault;
mod intake;
mod retrier;
mod runner;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use freehold_client::{Error, FeedClient, Mesh};
use freehold_store::Store;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::acknowledge::acknowledge;
use crate::handle::{Handle, Progress, Running, State};
use crate::link::Link;
use crate::retry::RetryPolicy;
use crate::subscription::Subscription;

pub(crate) use fault::Faults;
use intake::Intake;
use retrier::Retrier;
use runner::Runner;

/// How a consumer works.
#[derive(Debug, Clone)]
pub struct Options {
    /// The most events that one unit of work takes; 100 unless said.
    pub batch: usize,
    /// How long one unit of work may take; five seconds unless said.
    pub budget: Duration,
    /// How a failing reaction is retried.
    pub retry: RetryPolicy,
}

impl Default for Options {
    fn default() -> Self {
        Self { batch: 100, budget: Duration::from_secs(5), retry: RetryPolicy::default() }
    }
}

/// Why a consumer does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Two subscriptions have one name.
    #[error("the subscription `{0}` was given twice")]
    Twice(String),
    /// A subscription holds a view that its consumer has of another owner.
    #[error(
        "the subscription `{subscription}` has a view of {of}, which is not its consumer's or not its owner's"
    )]
    ForeignView {
        /// The subscription.
        subscription: String,
        /// What the view is of.
        of: &'static str,
    },
    /// The mesh does not know the owner.
    #[error("failed to find the feed of `{owner}`")]
    Feed {
        /// The owner.
        owner: String,
        /// Why.
        source: Error,
    },
}

/// Subscriptions that are about to run.
#[derive(Clone)]
pub struct Consumer {
    store: Store,
    mesh: Mesh,
    feeds: BTreeMap<String, FeedClient>,
    subscriptions: Vec<Subscription>,
    options: Options,
    faults: Faults,
}

impl Consumer {
    /// A consumer with its own database, in a mesh; it has no subscription yet.
    #[must_use]
    pub fn new(store: Store, mesh: Mesh) -> Self {
        let (feeds, subscriptions) = (BTreeMap::new(), Vec::new());
        Self { store, mesh, feeds, subscriptions, options: Options::default(), faults: Faults::default() }
    }

    /// Adds a subscription.
    #[must_use]
    pub fn subscribe(mut self, subscription: Subscription) -> Self {
        self.subscriptions.push(subscription);
        self
    }

    /// Adds several.
    #[must_use]
    pub fn subscribe_all(mut self, subscriptions: impl IntoIterator<Item = Subscription>) -> Self {
        self.subscriptions.extend(subscriptions);
        self
    }

    /// Works otherwise than by default.
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Reads an owner's feed through this client instead of the mesh; for tests, and for feeds behind something else.
    #[must_use]
    pub fn feed(mut self, owner: &str, feed: FeedClient) -> Self {
        self.feeds.insert(owner.to_owned(), feed);
        self
    }

    #[cfg(test)]
    pub(crate) fn faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// Starts all subscriptions on the current Tokio runtime. An owner that cannot be reached yet is waited for.
    ///
    /// # Errors
    /// [`StartError`]; nothing runs then.
    pub fn start(self) -> Result<Handle, StartError> {
        let mut names = BTreeSet::new();
        let mut links = Vec::new();
        for subscription in &self.subscriptions {
            let name = subscription.name().to_owned();
            if let Some(of) = subscription.foreign() {
                return Err(StartError::ForeignView { subscription: name, of });
            }
            if !names.insert(name.clone()) {
                return Err(StartError::Twice(name));
            }
            links.push(Link::new(self.feed_of(subscription.owner())?, &name, subscription.types()));
        }
        let stop = CancellationToken::new();
        let run = |(subscription, link)| self.run(subscription, link, &stop);
        let running = self.subscriptions.iter().zip(links).map(run).collect();
        Ok(Handle::new(self.store.clone(), stop, running))
    }

    fn feed_of(&self, owner: &str) -> Result<FeedClient, StartError> {
        if let Some(feed) = self.feeds.get(owner) {
            return Ok(feed.clone());
        }
        let unknown = |source| StartError::Feed { owner: owner.to_owned(), source };
        self.mesh.channel(owner).map(FeedClient::new).map_err(unknown)
    }

    fn run(&self, subscription: &Subscription, link: Link, stop: &CancellationToken) -> Running {
        let intake = Intake {
            store: self.store.clone(),
            subscription: subscription.clone(),
            retry: self.options.retry,
            budget: self.options.budget,
            faults: self.faults.clone(),
        };
        let (progress, watched) = watch::channel(Progress { state: State::Connecting, position: None });
        let (committed, acknowledged) = watch::channel(None);
        let parked = Arc::new(Notify::new());
        let retrier = Retrier { intake: intake.clone(), parked: Arc::clone(&parked) };
        let runner = Runner::new(intake, link.clone(), self.options.batch, progress, committed, parked);
        let tasks: Vec<JoinHandle<()>> = vec![
            until(stop, runner.run()),
            until(stop, retrier.run()),
            until(stop, acknowledge(link.clone(), acknowledged)),
        ];
        Running { subscription: subscription.clone(), link, progress: watched, tasks }
    }
}

/// Runs a task until it ends or the token is cancelled. What it had begun in the database ends by itself.
fn until(stop: &CancellationToken, task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    let stop = stop.clone();
    tokio::spawn(async move {
        stop.run_until_cancelled(task).await;
    })
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").field("subscriptions", &self.subscriptions).finish_non_exhaustive()
    }
}
