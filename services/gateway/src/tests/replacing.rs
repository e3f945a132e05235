//! Replacing a product: done at both owners, or undone with the reason of the one that refused.

use freehold_testkit::eventually;
use freehold_testkit::mounted::{refusal, wrong_fields};
use tokio::task::JoinSet;

use super::*;

#[tokio::test]
async fn a_product_is_replaced_at_both_owners() {
    on_each_engine(async |bench| {
        let replaced = bench.replace(replace("r-1")).await.unwrap();
        assert_eq!(replaced.state().unwrap(), pb::ProductReplacementState::Done);
        assert_eq!((&*replaced.product_id, &*replaced.by_product_id, &*replaced.reason), ("11", "42", ""));
        assert_eq!(bench.world.replaced(), (true, true));
        assert_eq!(bench.world.asked(), ["discontinue", "replace"]);
    })
    .await;
}

#[tokio::test]
async fn an_owner_that_refuses_has_it_undone_for_its_reason() {
    on_each_engine(async |bench| {
        bench.world.refuse("replace", "PRICE_TOO_HIGH");
        let undone = bench.replace(replace("r-1")).await.unwrap();
        assert_eq!(undone.state().unwrap(), pb::ProductReplacementState::Undone);
        assert_eq!(undone.reason, "PRICE_TOO_HIGH");
        assert_eq!(bench.world.replaced(), (false, false));
        assert_eq!(bench.world.asked(), ["discontinue", "replace", "reinstate"]);
        bench.world.refuse("discontinue", "ALREADY_DISCONTINUED");
        assert_eq!(bench.replace(replace("r-2")).await.unwrap().reason, "ALREADY_DISCONTINUED");
        assert_eq!(bench.world.asked(), ["discontinue"], "there was nothing to undo");
    })
    .await;
}

#[tokio::test]
async fn a_replacement_is_answered_the_same_for_ever() {
    on_each_engine(async |bench| {
        let first = bench.replace(replace("r-1")).await.unwrap();
        bench.world.refuse("discontinue", "ALREADY_REINSTATED");
        let (again, _) = bench.server.keyed(&methods::REPLACE_PRODUCT, "k1", replace("r-1")).await.unwrap();
        let (keyed, replayed) =
            bench.server.keyed(&methods::REPLACE_PRODUCT, "k1", replace("r-1")).await.unwrap();
        assert_eq!((&again, &keyed, replayed), (&first, &first, true));
        let other = replace("r-1").with_by_product_id("43");
        assert_eq!(refusal(bench.replace(other).await), refused("REPLACEMENT_EXISTS"));
        assert_eq!(bench.world.asked(), ["discontinue", "replace"]);
    })
    .await;
}

#[tokio::test]
async fn a_replacement_goes_on_when_its_caller_s_time_is_up() {
    on_each_engine(async |bench| {
        bench.world.away(&["replace"]);
        let impatient = bench.server.clone().within(Duration::from_millis(200));
        // Whatever takes its time before the saga has begun is out of time for another reason, and asked for again.
        eventually("a replacement under way", SOON, async || {
            let (code, reason) = refusal(impatient.call(&methods::REPLACE_PRODUCT, replace("r-1")).await);
            assert_eq!(code, Code::DeadlineExceeded, "{reason}");
            (reason == "SAGA_UNFINISHED").then_some(())
        })
        .await;
        bench.world.away(&[]);
        let done = bench.replace(replace("r-1")).await.unwrap();
        assert_eq!(done.state().unwrap(), pb::ProductReplacementState::Done);
    })
    .await;
}

#[tokio::test]
async fn of_many_who_ask_for_one_replacement_all_get_the_one_answer() {
    on_each_engine(async |bench| {
        let mut callers = JoinSet::new();
        for _ in 0..32 {
            let server = bench.server.clone();
            callers.spawn(async move { server.call(&methods::REPLACE_PRODUCT, replace("r-1")).await });
        }
        for replaced in callers.join_all().await {
            assert_eq!(replaced.unwrap().state().unwrap(), pb::ProductReplacementState::Done);
        }
        assert_eq!(bench.world.asked(), ["discontinue", "replace"]);
    })
    .await;
}

#[tokio::test]
async fn bad_input_is_refused_by_the_names_of_its_fields() {
    on_each_engine(async |bench| {
        let wrong = async |request| wrong_fields(bench.replace(request).await);
        let empty = pb::ReplaceProductRequest::default();
        assert_eq!(wrong(empty).await, ["product_id", "by_product_id", "id"]);
        for id in ["a/b", "a b", "Café", "r-1\n"] {
            assert_eq!(wrong(replace(id)).await, ["id"], "{id:?}");
        }
        assert_eq!(wrong(replace("r-1").with_by_product_id("11")).await, ["by_product_id"]);
        assert!(bench.world.asked().is_empty());
    })
    .await;
}
