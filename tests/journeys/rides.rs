//! Rides while their drivers' owner stops, freezes and comes back: each part of an answer comes from where its contract
//! says, and says so.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use freehold_sdk::drivers::v1::{
    DriversClient, Location, RegisterDriverRequest, ReportLocationsRequest, Vehicle,
};
use freehold_sdk::rides::v1::{
    AcceptRideRequest, GetRideRequest, GetRideResponse, Point, Provenance, RequestRideRequest, RidesClient,
    Source,
};
use freehold_sdk::users::v1::{RegisterUserRequest, UsersClient};
use freehold_sdk::{Requests, Session};
use freehold_testkit::process::Signal;
use freehold_testkit::{PATIENCE, Scratch, eventually};
use futures_util::stream;

use crate::apart::Apart;
use crate::mesh::is_sound;

/// How old a driver's copy may be, by the contract of rides.
const MAX_STALENESS: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_ride_is_shown_while_its_drivers_owner_is_away_and_says_what_it_lacks() {
    let scratch = Scratch::new("rides");
    let mut apart = Apart::start(scratch.path()).await;
    let riding = Riding::new(&apart);
    riding.furnish().await;
    riding.ride("r1").await;
    eventually("a permit", PATIENCE, async || riding.accepted("r1").await).await;
    riding.ride("r2").await;
    eventually("all of it", PATIENCE, async || riding.shown().await.live_as_it_should()).await;

    apart.stop("drivers").await;
    let shown = riding.shown().await;
    assert_eq!(shown.driver_name(), "Ada Lovelace");
    eventually("an old copy", PATIENCE, async || riding.shown().await.stale_as_it_should()).await;
    let refused = riding.accept("r2").await.unwrap_err();
    assert_eq!(refused.reason(), "COPY_STALE", "nobody takes a ride by an old permit: {refused}");

    apart.begin("drivers");
    apart.serves().await;
    eventually("all of it again", PATIENCE, async || riding.shown().await.live_as_it_should()).await;
    // Each copy finds its owner again by itself.
    eventually("a permit that is young again", PATIENCE, async || riding.accepted("r2").await).await;

    apart.signal("drivers", Signal::Stop);
    eventually("an old copy again", PATIENCE, async || riding.shown().await.stale_as_it_should()).await;
    // An owner that is asked in vain each time takes its share of what a caller gives, and never all of it. Planted: it
    // takes five seconds, or all that there is.
    let five_in_time = async || {
        for _ in 0..5 {
            riding.shown_within(Duration::from_millis(500)).await?.stale_as_it_should()?;
        }
        Some(())
    };
    eventually("answers to somebody in a hurry", PATIENCE, five_in_time).await;
    apart.signal("drivers", Signal::Continue);
    eventually("all of it at last", PATIENCE, async || riding.shown().await.live_as_it_should()).await;
    is_sound(scratch.path()).await;
}

/// Somebody who rides.
struct Riding {
    users: UsersClient,
    drivers: DriversClient,
    rides: RidesClient,
}

impl Riding {
    fn new(apart: &Apart) -> Self {
        let (mesh, session) = (apart.mesh("demo"), Session::new());
        Self {
            users: UsersClient::connect(&mesh).unwrap().with_session(&session).with_deadline(PATIENCE),
            drivers: DriversClient::connect(&mesh).unwrap().with_session(&session).with_deadline(PATIENCE),
            rides: RidesClient::connect(&mesh).unwrap().with_session(&session).with_deadline(PATIENCE),
        }
    }

    /// A rider, and a driver who has been seen.
    async fn furnish(&self) {
        let rider = RegisterUserRequest::default().with_id("VINET").with_name("Paul Henriot");
        self.users.register_user(rider.with_email("vinet@example.com")).await.unwrap();
        let vehicle = Vehicle::default().with_plate("B-AL 1815").with_seats(4);
        let driver = RegisterDriverRequest::default().with_id("ada").with_name("Ada Lovelace");
        self.drivers.register_driver(driver.with_phone("030 1815").with_vehicle(vehicle)).await.unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let location = Location::default().with_latitude_e7(525_200_066).with_time_ms(now as i64);
        let report = ReportLocationsRequest::default().with_driver_id("ada").with_location(location);
        let reported = self.drivers.report_locations(Requests::new(stream::iter([report]))).await.unwrap();
        assert_eq!(reported.accepted, 1);
    }

    async fn ride(&self, id: &str) {
        let ride = RequestRideRequest::default().with_id(id).with_rider_id("VINET");
        let ride = ride.with_pickup(Point::default()).with_destination(Point::default());
        self.rides.request_ride(ride).await.unwrap();
    }

    async fn accept(&self, id: &str) -> Result<(), freehold_sdk::Error> {
        let request = AcceptRideRequest::default().with_id(id).with_driver_id("ada");
        self.rides.with_key(format!("accept-{id}")).accept_ride(request).await.map(drop)
    }

    /// Once the ride is accepted: it is not while the permits are too old.
    async fn accepted(&self, id: &str) -> Option<()> {
        match self.accept(id).await {
            Ok(()) => Some(()),
            Err(error) if error.is_retryable_with_same_key() => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// The first ride, as somebody sees it who has seen nothing yet: what they get is old by its age alone. Whatever is
    /// away, it is shown.
    async fn shown(&self) -> Shown {
        let rides = self.rides.with_session(&Session::new());
        Shown(rides.get_ride(GetRideRequest::default().with_id("r1")).await.unwrap())
    }

    /// The same for somebody who waits no longer than that; nothing where it takes longer.
    async fn shown_within(&self, budget: Duration) -> Option<Shown> {
        let rides = self.rides.with_session(&Session::new()).with_deadline(budget);
        rides.get_ride(GetRideRequest::default().with_id("r1")).await.ok().map(Shown)
    }
}

/// A ride as it was shown.
struct Shown(GetRideResponse);

impl Shown {
    fn driver_name(&self) -> &str {
        &self.0.driver.as_ref().unwrap().name
    }

    /// Where driver, vehicle and location came from.
    fn provenances(&self) -> [&Provenance; 3] {
        let (driver, live) = (self.0.driver.as_ref().unwrap(), self.0.live.as_ref().unwrap());
        [&driver.provenance, &live.provenance, &live.location_provenance]
            .map(|provenance| provenance.as_ref().unwrap())
    }

    fn sources(&self) -> [Source; 3] {
        self.provenances().map(|provenance| provenance.source().unwrap())
    }

    /// Once all of it is there: the driver from a copy that is young, the rest from the owner.
    fn live_as_it_should(&self) -> Option<()> {
        let [driver, profile, location] = self.provenances();
        let there = self.sources() == [Source::Copy, Source::Owner, Source::Owner] && !driver.stale;
        let live = self.0.live.as_ref().unwrap();
        if there {
            assert_eq!(self.driver_name(), "Ada Lovelace");
            assert_eq!(live.vehicle.as_ref().unwrap().plate, "B-AL 1815");
            assert_eq!(live.location.as_ref().unwrap().point.as_ref().unwrap().latitude_e7, 525_200_066);
            assert!(
                [driver, profile, location]
                    .iter()
                    .all(|part| part.reason.is_empty() && part.age_ms.is_some())
            );
        }
        there.then_some(())
    }

    /// Once the copy is old: the driver is shown from it, and it says so; the rest is not there, and says why.
    fn stale_as_it_should(&self) -> Option<()> {
        let [driver, profile, location] = self.provenances();
        let old = driver.stale && self.sources() == [Source::Copy, Source::None, Source::None];
        if old {
            assert_eq!(self.driver_name(), "Ada Lovelace");
            assert!(driver.age_ms > i64::try_from(MAX_STALENESS.as_millis()).ok(), "{driver:?}");
            for part in [driver, profile, location] {
                let unanswered = ["OWNER_UNAVAILABLE", "OWNER_TIMEOUT"].contains(&part.reason.as_str());
                assert!(unanswered, "{part:?}");
            }
        }
        old.then_some(())
    }
}
