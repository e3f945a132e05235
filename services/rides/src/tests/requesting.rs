//! Requesting a ride: under a free id, for a rider whom the copy knows.

use freehold_testkit::mounted::{refusal, wrong_fields};
use freehold_wire::Session;

use super::*;

#[tokio::test]
async fn a_requested_ride_waits_for_a_driver() {
    on_each_engine(async |bench| {
        let ride = bench.request(wanted("r1")).await.unwrap();
        assert_eq!(ride.state().unwrap(), pb::RideState::Requested);
        assert_eq!((ride.id.as_str(), ride.rider_id.as_str(), ride.driver_id.as_str()), ("r1", "VINET", ""));
        assert_eq!(ride.pickup, Some(point(525_200_066, 134_049_540)));
        assert_eq!(ride.destination, Some(point(-900_000_000, 1_800_000_000)));
        assert!(ride.requested_ms > 0 && ride.accepted_ms == 0 && ride.ended_ms == 0);
        assert_eq!(bench.get("r1").await.unwrap().ride, Some(ride));
        assert_eq!(bench.told().await, [pb::RideRequested::NAME]);
    })
    .await;
}

#[tokio::test]
async fn an_id_that_is_taken_is_taken_for_good() {
    on_each_engine(async |bench| {
        let ride = bench.request(wanted("r1")).await.unwrap();
        assert_eq!(refusal(bench.request(wanted("r1")).await), refused("RIDE_EXISTS"));
        let other = wanted("r1").with_rider_id("TOMSP");
        assert_eq!(refusal(bench.request(other).await), refused("RIDE_EXISTS"));
        assert_eq!(bench.get("r1").await.unwrap().ride, Some(ride));
    })
    .await;
}

#[tokio::test]
async fn a_rider_that_there_is_not_gets_no_ride() {
    on_each_engine(async |bench| {
        let nobody = wanted("r1").with_rider_id("NOBODY");
        assert_eq!(refusal(bench.request(nobody).await), refused("RIDER_UNKNOWN"));
        bench.world.users.erase::<User>("VINET").await;
        bench.copied().await;
        assert_eq!(refusal(bench.request(wanted("r1")).await), refused("RIDER_UNKNOWN"));
        assert_eq!(refusal(bench.get("r1").await).0, Code::NotFound);
    })
    .await;
}

#[tokio::test]
async fn who_has_just_been_registered_can_ride() {
    on_each_engine(async |bench| {
        for round in 0..10 {
            let (id, ride) = (format!("NEW-{round}"), format!("r{round}"));
            let seen = Session::of([bench.world.users.put(rider(&id, "Somebody New")).await]);
            let server = bench.server.clone().having_seen(&seen);
            let request = wanted(&ride).with_rider_id(id);
            server.call(&methods::REQUEST_RIDE, request).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_named_by_its_field() {
    on_each_engine(async |bench| {
        let nothing = wrong_fields(bench.request(pb::RequestRideRequest::default()).await);
        assert_eq!(nothing, ["id", "rider_id", "pickup", "destination"]);
        let beyond = wanted("r1").with_pickup(point(900_000_001, -1_800_000_001));
        let named = wrong_fields(bench.request(beyond).await);
        assert_eq!(named, ["pickup.latitude_e7", "pickup.longitude_e7"]);
        let long = wanted(&"r".repeat(65));
        assert_eq!(wrong_fields(bench.request(long).await), ["id"]);
        assert_eq!(wrong_fields(bench.accept("r1", "").await), ["driver_id"]);
        assert_eq!(wrong_fields(bench.get("").await), ["id"]);
        assert!(bench.told().await.is_empty());
    })
    .await;
}
