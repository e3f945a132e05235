//! The service by itself: it starts on a free port, answers over the wire, and ends when it is told to.

use std::net::{Ipv4Addr, SocketAddr};

use freehold_sdk::widgets::v1::{GetWidgetRequest, WidgetsClient};
use freehold_sdk::{Mesh, PORTS};
use freehold_server::host::Host;
use freehold_testkit::engines;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn widgets_starts_alone_and_answers() {
    let database = engines::sqlite();
    let host = Host {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into(),
        database_url: database.url().to_owned(),
        bus_url: None,
        trust_metadata: false,
        keep: None,
    };
    let nobody_answers = PORTS.iter().map(|(name, _)| (*name, "http://127.0.0.1:9"));
    let mesh = Mesh::fixed(widgets::NAME, nobody_answers);
    let running = widgets::start(host, mesh).await.unwrap();
    let url = format!("http://{}", running.addr());
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(running.run(shutdown.clone()));
    let client = WidgetsClient::connect(&Mesh::fixed("tests", [(widgets::NAME, url)])).unwrap();
    let unknown = client.get_widget(GetWidgetRequest::default().with_id("1")).await;
    assert!(unknown.unwrap_err().is_not_found());
    shutdown.cancel();
    serving.await.unwrap().unwrap();
}
