//! How long locations are kept, and what removes them after that: whole buckets, a few rows per unit of work.
//!
//! Locations of drivers who were erased go the same way, at once.

use std::sync::Arc;
use std::time::Duration;

use freehold_store::{Clock, Store, StoreError, Work};
use freehold_wire::Context;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::location::bucket;
use crate::store::expiry;

/// The setting that says how many hours locations are kept.
const SETTING: &str = "FREEHOLD_DRIVERS_KEEP_LOCATIONS_HOURS";
const DEFAULT_HOURS: i64 = 24;
/// A year.
const MOST_HOURS: i64 = 24 * 366;
/// How many rows a unit of work removes.
const ROWS: i64 = 1000;
/// How long there is nothing to do, unless somebody is erased.
const PAUSE: Duration = Duration::from_secs(60);
const BUDGET: Duration = Duration::from_secs(5);

/// How long locations are kept after they came in: so long at least, and about an hour more at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    hours: i64,
}

/// A setting that says no span of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{SETTING} is `{0}`, not a number of hours from 1 to {MOST_HOURS}")]
pub struct RetentionError(String);

impl Retention {
    /// What FREEHOLD_DRIVERS_KEEP_LOCATIONS_HOURS says; 24 hours where it is silent.
    ///
    /// # Errors
    /// [`RetentionError`] where that is no number of hours, or more than a year.
    pub fn from_env() -> Result<Self, RetentionError> {
        match std::env::var_os(SETTING) {
            None => Ok(Self::default()),
            Some(said) => Self::parse(&said.to_string_lossy()),
        }
    }

    fn parse(said: &str) -> Result<Self, RetentionError> {
        match said.parse() {
            Ok(hours) if (1..=MOST_HOURS).contains(&hours) => Ok(Self { hours }),
            _ => Err(RetentionError(said.to_owned())),
        }
    }

    /// The same in milliseconds.
    pub(crate) fn as_millis(self) -> i64 {
        self.hours * 3_600_000
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self { hours: DEFAULT_HOURS }
    }
}

/// Removes what is not kept any more.
#[derive(Clone)]
pub(crate) struct Sweeper {
    store: Store,
    clock: Clock,
    retention: Retention,
    wanted: Arc<Notify>,
}

/// Stops a sweeper.
pub(crate) struct Handle {
    stop: CancellationToken,
    sweeping: JoinHandle<()>,
}

impl Sweeper {
    /// A sweeper that has not begun.
    pub(crate) fn new(store: Store, clock: Clock, retention: Retention) -> Self {
        Self { store, clock, retention, wanted: Arc::default() }
    }

    /// Begins to sweep, now and again.
    pub(crate) fn start(&self) -> Handle {
        let stop = CancellationToken::new();
        let (sweeper, stopped) = (self.clone(), stop.clone());
        let sweeping = tokio::spawn(async move { sweeper.run(&stopped).await });
        Handle { stop, sweeping }
    }

    /// Asks for a sweep soon: somebody was erased.
    pub(crate) fn wake(&self) {
        self.wanted.notify_one();
    }

    async fn run(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            if let Some(Err(error)) = stop.run_until_cancelled(self.sweep()).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "failed to remove old locations");
            }
            let pause = tokio::time::timeout(PAUSE, self.wanted.notified());
            // Woken or not, it is time to look.
            let _ = stop.run_until_cancelled(pause).await;
        }
    }

    /// Removes all that is to be removed now, a unit of work after the other.
    pub(crate) async fn sweep(&self) -> Result<(), StoreError> {
        let before_ms = (self.clock)() - self.retention.as_millis();
        let before = bucket(before_ms);
        while self.unit(async |work: &mut Work| expiry::erase(work, ROWS).await).await? {}
        while self.unit(async move |work: &mut Work| expiry::expire(work, before, ROWS).await).await? {}
        while self.unit(async move |work: &mut Work| expiry::close(work, before, ROWS).await).await? {}
        while self.unit(async move |work: &mut Work| expiry::forget(work, before_ms, ROWS).await).await? {}
        Ok(())
    }

    async fn unit<F>(&self, handler: F) -> Result<bool, StoreError>
    where
        F: AsyncFnOnce(&mut Work) -> Result<bool, StoreError> + Send + 'static,
    {
        let context = Context::new(crate::NAME, BUDGET);
        self.store.unit(&context, handler).await.map(|(more, _)| more)
    }
}

impl Handle {
    /// Stops it where it is; what it has not removed is removed the next time.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        // It ends by itself; where it panicked there is nothing left to end.
        let _ = self.sweeping.await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_a_number_of_hours() {
        assert_eq!(Retention::default().as_millis(), 86_400_000);
        assert_eq!(Retention::parse("1").unwrap().as_millis(), 3_600_000);
        for said in ["", "0", "-1", "8785", "a day", "1.5", "99999999999999999999"] {
            assert_eq!(Retention::parse(said), Err(RetentionError(said.to_owned())));
        }
    }
}
