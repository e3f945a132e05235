//! The service by itself: it starts on a free port, answers over the wire, and ends when it is told to.

use std::net::{Ipv4Addr, SocketAddr};

use freehold_sdk::Mesh;
use freehold_sdk::inventory::v1::{GetStockRequest, InventoryClient, RestockRequest, ShipRequest};
use freehold_server::host::Host;
use freehold_testkit::{PATIENCE, engines};
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn inventory_starts_alone_and_answers_who_is_declared() {
    let database = engines::sqlite();
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into();
    let host = Host {
        listen,
        database_url: database.url().to_owned(),
        bus_url: None,
        trust_metadata: false,
        keep: None,
    };
    let running = inventory::start(host, lonely()).await.unwrap();
    let mesh = Mesh::fixed("demo", [("inventory", format!("http://{}", running.addr()))]);
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(running.run(shutdown.clone()));
    let inventory = InventoryClient::connect(&mesh).unwrap().with_deadline(PATIENCE);
    let delivery = RestockRequest::default().with_product_id("1").with_units(10).with_delivery_id("d1");
    let stock = inventory.restock(delivery).await.unwrap();
    let found = inventory.get_stock(GetStockRequest::default().with_product_id("1")).await.unwrap();
    assert_eq!(stock, found);
    let refused = inventory.ship(ShipRequest::default().with_id("10248")).await.unwrap_err();
    assert!(refused.message().contains("inventory.v1.InventoryService/Ship"), "{refused}");
    shutdown.cancel();
    serving.await.unwrap().unwrap();
}

/// A mesh whose only other service cannot be reached.
fn lonely() -> Mesh {
    Mesh::fixed(inventory::NAME, [("orders", "http://127.0.0.1:9")])
}
