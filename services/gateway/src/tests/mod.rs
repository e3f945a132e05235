//! The service as its generated server answers, over real databases: every test runs on each engine of this run. The
//! owners behind it are models that a test can keep from answering.

mod deaths;
mod pages;
mod records;
mod replacing;
mod world;

use std::time::Duration;

use freehold_sdk::gateway::v1 as pb;
use freehold_sdk::gateway::v1::GatewayServiceServer;
use freehold_sdk::gateway::v1::methods::gateway as methods;
use freehold_store::Store;
use freehold_testkit::{Database, Mounted, engines};
use freehold_wire::Context;
use tonic::{Code, Status};

use crate::Inside;
use crate::grpc::Grpc;
use world::World;

/// How long a test waits for what must come true.
const SOON: Duration = Duration::from_secs(60);

/// The service, in a world with one order of two products by one customer.
struct Bench {
    store: Store,
    server: Mounted<GatewayServiceServer<Grpc>>,
    sagas: freehold_saga::Handle,
    world: World,
}

/// Runs a test over an empty database of each engine.
async fn on_each_engine(test: impl AsyncFn(&Bench)) {
    for database in engines::each().await {
        eprintln!("on {database}");
        let bench = Bench::start(&database, World::new()).await;
        test(&bench).await;
        bench.stop().await;
    }
}

impl Bench {
    async fn start(database: &Database, world: World) -> Self {
        let store = freehold_testkit::open(crate::options(database.url())).await;
        let Inside { grpc, sagas } = Inside::start(&store, world.calls(), running()).unwrap();
        let server = Mounted::new(GatewayServiceServer::new(grpc), "backoffice");
        Self { store, server, sagas, world }
    }

    /// Ends as a process that is killed does: what is under way is dropped where it stands.
    async fn stop(self) {
        self.sagas.stop().await;
        self.store.close().await;
    }

    async fn page(&self, request: pb::GetOrderPageRequest) -> Result<pb::OrderPage, Status> {
        self.server.call(&methods::GET_ORDER_PAGE, request).await
    }

    async fn replace(&self, request: pb::ReplaceProductRequest) -> Result<pb::ProductReplacement, Status> {
        self.server.call(&methods::REPLACE_PRODUCT, request).await
    }
}

/// Steps get no time to end: who stops, dies. And nobody waits long before an attempt is repeated.
fn running() -> freehold_saga::Options {
    let mut options = freehold_saga::Options { grace: Duration::ZERO, ..Default::default() };
    options.backoff.first = Duration::from_millis(5);
    options
}

/// Asks for the page of the one order.
fn page() -> pb::GetOrderPageRequest {
    pb::GetOrderPageRequest::default().with_order_id("10248")
}

/// Asks to replace the one product by the other.
fn replace(id: &str) -> pb::ReplaceProductRequest {
    pb::ReplaceProductRequest::default().with_id(id).with_product_id("11").with_by_product_id("42")
}

fn context() -> Context {
    Context::new(crate::NAME, SOON)
}

/// How a state forbids what is asked.
fn refused(reason: &str) -> (Code, String) {
    (Code::FailedPrecondition, reason.to_owned())
}
