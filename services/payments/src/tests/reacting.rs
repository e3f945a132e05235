//! What a cancelled order does to its payment, in whatever state that is.

use freehold_wire::Event;

use super::*;

#[tokio::test]
async fn the_money_of_a_cancelled_order_goes_back_once() {
    on_each_engine(async |bench| {
        bench.open_account("ALFKI", 1000).await.unwrap();
        bench.authorise("10248", "ALFKI", 700).await.unwrap();
        bench.capture("10248").await.unwrap();
        bench.order_cancelled("10248").await.unwrap();
        bench.order_cancelled("10248").await.unwrap();
        assert_eq!(bench.cents("ALFKI").await, (1000, 0));
        assert_eq!(bench.told(pb::PaymentRefunded::NAME).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_hold_of_a_cancelled_order_is_given_up() {
    on_each_engine(async |bench| {
        bench.open_account("ALFKI", 1000).await.unwrap();
        bench.authorise("10248", "ALFKI", 700).await.unwrap();
        bench.order_cancelled("10248").await.unwrap();
        assert_eq!(bench.cents("ALFKI").await, (1000, 0));
        bench.capture("10248").await.unwrap_err();
    })
    .await;
}

#[tokio::test]
async fn an_order_that_is_cancelled_before_it_is_paid_is_never_paid() {
    on_each_engine(async |bench| {
        bench.open_account("ALFKI", 1000).await.unwrap();
        bench.order_cancelled("10248").await.unwrap();
        bench.authorise("10248", "ALFKI", 700).await.unwrap_err();
        assert_eq!(bench.cents("ALFKI").await, (1000, 0));
    })
    .await;
}
