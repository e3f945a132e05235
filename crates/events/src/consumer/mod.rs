//! The consumer: runs the subscriptions of one service beside its own database.
//!
//! Each subscription has a stream, a retrier and an acknowledger of its own; what they share is the database.
//! **Invariant:** one event takes effect once per subscription, under redelivery, replay and crash.

mod fault;
mod following;
mod high_waters;
mod intake;
mod overseer;
mod reacting;
mod replayer;
mod retrier;
mod runner;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::{Duration, Instant};

use freehold_client::{FeedClient, Mesh};
use freehold_store::{Engine, Store};
use tokio::sync::{Mutex, Notify, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::acknowledge::acknowledge;
use crate::bus::Choice;
use crate::handle::{Handle, Overseen, Part, Running};
use crate::link::Link;
use crate::meter::Meter;
use crate::projection::Projection;
use crate::purpose::{Progress, Purpose, Report, State};
use crate::retry::RetryPolicy;
use crate::sharing::{Keeper, Member, Pace};
use crate::subscription::Subscription;

pub(crate) use fault::{Faults, Point};
use following::{Course, Following};
use intake::Intake;
pub(crate) use intake::Stopped;
use overseer::Overseer;
use reacting::Reacting;
use replayer::Replayer;
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
    /// How many instances of this consumer may run on its database. Unless said: one on SQLite, whose file one process
    /// opens, and several on PostgreSQL.
    pub instances: Option<Instances>,
    /// How instances notice each other.
    pub(crate) pace: Pace,
}

/// How many instances of a consumer run on its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instances {
    /// One, which has every key.
    One,
    /// Any number, which divide the keys of each subscription among themselves. Projections and subscriptions of another
    /// purpose are not divided: there each instance takes in everything, and each effect is taken once.
    Several,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            batch: 100,
            budget: Duration::from_secs(5),
            retry: RetryPolicy::default(),
            instances: None,
            pace: Pace::default(),
        }
    }
}

/// Subscriptions that are about to run.
#[derive(Clone)]
pub struct Consumer {
    store: Store,
    mesh: Mesh,
    feeds: BTreeMap<String, FeedClient>,
    bus: Choice,
    subscriptions: Vec<Subscription>,
    projections: Vec<Projection>,
    options: Options,
    faults: Faults,
}

impl Consumer {
    /// A consumer with its own database, in a mesh; it has no subscription yet.
    #[must_use]
    pub fn new(store: Store, mesh: Mesh) -> Self {
        Self {
            store,
            mesh,
            feeds: BTreeMap::new(),
            bus: Choice::default(),
            subscriptions: Vec::new(),
            projections: Vec::new(),
            options: Options::default(),
            faults: Faults::default(),
        }
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

    /// Adds a projection: builds it, goes on with it, and builds it anew when it is told to.
    #[must_use]
    pub fn project(mut self, projection: Projection) -> Self {
        self.projections.push(projection);
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

    /// Reads owners by a bus where there is one, and their feeds where it lacks something.
    #[must_use]
    pub fn over(mut self, bus: &Choice) -> Self {
        self.bus = bus.clone();
        self
    }

    /// Kills it where a test says.
    #[cfg(test)]
    pub(crate) fn faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// Starts all subscriptions on the current Tokio runtime. An owner that cannot be reached yet is waited for; a
    /// subscription that cannot begin at all says so in its status.
    #[must_use]
    pub fn start(self) -> Handle {
        let stop = CancellationToken::new();
        let mut names = BTreeSet::new();
        let mut running = Vec::new();
        let mut keeper = self.keeper();
        for subscription in &self.subscriptions {
            let twice = !names.insert(subscription.name());
            running.push(match self.link(subscription, twice) {
                Ok(link) => self.run(subscription, link, &stop, Role::of(subscription, keeper.as_mut())),
                Err(problem) => failed(subscription, problem),
            });
        }
        let overseen = self.projections.iter().map(|projection| self.oversee(projection, &stop)).collect();
        let keeper = keeper.map(|keeper| tokio::spawn(keeper.run(stop.clone())));
        Handle::new(self.store.clone(), stop, running, overseen, keeper)
    }

    /// What keeps the shares of this instance, where others may run beside it.
    fn keeper(&self) -> Option<Keeper> {
        let by_engine = match self.store.engine() {
            Engine::Sqlite => Instances::One,
            Engine::Postgres => Instances::Several,
        };
        if self.options.instances.unwrap_or(by_engine) == Instances::One {
            return None;
        }
        // No two starts ever have the same name.
        let instance = format!("{:032x}", fastrand::u128(..)).into();
        Some(Keeper {
            store: self.store.clone(),
            instance,
            kept: Vec::new(),
            pace: self.options.pace,
            budget: self.options.budget,
            began: Instant::now(),
            faults: self.faults.clone(),
        })
    }

    fn oversee(&self, projection: &Projection, stop: &CancellationToken) -> Overseen {
        let course = Course { projection: projection.clone(), read: AtomicI64::new(0), turn: Mutex::new(()) };
        let (parts, seen) = watch::channel(Vec::new());
        let (course, running) = (Arc::new(course), BTreeMap::new());
        let overseer = Overseer { consumer: self.clone(), course, parts, running };
        let task = tokio::spawn(overseer.run(stop.clone()));
        Overseen { projection: projection.clone(), parts: seen, task }
    }

    fn link(&self, subscription: &Subscription, twice: bool) -> Result<Link, String> {
        if twice {
            return Err("another subscription has the same name".to_owned());
        }
        if let Some(of) = subscription.foreign() {
            return Err(format!("its view of {of} is another consumer's or of another owner"));
        }
        let feed = self.owner(subscription)?;
        let feed = self.bus.source(feed, subscription.owner(), subscription.consumer());
        Ok(Link::new(feed, subscription.name(), subscription.types()))
    }

    /// The feed of its owner itself.
    fn owner(&self, subscription: &Subscription) -> Result<FeedClient, String> {
        match self.feeds.get(subscription.owner()) {
            Some(feed) => Ok(feed.clone()),
            None => {
                let channel = self.mesh.channel(subscription.owner());
                channel.map(FeedClient::new).map_err(|error| error.to_string())
            }
        }
    }

    /// What reads again for a subscription that reacts, where its owner is known.
    fn replayer(&self, subscription: &Subscription, role: &Role) -> Option<Replayer> {
        let shared = match role {
            Role::Alone => false,
            Role::Shared(..) => true,
            Role::Generation(..) => return None,
        };
        let link = Link::new(self.owner(subscription).ok()?, subscription.name(), subscription.types());
        Some(Replayer { intake: self.intake(subscription), link, batch: self.options.batch.max(1), shared })
    }

    /// Runs a subscription in its role.
    fn run(&self, subscription: &Subscription, link: Link, stop: &CancellationToken, role: Role) -> Running {
        let (report, progress) = Report::new();
        let taken = match &role {
            Role::Shared(_, whole) => whole.clone(),
            _ => progress.clone(),
        };
        let mut tasks = vec![until(stop, acknowledge(link.clone(), taken))];
        let purpose = match subscription.purpose(report.clone()) {
            Some(purpose) => purpose,
            None => {
                let (intake, parked) = (self.intake(subscription), Arc::new(Notify::new()));
                let retrier = Retrier { intake: intake.clone(), parked: Arc::clone(&parked) };
                tasks.push(until(stop, retrier.run()));
                let replayer = self.replayer(subscription, &role);
                tasks.extend(replayer.map(|replayer| until(stop, replayer.run())));
                let reacting = |member| Reacting::new(intake, report.clone(), parked, member);
                match role {
                    Role::Alone => Box::new(reacting(None)) as Box<dyn Purpose>,
                    Role::Shared(member, _) => Box::new(reacting(Some(member))),
                    Role::Generation(course, generation) => {
                        let (reacting, report) = (reacting(None), report.clone());
                        Box::new(Following { reacting, course, generation, report })
                    }
                }
            }
        };
        let name = subscription.name().to_owned();
        let meter = Meter::of(subscription);
        let runner =
            Runner { name, link: link.clone(), batch: self.options.batch.max(1), purpose, report, meter };
        tasks.push(until(stop, runner.run()));
        let part = Part { subscription: subscription.clone(), link: Some(link), progress };
        Running { part, tasks }
    }

    fn intake(&self, subscription: &Subscription) -> Intake {
        Intake {
            store: self.store.clone(),
            subscription: subscription.clone(),
            retry: self.options.retry,
            budget: self.options.budget,
            faults: self.faults.clone(),
            meter: Meter::of(subscription),
            hold: None,
            replay: None,
        }
    }
}

/// How this instance runs a subscription.
enum Role {
    /// It takes in everything.
    Alone,
    /// As a generation of a projection.
    Generation(Arc<Course>, i64),
    /// It takes in its part. What is acknowledged is what all instances have done together.
    Shared(Member, watch::Receiver<Progress>),
}

impl Role {
    fn of(subscription: &Subscription, keeper: Option<&mut Keeper>) -> Self {
        match keeper {
            Some(keeper) if subscription.has_reactions() => {
                let (member, whole) = keeper.join(subscription.name());
                Self::Shared(member, whole)
            }
            _ => Self::Alone,
        }
    }
}

fn failed(subscription: &Subscription, problem: String) -> Running {
    tracing::error!(subscription = subscription.name(), problem, "the subscription cannot begin");
    let (report, progress) = Report::new();
    report.state(State::Failed(problem));
    let part = Part { subscription: subscription.clone(), link: None, progress };
    Running { part, tasks: Vec::new() }
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
