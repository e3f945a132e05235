//! The service as its generated server answers, over real databases: every test runs on each engine of this run.

mod books;
mod conservation;
mod listing;
mod reacting;
mod reserving;
mod restocking;

use std::time::Duration;

use freehold_events::ReactionError;
use freehold_sdk::inventory::v1 as pb;
use freehold_sdk::inventory::v1::InventoryServiceServer;
use freehold_sdk::inventory::v1::methods::inventory as methods;
use freehold_store::{Store, Work};
use freehold_testkit::{Database, Mounted, engines};
use freehold_wire::Context;
use freehold_wire::pb::Envelope;
use tonic::Status;

use crate::generated::{OrderCancelledView, OrderShippedView};
use crate::grpc::Grpc;
use crate::reactions::{order_cancelled, order_shipped};

/// The service over an empty database.
struct Bench {
    store: Store,
    server: Mounted<InventoryServiceServer<Grpc>>,
}

/// Runs a test on an empty database of each engine.
async fn on_each_engine(test: impl AsyncFn(&Bench)) {
    for database in engines::each().await {
        eprintln!("on {database}");
        let bench = Bench::open(&database).await;
        test(&bench).await;
        bench.store.close().await;
    }
}

impl Bench {
    async fn open(database: &Database) -> Self {
        let store = Store::open(crate::options(database.url()).throwaway_server()).await.unwrap();
        let server = Mounted::new(InventoryServiceServer::new(Grpc { store: store.clone() }), "orders");
        Self { store, server }
    }

    async fn restock(&self, delivery_id: &str, product_id: &str, units: i64) -> Result<pb::Stock, Status> {
        self.server.call(&methods::RESTOCK, restock(delivery_id, product_id, units)).await
    }

    async fn stock(&self, product_id: &str) -> Result<pb::Stock, Status> {
        let request = pb::GetStockRequest::default().with_product_id(product_id);
        self.server.call(&methods::GET_STOCK, request).await
    }

    /// What lies on the shelf, and what of it is held.
    async fn units(&self, product_id: &str) -> (i64, i64) {
        let stock = self.stock(product_id).await.unwrap();
        (stock.on_hand_units, stock.reserved_units)
    }

    async fn reserve(&self, id: &str, lines: &[(&str, i64)]) -> Result<pb::Reservation, Status> {
        self.server.call(&methods::RESERVE, reserve(id, lines)).await
    }

    async fn release(&self, id: &str) -> Result<pb::Reservation, Status> {
        self.server.call(&methods::RELEASE, pb::ReleaseRequest::default().with_id(id)).await
    }

    async fn ship(&self, id: &str) -> Result<pb::Reservation, Status> {
        self.server.call(&methods::SHIP, pb::ShipRequest::default().with_id(id)).await
    }

    /// Reacts to an order that was shipped.
    async fn order_shipped(&self, id: &str) -> Result<(), ReactionError> {
        let event = OrderShippedView::default().with_order_id(id);
        let unit = async move |work: &mut Work| order_shipped::react(work, &event).await;
        self.store.unit(&reacting(), unit).await.map(|((), _)| ())
    }

    /// Reacts to an order that was cancelled.
    async fn order_cancelled(&self, id: &str) -> Result<(), ReactionError> {
        let event = OrderCancelledView::default().with_order_id(id);
        let unit = async move |work: &mut Work| order_cancelled::react(work, &event).await;
        self.store.unit(&reacting(), unit).await.map(|((), _)| ())
    }

    /// All events that are kept, oldest first.
    async fn events(&self) -> Vec<Envelope> {
        freehold_testkit::kept(&self.store).await
    }
}

fn restock(delivery_id: &str, product_id: &str, units: i64) -> pb::RestockRequest {
    pb::RestockRequest::default().with_delivery_id(delivery_id).with_product_id(product_id).with_units(units)
}

fn reserve(id: &str, lines: &[(&str, i64)]) -> pb::ReserveRequest {
    let line = |(product_id, units): &(&str, i64)| {
        pb::StockLine::default().with_product_id(*product_id).with_units(*units)
    };
    pb::ReserveRequest::default().with_id(id).with_lines(lines.iter().map(line))
}

fn reacting() -> Context {
    Context::new(crate::NAME, Duration::from_secs(10))
}
