//! Discontinuing and deleting.

use freehold_testkit::mounted::refusal;
use freehold_wire::{Entity, Event};
use tonic::Code;

use super::*;

#[tokio::test]
async fn a_discontinued_product_stays_readable_and_is_told_once() {
    on_each_engine(async |bench| {
        bench.create(chai()).await.unwrap();
        for _ in 0..2 {
            let ended = bench.discontinue("1").await.unwrap();
            assert_eq!(ended.state().unwrap(), pb::ProductState::Discontinued);
        }
        assert_eq!(bench.get("1").await.unwrap().name, "Chai");
        let told =
            words([(pb::Product::NAME, 1), (pb::Product::NAME, 2), (pb::ProductDiscontinued::NAME, 3)]);
        assert_eq!(bench.told().await, told);
    })
    .await;
}

#[tokio::test]
async fn a_discontinued_product_takes_a_new_price() {
    on_each_engine(async |bench| {
        bench.create(chai()).await.unwrap();
        bench.discontinue("1").await.unwrap();
        let product = bench.change_price("1", 1900).await.unwrap();
        assert_eq!((product.price_cents, product.state().unwrap()), (1900, pb::ProductState::Discontinued));
    })
    .await;
}

#[tokio::test]
async fn a_deleted_product_leaves_a_tombstone() {
    on_each_engine(async |bench| {
        bench.create(chai()).await.unwrap();
        bench.delete("1").await.unwrap();
        assert_eq!(refusal(bench.get("1").await).0, Code::NotFound);
        assert!(bench.prices(&["1"]).await.unwrap().prices.is_empty());
        let tombstone = bench.events().await.pop().unwrap();
        assert_eq!((tombstone.entity.as_str(), tombstone.version), (pb::Product::NAME, 2));
        assert!(tombstone.deleted && tombstone.data.is_none());
    })
    .await;
}

#[tokio::test]
async fn an_unknown_product_is_not_found() {
    on_each_engine(async |bench| {
        let not_found = (Code::NotFound, "NOT_FOUND".to_owned());
        assert_eq!(refusal(bench.get("1").await), not_found);
        assert_eq!(refusal(bench.change_price("1", 1900).await), not_found);
        assert_eq!(refusal(bench.discontinue("1").await), not_found);
        assert_eq!(refusal(bench.delete("1").await), not_found);
    })
    .await;
}
