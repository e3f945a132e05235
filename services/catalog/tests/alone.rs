//! The service by itself: it starts on a free port, answers over the wire, and ends when it is told to.

use std::net::{Ipv4Addr, SocketAddr};

use freehold_sdk::Mesh;
use freehold_sdk::catalog::v1::{
    CatalogClient, CreateProductRequest, DeleteProductRequest, GetProductRequest,
};
use freehold_server::host::Host;
use freehold_testkit::{PATIENCE, engines};
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn catalog_starts_alone_and_answers_who_is_declared() {
    let database = engines::sqlite();
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into();
    let host = Host {
        listen,
        database_url: database.url().to_owned(),
        bus_url: None,
        trust_metadata: false,
        keep: None,
    };
    let running = catalog::start(host, lonely()).await.unwrap();
    let mesh = Mesh::fixed("demo", [("catalog", format!("http://{}", running.addr()))]);
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(running.run(shutdown.clone()));
    let catalog = CatalogClient::connect(&mesh).unwrap().with_deadline(PATIENCE);
    let chai = CreateProductRequest::default().with_id("1").with_name("Chai").with_cost_cents(900);
    let created = catalog.create_product(chai).await.unwrap();
    let found = catalog.get_product(GetProductRequest::default().with_id("1")).await.unwrap();
    assert_eq!((&created, found.cost_cents), (&found, 0));
    let refused = catalog.delete_product(DeleteProductRequest::default().with_id("1")).await.unwrap_err();
    assert!(refused.message().contains("catalog.v1.CatalogService/DeleteProduct"), "{refused}");
    shutdown.cancel();
    serving.await.unwrap().unwrap();
}

/// A mesh whose only other service cannot be reached.
fn lonely() -> Mesh {
    Mesh::fixed(catalog::NAME, [("orders", "http://127.0.0.1:9")])
}
