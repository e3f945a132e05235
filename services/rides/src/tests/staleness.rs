//! What each copy does once it is too old, as its contract says: the driver's owner is asked, the rider's name is served
//! and says so, nobody takes a ride by an old permit. **Invariant:** what is old is never shown for new.

use freehold_replica::Replica;
use freehold_sdk::drivers::v1::Standing;
use freehold_testkit::mounted::refusal;
use freehold_wire::{Reason, Session};

use super::showing::{age_ms, told};
use super::*;
use crate::convert;
use crate::generated::{DriverCopy, PermitCopy, RiderCopy};
use crate::part::{Part, Provenance};

/// What is wrong with a part that shows a name; the one that is right now is given.
fn lie(shown: &str, provenance: &Option<pb::Provenance>, right: &str) -> Option<String> {
    let (_, stale, reason) = told(provenance);
    if shown != right && !stale {
        return Some(format!("`{shown}` is shown for `{right}`"));
    }
    (stale == reason.is_empty()).then(|| format!("stale is {stale}, for the reason `{reason}`"))
}

/// The planted bug: a read of the copy as it stands that does not ask how it stands.
async fn naively(bench: &Bench) -> (pb::RiderPart, pb::DriverPart) {
    let mut read = bench.store.read().await.unwrap();
    let rider = Replica::<RiderCopy>::get(&mut read, "VINET").await.unwrap();
    let driver = Replica::<DriverCopy>::get(&mut read, "ada").await.unwrap();
    let young = Provenance::Copy { age: Some(Duration::ZERO), stale: None };
    let rider = Part { value: rider.map(|row| row.value), provenance: young.clone() };
    let driver = Part { value: driver.map(|row| row.value), provenance: young };
    (convert::rider(rider), convert::driver(driver))
}

/// Gives both a new name while the copies stand still.
async fn rename(bench: &Bench) -> Session {
    Session::of([
        bench.world.drivers.put(driver("ada", "Ada King")).await,
        bench.world.users.put(rider("VINET", "P. Henriot")).await,
    ])
}

#[tokio::test]
async fn an_old_copy_of_a_driver_makes_way_for_the_owner() {
    on_each_engine(async |bench| {
        bench.accepted("r1").await;
        bench.an_hour_later().await;
        rename(bench).await;
        let driver = bench.get("r1").await.unwrap().driver.unwrap();
        assert_eq!(driver.name, "Ada King");
        assert_eq!(told(&driver.provenance), (pb::Source::Owner, false, ""));
        assert!(age_ms(&driver.provenance).unwrap() < HOUR_MS);
        assert_eq!(lie(&driver.name, &driver.provenance, "Ada King"), None);
        let (_, naive) = naively(bench).await;
        assert!(lie(&naive.name, &naive.provenance, "Ada King").is_some(), "the planted bug is caught");
    })
    .await;
}

#[tokio::test]
async fn an_old_copy_of_a_driver_is_shown_for_what_it_is_while_the_owner_is_away() {
    on_each_engine(async |bench| {
        bench.accepted("r1").await;
        bench.an_hour_later().await;
        rename(bench).await;
        bench.world.drivers.leave().await;
        bench.world.fleet.refuse(Reason::Unavailable);
        let shown = bench.get("r1").await.unwrap();
        let driver = shown.driver.unwrap();
        assert_eq!((driver.name.as_str(), driver.phone.as_str()), ("Ada Lovelace", "+44 20 7946 0001"));
        let (source, stale, reason) = told(&driver.provenance);
        assert_eq!((source, stale), (pb::Source::Copy, true));
        // Which of the two depends on how far the last attempt to reach the owner had come.
        assert!(["OWNER_UNAVAILABLE", "OWNER_TIMEOUT"].contains(&reason), "{reason}");
        assert!(age_ms(&driver.provenance).unwrap() >= HOUR_MS);
        assert_eq!(lie(&driver.name, &driver.provenance, "Ada King"), None);
        let live = shown.live.unwrap();
        assert_eq!(told(&live.provenance), (pb::Source::None, false, "OWNER_UNAVAILABLE"));
        assert_eq!(told(&live.location_provenance), (pb::Source::None, false, "OWNER_UNAVAILABLE"));
    })
    .await;
}

#[tokio::test]
async fn an_old_copy_of_a_rider_is_served_and_says_so() {
    on_each_engine(async |bench| {
        bench.accepted("r1").await;
        bench.an_hour_later().await;
        rename(bench).await;
        // Though its owner is there: an old name is better than one more call.
        let rider = bench.get("r1").await.unwrap().rider.unwrap();
        assert_eq!(rider.name, "Paul Henriot");
        assert_eq!(told(&rider.provenance), (pb::Source::Copy, true, "COPY_STALE"));
        assert!(age_ms(&rider.provenance).unwrap() >= HOUR_MS);
        assert_eq!(lie(&rider.name, &rider.provenance, "P. Henriot"), None);
        let (naive, _) = naively(bench).await;
        assert!(lie(&naive.name, &naive.provenance, "P. Henriot").is_some(), "the planted bug is caught");
    })
    .await;
}

#[tokio::test]
async fn nobody_takes_a_ride_by_an_old_permit() {
    on_each_engine(async |bench| {
        bench.request(wanted("r1")).await.unwrap();
        bench.world.drivers.leave().await;
        bench.an_hour_later().await;
        bench.world.drivers.put(permit("ada", Standing::Suspended)).await;
        assert_eq!(refusal(bench.accept("r1", "ada").await), unavailable("COPY_STALE"));
        let state = bench.get("r1").await.unwrap().ride.unwrap().state().unwrap();
        assert_eq!(state, pb::RideState::Requested);
        let mut read = bench.store.read().await.unwrap();
        let naive = Replica::<PermitCopy>::get(&mut read, "ada").await.unwrap().unwrap();
        let good = i32::from(Standing::Good);
        assert_eq!(
            naive.value.standing, good,
            "the planted bug, a read without a level, lets a suspended one drive"
        );
    })
    .await;
}

#[tokio::test]
async fn what_needs_no_permit_goes_on_while_the_drivers_owner_is_away() {
    on_each_engine(async |bench| {
        bench.accepted("r1").await;
        bench.request(wanted("r2")).await.unwrap();
        bench.world.drivers.leave().await;
        bench.an_hour_later().await;
        bench.start_ride("r1").await.unwrap();
        bench.finish("r1").await.unwrap();
        bench.cancel("r2").await.unwrap();
        assert_eq!(
            refusal(bench.accept("r1", "ada").await),
            refused("WRONG_STATE"),
            "whatever the permits are"
        );
    })
    .await;
}

#[tokio::test]
async fn whom_an_old_copy_knows_may_ride_and_whom_it_does_not_cannot_be_told() {
    on_each_engine(async |bench| {
        bench.world.users.leave().await;
        bench.an_hour_later().await;
        bench.request(wanted("r1")).await.unwrap();
        let nobody = wanted("r2").with_rider_id("NOBODY");
        assert_eq!(refusal(bench.request(nobody).await), unavailable("COPY_STALE"));
    })
    .await;
}

#[tokio::test]
async fn what_the_reader_has_seen_and_the_copy_has_not_is_asked_for_or_said_to_be_missing() {
    on_each_engine(async |bench| {
        bench.accepted("r1").await;
        bench.stand_still().await;
        let reader = bench.server.clone().having_seen(&rename(bench).await);
        let request = pb::GetRideRequest::default().with_id("r1");
        let shown = reader.call(&methods::GET_RIDE, request).await.unwrap();
        let (rider, driver) = (shown.rider.unwrap(), shown.driver.unwrap());
        assert_eq!(driver.name, "Ada King");
        assert_eq!(told(&driver.provenance), (pb::Source::Owner, false, ""));
        assert_eq!(rider.name, "Paul Henriot");
        assert_eq!(told(&rider.provenance), (pb::Source::Copy, true, "COPY_BEHIND"));
        let (naive_rider, naive_driver) = naively(bench).await;
        let lies = [
            lie(&naive_rider.name, &naive_rider.provenance, "P. Henriot"),
            lie(&naive_driver.name, &naive_driver.provenance, "Ada King"),
        ];
        assert!(lies.iter().all(Option::is_some), "the planted bug is caught");
    })
    .await;
}

#[tokio::test]
async fn copies_that_were_never_made_show_nothing_and_say_so() {
    on_each_engine(async |bench| {
        bench.accepted("r1").await;
        bench.world.drivers.leave().await;
        bench.world.users.leave().await;
        bench.without_copies().await;
        let shown = bench.get("r1").await.unwrap();
        let (rider, driver) = (shown.rider.unwrap(), shown.driver.unwrap());
        assert_eq!((rider.name.as_str(), driver.name.as_str()), ("", ""));
        assert_eq!(told(&rider.provenance), (pb::Source::None, false, "COPY_NOT_READY"));
        assert_eq!(told(&driver.provenance), (pb::Source::None, false, "COPY_NOT_READY"));
        let nobody = wanted("r2").with_rider_id("NOBODY");
        assert_eq!(refusal(bench.request(nobody).await), unavailable("COPY_STALE"));
    })
    .await;
}
