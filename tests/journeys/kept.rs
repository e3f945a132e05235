//! Answers that a client keeps: ended by what others do, and by their owner's end, long before their time.

use std::time::Duration;

use freehold_sdk::Session;
use freehold_sdk::catalog::v1::{CatalogClient, ChangePriceRequest, CreateProductRequest, GetProductRequest};
use freehold_testkit::{PATIENCE, Scratch, eventually};

use crate::apart::Apart;

/// Less than the 30 seconds for which the contract lets an answer be kept: without a watch this is not long enough.
const BEFORE_ITS_TIME: Duration = Duration::from_secs(25);

/// C30 between processes. An answer would be kept for 30 seconds; the change of another client ends it, before and after
/// a restart of the owner.
#[tokio::test]
async fn a_price_that_another_client_changes_is_seen() {
    let scratch = Scratch::new("kept");
    let mut apart = Apart::start(scratch.path()).await;
    let reader = CatalogClient::connect(&apart.mesh("demo")).unwrap().with_deadline(PATIENCE);
    let writer = CatalogClient::connect(&apart.mesh("demo")).unwrap().with_deadline(PATIENCE);
    let tea = CreateProductRequest::default().with_id("TEA").with_name("Tea").with_price_cents(100);
    writer.create_product(tea).await.unwrap();
    // Each look is of somebody who has seen nothing, so no session asks for more than what is kept.
    let price = async || {
        let product = GetProductRequest::default().with_id("TEA");
        reader.with_session(&Session::new()).get_product(product).await.map(|product| product.price_cents)
    };
    let change = async |cents| {
        let change = ChangePriceRequest::default().with_id("TEA").with_price_cents(cents);
        writer.change_price(change).await.unwrap();
        // Whoever has changed it sees it at once, whatever is kept.
        let seen = writer.get_product(GetProductRequest::default().with_id("TEA")).await.unwrap();
        assert_eq!(seen.price_cents, cents);
    };
    assert_eq!(price().await.unwrap(), 100);
    change(110).await;
    eventually("the new price", BEFORE_ITS_TIME, async || (price().await.unwrap() == 110).then_some(()))
        .await;

    apart.stop("catalog").await;
    apart.begin("catalog");
    apart.serves().await;
    assert_eq!(price().await.unwrap(), 110);
    change(120).await;
    eventually("the newest price", BEFORE_ITS_TIME, async || (price().await.unwrap() == 120).then_some(()))
        .await;
}
