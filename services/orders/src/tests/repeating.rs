//! The same order again: under its id, under a key, after its caller's time was up, and by many at once.

use freehold_testkit::mounted::refusal;
use freehold_wire::Event;
use tokio::task::JoinSet;

use super::*;
use crate::order::{Line, Order};
use crate::store::orders::{self, RecordError};

#[tokio::test]
async fn an_order_that_is_placed_again_has_the_same_answer_for_ever() {
    on_each_engine(async |bench| {
        let first = bench.place(wanted("10248")).await.unwrap();
        assert_eq!(bench.place(wanted("10248")).await.unwrap(), first);
        bench.cancel("10248").await.unwrap();
        bench.world.users.erase::<User>("VINET").await;
        bench.world.catalog.delete::<Product>("11").await;
        bench.copied().await;
        assert_eq!(bench.place(wanted("10248")).await.unwrap(), first);
        assert_eq!(first.state().unwrap(), pb::OrderState::Confirmed);
        assert_eq!(bench.get("10248").await.unwrap().state().unwrap(), pb::OrderState::Cancelled);
        assert_eq!(bench.world.others.asked("10248"), ["reserve", "authorise", "capture"]);
    })
    .await;
}

#[tokio::test]
async fn a_rejected_order_stays_rejected() {
    on_each_engine(async |bench| {
        bench.world.others.refuse("reserve", "INSUFFICIENT_STOCK");
        let first = bench.place(wanted("10248")).await.unwrap();
        bench.world.others.answer(|_| Ok(()));
        assert_eq!(bench.place(wanted("10248")).await.unwrap(), first);
        assert_eq!(first.reason, "INSUFFICIENT_STOCK");
        assert_eq!(bench.world.others.asked("10248"), ["reserve"], "nothing to undo");
    })
    .await;
}

#[tokio::test]
async fn an_id_names_one_order() {
    on_each_engine(async |bench| {
        bench.place(wanted("10248")).await.unwrap();
        let lines = |first, second| wanted("10248").with_lines([first, second]);
        for other in [
            wanted("10248").with_customer_id("TOMSP"),
            wanted("10248").with_lines([line("11", 12)]),
            lines(line("42", 10), line("11", 12)),
            lines(line("11", 13), line("42", 10)),
            lines(line("11", 12).with_unit_cents(2099), line("42", 10)),
            lines(line("11", 12).with_discount_basis_points(1), line("42", 10)),
        ] {
            assert_eq!(refusal(bench.place(other).await), refused("ORDER_EXISTS"));
        }
        let agreed = lines(line("11", 12).with_unit_cents(2100), line("42", 10));
        bench.place(agreed).await.unwrap();
        assert_eq!((bench.sagas().await, bench.told(pb::OrderPlaced::NAME).await), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn a_key_is_good_for_one_order() {
    on_each_engine(async |bench| {
        let place = async |request| bench.server.keyed(&methods::PLACE_ORDER, "k1", request).await;
        let (first, replayed) = place(wanted("1")).await.unwrap();
        assert!(!replayed);
        let (again, replayed) = place(wanted("1")).await.unwrap();
        assert_eq!((again, replayed), (first, true));
        assert_eq!(refusal(place(wanted("2")).await), refused("IDEMPOTENCY_KEY_REUSED"));
        assert_eq!(refusal(bench.get("2").await).0, Code::NotFound);
    })
    .await;
}

#[tokio::test]
async fn what_was_refused_at_the_door_may_be_tried_again_under_its_key() {
    on_each_engine(async |bench| {
        let place = async || {
            let request = wanted("1").with_customer_id("HANAR");
            bench.server.keyed(&methods::PLACE_ORDER, "k1", request).await
        };
        assert_eq!(refusal(place().await), refused("CUSTOMER_UNKNOWN"));
        bench.world.users.put(User::default().with_id("HANAR").with_name("Mario Pontes")).await;
        bench.copied().await;
        let (order, replayed) = place().await.unwrap();
        assert_eq!((order.state().unwrap(), replayed), (pb::OrderState::Confirmed, false));
    })
    .await;
}

#[tokio::test]
async fn an_order_goes_on_when_its_caller_s_time_is_up() {
    on_each_engine(async |bench| {
        let impatient = bench.server.clone().within(Duration::from_millis(500));
        let place =
            async |server: &Mounted<_>| server.keyed(&methods::PLACE_ORDER, "k1", wanted("10248")).await;
        bench.world.others.hold(true);
        // Whatever takes its time before the saga has begun is out of time for another reason, and asked for again.
        eventually("an order under way", SOON, async || {
            let (code, reason) = refusal(place(&impatient).await);
            assert_eq!(code, Code::DeadlineExceeded, "{reason}");
            (reason == "ORDER_UNFINISHED").then_some(())
        })
        .await;
        assert_eq!(bench.get("10248").await.unwrap().state().unwrap(), pb::OrderState::Placed);
        bench.world.others.hold(false);
        let (order, _) = place(&bench.server).await.unwrap();
        assert_eq!(order.state().unwrap(), pb::OrderState::Confirmed);
        assert_eq!((bench.sagas().await, bench.told(pb::OrderPlaced::NAME).await), (1, 1));
    })
    .await;
}

/// E53.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_place_one_order_all_get_the_one_order() {
    on_each_engine(async |bench| {
        let mut starters = JoinSet::new();
        for _ in 0..64 {
            let server = bench.server.clone();
            starters.spawn(async move { server.call(&methods::PLACE_ORDER, wanted("10248")).await });
        }
        let expected = starters.join_next().await.unwrap().unwrap().unwrap();
        for order in starters.join_all().await {
            assert_eq!(order.unwrap(), expected);
        }
        assert_eq!((expected.state().unwrap(), expected.revision), (pb::OrderState::Confirmed, 2));
        assert_eq!((bench.sagas().await, bench.told(pb::OrderPlaced::NAME).await), (1, 1));
        assert_eq!(bench.world.others.asked("10248"), ["reserve", "authorise", "capture"]);
    })
    .await;
}

/// The planted bug: who looks for the order before its unit of work and not in it.
#[tokio::test]
async fn a_starter_that_looks_too_early_does_not_get_the_order() {
    on_each_engine(async |bench| {
        let found = async || orders::find(&mut bench.store.read().await.unwrap(), "10248").await.unwrap();
        let looked = [found().await, found().await];
        let mut outcomes = Vec::new();
        for found in looked {
            outcomes.push(place_as_found(bench, found).await);
        }
        assert!(matches!(&outcomes[..], [Ok(_), Err(RecordError::Stale(_))]), "{outcomes:?}");
    })
    .await;
}

async fn place_as_found(bench: &Bench, found: Option<Order>) -> Result<Order, RecordError> {
    if let Some(order) = found {
        return Ok(order);
    }
    let lines = vec![Line {
        product_id: "11".to_owned(),
        product_name: "Queso Cabrales".to_owned(),
        catalog_cents: 2100,
        unit_cents: 2100,
        units: 12,
        discount_basis_points: 0,
        product_version: 1,
    }];
    let unit = async move |work: &mut Work| orders::place(work, "10248", "VINET", lines).await;
    bench.store.unit(&context(), unit).await.map(|(order, _)| order)
}
