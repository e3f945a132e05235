//! Discontinuing under a name, and taking that back: in either order, and however often.

use std::time::Duration;

use freehold_store::{StoreError, Work};
use freehold_testkit::mounted::{refusal, wrong_fields};
use freehold_wire::{Context, Entity, Event};
use tonic::Code;

use super::*;
use crate::discontinuation::{Discontinuation, Standing};
use crate::store::discontinuations;

#[tokio::test]
async fn a_discontinuation_that_is_taken_back_leaves_the_product_as_it_was() {
    on_each_engine(async |bench| {
        let before = bench.create(chai()).await.unwrap();
        for _ in 0..2 {
            let ended = discontinue(bench, "1", "r-1").await.unwrap();
            assert_eq!(ended.state().unwrap(), pb::ProductState::Discontinued);
        }
        for _ in 0..2 {
            assert_eq!(reinstate(bench, "1", "r-1").await.unwrap().product, Some(before.clone()));
        }
        assert_eq!(bench.get("1").await.unwrap(), before);
        let told = words([
            (pb::Product::NAME, 1),
            (pb::Product::NAME, 2),
            (pb::ProductDiscontinued::NAME, 3),
            (pb::Product::NAME, 4),
            (pb::ProductReinstated::NAME, 5),
        ]);
        assert_eq!(bench.told().await, told);
    })
    .await;
}

#[tokio::test]
async fn a_discontinuation_that_comes_after_it_was_taken_back_is_refused() {
    on_each_engine(async |bench| {
        let before = bench.create(chai()).await.unwrap();
        for known in [true, false] {
            let id = format!("late-{known}");
            if known {
                discontinue(bench, "1", &id).await.unwrap();
            }
            assert_eq!(reinstate(bench, "1", &id).await.unwrap().product, Some(before.clone()));
            assert_eq!(refusal(discontinue(bench, "1", &id).await), refused("ALREADY_REINSTATED"));
            assert_eq!(bench.get("1").await.unwrap(), before);
        }
    })
    .await;
}

/// The planted bug: who takes back what is there, and leaves no mark of what is not.
#[tokio::test]
async fn without_a_mark_a_late_discontinuation_ends_the_sale() {
    on_each_engine(async |bench| {
        bench.create(chai()).await.unwrap();
        reinstate_what_is_there(bench, "r-1").await;
        let late = discontinue(bench, "1", "r-1").await.unwrap();
        assert_eq!(late.state().unwrap(), pb::ProductState::Discontinued);
    })
    .await;
}

async fn reinstate_what_is_there(bench: &Bench, id: &'static str) {
    let unit = async move |work: &mut Work| -> Result<(), StoreError> {
        if let Some(Discontinuation { product_id, .. }) = discontinuations::find(work, id).await? {
            let taken_back =
                Discontinuation { id: id.to_owned(), product_id, standing: Standing::Reinstated };
            discontinuations::save(work, &taken_back).await?;
        }
        Ok(())
    };
    bench.store.unit(&Context::new(crate::NAME, Duration::from_secs(30)), unit).await.unwrap();
}

#[tokio::test]
async fn a_sale_that_ended_for_good_is_not_begun_again() {
    on_each_engine(async |bench| {
        bench.create(chai()).await.unwrap();
        discontinue(bench, "1", "r-1").await.unwrap();
        bench.discontinue("1").await.unwrap();
        let stays = reinstate(bench, "1", "r-1").await.unwrap().product.unwrap();
        assert_eq!(stays.state().unwrap(), pb::ProductState::Discontinued);
        assert_eq!(refusal(discontinue(bench, "1", "r-1").await), refused("ALREADY_REINSTATED"));
    })
    .await;
}

#[tokio::test]
async fn of_two_discontinuations_with_names_the_second_is_refused() {
    on_each_engine(async |bench| {
        bench.create(chai()).await.unwrap();
        discontinue(bench, "1", "r-1").await.unwrap();
        assert_eq!(refusal(discontinue(bench, "1", "r-2").await), refused("ALREADY_DISCONTINUED"));
        reinstate(bench, "1", "r-2").await.unwrap();
        let stays = bench.get("1").await.unwrap();
        assert_eq!(stays.state().unwrap(), pb::ProductState::Discontinued, "the other one took nothing back");
    })
    .await;
}

#[tokio::test]
async fn a_name_is_good_for_one_product() {
    on_each_engine(async |bench| {
        bench.create(chai()).await.unwrap();
        bench.create(chai().with_id("2")).await.unwrap();
        discontinue(bench, "1", "r-1").await.unwrap();
        let conflict = refused("DISCONTINUATION_CONFLICT");
        assert_eq!(refusal(discontinue(bench, "2", "r-1").await), conflict);
        assert_eq!(refusal(reinstate(bench, "2", "r-1").await), conflict);
    })
    .await;
}

#[tokio::test]
async fn a_product_that_is_gone_is_taken_back_without_an_answer() {
    on_each_engine(async |bench| {
        assert_eq!(refusal(discontinue(bench, "1", "r-1").await).0, Code::NotFound);
        assert_eq!(reinstate(bench, "1", "r-1").await.unwrap().product, None);
        bench.create(chai()).await.unwrap();
        assert_eq!(refusal(discontinue(bench, "1", "r-1").await), refused("ALREADY_REINSTATED"));
        assert_eq!(wrong_fields(reinstate(bench, "", "").await), ["id", "discontinuation_id"]);
    })
    .await;
}

async fn discontinue(bench: &Bench, id: &str, name: &str) -> Result<pb::Product, Status> {
    let request = pb::DiscontinueProductRequest::default().with_id(id).with_discontinuation_id(name);
    bench.server.call(&methods::DISCONTINUE_PRODUCT, request).await
}

async fn reinstate(bench: &Bench, id: &str, name: &str) -> Result<pb::ReinstateProductResponse, Status> {
    let request = pb::ReinstateProductRequest::default().with_id(id).with_discontinuation_id(name);
    bench.server.call(&methods::REINSTATE_PRODUCT, request).await
}

fn refused(reason: &str) -> (Code, String) {
    (Code::FailedPrecondition, reason.to_owned())
}
