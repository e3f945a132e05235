//! Placing: confirmed, or rejected with everything given back; or refused at the door with nothing begun.

use freehold_testkit::mounted::{refusal, wrong_fields};
use freehold_wire::{Event, Reason, Session};

use super::*;

#[tokio::test]
async fn an_order_is_confirmed_once_stock_is_held_and_money_is_taken() {
    on_each_engine(async |bench| {
        let order = bench.place(wanted("10248")).await.unwrap();
        assert_eq!((order.state().unwrap(), order.revision), (pb::OrderState::Confirmed, 2));
        assert_eq!((order.total_cents, order.reason.as_str()), (39_200, ""));
        assert_eq!(bench.get("10248").await.unwrap(), order);
        let others = &bench.world.others;
        assert_eq!(others.asked("10248"), ["reserve", "authorise", "capture"]);
        assert_eq!(others.hold_for("10248"), ("reserve", "capture"));
        assert_eq!(bench.told(pb::OrderPlaced::NAME).await, 1);
        assert_eq!(bench.told(pb::OrderConfirmed::NAME).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_refused_step_ends_the_order_with_its_reason_and_all_before_it_undone() {
    on_each_engine(async |bench| {
        for (id, step, reason, held) in [
            ("1", "reserve", "INSUFFICIENT_STOCK", ("nothing", "nothing")),
            ("2", "authorise", "INSUFFICIENT_FUNDS", ("release", "nothing")),
            ("3", "capture", "ALREADY_VOIDED", ("release", "void")),
        ] {
            bench.world.others.refuse(step, reason);
            let order = bench.place(wanted(id)).await.unwrap();
            assert_eq!((order.state().unwrap(), order.reason.as_str()), (pb::OrderState::Rejected, reason));
            assert_eq!(bench.world.others.hold_for(id), held, "{reason}");
            assert_eq!(bench.get(id).await.unwrap(), order);
        }
        assert_eq!(bench.told(pb::OrderRejected::NAME).await, 3);
        assert_eq!(bench.told(pb::OrderConfirmed::NAME).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_price_may_rise_by_a_tenth_and_no_more_before_it_is_paid() {
    on_each_engine(async |bench| {
        bench.world.others.price("11", 2310);
        let order = bench.place(wanted("1")).await.unwrap();
        assert_eq!((order.state().unwrap(), order.total_cents), (pb::OrderState::Confirmed, 39_200));
        bench.world.others.price("11", 2311);
        let order = bench.place(wanted("2")).await.unwrap();
        assert_eq!((order.state().unwrap(), order.reason.as_str()), (pb::OrderState::Rejected, "PRICE_ROSE"));
        assert_eq!(bench.world.others.asked("2"), ["reserve", "authorise", "void", "release"]);
    })
    .await;
}

#[tokio::test]
async fn an_owner_that_is_away_for_a_moment_is_asked_again() {
    on_each_engine(async |bench| {
        let mut away = true;
        bench.world.others.answer(move |call| match call {
            "reserve" if std::mem::take(&mut away) => {
                Err(freehold_sdk::Error::new(Reason::Unavailable, "away"))
            }
            _ => Ok(()),
        });
        let order = bench.place(wanted("10248")).await.unwrap();
        assert_eq!(order.state().unwrap(), pb::OrderState::Confirmed);
        assert_eq!(bench.world.others.asked("10248"), ["reserve", "reserve", "authorise", "capture"]);
    })
    .await;
}

/// Nobody knows whether the first attempt held the stock.
#[tokio::test]
async fn a_step_in_doubt_is_undone_too() {
    on_each_engine(async |bench| {
        let mut answers = [
            Err(freehold_sdk::Error::new(Reason::Unavailable, "cut off")),
            Err(others::refusal("INSUFFICIENT_STOCK")),
        ]
        .into_iter();
        bench.world.others.answer(move |_| answers.next().unwrap_or(Ok(())));
        let order = bench.place(wanted("10248")).await.unwrap();
        assert_eq!(order.reason, "INSUFFICIENT_STOCK");
        assert_eq!(bench.world.others.asked("10248"), ["reserve", "reserve", "release"]);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_ordered_is_refused_with_nothing_begun() {
    on_each_engine(async |bench| {
        let place = async |request| refusal(bench.place(request).await);
        let nobody = wanted("1").with_customer_id("NOBODY");
        assert_eq!(place(nobody).await, refused("CUSTOMER_UNKNOWN"));
        let nothing = wanted("1").with_lines([line("11", 1), line("99", 1)]);
        assert_eq!(place(nothing).await, refused("PRODUCT_UNKNOWN"));
        let discontinued = wanted("1").with_lines([line("11", 1), line("5", 1)]);
        assert_eq!(place(discontinued).await, refused("PRODUCT_DISCONTINUED"));
        bench.world.users.erase::<User>("VINET").await;
        bench.world.catalog.delete::<Product>("42").await;
        bench.copied().await;
        assert_eq!(place(wanted("1")).await, refused("CUSTOMER_UNKNOWN"));
        assert_eq!(place(wanted("1").with_customer_id("TOMSP")).await, refused("PRODUCT_UNKNOWN"));
        assert_eq!(refusal(bench.get("1").await).0, Code::NotFound);
        assert_eq!((bench.sagas().await, bench.events().await.len()), (0, 0));
        assert!(bench.world.others.asked("1").is_empty());
    })
    .await;
}

#[tokio::test]
async fn bad_input_is_refused_by_the_names_of_its_fields() {
    on_each_engine(async |bench| {
        let place = async |request| wrong_fields(bench.place(request).await);
        assert_eq!(place(pb::PlaceOrderRequest::default()).await, ["id", "customer_id", "lines"]);
        let long = "x".repeat(65);
        for id in ["a/b", "a b", "Café", "10248\n", &long] {
            assert_eq!(place(wanted(id)).await, ["id"], "{id:?}");
        }
        let wrong = line("", 0).with_unit_cents(-1).with_discount_basis_points(10_001);
        let fields = ["product_id", "units", "unit_cents", "discount_basis_points"];
        let expected = fields.map(|field| format!("lines[1].{field}"));
        assert_eq!(place(wanted("1").with_lines([line("11", 1), wrong])).await, expected);
        let twice = wanted("1").with_lines([line("11", 1), line("42", 1), line("11", 2)]);
        assert_eq!(place(twice).await, ["lines[2].product_id"]);
        assert!(bench.events().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_line_keeps_the_name_and_the_price_it_was_placed_with() {
    on_each_engine(async |bench| {
        let placed = bench.place(wanted("1")).await.unwrap();
        let first = &placed.lines[0];
        assert_eq!((first.product_name.as_str(), first.catalog_cents), ("Queso Cabrales", 2100));
        assert_eq!((first.unit_cents, first.line_cents, first.product_version), (2100, 25_200, 1));
        bench.world.catalog.put(product("11", "Cabrales", 3000)).await;
        bench.copied().await;
        assert_eq!(bench.get("1").await.unwrap().lines, placed.lines);
        let later = bench.place(wanted("2")).await.unwrap().lines.swap_remove(0);
        assert_eq!((later.product_name.as_str(), later.catalog_cents), ("Cabrales", 3000));
        assert_eq!((later.line_cents, later.product_version), (36_000, 2));
    })
    .await;
}

#[tokio::test]
async fn an_agreed_price_counts_and_cents_are_rounded_half_up_per_line() {
    on_each_engine(async |bench| {
        let half = line("11", 1).with_unit_cents(1).with_discount_basis_points(5000);
        let less = line("42", 1).with_unit_cents(1).with_discount_basis_points(5001);
        let order = bench.place(wanted("1").with_lines([half, less])).await.unwrap();
        let cents: Vec<_> = order.lines.iter().map(|line| (line.unit_cents, line.line_cents)).collect();
        assert_eq!((cents, order.total_cents), (vec![(1, 1), (1, 0)], 1));
        assert_eq!(order.lines[0].catalog_cents, 2100, "what the catalog asked is kept beside it");
        let gift = line("11", 3).with_unit_cents(0);
        let order = bench.place(wanted("2").with_lines([gift])).await.unwrap();
        assert_eq!((order.state().unwrap(), order.total_cents), (pb::OrderState::Confirmed, 0));
    })
    .await;
}

#[tokio::test]
async fn an_order_has_the_price_that_its_caller_has_seen() {
    on_each_engine(async |bench| {
        for cents in 2101..2111 {
            let changed = bench.world.catalog.put(product("11", "Queso Cabrales", cents)).await;
            let caller = bench.server.clone().having_seen(&Session::of([changed]));
            let order = caller.call(&methods::PLACE_ORDER, wanted(&cents.to_string())).await.unwrap();
            assert_eq!(order.lines[0].catalog_cents, cents);
        }
    })
    .await;
}
