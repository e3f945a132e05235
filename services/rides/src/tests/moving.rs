//! Starting, finishing and cancelling: one after the other, each once, each told.

use freehold_testkit::mounted::{refusal, wrong_fields};

use super::*;

#[tokio::test]
async fn a_ride_is_started_and_finished() {
    on_each_engine(async |bench| {
        bench.accepted("r1").await;
        let started = bench.start_ride("r1").await.unwrap();
        assert_eq!(started.state().unwrap(), pb::RideState::Started);
        let finished = bench.finish("r1").await.unwrap();
        assert_eq!(finished.state().unwrap(), pb::RideState::Finished);
        let times = [finished.requested_ms, finished.accepted_ms, finished.started_ms, finished.ended_ms];
        assert!(times[0] > 0 && times.is_sorted(), "{times:?}");
        let told =
            [pb::RideRequested::NAME, pb::RideAccepted::NAME, pb::RideStarted::NAME, pb::RideFinished::NAME];
        assert_eq!(bench.told().await, told);
        assert_eq!(bench.get("r1").await.unwrap().ride, Some(finished));
    })
    .await;
}

#[tokio::test]
async fn a_ride_is_called_off_until_it_begins() {
    on_each_engine(async |bench| {
        bench.request(wanted("r1")).await.unwrap();
        bench.accepted("r2").await;
        for (id, driver) in [("r1", ""), ("r2", "ada")] {
            let ride = bench.cancel(id).await.unwrap();
            assert_eq!((ride.state().unwrap(), ride.driver_id.as_str()), (pb::RideState::Cancelled, driver));
            assert_eq!((ride.reason.as_str(), ride.started_ms), ("it rains no more", 0));
        }
        bench.accepted("r3").await;
        bench.start_ride("r3").await.unwrap();
        assert_eq!(refusal(bench.cancel("r3").await), refused("WRONG_STATE"));
    })
    .await;
}

#[tokio::test]
async fn what_has_ended_stays_as_it_is() {
    on_each_engine(async |bench| {
        bench.request(wanted("cancelled")).await.unwrap();
        bench.cancel("cancelled").await.unwrap();
        bench.accepted("finished").await;
        bench.start_ride("finished").await.unwrap();
        bench.finish("finished").await.unwrap();
        let told = bench.told().await;
        for id in ["cancelled", "finished"] {
            let before = bench.get(id).await.unwrap().ride;
            let refusals = [
                refusal(bench.accept(id, "ada").await),
                refusal(bench.start_ride(id).await),
                refusal(bench.finish(id).await),
                refusal(bench.cancel(id).await),
            ];
            assert!(refusals.iter().all(|refusal| *refusal == refused("WRONG_STATE")), "{refusals:?}");
            assert_eq!(bench.get(id).await.unwrap().ride, before);
        }
        assert_eq!(bench.told().await, told);
    })
    .await;
}

#[tokio::test]
async fn a_ride_that_there_is_not_is_not_found() {
    on_each_engine(async |bench| {
        let refusals = [
            refusal(bench.accept("r1", "ada").await),
            refusal(bench.start_ride("r1").await),
            refusal(bench.finish("r1").await),
            refusal(bench.cancel("r1").await),
            refusal(bench.get("r1").await),
        ];
        let not_found = (Code::NotFound, "NOT_FOUND".to_owned());
        assert!(refusals.iter().all(|refusal| *refusal == not_found), "{refusals:?}");
        let long = pb::CancelRideRequest::default().with_id("r1").with_reason("x".repeat(501));
        assert_eq!(wrong_fields(bench.server.call(&methods::CANCEL_RIDE, long).await), ["reason"]);
    })
    .await;
}
