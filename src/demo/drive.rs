//! Drives the riders of a plan, each driver one ride after the other, beside the placing of orders.
//!
//! What is written has a key that the plan fixes, as orders have. A location is live: it is sent once, with the time that
//! the ride itself recorded, so that one of a ride that is done again is old news and refused.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use freehold_sdk::Error;
use freehold_sdk::drivers::v1::RateDriverRequest;
use freehold_sdk::rides::v1::{
    AcceptRideRequest, CancelRideRequest, FinishRideRequest, GetRideRequest, Point, RequestRideRequest, Ride,
    Source, StartRideRequest,
};
use futures_util::future::try_join_all;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::demo::fleet::{self, Driver, End, FLEET, Place};
use crate::demo::generated::Calls;
use crate::demo::persist::persist;
use crate::demo::plan::Plan;
use crate::demo::report::Driven;
use crate::demo::tracking::Tracking;

/// A location of longer ago is told nobody any more.
const NEWS: Duration = Duration::from_secs(60);

/// Where the riders of shipped orders queue, each for their driver. Whoever is done with it drops it: then the drivers go
/// home.
pub(crate) struct Queues(Vec<Sender<usize>>);

/// Whom each driver is to drive, by the places of their orders.
pub(crate) struct Shifts(Vec<Receiver<usize>>);

/// A queue for each driver, with room for all riders.
pub(crate) fn queues(plan: &Plan) -> (Queues, Shifts) {
    let (queues, shifts) = FLEET.iter().map(|_| channel(plan.orders.len().max(1))).unzip();
    (Queues(queues), Shifts(shifts))
}

impl Queues {
    /// Queues for the ride that follows the order at that place.
    pub(crate) async fn join(&self, plan: &Plan, place: usize) {
        // A driver who has gone home by an error ends the run with it.
        let _ = self.0[plan.driver(place)].send(place).await;
    }
}

/// Drives everybody who queues, until nobody will any more.
pub(crate) async fn drive_all(calls: &Calls, plan: &Plan, shifts: Shifts) -> Result<Driven, Error> {
    let shifts = FLEET.iter().zip(shifts.0).map(|(driver, riders)| drive(calls, plan, driver, riders));
    Ok(try_join_all(shifts).await?.into_iter().fold(Driven::default(), Driven::and))
}

async fn drive(
    calls: &Calls,
    plan: &Plan,
    driver: &Driver,
    mut riders: Receiver<usize>,
) -> Result<Driven, Error> {
    let mut shift =
        Shift { calls, plan, tracking: Tracking::of(&calls.drivers, driver), driven: Driven::default() };
    while let Some(place) = riders.recv().await {
        if let Some(ride) = plan.ride(place) {
            shift.drive(&ride).await?;
        }
    }
    let Shift { tracking, mut driven, .. } = shift;
    (driven.locations_sent, driven.locations_accepted) = tracking.end().await;
    Ok(driven)
}

/// A driver at work.
struct Shift<'a> {
    calls: &'a Calls,
    plan: &'a Plan,
    tracking: Tracking,
    driven: Driven,
}

impl Shift<'_> {
    async fn drive(&mut self, ride: &fleet::Ride) -> Result<(), Error> {
        self.request(ride).await?;
        if ride.end == End::CancelledAtOnce {
            return self.cancel(ride).await;
        }
        let accepted = self.accept(ride).await?;
        self.locate(ride.stand, accepted.accepted_ms).await;
        self.look(ride).await?;
        let End::Finished { stars } = ride.end else { return self.cancel(ride).await };
        let started = self.start(ride).await?;
        self.locate(ride.pickup, started.started_ms).await;
        let finished = self.finish(ride).await?;
        self.locate(ride.destination, finished.ended_ms).await;
        self.driven.finished += 1;
        self.rate(ride, stars).await
    }

    fn key(&self, what: &str, ride: &fleet::Ride) -> String {
        self.plan.key(&format!("{what}-{}", ride.id))
    }

    async fn request(&self, ride: &fleet::Ride) -> Result<Ride, Error> {
        let request = RequestRideRequest::default()
            .with_id(ride.id.as_str())
            .with_rider_id(ride.rider_id.as_str())
            .with_pickup(point(ride.pickup))
            .with_destination(point(ride.destination));
        let rides = self.calls.rides.with_key(self.key("ride", ride));
        persist(|| rides.request_ride(request.clone())).await
    }

    async fn accept(&self, ride: &fleet::Ride) -> Result<Ride, Error> {
        let request = AcceptRideRequest::default().with_id(ride.id.as_str()).with_driver_id(ride.driver.id);
        let rides = self.calls.rides.with_key(self.key("accept", ride));
        persist(|| rides.accept_ride(request.clone())).await
    }

    async fn start(&self, ride: &fleet::Ride) -> Result<Ride, Error> {
        let request = StartRideRequest::default().with_id(ride.id.as_str());
        let rides = self.calls.rides.with_key(self.key("start", ride));
        persist(|| rides.start_ride(request.clone())).await
    }

    async fn finish(&self, ride: &fleet::Ride) -> Result<Ride, Error> {
        let request = FinishRideRequest::default().with_id(ride.id.as_str());
        let rides = self.calls.rides.with_key(self.key("finish", ride));
        persist(|| rides.finish_ride(request.clone())).await
    }

    async fn cancel(&mut self, ride: &fleet::Ride) -> Result<(), Error> {
        let request = CancelRideRequest::default().with_id(ride.id.as_str()).with_reason("walking after all");
        let rides = self.calls.rides.with_key(self.key("walk", ride));
        persist(|| rides.cancel_ride(request.clone())).await?;
        self.driven.cancelled += 1;
        Ok(())
    }

    async fn rate(&self, ride: &fleet::Ride, stars: i32) -> Result<(), Error> {
        let request = RateDriverRequest::default()
            .with_id(ride.driver.id)
            .with_rating_id(ride.id.as_str())
            .with_stars(stars);
        let drivers = self.calls.drivers.with_key(self.key("rate", ride));
        persist(|| drivers.rate_driver(request.clone())).await.map(drop)
    }

    /// The rider looks who comes, and whether the drivers' owner could tell.
    async fn look(&mut self, ride: &fleet::Ride) -> Result<(), Error> {
        let request = GetRideRequest::default().with_id(ride.id.as_str());
        let shown = persist(|| self.calls.rides.get_ride(request.clone())).await?;
        let source = shown.live.and_then(|live| live.provenance).map(|provenance| provenance.source);
        self.driven.shown_live += u64::from(source == Some(Source::Owner.into()));
        Ok(())
    }

    /// Tells where the driver is, if that is news.
    async fn locate(&mut self, place: Place, time_ms: i64) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let told = Duration::from_millis(u64::try_from(time_ms).unwrap_or(0));
        if now.saturating_sub(told) < NEWS {
            self.tracking.send(place, time_ms).await;
        }
    }
}

fn point(place: Place) -> Point {
    Point::default().with_latitude_e7(place.latitude_e7).with_longitude_e7(place.longitude_e7)
}
