//! The service by itself: it starts on a free port, answers over the wire, and ends when it is told to.

use std::net::{Ipv4Addr, SocketAddr};

use freehold_sdk::Mesh;
use freehold_sdk::payments::v1::{GetAccountRequest, OpenAccountRequest, PaymentsClient, RefundRequest};
use freehold_server::host::Host;
use freehold_testkit::{PATIENCE, engines};
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn payments_starts_alone_and_answers_who_is_declared() {
    let database = engines::sqlite();
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into();
    let host = Host {
        listen,
        database_url: database.url().to_owned(),
        bus_url: None,
        trust_metadata: false,
        keep: None,
    };
    let running = payments::start(host, lonely()).await.unwrap();
    let mesh = Mesh::fixed("demo", [("payments", format!("http://{}", running.addr()))]);
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(running.run(shutdown.clone()));
    let payments = PaymentsClient::connect(&mesh).unwrap().with_deadline(PATIENCE);
    let account = OpenAccountRequest::default().with_customer_id("ALFKI").with_opening_cents(1000);
    let opened = payments.open_account(account).await.unwrap();
    let found = payments.get_account(GetAccountRequest::default().with_customer_id("ALFKI")).await.unwrap();
    assert_eq!(opened, found);
    let refused = payments.refund(RefundRequest::default().with_id("10248")).await.unwrap_err();
    assert!(refused.message().contains("payments.v1.PaymentsService/Refund"), "{refused}");
    shutdown.cancel();
    serving.await.unwrap().unwrap();
}

/// A mesh whose only other service cannot be reached.
fn lonely() -> Mesh {
    Mesh::fixed(payments::NAME, [("orders", "http://127.0.0.1:9")])
}
