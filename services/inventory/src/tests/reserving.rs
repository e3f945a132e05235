//! Reservations: all lines or none, once, and what has ended stays ended.

use std::collections::HashMap;

use freehold_testkit::mounted::{refusal, wrong_fields};
use tonic::Code;
use tonic_types::StatusExt;

use super::*;

fn refused(reason: &str) -> (Code, String) {
    (Code::FailedPrecondition, reason.to_owned())
}

#[tokio::test]
async fn stock_is_held_and_leaves_the_house_when_it_is_shipped() {
    on_each_engine(async |bench| {
        bench.restock("d1", "1", 10).await.unwrap();
        let held = bench.reserve("10248", &[("1", 4)]).await.unwrap();
        assert_eq!(held.state().unwrap(), pb::ReservationState::Held);
        assert_eq!(bench.units("1").await, (10, 4));
        let shipped = bench.ship("10248").await.unwrap();
        assert_eq!(shipped.state().unwrap(), pb::ReservationState::Shipped);
        assert_eq!((shipped.lines, bench.units("1").await), (held.lines, (6, 0)));
        assert_eq!(bench.ship("10248").await.unwrap().state().unwrap(), pb::ReservationState::Shipped);
        assert_eq!(bench.units("1").await, (6, 0), "it left once");
    })
    .await;
}

#[tokio::test]
async fn all_lines_are_held_or_none() {
    on_each_engine(async |bench| {
        bench.restock("d1", "1", 10).await.unwrap();
        bench.restock("d2", "2", 3).await.unwrap();
        let short = bench.reserve("10248", &[("1", 4), ("2", 4)]).await;
        assert_eq!(refusal(short), refused("INSUFFICIENT_STOCK"));
        assert_eq!((bench.units("1").await, bench.units("2").await), ((10, 0), (3, 0)));
        bench.reserve("10248", &[("1", 4), ("2", 3)]).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_shortage_says_of_what_and_by_how_much() {
    on_each_engine(async |bench| {
        bench.restock("d1", "1", 10).await.unwrap();
        let status = bench.reserve("10248", &[("1", 11)]).await.unwrap_err();
        assert_eq!(status.message(), "11 units of product `1` were asked for, 10 are available");
        let figures = [("product_id", "1"), ("asked_units", "11"), ("available_units", "10")];
        let figures: HashMap<_, _> = figures.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        assert_eq!(status.get_details_error_info().unwrap().metadata, figures);
        let status = bench.reserve("10248", &[("nothing", 1)]).await.unwrap_err();
        assert_eq!(status.message(), "1 units of product `nothing` were asked for, 0 are available");
    })
    .await;
}

#[tokio::test]
async fn a_reservation_that_is_asked_for_again_has_the_same_answer() {
    on_each_engine(async |bench| {
        bench.restock("d1", "1", 10).await.unwrap();
        bench.restock("d2", "2", 10).await.unwrap();
        let first = bench.reserve("10248", &[("1", 4), ("2", 1)]).await.unwrap();
        let again = bench.reserve("10248", &[("2", 1), ("1", 4)]).await.unwrap();
        assert_eq!(first, again);
        assert_eq!(bench.units("1").await, (10, 4));
        let other = bench.reserve("10248", &[("1", 5), ("2", 1)]).await;
        assert_eq!(refusal(other), refused("RESERVATION_CONFLICT"));
        let fewer = bench.reserve("10248", &[("1", 4)]).await;
        assert_eq!(refusal(fewer), refused("RESERVATION_CONFLICT"));
    })
    .await;
}

#[tokio::test]
async fn released_stock_can_be_had_again_but_not_by_the_same_reservation() {
    on_each_engine(async |bench| {
        bench.restock("d1", "1", 10).await.unwrap();
        bench.reserve("10248", &[("1", 10)]).await.unwrap();
        for _ in 0..2 {
            let released = bench.release("10248").await.unwrap();
            assert_eq!(released.state().unwrap(), pb::ReservationState::Released);
            assert_eq!(bench.units("1").await, (10, 0));
        }
        assert_eq!(refusal(bench.reserve("10248", &[("1", 10)]).await), refused("ALREADY_RELEASED"));
        assert_eq!(refusal(bench.ship("10248").await), refused("ALREADY_RELEASED"));
        bench.reserve("10249", &[("1", 10)]).await.unwrap();
    })
    .await;
}

/// E52.
#[tokio::test]
async fn a_release_that_comes_first_refuses_the_late_reserve() {
    on_each_engine(async |bench| {
        bench.restock("d1", "1", 10).await.unwrap();
        let mark = bench.release("10248").await.unwrap();
        assert_eq!(mark.state().unwrap(), pb::ReservationState::Released);
        assert!(mark.lines.is_empty());
        assert_eq!(refusal(bench.reserve("10248", &[("1", 4)]).await), refused("ALREADY_RELEASED"));
        assert_eq!(bench.units("1").await, (10, 0));
    })
    .await;
}

#[tokio::test]
async fn what_has_left_the_house_is_not_released() {
    on_each_engine(async |bench| {
        bench.restock("d1", "1", 10).await.unwrap();
        bench.reserve("10248", &[("1", 4)]).await.unwrap();
        bench.ship("10248").await.unwrap();
        assert_eq!(refusal(bench.release("10248").await), refused("ALREADY_SHIPPED"));
        assert_eq!(bench.units("1").await, (6, 0));
        assert_eq!(refusal(bench.ship("nothing").await), (Code::NotFound, "NOT_FOUND".to_owned()));
    })
    .await;
}

/// Everybody wants the same two products, half of them in the other order.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_want_the_last_units_as_many_win_as_there_are() {
    on_each_engine(async |bench| {
        bench.restock("d1", "1", 5).await.unwrap();
        bench.restock("d2", "2", 7).await.unwrap();
        let mut orders = tokio::task::JoinSet::new();
        for n in 0..24 {
            let lines = if n % 2 == 0 { [("1", 1), ("2", 1)] } else { [("2", 1), ("1", 1)] };
            let (server, request) = (bench.server.clone(), reserve(&n.to_string(), &lines));
            orders.spawn(async move { server.call(&methods::RESERVE, request).await });
        }
        let (won, lost): (Vec<_>, Vec<_>) = orders.join_all().await.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 5);
        for order in lost {
            assert_eq!(refusal(order), refused("INSUFFICIENT_STOCK"));
        }
        assert_eq!((bench.units("1").await, bench.units("2").await), ((5, 5), (7, 5)));
    })
    .await;
}

#[tokio::test]
async fn bad_input_is_refused_by_the_names_of_its_fields() {
    on_each_engine(async |bench| {
        assert_eq!(wrong_fields(bench.reserve("", &[]).await), ["id", "lines"]);
        let lines = [("1", 1), ("", 0), ("3", 1_000_001)];
        let wrong = ["lines[1].product_id", "lines[1].units", "lines[2].units"];
        assert_eq!(wrong_fields(bench.reserve("10248", &lines).await), wrong);
        let twice = bench.reserve("10248", &[("1", 1), ("2", 1), ("1", 1)]).await;
        assert_eq!(wrong_fields(twice), ["lines[2].product_id"]);
        assert_eq!(wrong_fields(bench.release("").await), ["id"]);
        assert_eq!(wrong_fields(bench.ship(&"x".repeat(65)).await), ["id"]);
    })
    .await;
}
