//! What events of orders do to their reservations, in whatever state those are.

use super::*;

fn refused(reacted: Result<(), ReactionError>) -> String {
    match reacted {
        Err(ReactionError::Refuse(why)) => why,
        other => panic!("was not refused: {other:?}"),
    }
}

#[tokio::test]
async fn the_stock_of_a_shipped_order_leaves_the_house_once() {
    on_each_engine(async |bench| {
        bench.restock("d1", "1", 10).await.unwrap();
        bench.reserve("10248", &[("1", 4)]).await.unwrap();
        bench.order_shipped("10248").await.unwrap();
        bench.order_shipped("10248").await.unwrap();
        assert_eq!(bench.units("1").await, (6, 0));
    })
    .await;
}

#[tokio::test]
async fn the_stock_of_a_cancelled_order_goes_back_once() {
    on_each_engine(async |bench| {
        bench.restock("d1", "1", 10).await.unwrap();
        bench.reserve("10248", &[("1", 4)]).await.unwrap();
        bench.order_cancelled("10248").await.unwrap();
        bench.order_cancelled("10248").await.unwrap();
        assert_eq!(bench.units("1").await, (10, 0));
        let reservation = bench.release("10248").await.unwrap();
        assert_eq!(reservation.lines.len(), 1, "the reservation stays on record");
    })
    .await;
}

#[tokio::test]
async fn an_event_that_contradicts_its_reservation_is_refused_for_good() {
    on_each_engine(async |bench| {
        bench.restock("d1", "1", 10).await.unwrap();
        assert_eq!(refused(bench.order_shipped("10248").await), "no reservation has the id `10248`");
        bench.release("10248").await.unwrap();
        assert_eq!(refused(bench.order_shipped("10248").await), "the reservation `10248` was released");
        bench.reserve("10249", &[("1", 4)]).await.unwrap();
        bench.ship("10249").await.unwrap();
        assert_eq!(refused(bench.order_cancelled("10249").await), "the reservation `10249` was shipped");
        assert_eq!(bench.units("1").await, (6, 0));
    })
    .await;
}

#[tokio::test]
async fn an_order_that_is_cancelled_before_its_stock_is_held_never_holds_any() {
    on_each_engine(async |bench| {
        bench.restock("d1", "1", 10).await.unwrap();
        bench.order_cancelled("10248").await.unwrap();
        bench.reserve("10248", &[("1", 4)]).await.unwrap_err();
        assert_eq!(bench.units("1").await, (10, 0));
    })
    .await;
}
