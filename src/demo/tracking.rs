//! The stream of a driver's locations: open for as long as the driver works, and opened anew where it broke.
//!
//! **Invariant:** no location is ever sent again; what was under way when a stream broke is lost, as its contract says.

use freehold_sdk::drivers::v1::{DriversClient, Location, ReportLocationsRequest, ReportLocationsResponse};
use freehold_sdk::{Error, Requests};
use futures_util::stream;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::demo::fleet::{Driver, Place};
use crate::demo::persist::PATIENCE;

/// How many locations may wait for the stream to take them. One that does not find room is old before it is sent.
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
        self.sent += u64::from(stream.locations.try_send(report).is_ok());
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
        if let Ok(Ok(Ok(answer))) = timeout(PATIENCE, answer).await {
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use freehold_sdk::drivers::v1::DriversStub;
    use freehold_sdk::{CallOptions, async_trait};
    use freehold_testkit::eventually;
    use freehold_wire::Reason;
    use futures_util::StreamExt;

    use super::*;
    use crate::demo::fleet::FLEET;

    const SOON: Duration = Duration::from_secs(30);

    /// Drivers whose first stream breaks after two locations.
    #[derive(Clone, Default)]
    struct Breaking(Arc<Mutex<Seen>>);

    #[derive(Default)]
    struct Seen {
        streams: u32,
        times: Vec<i64>,
    }

    #[async_trait]
    impl DriversStub for Breaking {
        async fn report_locations(
            &self,
            mut requests: Requests<ReportLocationsRequest>,
            _: &CallOptions,
        ) -> Result<ReportLocationsResponse, Error> {
            let first = {
                let mut seen = self.0.lock().unwrap();
                seen.streams += 1;
                seen.streams == 1
            };
            let mut accepted = 0;
            while let Some(report) = requests.next().await {
                self.0.lock().unwrap().times.push(report.location.unwrap().time_ms);
                accepted += 1;
                if first && accepted == 2 {
                    return Err(Error::new(Reason::Unavailable, "gone in the middle"));
                }
            }
            Ok(ReportLocationsResponse::default().with_accepted(accepted))
        }
    }

    #[tokio::test]
    async fn a_stream_that_breaks_is_opened_anew_and_nothing_is_sent_again() {
        let breaking = Breaking::default();
        let mut tracking = Tracking::of(&DriversClient::from_stub(breaking.clone()), &FLEET[0]);
        let place = Place { latitude_e7: 1, longitude_e7: 1 };
        for time_ms in [1, 2] {
            tracking.send(place, time_ms).await;
        }
        let broken = async || tracking.stream.as_ref()?.locations.is_closed().then_some(());
        eventually("the first stream is broken", SOON, broken).await;
        for time_ms in [3, 4, 5] {
            tracking.send(place, time_ms).await;
        }
        assert_eq!(tracking.end().await, (5, 3), "nobody says what became of the first two");
        let seen = breaking.0.lock().unwrap();
        assert_eq!((seen.streams, seen.times.as_slice()), (2, [1, 2, 3, 4, 5].as_slice()));
    }

    #[tokio::test]
    async fn a_driver_who_says_nothing_opens_no_stream() {
        let breaking = Breaking::default();
        let tracking = Tracking::of(&DriversClient::from_stub(breaking.clone()), &FLEET[0]);
        assert_eq!((tracking.end().await, breaking.0.lock().unwrap().streams), ((0, 0), 0));
    }
}
