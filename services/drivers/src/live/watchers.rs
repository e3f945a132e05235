//! Who watches which driver: a short memory of its latest locations each, which a watcher that does not read falls out of.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast::{self, Receiver, Sender, error::RecvError};

use crate::location::Location;

/// How many locations a watcher may be behind.
pub(crate) const BEHIND: usize = 64;

/// Who watches which driver. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watchers(Arc<Mutex<HashMap<String, Sender<Location>>>>);

/// What one watcher sees, until it is dropped.
#[derive(Debug)]
pub(crate) struct Watching {
    /// `None` only while it is dropped.
    seen: Option<Receiver<Location>>,
    driver_id: String,
    watchers: Watchers,
}

/// Why a watcher sees no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blind {
    /// It did not read for so many locations.
    Behind(u64),
    /// There is nobody to watch any more.
    Gone,
}

impl Watchers {
    /// Watches a driver from now on.
    pub(crate) fn watch(&self, driver_id: &str) -> Watching {
        let mut watched = self.watched();
        let sender = watched.entry(driver_id.to_owned()).or_insert_with(|| broadcast::channel(BEHIND).0);
        let seen = Some(sender.subscribe());
        Watching { seen, driver_id: driver_id.to_owned(), watchers: self.clone() }
    }

    /// Shows what was committed at one time, in its order: of each driver who is watched the newest location. It never
    /// waits for a watcher.
    pub(super) fn show<'a>(&self, kept: impl Iterator<Item = (&'a str, Location)>) {
        let watched = self.watched();
        if watched.is_empty() {
            return;
        }
        let newest: HashMap<&str, Location> = kept.filter(|(id, _)| watched.contains_key(*id)).collect();
        for (driver_id, location) in newest {
            if let Some(sender) = watched.get(driver_id) {
                // Who has just stopped watching does not need it.
                let _ = sender.send(location);
            }
        }
    }

    /// Ends the watching of a driver whom there is no more.
    pub(crate) fn forget(&self, driver_id: &str) {
        self.watched().remove(driver_id);
    }

    fn watched(&self) -> MutexGuard<'_, HashMap<String, Sender<Location>>> {
        // Nothing that runs under the lock leaves it half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watching {
    /// The next location.
    pub(crate) async fn next(&mut self) -> Result<Location, Blind> {
        let Some(seen) = &mut self.seen else { return Err(Blind::Gone) };
        seen.recv().await.map_err(|error| match error {
            RecvError::Lagged(missed) => Blind::Behind(missed),
            RecvError::Closed => Blind::Gone,
        })
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let mut watched = self.watchers.watched();
        drop(self.seen.take());
        if watched.get(&self.driver_id).is_some_and(|sender| sender.receiver_count() == 0) {
            watched.remove(&self.driver_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time_ms: i64) -> Location {
        let (latitude_e7, longitude_e7) = (0, 0);
        Location { time_ms, latitude_e7, longitude_e7, heading_degrees: None, speed_cm_per_s: None }
    }

    #[tokio::test]
    async fn a_watcher_sees_its_driver_and_no_other() {
        let watchers = Watchers::default();
        let mut watching = watchers.watch("a");
        watchers.show([("b", at(1)), ("a", at(5))].into_iter());
        assert_eq!(watching.next().await, Ok(at(5)));
    }

    /// However much a driver has to catch up with, who reads is not behind.
    #[tokio::test]
    async fn of_what_comes_at_once_the_newest_is_shown() {
        let watchers = Watchers::default();
        let mut watching = watchers.watch("a");
        let many = 2 * BEHIND as i64;
        watchers.show((0..many).map(|time_ms| ("a", at(time_ms))));
        assert_eq!(watching.next().await, Ok(at(many - 1)));
    }

    #[tokio::test]
    async fn a_watcher_that_does_not_read_falls_behind_alone() {
        let watchers = Watchers::default();
        let (mut idle, mut reading) = (watchers.watch("a"), watchers.watch("a"));
        for time_ms in 0..BEHIND as i64 + 3 {
            watchers.show([("a", at(time_ms))].into_iter());
            assert_eq!(reading.next().await, Ok(at(time_ms)));
        }
        assert_eq!(idle.next().await, Err(Blind::Behind(3)));
    }

    #[tokio::test]
    async fn whom_there_is_no_more_nobody_watches() {
        let watchers = Watchers::default();
        let mut watching = watchers.watch("a");
        watchers.forget("a");
        assert_eq!(watching.next().await, Err(Blind::Gone));
    }

    #[test]
    fn nothing_is_kept_for_who_has_stopped_watching() {
        let watchers = Watchers::default();
        let (first, second) = (watchers.watch("a"), watchers.watch("a"));
        drop(first);
        assert_eq!(watchers.watched().len(), 1);
        drop(second);
        assert!(watchers.watched().is_empty());
    }

    /// One who stopped watching somebody erased leaves alone whom the next one watches under that id.
    #[tokio::test]
    async fn a_watcher_of_before_takes_nothing_with_it() {
        let watchers = Watchers::default();
        let before = watchers.watch("a");
        watchers.forget("a");
        let mut after = watchers.watch("a");
        drop(before);
        watchers.show([("a", at(1))].into_iter());
        assert_eq!(after.next().await, Ok(at(1)));
    }
}
