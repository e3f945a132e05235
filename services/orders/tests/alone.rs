//! The service by itself: it starts on a free port, answers over the wire, and ends when it is told to.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use freehold_sdk::Mesh;
use freehold_sdk::orders::v1::{
    CancelOrderRequest, GetOrderRequest, NewLine, OrdersClient, PlaceOrderRequest,
};
use freehold_server::host::Host;
use freehold_testkit::{PATIENCE, engines};
use tokio_util::sync::CancellationToken;

/// For a call that nobody can answer.
const BRIEFLY: Duration = Duration::from_secs(1);

#[tokio::test]
async fn orders_starts_alone_and_answers_who_is_declared() {
    let database = engines::sqlite();
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into();
    let host = Host {
        listen,
        database_url: database.url().to_owned(),
        bus_url: None,
        trust_metadata: false,
        keep: None,
    };
    let running = orders::start(host, lonely()).await.unwrap();
    let url = format!("http://{}", running.addr());
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(running.run(shutdown.clone()));
    let of = |consumer| {
        OrdersClient::connect(&Mesh::fixed(consumer, [("orders", url.clone())]))
            .unwrap()
            .with_deadline(PATIENCE)
    };
    let unknown = of("demo").get_order(GetOrderRequest::default().with_id("10248")).await.unwrap_err();
    assert!(unknown.is_not_found(), "{unknown}");
    let unknown = of("demo").cancel_order(CancelOrderRequest::default().with_id("10248")).await.unwrap_err();
    assert!(unknown.is_not_found(), "{unknown}");
    let blind = of("demo").with_deadline(BRIEFLY).place_order(wanted()).await.unwrap_err();
    // Which of the two depends on how far the last attempt to reach an owner had come.
    let unanswered = blind.is_unavailable() || blind.is_deadline_exceeded();
    assert!(unanswered, "nobody says who the customer is: {blind}");
    let refused = of("inventory").place_order(wanted()).await.unwrap_err();
    assert!(refused.message().contains("orders.v1.OrdersService/PlaceOrder"), "{refused}");
    shutdown.cancel();
    serving.await.unwrap().unwrap();
}

fn wanted() -> PlaceOrderRequest {
    let line = NewLine::default().with_product_id("11").with_units(1);
    PlaceOrderRequest::default().with_id("10248").with_customer_id("VINET").with_lines([line])
}

/// A mesh whose other services cannot be reached.
fn lonely() -> Mesh {
    let others = ["catalog", "users", "inventory", "payments"];
    Mesh::fixed(orders::NAME, others.map(|name| (name, "http://127.0.0.1:9")))
}
