//! Idempotency keys: a write takes effect once, however often it is sent.

use freehold_testkit::mounted::refusal;
use tonic::Code;

use super::*;

#[tokio::test]
async fn a_repeated_creation_takes_effect_once_and_has_the_same_answer() {
    on_each_engine(async |bench| {
        let (first, replayed) = bench.server.keyed(&methods::CREATE_PRODUCT, "k1", chai()).await.unwrap();
        assert!(!replayed);
        let (again, replayed) = bench.server.keyed(&methods::CREATE_PRODUCT, "k1", chai()).await.unwrap();
        assert!(replayed);
        assert_eq!(first, again);
        assert_eq!(bench.events().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_key_is_not_good_for_another_request() {
    on_each_engine(async |bench| {
        bench.server.keyed(&methods::CREATE_PRODUCT, "k1", chai()).await.unwrap();
        let other = chai().with_id("2");
        let refused = refusal(bench.server.keyed(&methods::CREATE_PRODUCT, "k1", other).await);
        assert_eq!(refused, (Code::FailedPrecondition, "IDEMPOTENCY_KEY_REUSED".to_owned()));
        assert_eq!(refusal(bench.get("2").await).0, Code::NotFound);
    })
    .await;
}
