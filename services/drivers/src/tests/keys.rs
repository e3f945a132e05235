//! Idempotency keys: a write takes effect once, however often it is sent.

use freehold_testkit::mounted::refusal;
use tonic::Code;

use super::*;

#[tokio::test]
async fn a_repeated_rating_takes_effect_once_and_has_the_same_answer() {
    on_each_engine(async |bench| {
        bench.have(&["ada"]).await;
        let rating =
            || pb::RateDriverRequest::default().with_id("ada").with_rating_id("ride-1").with_stars(4);
        let (first, replayed) = bench.server.keyed(&methods::RATE_DRIVER, "k1", rating()).await.unwrap();
        assert!(!replayed);
        bench.rate("ada", "ride-2", 1).await.unwrap();
        let (again, replayed) = bench.server.keyed(&methods::RATE_DRIVER, "k1", rating()).await.unwrap();
        assert!(replayed);
        assert_eq!((first, bench.get("ada").await.unwrap().rating.unwrap().ratings), (again, 2));
    })
    .await;
}

#[tokio::test]
async fn a_key_is_not_good_for_another_request() {
    on_each_engine(async |bench| {
        bench.server.keyed(&methods::REGISTER_DRIVER, "k1", ada()).await.unwrap();
        let other = ada().with_id("grace");
        let refused = refusal(bench.server.keyed(&methods::REGISTER_DRIVER, "k1", other).await);
        assert_eq!(refused, (Code::FailedPrecondition, "IDEMPOTENCY_KEY_REUSED".to_owned()));
        assert_eq!(refusal(bench.get("grace").await).0, Code::NotFound);
    })
    .await;
}
