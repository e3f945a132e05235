//! The service as its generated server answers, over real databases: every test runs on each engine of this run. What it
//! copies comes from real owners over the wire; what it asks of drivers is a model that a test can make refuse.

mod accepting;
mod fleet;
mod listing;
mod moving;
mod repeating;
mod requesting;
mod showing;
mod staleness;

use std::time::Duration;

use freehold_events::feed::Feed;
use freehold_sdk::drivers::v1::{Driver, DriversClient, Permit, Standing};
use freehold_sdk::rides::v1 as pb;
use freehold_sdk::rides::v1::RidesServiceServer;
use freehold_sdk::rides::v1::methods::rides as methods;
use freehold_sdk::users::v1::User;
use freehold_sdk::{CONTRACT, Mesh};
use freehold_server::Server;
use freehold_store::{Queries, Store, StoreError, Work, vals};
use freehold_testkit::{Database, Mounted, Owner, Served, engines};
use freehold_wire::pb::Envelope;
use freehold_wire::{Context, Event};
use tonic::{Code, Status};

use crate::Inside;
use crate::generated::Calls;
use crate::grpc::Grpc;
use fleet::Fleet;

/// How long a test waits for what must come true.
const SOON: Duration = Duration::from_secs(60);
/// By how much a copy is too old where it stands still.
const HOUR_MS: i64 = 3_600_000;

/// Everybody else: who is copied from, and who is called.
struct World {
    drivers: Served,
    users: Served,
    fleet: Fleet,
}

/// The service, in a world with two riders, a driver who may take rides and one who may not.
struct Bench {
    url: String,
    store: Store,
    server: Mounted<RidesServiceServer<Grpc>>,
    /// `None` where the copies stand still.
    copying: Option<freehold_events::Handle>,
    world: World,
}

/// Runs a test over an empty database of each engine.
async fn on_each_engine(test: impl AsyncFn(&mut Bench)) {
    for database in engines::each().await {
        eprintln!("on {database}");
        let mut bench = Bench::start(&database, World::open().await).await;
        test(&mut bench).await;
        bench.end().await;
    }
}

impl World {
    async fn open() -> Self {
        let (drivers, users) = (serve("drivers").await, serve("users").await);
        for (id, name, standing) in
            [("ada", "Ada Lovelace", Standing::Good), ("bob", "Bob Turner", Standing::Suspended)]
        {
            drivers.put(driver(id, name)).await;
            drivers.put(permit(id, standing)).await;
        }
        users.put(rider("VINET", "Paul Henriot")).await;
        users.put(rider("TOMSP", "Karin Josephs")).await;
        Self { drivers, users, fleet: Fleet::new() }
    }

    fn mesh(&self) -> Mesh {
        Mesh::fixed(crate::NAME, [self.drivers.place(), self.users.place()])
    }

    fn calls(&self) -> Calls {
        Calls { drivers: DriversClient::from_stub(self.fleet.clone()) }
    }
}

impl Bench {
    async fn start(database: &Database, world: World) -> Self {
        let url = database.url().to_owned();
        let store = freehold_testkit::open(crate::options(&url)).await;
        let Inside { grpc, copying } = Inside::new(&store, &world.mesh(), world.calls()).await.unwrap();
        let server = Mounted::new(RidesServiceServer::new(grpc), "demo");
        let bench = Self { url, store, server, copying: Some(copying.start()), world };
        bench.copied().await;
        bench
    }

    async fn end(mut self) {
        self.stand_still().await;
        self.store.close().await;
        self.world.drivers.end().await;
        self.world.users.end().await;
    }

    /// Waits until the copies have what their owners have.
    async fn copied(&self) {
        self.copying.as_ref().expect("the copies are kept").caught_up(SOON).await.unwrap();
    }

    /// From now on nothing is copied, though the owners are there.
    async fn stand_still(&mut self) {
        if let Some(copying) = self.copying.take() {
            copying.stop().await;
        }
    }

    /// Starts the service anew, an hour after it last heard of the owners; the copies stand still.
    async fn an_hour_later(&mut self) {
        self.anew_after("UPDATE freehold_position SET moved_ms = moved_ms - 3600000").await;
    }

    /// The same before the owners were first heard of.
    async fn without_copies(&mut self) {
        self.anew_after("UPDATE freehold_replica SET ready = FALSE").await;
    }

    async fn anew_after(&mut self, sql: &'static str) {
        self.stand_still().await;
        let change = async move |work: &mut Work| work.exec(sql, vals![]).await;
        let changed = self.store.unit::<_, StoreError, _>(&Context::new(crate::NAME, SOON), change).await;
        assert_eq!(changed.unwrap().0, 3, "one for each copy");
        self.store.close().await;
        self.store = freehold_testkit::open(crate::options(&self.url)).await;
        let inside = Inside::new(&self.store, &self.world.mesh(), self.world.calls()).await.unwrap();
        self.server = Mounted::new(RidesServiceServer::new(inside.grpc), "demo");
    }

    async fn request(&self, request: pb::RequestRideRequest) -> Result<pb::Ride, Status> {
        self.server.call(&methods::REQUEST_RIDE, request).await
    }

    async fn accept(&self, id: &str, driver: &str) -> Result<pb::Ride, Status> {
        self.server.call(&methods::ACCEPT_RIDE, accept(id, driver)).await
    }

    async fn start_ride(&self, id: &str) -> Result<pb::Ride, Status> {
        self.server.call(&methods::START_RIDE, pb::StartRideRequest::default().with_id(id)).await
    }

    async fn finish(&self, id: &str) -> Result<pb::Ride, Status> {
        self.server.call(&methods::FINISH_RIDE, pb::FinishRideRequest::default().with_id(id)).await
    }

    async fn cancel(&self, id: &str) -> Result<pb::Ride, Status> {
        let request = pb::CancelRideRequest::default().with_id(id).with_reason("it rains no more");
        self.server.call(&methods::CANCEL_RIDE, request).await
    }

    async fn get(&self, id: &str) -> Result<pb::GetRideResponse, Status> {
        self.server.call(&methods::GET_RIDE, pb::GetRideRequest::default().with_id(id)).await
    }

    /// A ride that a driver has taken.
    async fn accepted(&self, id: &str) {
        self.request(wanted(id)).await.unwrap();
        self.accept(id, "ada").await.unwrap();
    }

    /// The types of all events of rides that are kept, oldest first; changes left out.
    async fn told(&self) -> Vec<String> {
        let kept = freehold_testkit::kept(&self.store).await;
        let kinds = kept.into_iter().map(|event: Envelope| event.r#type);
        kinds.filter(|kind| kind != "rides.v1.Ride").collect()
    }
}

/// An owner that the service reads from, served over the wire.
async fn serve(name: &'static str) -> Served {
    let served = Owner::open(name, &freehold_events::MIGRATIONS).await.serve(|store| {
        let feed = Feed::new(store, &CONTRACT).unwrap();
        Server::new(name, &CONTRACT).serve(freehold_wire::feed::FeedServiceServer::new(feed))
    });
    served.await
}

fn driver(id: &str, name: &str) -> Driver {
    Driver::default().with_id(id).with_name(name).with_phone("+44 20 7946 0001")
}

fn permit(id: &str, standing: Standing) -> Permit {
    Permit::default().with_driver_id(id).with_standing(standing)
}

fn rider(id: &str, name: &str) -> User {
    User::default().with_id(id).with_name(name)
}

/// A ride of one of the riders.
fn wanted(id: &str) -> pb::RequestRideRequest {
    pb::RequestRideRequest::default()
        .with_id(id)
        .with_rider_id("VINET")
        .with_pickup(point(525_200_066, 134_049_540))
        .with_destination(point(-900_000_000, 1_800_000_000))
}

fn point(latitude_e7: i32, longitude_e7: i32) -> pb::Point {
    pb::Point::default().with_latitude_e7(latitude_e7).with_longitude_e7(longitude_e7)
}

fn accept(id: &str, driver: &str) -> pb::AcceptRideRequest {
    pb::AcceptRideRequest::default().with_id(id).with_driver_id(driver)
}

/// How a state forbids what is asked.
fn refused(reason: &str) -> (Code, String) {
    (Code::FailedPrecondition, reason.to_owned())
}

/// How it is said that something cannot be told now.
fn unavailable(reason: &str) -> (Code, String) {
    (Code::Unavailable, reason.to_owned())
}
