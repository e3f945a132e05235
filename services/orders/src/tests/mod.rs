//! The service as its generated server answers, over real databases: every test runs on each engine of this run. What it
//! copies comes from real owners over the wire; what it calls is a model that a test can make refuse.

mod baskets;
mod ending;
mod folds;
mod history;
mod listing;
mod others;
mod placing;
mod reading;
mod repeating;
mod resuming;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use freehold_events::bus::Choice;
use freehold_events::feed::Feed;
use freehold_sdk::catalog::v1::{Product, ProductState};
use freehold_sdk::orders::v1 as pb;
use freehold_sdk::orders::v1::OrdersServiceServer;
use freehold_sdk::orders::v1::methods::orders as methods;
use freehold_sdk::users::v1::User;
use freehold_sdk::{CONTRACT, Mesh};
use freehold_server::Server;
use freehold_store::{Queries, Store, StoreError, Work, vals};
use freehold_testkit::{Database, Mounted, Owner, Served, engines, eventually};
use freehold_wire::Context;
use freehold_wire::feed::FeedServiceServer;
use freehold_wire::pb::Envelope;
use tonic::{Code, Status};

use crate::Inside;
use crate::grpc::Grpc;
use others::Others;

/// How long a test waits for what must come true.
const SOON: Duration = Duration::from_secs(60);

/// Everybody else: who is copied from, and who is called.
struct World {
    catalog: Served,
    users: Served,
    others: Others,
    /// How far the service's clock is ahead of the system's, in milliseconds.
    ahead_ms: Arc<AtomicI64>,
}

/// The service, in a world with three products and two customers.
struct Bench {
    store: Store,
    server: Mounted<OrdersServiceServer<Grpc>>,
    copying: freehold_events::Handle,
    sagas: freehold_saga::Handle,
    world: World,
}

/// Runs a test over an empty database of each engine.
async fn on_each_engine(test: impl AsyncFn(&Bench)) {
    for database in engines::each().await {
        eprintln!("on {database}");
        let bench = Bench::start(&database, World::open().await).await;
        test(&bench).await;
        bench.stop().await.end().await;
    }
}

impl World {
    async fn open() -> Self {
        let (catalog, users) = (serve("catalog").await, serve("users").await);
        catalog.put(product("11", "Queso Cabrales", 2100)).await;
        catalog.put(product("42", "Singaporean Hokkien Fried Mee", 1400)).await;
        catalog
            .put(product("5", "Chef Anton's Gumbo Mix", 2135).with_state(ProductState::Discontinued))
            .await;
        users.put(User::default().with_id("VINET").with_name("Paul Henriot")).await;
        users.put(User::default().with_id("TOMSP").with_name("Karin Josephs")).await;
        Self { catalog, users, others: Others::new(), ahead_ms: Arc::default() }
    }

    async fn end(self) {
        self.catalog.end().await;
        self.users.end().await;
    }
}

impl Bench {
    async fn start(database: &Database, world: World) -> Self {
        let store = open(database, &world).await;
        let mesh = Mesh::fixed(crate::NAME, [world.catalog.place(), world.users.place()]);
        let Inside { grpc, copying, sagas } =
            Inside::start(&store, &mesh, &Choice::default(), &world.others.calls()).await.unwrap();
        let server = Mounted::new(OrdersServiceServer::new(grpc), "demo");
        let bench = Self { store, server, copying, sagas, world };
        bench.copied().await;
        bench
    }

    async fn stop(self) -> World {
        self.sagas.stop().await;
        self.copying.stop().await;
        self.store.close().await;
        self.world
    }

    /// Waits until the copies have what their owners have.
    async fn copied(&self) {
        self.copying.caught_up(SOON).await.unwrap();
    }

    async fn place(&self, request: pb::PlaceOrderRequest) -> Result<pb::Order, Status> {
        self.server.call(&methods::PLACE_ORDER, request).await
    }

    async fn get(&self, id: &str) -> Result<pb::Order, Status> {
        self.server.call(&methods::GET_ORDER, pb::GetOrderRequest::default().with_id(id)).await
    }

    async fn cancel(&self, id: &str) -> Result<pb::Order, Status> {
        self.server.call(&methods::CANCEL_ORDER, cancel(id)).await
    }

    async fn ship(&self, id: &str) -> Result<pb::Order, Status> {
        self.server.call(&methods::SHIP_ORDER, pb::ShipOrderRequest::default().with_id(id)).await
    }

    /// All events that are kept, oldest first.
    async fn events(&self) -> Vec<Envelope> {
        freehold_testkit::kept(&self.store).await
    }

    /// How often a type was told.
    async fn told(&self, kind: &str) -> usize {
        self.events().await.iter().filter(|event| event.r#type == kind).count()
    }

    /// How many sagas there are.
    async fn sagas(&self) -> i64 {
        let mut read = self.store.read().await.unwrap();
        let row = read.one("SELECT count(*) AS n FROM freehold_saga", vals![]).await.unwrap();
        row.unwrap().get("n").unwrap()
    }

    async fn execute(&self, sql: &'static str) -> Result<u64, StoreError> {
        let unit = async move |work: &mut Work| work.exec(sql, vals![]).await;
        self.store.unit(&context(), unit).await.map(|(changed, _)| changed)
    }

    /// Lets the service's clock go on by an hour.
    fn an_hour_later(&self) {
        self.world.ahead_ms.fetch_add(HOUR_MS, Ordering::Relaxed);
    }
}

const HOUR_MS: i64 = 3_600_000;

/// An owner that the service reads from, served over the wire.
async fn serve(name: &'static str) -> Served {
    let served = Owner::open(name, &freehold_events::MIGRATIONS).await.serve(|store| {
        let feed = Feed::new(store, &CONTRACT).unwrap();
        Server::new(name, &CONTRACT).serve(FeedServiceServer::new(feed))
    });
    served.await
}

/// Opens the service's database, by a clock that a test can put forward.
async fn open(database: &Database, world: &World) -> Store {
    let ahead_ms = Arc::clone(&world.ahead_ms);
    let clock = move || {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        i64::try_from(since).unwrap() + ahead_ms.load(Ordering::Relaxed)
    };
    let options = crate::options(database.url()).clock(clock);
    freehold_testkit::open(options).await
}

fn product(id: &str, name: &str, price_cents: i64) -> Product {
    Product::default()
        .with_id(id)
        .with_name(name)
        .with_price_cents(price_cents)
        .with_state(ProductState::Active)
}

/// An order of two lines for 392.00.
fn wanted(id: &str) -> pb::PlaceOrderRequest {
    pb::PlaceOrderRequest::default()
        .with_id(id)
        .with_customer_id("VINET")
        .with_lines([line("11", 12), line("42", 10)])
}

fn line(product_id: &str, units: i64) -> pb::NewLine {
    pb::NewLine::default().with_product_id(product_id).with_units(units)
}

fn cancel(id: &str) -> pb::CancelOrderRequest {
    pb::CancelOrderRequest::default().with_id(id).with_reason("no longer wanted")
}

fn context() -> Context {
    Context::new(crate::NAME, SOON)
}

/// How a state forbids what is asked.
fn refused(reason: &str) -> (Code, String) {
    (Code::FailedPrecondition, reason.to_owned())
}
