//! The service by itself: it starts on a free port, answers over the wire, and ends when it is told to.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use freehold_sdk::rides::v1::{
    AcceptRideRequest, GetRideRequest, ListRidesRequest, Point, RequestRideRequest, RidesClient,
};
use freehold_sdk::{Error, Mesh};
use freehold_server::host::Host;
use freehold_testkit::{PATIENCE, engines};
use tokio_util::sync::CancellationToken;

/// For a call that nobody can answer.
const BRIEFLY: Duration = Duration::from_secs(1);

#[tokio::test]
async fn rides_starts_alone_and_answers_who_is_declared() {
    let database = engines::sqlite();
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into();
    let host = Host {
        listen,
        database_url: database.url().to_owned(),
        bus_url: None,
        trust_metadata: false,
        keep: None,
    };
    let running = rides::start(host, lonely()).await.unwrap();
    let url = format!("http://{}", running.addr());
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(running.run(shutdown.clone()));
    let of = |consumer| {
        RidesClient::connect(&Mesh::fixed(consumer, [("rides", url.clone())]))
            .unwrap()
            .with_deadline(PATIENCE)
    };
    let unknown = of("demo").get_ride(GetRideRequest::default().with_id("r1")).await.unwrap_err();
    assert!(unknown.is_not_found(), "{unknown}");
    let blind = of("demo").with_deadline(BRIEFLY).request_ride(wanted()).await.unwrap_err();
    assert!(is_unanswered(&blind), "nobody says who the rider is: {blind}");
    let accept = AcceptRideRequest::default().with_id("r1").with_driver_id("ada");
    let unknown = of("demo").accept_ride(accept).await.unwrap_err();
    assert!(unknown.is_not_found(), "{unknown}");
    let blind = of("demo").list_rides(ListRidesRequest::default()).await.unwrap_err();
    assert!(is_unanswered(&blind), "there are no names yet: {blind}");
    let refused = of("inventory").request_ride(wanted()).await.unwrap_err();
    assert!(refused.message().contains("rides.v1.RidesService/RequestRide"), "{refused}");
    shutdown.cancel();
    serving.await.unwrap().unwrap();
}

/// Which of the two depends on how far the last attempt had come at the deadline.
fn is_unanswered(error: &Error) -> bool {
    error.is_unavailable() || error.is_deadline_exceeded()
}

fn wanted() -> RequestRideRequest {
    let ride = RequestRideRequest::default().with_id("r1").with_rider_id("VINET");
    ride.with_pickup(Point::default()).with_destination(Point::default())
}

/// A mesh whose other services cannot be reached.
fn lonely() -> Mesh {
    Mesh::fixed(rides::NAME, ["drivers", "users"].map(|name| (name, "http://127.0.0.1:9")))
}
