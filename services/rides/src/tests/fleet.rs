//! The drivers' owner as it is called, as a small model in its place: it knows one driver, and refuses where a test says so.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use freehold_sdk::drivers::v1 as pb;
use freehold_sdk::{CallOptions, Error, async_trait};
use freehold_wire::Reason;

/// The drivers. Cloning shares them.
#[derive(Clone)]
pub(super) struct Fleet(Arc<Mutex<Model>>);

struct Model {
    location: Option<pb::Location>,
    refusal: Option<Reason>,
    asked: Vec<&'static str>,
}

impl Fleet {
    /// It answers, and has not seen the driver yet.
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Model { location: None, refusal: None, asked: Vec::new() })))
    }

    /// Where the driver is from now on.
    pub(super) fn seen(&self, location: pb::Location) {
        self.model().location = Some(location);
    }

    /// From now on every call is refused.
    pub(super) fn refuse(&self, reason: Reason) {
        self.model().refusal = Some(reason);
    }

    /// What was asked since this was last asked.
    pub(super) fn asked(&self) -> Vec<&'static str> {
        let mut asked = std::mem::take(&mut self.model().asked);
        asked.sort_unstable();
        asked
    }

    fn model(&self) -> MutexGuard<'_, Model> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answers(&self, call: &'static str) -> Result<(), Error> {
        let mut model = self.model();
        model.asked.push(call);
        model.refusal.map_or(Ok(()), |reason| Err(Error::new(reason, "as the test says")))
    }
}

/// What the model tells of the driver.
fn profile(id: &str) -> pb::DriverProfile {
    let vehicle = pb::Vehicle::default().with_plate("B-AL 1815").with_model("Engine").with_seats(4);
    pb::DriverProfile::default()
        .with_driver(super::driver(id, "Ada Lovelace"))
        .with_standing(pb::Standing::Good)
        .with_vehicle(vehicle)
        .with_rating(pb::Rating::default().with_hundredths(467).with_ratings(3))
}

#[async_trait]
impl pb::DriversStub for Fleet {
    async fn batch_get_drivers(
        &self,
        request: pb::BatchGetDriversRequest,
        _: &CallOptions,
    ) -> Result<pb::BatchGetDriversResponse, Error> {
        self.answers("profile")?;
        let known = request.ids.iter().filter(|id| *id == "ada").map(|id| profile(id));
        Ok(pb::BatchGetDriversResponse::default().with_drivers(known))
    }

    async fn get_location(
        &self,
        request: pb::GetLocationRequest,
        _: &CallOptions,
    ) -> Result<pb::Position, Error> {
        self.answers("location")?;
        let unseen = || Error::new(Reason::NotFound, "never located");
        let location = self.model().location.clone().ok_or_else(unseen)?;
        Ok(pb::Position::default().with_driver_id(request.driver_id).with_location(location))
    }
}
