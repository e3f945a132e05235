//! The service by itself: it starts on a free port, lists where the others are, answers who is declared though nobody
//! else is there, and ends when it is told to.

use std::net::{Ipv4Addr, SocketAddr};

use freehold_sdk::gateway::v1::{GatewayClient, GetOrderPageRequest, PartState};
use freehold_sdk::{Mesh, PORTS};
use freehold_server::host::Host;
use freehold_testkit::{PATIENCE, engines};
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn gateway_starts_alone_and_answers_who_is_declared() {
    let database = engines::sqlite();
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into();
    let host = Host {
        listen,
        database_url: database.url().to_owned(),
        bus_url: None,
        trust_metadata: false,
        keep: None,
    };
    let running = gateway::start(host, lonely()).await.unwrap();
    let url = format!("http://{}", running.addr());
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(running.run(shutdown.clone()));
    let listed = Mesh::directory("backoffice", &url).await.unwrap();
    assert!(listed.services().eq(lonely().services()));

    let of = |consumer| {
        GatewayClient::connect(&Mesh::fixed(consumer, [("gateway", url.clone())]))
            .unwrap()
            .with_deadline(PATIENCE)
    };
    let asked = GetOrderPageRequest::default().with_order_id("10248");
    let page = of("backoffice").get_order_page(asked.clone()).await.unwrap();
    assert!(page.partial && page.lines.is_empty(), "{page:?}");
    assert_eq!(page.payment.unwrap().state().unwrap(), PartState::Unavailable);
    let refused = of("orders").get_order_page(asked).await.unwrap_err();
    assert!(refused.message().contains("gateway.v1.GatewayService/GetOrderPage"), "{refused}");
    shutdown.cancel();
    serving.await.unwrap().unwrap();
}

/// A mesh whose services cannot be reached.
fn lonely() -> Mesh {
    Mesh::fixed(gateway::NAME, PORTS.iter().map(|(name, _)| (*name, "http://127.0.0.1:9")))
}
