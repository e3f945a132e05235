//! The service by itself: it starts on a free port, answers over the wire, streams included, and ends when it is told to.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{SystemTime, UNIX_EPOCH};

use freehold_sdk::drivers::v1::{
    DriversClient, EraseDriverRequest, Location, RegisterDriverRequest, ReportLocationsRequest, Vehicle,
    WatchDriverRequest,
};
use freehold_sdk::{Mesh, Requests};
use freehold_server::host::Host;
use freehold_testkit::{PATIENCE, engines};
use futures_util::stream;
use tokio_util::sync::CancellationToken;

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970");
    i64::try_from(since.as_millis()).expect("it is early enough")
}

#[tokio::test]
async fn drivers_starts_alone_and_answers_who_is_declared() {
    let database = engines::sqlite();
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into();
    let host = Host {
        listen,
        database_url: database.url().to_owned(),
        bus_url: None,
        trust_metadata: false,
        keep: None,
    };
    let running = drivers::start(host).await.unwrap();
    let mesh = Mesh::fixed("demo", [("drivers", format!("http://{}", running.addr()))]);
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(running.run(shutdown.clone()));
    let drivers = DriversClient::connect(&mesh).unwrap().with_deadline(PATIENCE);
    let vehicle = Vehicle::default().with_plate("B-AL 1815").with_seats(4);
    let ada = RegisterDriverRequest::default().with_id("ada").with_name("Ada").with_phone("030 1815");
    drivers.register_driver(ada.with_vehicle(vehicle)).await.unwrap();

    let mut watching =
        drivers.watch_driver(WatchDriverRequest::default().with_driver_id("ada")).await.unwrap();
    let from = now_ms();
    let reports = (0..100).map(move |ahead| {
        let location = Location::default().with_latitude_e7(525_200_066).with_time_ms(from + ahead);
        ReportLocationsRequest::default().with_driver_id("ada").with_location(location)
    });
    let reported = drivers.report_locations(Requests::new(stream::iter(reports))).await.unwrap();
    assert_eq!((reported.accepted, reported.refused), (100, 0));
    let seen = watching.next().await.unwrap().unwrap();
    assert!((from..from + 100).contains(&seen.location.unwrap().time_ms));

    let refused = drivers.erase_driver(EraseDriverRequest::default().with_id("ada")).await.unwrap_err();
    assert!(refused.message().contains("drivers.v1.DriversService/EraseDriver"), "{refused}");
    shutdown.cancel();
    serving.await.unwrap().unwrap();
}
