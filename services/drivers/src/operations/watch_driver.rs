//! Follows a driver: where it is, and then where it goes, once that is in the database.

use freehold_sdk::drivers::v1 as pb;
use freehold_store::Store;
use freehold_wire::dispatch::Messages;
use freehold_wire::reason::not_found;
use freehold_wire::{Context, Reason};
use futures_util::stream;
use tonic::Status;

use crate::convert;
use crate::live::{Blind, Watchers, Watching};
use crate::location::Location;
use crate::store::{drivers, latest};

/// One who follows a driver.
struct Follower {
    driver_id: String,
    watching: Watching,
    /// What has not been shown of what was known at the beginning.
    first: Option<Location>,
    /// The time of the last location that was shown.
    shown_ms: i64,
}

/// The locations of the driver of that id, from the latest on.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    watchers: &Watchers,
    driver_id: String,
) -> Result<Messages<pb::Position>, Status> {
    // Watched before anything is read, so that nothing falls between the two: neither a location nor the driver's end.
    let watching = watchers.watch(&driver_id);
    let mut read = store.read_within(context).await?;
    if drivers::number(&mut read, &driver_id).await?.is_none() {
        return Err(not_found("driver", &driver_id));
    }
    let first = latest::find(&mut read, &driver_id).await?;
    drop(read);
    let follower = Follower { driver_id, watching, first, shown_ms: i64::MIN };
    Ok(Messages::new(stream::unfold(Some(follower), async |follower| {
        let mut follower = follower?;
        match follower.next().await {
            Ok(location) => {
                let position = convert::position(&follower.driver_id, &location);
                Some((Ok(position), Some(follower)))
            }
            Err(blind) => Some((Err(refusal(blind, &follower.driver_id)), None)),
        }
    })))
}

impl Follower {
    async fn next(&mut self) -> Result<Location, Blind> {
        let location = match self.first.take() {
            Some(first) => first,
            None => loop {
                let location = self.watching.next().await?;
                if location.time_ms > self.shown_ms {
                    break location;
                }
            },
        };
        self.shown_ms = location.time_ms;
        Ok(location)
    }
}

fn refusal(blind: Blind, driver_id: &str) -> Status {
    match blind {
        Blind::Behind(missed) => Reason::ResourceExhausted.because(
            "WATCHER_TOO_SLOW",
            format!("the locations were not read for so long that {missed} are gone; watch again"),
        ),
        Blind::Gone => not_found("driver", driver_id),
    }
}
