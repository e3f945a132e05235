//! Cancelling and shipping: from one state only, at the revision that the caller decided on.

use freehold_testkit::mounted::{refusal, wrong_fields};
use freehold_wire::Event;
use tokio::task::JoinSet;

use super::*;
use crate::order::Order;
use crate::store::orders::{self, RecordError};

#[tokio::test]
async fn a_confirmed_order_can_be_cancelled() {
    on_each_engine(async |bench| {
        bench.place(wanted("10248")).await.unwrap();
        let order = bench.cancel("10248").await.unwrap();
        assert_eq!((order.state().unwrap(), order.revision), (pb::OrderState::Cancelled, 3));
        assert_eq!((order.reason.as_str(), order.total_cents), ("no longer wanted", 39_200));
        assert_eq!(bench.get("10248").await.unwrap(), order);
        assert_eq!(bench.told(pb::OrderCancelled::NAME).await, 1);
        let held = bench.world.others.hold_for("10248");
        assert_eq!(held, ("reserve", "capture"), "who holds something gives it back by himself");
    })
    .await;
}

#[tokio::test]
async fn a_confirmed_order_can_be_shipped() {
    on_each_engine(async |bench| {
        bench.place(wanted("10248")).await.unwrap();
        let order = bench.ship("10248").await.unwrap();
        assert_eq!((order.state().unwrap(), order.revision), (pb::OrderState::Shipped, 3));
        assert_eq!(bench.get("10248").await.unwrap(), order);
        assert_eq!(bench.told(pb::OrderShipped::NAME).await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_has_ended_is_not_ended_otherwise() {
    on_each_engine(async |bench| {
        for id in ["cancelled", "shipped", "rejected"] {
            if id == "rejected" {
                bench.world.others.refuse("reserve", "INSUFFICIENT_STOCK");
            }
            bench.place(wanted(id)).await.unwrap();
        }
        bench.cancel("cancelled").await.unwrap();
        bench.ship("shipped").await.unwrap();
        for id in ["cancelled", "shipped", "rejected"] {
            let before = bench.get(id).await.unwrap();
            assert_eq!(refusal(bench.cancel(id).await), refused("WRONG_STATE"), "{id}");
            assert_eq!(refusal(bench.ship(id).await), refused("WRONG_STATE"), "{id}");
            assert_eq!(bench.get(id).await.unwrap(), before);
        }
    })
    .await;
}

#[tokio::test]
async fn an_order_under_way_can_be_neither_cancelled_nor_shipped() {
    on_each_engine(async |bench| {
        bench.world.others.hold(true);
        let server = bench.server.clone();
        let placing = tokio::spawn(async move { server.call(&methods::PLACE_ORDER, wanted("10248")).await });
        eventually("an order under way", SOON, async || bench.get("10248").await.ok()).await;
        assert_eq!(refusal(bench.cancel("10248").await), refused("WRONG_STATE"));
        assert_eq!(refusal(bench.ship("10248").await), refused("WRONG_STATE"));
        bench.world.others.hold(false);
        assert_eq!(placing.await.unwrap().unwrap().state().unwrap(), pb::OrderState::Confirmed);
    })
    .await;
}

#[tokio::test]
async fn who_decided_on_an_old_revision_is_told_so() {
    on_each_engine(async |bench| {
        let stale = || (Code::Aborted, "STALE_REVISION".to_owned());
        let ship = |revision| pb::ShipOrderRequest::default().with_id("10248").with_revision(revision);
        bench.place(wanted("10248")).await.unwrap();
        for revision in [1, 3] {
            let request = cancel("10248").with_revision(revision);
            assert_eq!(refusal(bench.server.call(&methods::CANCEL_ORDER, request).await), stale());
            assert_eq!(refusal(bench.server.call(&methods::SHIP_ORDER, ship(revision)).await), stale());
        }
        bench.server.call(&methods::SHIP_ORDER, ship(2)).await.unwrap();
        assert_eq!(refusal(bench.server.call(&methods::SHIP_ORDER, ship(2)).await), stale());
        assert_eq!(refusal(bench.server.call(&methods::SHIP_ORDER, ship(3)).await), refused("WRONG_STATE"));
    })
    .await;
}

#[tokio::test]
async fn a_repeated_cancellation_under_its_key_has_the_same_answer() {
    on_each_engine(async |bench| {
        bench.place(wanted("10248")).await.unwrap();
        let cancel =
            async || bench.server.keyed(&methods::CANCEL_ORDER, "k1", cancel("10248")).await.unwrap();
        let (first, _) = cancel().await;
        assert_eq!(cancel().await, (first, true));
        assert_eq!(bench.told(pb::OrderCancelled::NAME).await, 1);
    })
    .await;
}

#[tokio::test]
async fn an_unknown_order_and_bad_input_are_refused() {
    on_each_engine(async |bench| {
        assert_eq!(refusal(bench.cancel("10248").await).0, Code::NotFound);
        assert_eq!(refusal(bench.ship("10248").await).0, Code::NotFound);
        let wrong = cancel("").with_reason("x".repeat(501)).with_revision(0);
        let cancelled = bench.server.call(&methods::CANCEL_ORDER, wrong).await;
        assert_eq!(wrong_fields(cancelled), ["id", "reason", "revision"]);
        assert_eq!(wrong_fields(bench.ship("").await), ["id"]);
    })
    .await;
}

/// E43.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_cancel_at_one_revision_one_wins_and_the_rest_are_told() {
    on_each_engine(async |bench| {
        bench.place(wanted("10248")).await.unwrap();
        let mut callers = JoinSet::new();
        for _ in 0..64 {
            let (server, request) = (bench.server.clone(), cancel("10248").with_revision(2));
            callers.spawn(async move { server.call(&methods::CANCEL_ORDER, request).await });
        }
        let (won, lost): (Vec<_>, Vec<_>) = callers.join_all().await.into_iter().partition(Result::is_ok);
        assert_eq!((won.len(), lost.len()), (1, 63));
        for cancelled in lost {
            assert_eq!(refusal(cancelled), (Code::Aborted, "STALE_REVISION".to_owned()));
        }
        assert_eq!(bench.told(pb::OrderCancelled::NAME).await, 1);
        assert_eq!(bench.get("10248").await.unwrap().revision, 3);
    })
    .await;
}

/// The planted bug: who decides on what the order was, and writes to what it is.
#[tokio::test]
async fn a_decision_on_what_an_order_was_cancels_it_twice() {
    on_each_engine(async |bench| {
        bench.place(wanted("10248")).await.unwrap();
        let seen =
            async || orders::find(&mut bench.store.read().await.unwrap(), "10248").await.unwrap().unwrap();
        for seen in [seen().await, seen().await] {
            cancel_as_seen(bench, seen).await.unwrap();
        }
        assert_eq!(bench.told(pb::OrderCancelled::NAME).await, 2);
    })
    .await;
}

async fn cancel_as_seen(bench: &Bench, seen: Order) -> Result<(), RecordError> {
    let fact = seen.cancel("no longer wanted").unwrap();
    let unit = async move |work: &mut Work| {
        let stands = orders::find(work, &seen.id).await?.unwrap();
        orders::record(work, &stands, fact).await
    };
    bench.store.unit(&context(), unit).await.map(drop)
}
