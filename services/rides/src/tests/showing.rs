//! Showing a ride while everything is well: each part says where it came from and how old it is.

use freehold_sdk::drivers::v1 as drivers;
use freehold_testkit::mounted::refusal;
use freehold_wire::{Reason, Session};

use super::*;

/// Where a part came from, whether it is stale, and why.
pub(super) fn told(provenance: &Option<pb::Provenance>) -> (pb::Source, bool, &str) {
    let provenance = provenance.as_ref().expect("each part says where it came from");
    (provenance.source().unwrap(), provenance.stale, &provenance.reason)
}

/// How old a part says that it is.
pub(super) fn age_ms(provenance: &Option<pb::Provenance>) -> Option<i64> {
    provenance.as_ref().and_then(|provenance| provenance.age_ms)
}

fn seen_at(time_ms: i64) -> drivers::Location {
    let place = drivers::Location::default().with_latitude_e7(525_200_066).with_longitude_e7(134_049_540);
    place.with_time_ms(time_ms).with_heading_degrees(90).with_speed_cm_per_s(1_400)
}

#[tokio::test]
async fn a_ride_that_waits_for_a_driver_shows_its_rider_alone() {
    on_each_engine(async |bench| {
        bench.request(wanted("r1")).await.unwrap();
        let shown = bench.get("r1").await.unwrap();
        let rider = shown.rider.unwrap();
        assert_eq!(rider.name, "Paul Henriot");
        assert_eq!(told(&rider.provenance), (pb::Source::Copy, false, ""));
        assert!(age_ms(&rider.provenance).is_some());
        assert_eq!((shown.driver, shown.live), (None, None));
        assert!(bench.world.fleet.asked().is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_accepted_ride_shows_its_driver_from_the_copy_and_the_rest_from_the_owner() {
    on_each_engine(async |bench| {
        bench.accepted("r1").await;
        bench.world.fleet.seen(seen_at(bench.store.now() - 5_000));
        let shown = bench.get("r1").await.unwrap();
        let driver = shown.driver.unwrap();
        assert_eq!((driver.name.as_str(), driver.phone.as_str()), ("Ada Lovelace", "+44 20 7946 0001"));
        assert_eq!(told(&driver.provenance), (pb::Source::Copy, false, ""));
        assert!(age_ms(&driver.provenance).is_some());
        let live = shown.live.unwrap();
        assert_eq!(told(&live.provenance), (pb::Source::Owner, false, ""));
        assert!(age_ms(&live.provenance).is_some());
        let (rating, vehicle) = (live.rating.unwrap(), live.vehicle.unwrap());
        assert_eq!((rating.hundredths, rating.ratings), (467, 3));
        assert_eq!((vehicle.plate.as_str(), vehicle.seats), ("B-AL 1815", 4));
        let location = live.location.unwrap();
        assert_eq!(location.point, Some(point(525_200_066, 134_049_540)));
        assert_eq!((location.heading_degrees, location.speed_cm_per_s), (Some(90), Some(1_400)));
        assert_eq!(told(&live.location_provenance), (pb::Source::Owner, false, ""));
        let age = age_ms(&live.location_provenance).unwrap();
        assert!(age >= 5_000, "its age is that of the location, not that of the answer: {age}");
    })
    .await;
}

#[tokio::test]
async fn a_location_by_a_clock_that_is_ahead_is_not_younger_than_now() {
    on_each_engine(async |bench| {
        bench.accepted("r1").await;
        bench.world.fleet.seen(seen_at(bench.store.now() + HOUR_MS));
        let live = bench.get("r1").await.unwrap().live.unwrap();
        assert_eq!(age_ms(&live.location_provenance), Some(0));
    })
    .await;
}

#[tokio::test]
async fn a_driver_who_was_never_seen_has_no_location_and_the_rest() {
    on_each_engine(async |bench| {
        bench.accepted("r1").await;
        let live = bench.get("r1").await.unwrap().live.unwrap();
        assert_eq!(told(&live.provenance), (pb::Source::Owner, false, ""));
        assert_eq!(told(&live.location_provenance), (pb::Source::None, false, "NOT_LOCATED"));
        assert_eq!((live.location, age_ms(&live.location_provenance)), (None, None));
    })
    .await;
}

#[tokio::test]
async fn nobody_hears_where_a_driver_is_once_the_ride_is_over() {
    on_each_engine(async |bench| {
        bench.world.fleet.seen(seen_at(bench.store.now()));
        for id in ["finished", "cancelled"] {
            bench.accepted(id).await;
            bench.get(id).await.unwrap();
            assert_eq!(bench.world.fleet.asked(), ["location", "profile"]);
        }
        bench.start_ride("finished").await.unwrap();
        bench.finish("finished").await.unwrap();
        bench.cancel("cancelled").await.unwrap();
        for id in ["finished", "cancelled"] {
            let live = bench.get(id).await.unwrap().live.unwrap();
            assert_eq!(told(&live.location_provenance), (pb::Source::None, false, "RIDE_ENDED"));
            assert!(live.location.is_none() && live.vehicle.is_some());
            assert_eq!(bench.world.fleet.asked(), ["profile"]);
        }
    })
    .await;
}

#[tokio::test]
async fn whoever_was_erased_has_no_name_and_the_ride_stays() {
    on_each_engine(async |bench| {
        bench.accepted("r1").await;
        bench.world.users.erase::<User>("VINET").await;
        bench.world.drivers.erase::<Driver>("ada").await;
        bench.copied().await;
        let shown = bench.get("r1").await.unwrap();
        let (rider, driver) = (shown.rider.unwrap(), shown.driver.unwrap());
        assert_eq!((rider.name.as_str(), told(&rider.provenance)), ("", (pb::Source::Copy, false, "")));
        assert_eq!((driver.name.as_str(), driver.phone.as_str()), ("", ""));
        assert_eq!(
            told(&driver.provenance),
            (pb::Source::Owner, false, ""),
            "who is not in the copy is asked for"
        );
    })
    .await;
}

#[tokio::test]
async fn names_are_as_new_as_what_their_reader_has_seen() {
    on_each_engine(async |bench| {
        bench.accepted("r1").await;
        for round in 0..10 {
            let name = format!("Ada {round}");
            let seen = Session::of([
                bench.world.drivers.put(driver("ada", &name)).await,
                bench.world.users.put(rider("VINET", &name)).await,
            ]);
            let reader = bench.server.clone().having_seen(&seen);
            let request = pb::GetRideRequest::default().with_id("r1");
            let shown = reader.call(&methods::GET_RIDE, request).await.unwrap();
            let (rider, driver) = (shown.rider.unwrap(), shown.driver.unwrap());
            assert_eq!(driver.name, name, "{driver:?}");
            assert!(rider.name == name || rider.provenance.unwrap().stale);
        }
    })
    .await;
}

#[tokio::test]
async fn a_call_that_is_refused_costs_its_part_and_says_why() {
    on_each_engine(async |bench| {
        bench.accepted("r1").await;
        for (reason, why) in [
            (Reason::Unavailable, "OWNER_UNAVAILABLE"),
            (Reason::DeadlineExceeded, "OWNER_TIMEOUT"),
            (Reason::ResourceExhausted, "RESOURCE_EXHAUSTED"),
        ] {
            bench.world.fleet.refuse(reason);
            let shown = bench.get("r1").await.unwrap();
            let live = shown.live.unwrap();
            assert_eq!(told(&live.provenance), (pb::Source::None, false, why));
            assert_eq!(told(&live.location_provenance), (pb::Source::None, false, why));
            assert_eq!((live.rating, live.vehicle, live.location), (None, None, None));
            assert_eq!(told(&shown.driver.unwrap().provenance), (pb::Source::Copy, false, ""));
        }
    })
    .await;
}

#[tokio::test]
async fn a_session_of_no_history_is_refused() {
    on_each_engine(async |bench| {
        bench.accepted("r1").await;
        let token = freehold_wire::pb::Token::default().with_owner("drivers").with_epoch(1).with_mark(1);
        let reader = bench.server.clone().having_seen(&Session::of([token]));
        let request = pb::GetRideRequest::default().with_id("r1");
        let answer = reader.call(&methods::GET_RIDE, request).await;
        assert_eq!(refusal(answer), refused("TOKEN_NEVER_REACHED"));
    })
    .await;
}
