//! Accepting a ride: only a driver who may, by a permit that is young enough.

use freehold_sdk::drivers::v1::Standing;
use freehold_testkit::mounted::refusal;
use freehold_wire::Session;

use super::*;

#[tokio::test]
async fn a_driver_in_good_standing_takes_a_ride() {
    on_each_engine(async |bench| {
        bench.request(wanted("r1")).await.unwrap();
        let ride = bench.accept("r1", "ada").await.unwrap();
        assert_eq!((ride.state().unwrap(), ride.driver_id.as_str()), (pb::RideState::Accepted, "ada"));
        assert!(ride.accepted_ms >= ride.requested_ms);
        assert_eq!(bench.get("r1").await.unwrap().ride, Some(ride));
        assert_eq!(bench.told().await, [pb::RideRequested::NAME, pb::RideAccepted::NAME]);
    })
    .await;
}

#[tokio::test]
async fn nobody_else_takes_it() {
    on_each_engine(async |bench| {
        bench.request(wanted("r1")).await.unwrap();
        assert_eq!(refusal(bench.accept("r1", "bob").await), refused("DRIVER_SUSPENDED"));
        assert_eq!(refusal(bench.accept("r1", "carl").await), refused("DRIVER_UNKNOWN"));
        bench.world.drivers.erase::<Permit>("ada").await;
        bench.copied().await;
        assert_eq!(refusal(bench.accept("r1", "ada").await), refused("DRIVER_UNKNOWN"));
        let state = bench.get("r1").await.unwrap().ride.unwrap().state().unwrap();
        assert_eq!(state, pb::RideState::Requested);
    })
    .await;
}

#[tokio::test]
async fn a_standing_that_this_version_does_not_know_is_none_to_drive_by() {
    on_each_engine(async |bench| {
        bench.request(wanted("r1")).await.unwrap();
        bench.world.drivers.put(Permit::default().with_driver_id("ada").with_standing(77)).await;
        bench.copied().await;
        assert_eq!(refusal(bench.accept("r1", "ada").await), refused("DRIVER_SUSPENDED"));
    })
    .await;
}

#[tokio::test]
async fn who_suspends_a_driver_sees_it_at_once() {
    on_each_engine(async |bench| {
        bench.request(wanted("r1")).await.unwrap();
        for _ in 0..10 {
            let suspended = bench.world.drivers.put(permit("ada", Standing::Suspended)).await;
            let server = bench.server.clone().having_seen(&Session::of([suspended]));
            let answer = server.call(&methods::ACCEPT_RIDE, accept("r1", "ada")).await;
            assert_eq!(refusal(answer), refused("DRIVER_SUSPENDED"));
            bench.world.drivers.put(permit("ada", Standing::Good)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_ride_has_one_driver() {
    on_each_engine(async |bench| {
        bench.world.drivers.put(permit("bob", Standing::Good)).await;
        bench.copied().await;
        bench.request(wanted("r1")).await.unwrap();
        let (ada, bob) = tokio::join!(bench.accept("r1", "ada"), bench.accept("r1", "bob"));
        let driver = bench.get("r1").await.unwrap().ride.unwrap().driver_id;
        let (taken, late) = if driver == "ada" { (ada, bob) } else { (bob, ada) };
        assert_eq!(taken.unwrap().driver_id, driver);
        assert_eq!(refusal(late), refused("WRONG_STATE"));
        assert_eq!(bench.told().await, [pb::RideRequested::NAME, pb::RideAccepted::NAME]);
    })
    .await;
}
