//! The stream of a driver's locations: open for as long as the driver works, and opened anew where it broke.
//!
//! **Invariant:** no location is ever sent again; what was under way when a stream broke is lost, as its contract says.

use freehold_sdk::drivers::v1::{DriversClient, Location, ReportLocationsRequest, ReportLocationsResponse};
use freehold_sdk::{Error, Requests};
use futures_util::stream;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

use crate::demo::fleet::{Driver, Place};

/// How many locations may wait for the stream to take them.
const WAITING: usize = 16;

/// Where a driver says where they are.
pub(crate) struct Tracking {
    drivers: DriversClient,
    driver: Driver,
    stream: Option<Stream>,
    sent: u64,
    accepted: u64,
}

/// An open stream, and what its owner will say of it.
struct Stream {
    locations: Sender<ReportLocationsRequest>,
    answer: JoinHandle<Result<ReportLocationsResponse, Error>>,
}

impl Tracking {
    /// Nothing has been sent yet; the stream opens with the first location.
    pub(crate) fn of(drivers: &DriversClient, driver: &Driver) -> Self {
        Self { drivers: drivers.clone(), driver: *driver, stream: None, sent: 0, accepted: 0 }
    }

    /// Sends a location, at most once.
    pub(crate) async fn send(&mut self, place: Place, time_ms: i64) {
        let location = Location::default()
            .with_latitude_e7(place.latitude_e7)
            .with_longitude_e7(place.longitude_e7)
            .with_time_ms(time_ms);
        let report = ReportLocationsRequest::default().with_driver_id(self.driver.id).with_location(location);
        if self.stream.as_ref().is_some_and(|stream| stream.locations.is_closed()) {
            self.close().await;
        }
        let stream = self.stream.get_or_insert_with(|| Stream::open(&self.drivers));
        self.sent += u64::from(stream.locations.send(report).await.is_ok());
    }

    /// Ends the stream. How many locations were sent, and how many of them the owner says that it has kept.
    pub(crate) async fn end(mut self) -> (u64, u64) {
        self.close().await;
        (self.sent, self.accepted)
    }

    async fn close(&mut self) {
        let Some(Stream { locations, answer }) = self.stream.take() else { return };
        drop(locations);
        // Of a stream that broke nobody says how many have been kept.
        if let Ok(Ok(answer)) = answer.await {
            self.accepted += u64::try_from(answer.accepted).unwrap_or(0);
        }
    }
}

impl Stream {
    fn open(drivers: &DriversClient) -> Self {
        let (locations, taken) = channel(WAITING);
        let drivers = drivers.clone();
        let answer = tokio::spawn(async move { drivers.report_locations(requests(taken)).await });
        Self { locations, answer }
    }
}

fn requests(mut locations: Receiver<ReportLocationsRequest>) -> Requests<ReportLocationsRequest> {
    Requests::new(stream::poll_fn(move |context| locations.poll_recv(context)))
}
