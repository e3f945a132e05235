//! Idempotency keys: a write takes effect once, and is answered again whatever has become of the copies since.

use freehold_testkit::mounted::refusal;

use super::*;

#[tokio::test]
async fn a_repeated_call_has_the_answer_of_the_first() {
    on_each_engine(async |bench| {
        let (first, _) = bench.server.keyed(&methods::REQUEST_RIDE, "k1", wanted("r1")).await.unwrap();
        let take = accept("r1", "ada");
        let (taken, _) = bench.server.keyed(&methods::ACCEPT_RIDE, "k2", take.clone()).await.unwrap();
        bench.start_ride("r1").await.unwrap();
        // Nobody could request or take a ride now.
        bench.world.users.leave().await;
        bench.world.drivers.leave().await;
        bench.an_hour_later().await;
        let again = bench.server.keyed(&methods::REQUEST_RIDE, "k1", wanted("r1")).await.unwrap();
        assert_eq!(again, (first, true));
        let again = bench.server.keyed(&methods::ACCEPT_RIDE, "k2", take).await.unwrap();
        assert_eq!(again, (taken, true));
        assert_eq!(bench.told().await.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_key_is_not_good_for_another_request() {
    on_each_engine(async |bench| {
        bench.server.keyed(&methods::REQUEST_RIDE, "k1", wanted("r1")).await.unwrap();
        let other = bench.server.keyed(&methods::REQUEST_RIDE, "k1", wanted("r2")).await;
        assert_eq!(refusal(other), refused("IDEMPOTENCY_KEY_REUSED"));
        assert_eq!(refusal(bench.get("r2").await).0, Code::NotFound);
    })
    .await;
}
