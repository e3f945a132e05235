//! Creating and pricing.

use freehold_testkit::mounted::{refusal, wrong_fields};
use freehold_wire::prost::Message;
use freehold_wire::{Entity, Event};
use tonic::Code;

use super::*;

#[tokio::test]
async fn a_created_product_is_read_as_it_was_created_but_for_its_cost() {
    on_each_engine(async |bench| {
        let created = bench.create(chai()).await.unwrap();
        assert_eq!(bench.get("1").await.unwrap(), created);
        let told = (created.name.as_str(), created.price_cents, created.category.as_str());
        assert_eq!(told, ("Chai", 1800, "Beverages"));
        assert_eq!(created.state().unwrap(), pb::ProductState::Active);
        assert_eq!(created.cost_cents, 0);
    })
    .await;
}

#[tokio::test]
async fn the_cost_of_a_product_is_in_no_event() {
    on_each_engine(async |bench| {
        bench.create(chai()).await.unwrap();
        bench.change_price("1", 1900).await.unwrap();
        let events = bench.events().await;
        let told = events.iter().filter(|event| event.r#type == pb::Product::NAME);
        for change in told {
            let product = pb::Product::decode(change.data.as_deref().unwrap()).unwrap();
            assert_eq!((product.cost_cents, product.buyer_email.as_str()), (0, "buyer@example.com"));
        }
    })
    .await;
}

#[tokio::test]
async fn an_id_names_one_product_for_ever() {
    on_each_engine(async |bench| {
        let taken = || (Code::FailedPrecondition, "PRODUCT_EXISTS".to_owned());
        bench.create(chai()).await.unwrap();
        assert_eq!(refusal(bench.create(chai()).await), taken());
        bench.delete("1").await.unwrap();
        assert_eq!(refusal(bench.create(chai()).await), taken());
    })
    .await;
}

#[tokio::test]
async fn a_price_that_differs_is_told_with_the_one_before() {
    on_each_engine(async |bench| {
        bench.create(chai()).await.unwrap();
        assert_eq!(bench.change_price("1", 1900).await.unwrap().price_cents, 1900);
        bench.change_price("1", 1900).await.unwrap();
        let told = words([(pb::Product::NAME, 1), (pb::Product::NAME, 2), (pb::PriceChanged::NAME, 3)]);
        assert_eq!(bench.told().await, told);
        let event = bench.events().await.pop().unwrap();
        let changed = pb::PriceChanged::decode(event.data.as_deref().unwrap()).unwrap();
        assert_eq!((changed.old_cents, changed.new_cents), (1800, 1900));
    })
    .await;
}

#[tokio::test]
async fn prices_come_in_the_order_asked_for_without_the_unknown() {
    on_each_engine(async |bench| {
        bench.create(chai()).await.unwrap();
        bench.create(chai().with_id("2").with_price_cents(1900)).await.unwrap();
        bench.discontinue("2").await.unwrap();
        let prices = bench.prices(&["2", "nothing", "1"]).await.unwrap().prices;
        let told: Vec<_> = prices
            .iter()
            .map(|price| (price.product_id.as_str(), price.price_cents, price.state().unwrap()))
            .collect();
        let (ended, active) = (pb::ProductState::Discontinued, pb::ProductState::Active);
        assert_eq!(told, [("2", 1900, ended), ("1", 1800, active)]);
    })
    .await;
}

#[tokio::test]
async fn bad_input_is_refused_by_the_names_of_its_fields() {
    on_each_engine(async |bench| {
        let wrong = pb::CreateProductRequest::default().with_price_cents(-1).with_cost_cents(1_000_000_001);
        assert_eq!(wrong_fields(bench.create(wrong).await), ["id", "name", "price_cents", "cost_cents"]);
        assert_eq!(wrong_fields(bench.change_price("", -1).await), ["id", "price_cents"]);
        assert_eq!(wrong_fields(bench.get(&"x".repeat(65)).await), ["id"]);
        assert_eq!(wrong_fields(bench.prices(&[]).await), ["product_ids"]);
        assert_eq!(wrong_fields(bench.prices(&["1"; 1001]).await), ["product_ids"]);
        assert_eq!(wrong_fields(bench.discontinue("").await), ["id"]);
        assert_eq!(wrong_fields(bench.delete("").await), ["id"]);
        assert!(bench.events().await.is_empty());
    })
    .await;
}
