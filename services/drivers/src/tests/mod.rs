//! The service as its generated server answers, over real databases: every test runs on each engine of this run.

mod erasing;
mod keeping;
mod keys;
mod listing;
mod rating;
mod registering;
mod reporting;
mod tracking;
mod watching;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use freehold_sdk::drivers::v1 as pb;
use freehold_sdk::drivers::v1::DriversServiceServer;
use freehold_sdk::drivers::v1::methods::drivers as methods;
use freehold_store::{Clock, Queries, Store, vals};
use freehold_testkit::{Database, Mounted, engines};
use freehold_wire::pb::Envelope;
use futures_util::stream;
use tonic::Status;

use crate::grpc::Grpc;
use crate::retention::{Retention, Sweeper};
use crate::{Inside, live};

/// Bounds a test that fails; it decides nothing about one that passes.
const LONG: Duration = Duration::from_secs(60);
/// When the tests take place; an hour begins a while before.
const NOW: i64 = 1_700_000_000_000;
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// The service over an empty database.
struct Bench {
    store: Store,
    server: Mounted<DriversServiceServer<Grpc>>,
    sweeper: Sweeper,
    /// What the service takes for the time.
    now: Arc<AtomicI64>,
}

/// Runs a test on an empty database of each engine.
async fn on_each_engine(test: impl AsyncFn(&Bench)) {
    for database in engines::each().await {
        eprintln!("on {database}");
        let (bench, intake) = Bench::open(&database).await;
        test(&bench).await;
        intake.stop().await;
        bench.store.close().await;
    }
}

impl Bench {
    async fn open(database: &Database) -> (Self, live::Handle) {
        let now = Arc::new(AtomicI64::new(NOW));
        let ticking = Arc::clone(&now);
        let clock: Clock = Arc::new(move || ticking.load(Ordering::Relaxed));
        let units = Arc::clone(&clock);
        let options = crate::options(database.url()).throwaway_server().clock(move || units());
        let store = Store::open(options).await.unwrap();
        let Inside { grpc, intake } = Inside::new(&store, clock, Retention::default());
        let sweeper = grpc.sweeper.clone();
        let server = Mounted::new(DriversServiceServer::new(grpc), "demo");
        (Self { store, server, sweeper, now }, intake)
    }

    async fn register(&self, request: pb::RegisterDriverRequest) -> Result<pb::DriverProfile, Status> {
        self.server.call(&methods::REGISTER_DRIVER, request).await
    }

    /// Registers drivers of these ids.
    async fn have(&self, ids: &[&str]) {
        for id in ids {
            self.register(ada().with_id(*id)).await.unwrap();
        }
    }

    async fn get(&self, id: &str) -> Result<pb::DriverProfile, Status> {
        self.server.call(&methods::GET_DRIVER, pb::GetDriverRequest::default().with_id(id)).await
    }

    async fn update(&self, request: pb::UpdateDriverRequest) -> Result<pb::DriverProfile, Status> {
        self.server.call(&methods::UPDATE_DRIVER, request).await
    }

    async fn change_standing(&self, id: &str, standing: pb::Standing) -> Result<pb::DriverProfile, Status> {
        let request = pb::ChangeStandingRequest::default().with_id(id).with_standing(standing);
        self.server.call(&methods::CHANGE_STANDING, request).await
    }

    async fn rate(&self, id: &str, rating: &str, stars: i32) -> Result<pb::Rating, Status> {
        let request = pb::RateDriverRequest::default().with_id(id).with_rating_id(rating).with_stars(stars);
        self.server.call(&methods::RATE_DRIVER, request).await
    }

    async fn erase(&self, id: &str) -> Result<pb::EraseDriverResponse, Status> {
        self.server.call(&methods::ERASE_DRIVER, pb::EraseDriverRequest::default().with_id(id)).await
    }

    async fn report(
        &self,
        messages: Vec<pb::ReportLocationsRequest>,
    ) -> Result<pb::ReportLocationsResponse, Status> {
        self.server.collect(&methods::REPORT_LOCATIONS, stream::iter(messages)).await
    }

    /// Reports that the driver was somewhere at these times; how many were kept and refused.
    async fn seen(&self, id: &str, times: impl IntoIterator<Item = i64>) -> (i64, i64) {
        let reports = times.into_iter().map(|time_ms| report(id, time_ms)).collect();
        let reply = self.report(reports).await.unwrap();
        (reply.accepted, reply.refused)
    }

    async fn locate(&self, id: &str) -> Result<pb::Position, Status> {
        let request = pb::GetLocationRequest::default().with_driver_id(id);
        self.server.call(&methods::GET_LOCATION, request).await
    }

    async fn track(&self, request: pb::ListTrackRequest) -> Result<pb::ListTrackResponse, Status> {
        self.server.call(&methods::LIST_TRACK, request).await
    }

    /// The times of a whole track, oldest first.
    async fn times(&self, id: &str) -> Vec<i64> {
        let all = pb::ListTrackRequest::default().with_driver_id(id).with_page_size(1000);
        let mut times = times(&self.track(all).await.unwrap().locations);
        times.reverse();
        times
    }

    /// All events that are kept, oldest first.
    async fn events(&self) -> Vec<Envelope> {
        freehold_testkit::kept(&self.store).await
    }

    /// How many rows a table has.
    async fn rows(&self, count: &'static str) -> i64 {
        let row = self.store.read().await.unwrap().one(count, vals![]).await.unwrap();
        row.unwrap().get("rows").unwrap()
    }
}

/// Somebody who can be registered.
fn ada() -> pb::RegisterDriverRequest {
    let vehicle =
        pb::Vehicle::default().with_plate("B-AL 1815").with_model("Analytical Engine").with_seats(4);
    pb::RegisterDriverRequest::default()
        .with_id("ada")
        .with_name("Ada Lovelace")
        .with_phone("+44 20 7946 0001")
        .with_vehicle(vehicle)
}

/// A place that changes with the time, so that no two are alike.
fn place(time_ms: i64) -> pb::Location {
    let east = i32::try_from(time_ms - NOW + DAY).unwrap_or(0);
    pb::Location::default().with_latitude_e7(525_200_066).with_longitude_e7(east).with_time_ms(time_ms)
}

fn report(id: &str, time_ms: i64) -> pb::ReportLocationsRequest {
    pb::ReportLocationsRequest::default().with_driver_id(id).with_location(place(time_ms))
}

fn times(locations: &[pb::Location]) -> Vec<i64> {
    locations.iter().map(|location| location.time_ms).collect()
}
