//! The service as its generated server answers, over real databases: every test runs on each engine of this run.

mod attributes;
mod ending;
mod keys;
mod listing;
mod pricing;
mod reinstating;
mod selling;

use freehold_sdk::Mesh;
use freehold_sdk::catalog::v1 as pb;
use freehold_sdk::catalog::v1::CatalogServiceServer;
use freehold_sdk::catalog::v1::methods::catalog as methods;
use freehold_store::Store;
use freehold_testkit::{Database, Mounted, engines};
use freehold_wire::pb::Envelope;
use tonic::Status;

use crate::grpc::Grpc;

/// The service over an empty database.
struct Bench {
    store: Store,
    server: Mounted<CatalogServiceServer<Grpc>>,
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
        let mesh = Mesh::fixed(crate::NAME, [("orders", "http://127.0.0.1:9")]);
        let sales = crate::sales::projection().rebuilds(&mesh).unwrap();
        let server = Mounted::new(CatalogServiceServer::new(Grpc { store: store.clone(), sales }), "demo");
        Self { store, server }
    }

    async fn create(&self, request: pb::CreateProductRequest) -> Result<pb::Product, Status> {
        self.server.call(&methods::CREATE_PRODUCT, request).await
    }

    async fn get(&self, id: &str) -> Result<pb::Product, Status> {
        self.server.call(&methods::GET_PRODUCT, pb::GetProductRequest::default().with_id(id)).await
    }

    async fn change_price(&self, id: &str, cents: i64) -> Result<pb::Product, Status> {
        let request = pb::ChangePriceRequest::default().with_id(id).with_price_cents(cents);
        self.server.call(&methods::CHANGE_PRICE, request).await
    }

    async fn discontinue(&self, id: &str) -> Result<pb::Product, Status> {
        let request = pb::DiscontinueProductRequest::default().with_id(id);
        self.server.call(&methods::DISCONTINUE_PRODUCT, request).await
    }

    async fn delete(&self, id: &str) -> Result<pb::DeleteProductResponse, Status> {
        self.server.call(&methods::DELETE_PRODUCT, pb::DeleteProductRequest::default().with_id(id)).await
    }

    async fn prices(&self, ids: &[&str]) -> Result<pb::BatchGetPricesResponse, Status> {
        let request = pb::BatchGetPricesRequest::default().with_product_ids(ids.iter().copied());
        self.server.call(&methods::BATCH_GET_PRICES, request).await
    }

    /// All events that are kept, oldest first.
    async fn events(&self) -> Vec<Envelope> {
        freehold_testkit::kept(&self.store).await
    }

    /// The types and versions of all events that are kept, oldest first.
    async fn told(&self) -> Vec<(String, i64)> {
        self.events().await.into_iter().map(|event| (event.r#type, event.version)).collect()
    }
}

/// Something that can be created.
fn chai() -> pb::CreateProductRequest {
    pb::CreateProductRequest::default()
        .with_id("1")
        .with_name("Chai")
        .with_price_cents(1800)
        .with_cost_cents(987_654_321)
        .with_buyer_email("buyer@example.com")
        .with_category("Beverages")
}

/// What was told, in words.
fn words<const N: usize>(told: [(&str, i64); N]) -> Vec<(String, i64)> {
    told.map(|(kind, version)| (kind.to_owned(), version)).to_vec()
}
