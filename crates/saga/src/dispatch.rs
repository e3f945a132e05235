//! Which sagas are driven when: those that were asked for, and those whose timer is due, so many at a time.
//!
//! The timers are rows. The dispatcher looks at them when the earliest is due, when a driver ends while more are
//! waiting, and now and then; it keeps nothing that a restart would lose.
//! **Invariant:** a saga has at most one driver.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use freehold_store::{Queries, StoreError, vals};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::drive::{DriveError, Engine, Pause};
use crate::instance::Known;

/// The timers are looked at at least this often, for sagas that began without anybody asking for them.
const LOOK: Duration = Duration::from_secs(1);
/// How long a saga rests whose driver failed: its database does, and a retry at once would not help it.
const REST: Duration = Duration::from_millis(250);

type Driven = (Arc<str>, Result<Pause, DriveError>);

/// Starts drivers.
pub(crate) struct Dispatcher {
    engine: Arc<Engine>,
    asked: mpsc::Receiver<Arc<str>>,
    concurrency: usize,
    grace: Duration,
    drivers: JoinSet<Driven>,
    driven: HashSet<Arc<str>>,
    /// Due, and waiting for a driver.
    ready: VecDeque<Arc<str>>,
    /// There are due sagas that are not in `ready`.
    more: bool,
    resting: HashMap<Arc<str>, Instant>,
    look_at: Instant,
}

/// A saga and its timer.
struct Timer {
    id: Arc<str>,
    next_ms: i64,
}

impl Dispatcher {
    pub(crate) fn new(
        engine: Arc<Engine>,
        asked: mpsc::Receiver<Arc<str>>,
        concurrency: usize,
        grace: Duration,
    ) -> Self {
        Self {
            engine,
            asked,
            concurrency: concurrency.max(1),
            grace,
            drivers: JoinSet::new(),
            driven: HashSet::new(),
            ready: VecDeque::new(),
            more: false,
            resting: HashMap::new(),
            look_at: Instant::now(),
        }
    }

    /// Dispatches until the executor stops, then gives the running drivers the grace to end.
    pub(crate) async fn run(mut self) {
        let engine = Arc::clone(&self.engine);
        loop {
            tokio::select! {
                () = engine.stopping.cancelled() => break,
                Some(id) = self.asked.recv() => self.ask(id),
                Some(driven) = self.drivers.join_next() => self.settle(driven),
                () = tokio::time::sleep_until(self.look_at) => self.look().await,
            }
        }
        let all = async { while self.drivers.join_next().await.is_some() {} };
        if tokio::time::timeout(self.grace, all).await.is_err() {
            // Whatever they are at, their rows say from where to go on.
            self.drivers.shutdown().await;
        }
    }

    fn ask(&mut self, id: Arc<str>) {
        if self.drivers.len() < self.concurrency {
            self.launch(id);
        } else {
            self.more = true;
        }
    }

    fn launch(&mut self, id: Arc<str>) {
        if self.resting.contains_key(&id) || !self.driven.insert(Arc::clone(&id)) {
            return;
        }
        let engine = Arc::clone(&self.engine);
        self.drivers.spawn(async move {
            let outcome = engine.drive(&id).await;
            (id, outcome)
        });
    }

    fn settle(&mut self, driven: Result<Driven, tokio::task::JoinError>) {
        match driven {
            Ok((id, outcome)) => {
                self.driven.remove(&id);
                match outcome {
                    Ok(Pause::Until(at_ms)) => self.look_by(self.instant(at_ms)),
                    Ok(Pause::Over | Pause::Stopping) => {}
                    Err(error) => self.rest(id, &error),
                }
            }
            Err(error) => {
                // A driver catches what its steps do, so this is a fault of ours; its saga goes on after a restart.
                tracing::error!(%error, "the driver of a saga panicked");
            }
        }
        while self.drivers.len() < self.concurrency {
            let Some(id) = self.ready.pop_front() else { break };
            self.launch(id);
        }
        if self.ready.is_empty() && self.more {
            self.look_at = Instant::now();
        }
    }

    fn rest(&mut self, id: Arc<str>, error: &DriveError) {
        let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        tracing::warn!(saga = %id, %error, cause, "failed to drive a saga; it goes on from its row");
        let until = Instant::now() + REST;
        self.resting.insert(id, until);
        self.look_by(until);
    }

    fn look_by(&mut self, at: Instant) {
        self.look_at = self.look_at.min(at);
    }

    fn instant(&self, at_ms: i64) -> Instant {
        let left = at_ms.saturating_sub(self.engine.store.now());
        Instant::now() + Duration::from_millis(u64::try_from(left).unwrap_or(0)).min(LOOK)
    }

    /// Takes up what is due, and sets when to look again.
    async fn look(&mut self) {
        let now = Instant::now();
        self.look_at = now + LOOK;
        self.resting.retain(|_, until| *until > now);
        let timers = match self.timers().await {
            Ok(timers) => timers,
            Err(error) => {
                tracing::warn!(%error, "failed to read the timers of sagas");
                return self.look_by(now + REST);
            }
        };
        let now_ms = self.engine.store.now();
        let due = |timer: &Timer| timer.next_ms <= now_ms;
        if let Some(next) = timers.iter().filter(|timer| !due(timer)).map(|timer| timer.next_ms).min() {
            self.look_by(self.instant(next));
        }
        self.ready.clear();
        self.more = false;
        for timer in timers.into_iter().filter(due) {
            if self.driven.contains(&timer.id) {
                continue;
            }
            if self.drivers.len() < self.concurrency {
                self.launch(timer.id);
            } else {
                self.ready.push_back(timer.id);
                self.more = true;
            }
        }
    }

    /// The earliest timers of every definition: enough to keep all drivers busy although those that are driven count as
    /// due themselves.
    async fn timers(&self) -> Result<Vec<Timer>, StoreError> {
        let mut read = self.engine.store.read().await?;
        let mut timers = Vec::new();
        for known in self.engine.registry.all() {
            timers.extend(earliest(&mut read, known, self.concurrency).await?);
        }
        timers.sort_by_key(|timer| timer.next_ms);
        Ok(timers)
    }
}

async fn earliest(
    read: &mut impl Queries,
    known: &Known,
    concurrency: usize,
) -> Result<Vec<Timer>, StoreError> {
    const SQL: &str = "SELECT id, next_ms FROM freehold_saga \
        WHERE name = $1 AND version = $2 AND next_ms IS NOT NULL ORDER BY next_ms LIMIT $3";
    let limit = i64::try_from(2 * concurrency + 1).unwrap_or(i64::MAX);
    let version = i64::from(known.definition.version);
    let rows = read.all(SQL, vals![known.definition.name, version, limit]).await?;
    rows.iter()
        .map(|row| Ok(Timer { id: row.get::<String>("id")?.into(), next_ms: row.get("next_ms")? }))
        .collect()
}
