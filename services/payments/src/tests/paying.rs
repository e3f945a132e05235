//! Payments: held, taken, given up and given back, each once.

use std::collections::HashMap;

use freehold_testkit::mounted::refusal;
use freehold_wire::Event;
use tonic_types::StatusExt;

use super::*;

#[tokio::test]
async fn money_is_held_then_ours_then_back() {
    on_each_engine(async |bench| {
        bench.open_account("ALFKI", 1000).await.unwrap();
        let authorised = bench.authorise("10248", "ALFKI", 700).await.unwrap();
        assert_eq!(authorised.state().unwrap(), pb::PaymentState::Authorised);
        assert_eq!(bench.cents("ALFKI").await, (1000, 700));
        for _ in 0..2 {
            let captured = bench.capture("10248").await.unwrap();
            assert_eq!(captured.state().unwrap(), pb::PaymentState::Captured);
            assert_eq!(bench.cents("ALFKI").await, (300, 0));
        }
        for _ in 0..2 {
            let refunded = bench.refund("10248").await.unwrap();
            assert_eq!(refunded.state().unwrap(), pb::PaymentState::Refunded);
            assert_eq!(bench.cents("ALFKI").await, (1000, 0));
        }
        assert_eq!(bench.payment("10248").await.unwrap().amount_cents, 700);
        assert_eq!(bench.told(pb::PaymentCaptured::NAME).await, 1);
        assert_eq!(bench.told(pb::PaymentRefunded::NAME).await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_is_held_cannot_be_held_again() {
    on_each_engine(async |bench| {
        bench.open_account("ALFKI", 1000).await.unwrap();
        bench.authorise("10248", "ALFKI", 700).await.unwrap();
        let status = bench.authorise("10249", "ALFKI", 301).await.unwrap_err();
        assert_eq!(status.message(), "301 cents were asked of customer `ALFKI`, 300 are available");
        let figures = [("customer_id", "ALFKI"), ("asked_cents", "301"), ("available_cents", "300")];
        let figures: HashMap<_, _> = figures.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        assert_eq!(status.get_details_error_info().unwrap().metadata, figures);
        assert_eq!(refusal::<()>(Err(status)), refused("INSUFFICIENT_FUNDS"));
        bench.authorise("10249", "ALFKI", 300).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_payment_that_is_asked_for_again_has_the_same_answer() {
    on_each_engine(async |bench| {
        bench.open_account("ALFKI", 1000).await.unwrap();
        bench.open_account("ANATR", 1000).await.unwrap();
        let first = bench.authorise("10248", "ALFKI", 700).await.unwrap();
        assert_eq!(bench.authorise("10248", "ALFKI", 700).await.unwrap(), first);
        assert_eq!(bench.cents("ALFKI").await, (1000, 700));
        assert_eq!(refusal(bench.authorise("10248", "ALFKI", 701).await), refused("PAYMENT_CONFLICT"));
        assert_eq!(refusal(bench.authorise("10248", "ANATR", 700).await), refused("PAYMENT_CONFLICT"));
    })
    .await;
}

#[tokio::test]
async fn a_void_gives_a_hold_up_and_a_late_step_is_refused() {
    on_each_engine(async |bench| {
        bench.open_account("ALFKI", 1000).await.unwrap();
        bench.authorise("10248", "ALFKI", 700).await.unwrap();
        for _ in 0..2 {
            assert_eq!(bench.void("10248").await.unwrap().state().unwrap(), pb::PaymentState::Voided);
            assert_eq!(bench.cents("ALFKI").await, (1000, 0));
        }
        assert_eq!(refusal(bench.capture("10248").await), refused("ALREADY_VOIDED"));
        assert_eq!(refusal(bench.authorise("10248", "ALFKI", 700).await), refused("ALREADY_VOIDED"));
        assert_eq!(bench.told(pb::PaymentRefunded::NAME).await, 0, "nothing was ours");
    })
    .await;
}

/// E52.
#[tokio::test]
async fn a_compensation_that_comes_first_refuses_the_late_step() {
    on_each_engine(async |bench| {
        bench.open_account("ALFKI", 1000).await.unwrap();
        let marks = [bench.void("10248").await.unwrap(), bench.refund("10249").await.unwrap()];
        for mark in marks {
            assert_eq!((mark.state().unwrap(), mark.amount_cents), (pb::PaymentState::Voided, 0));
            assert_eq!(refusal(bench.authorise(&mark.id, "ALFKI", 700).await), refused("ALREADY_VOIDED"));
            assert_eq!(refusal(bench.capture(&mark.id).await), refused("ALREADY_VOIDED"));
        }
        assert_eq!(bench.cents("ALFKI").await, (1000, 0));
    })
    .await;
}

#[tokio::test]
async fn a_saga_that_is_undone_may_refund_and_void_in_turn() {
    on_each_engine(async |bench| {
        bench.open_account("ALFKI", 1000).await.unwrap();
        bench.authorise("10248", "ALFKI", 700).await.unwrap();
        bench.capture("10248").await.unwrap();
        assert_eq!(refusal(bench.void("10248").await), refused("ALREADY_CAPTURED"));
        bench.refund("10248").await.unwrap();
        assert_eq!(bench.void("10248").await.unwrap().state().unwrap(), pb::PaymentState::Refunded);
        assert_eq!(refusal(bench.capture("10248").await), refused("ALREADY_REFUNDED"));
        assert_eq!(refusal(bench.authorise("10248", "ALFKI", 700).await), refused("ALREADY_REFUNDED"));
        assert_eq!(bench.cents("ALFKI").await, (1000, 0));
    })
    .await;
}

#[tokio::test]
async fn money_that_was_never_held_is_not_taken() {
    on_each_engine(async |bench| {
        assert_eq!(refusal(bench.capture("10248").await), (Code::NotFound, "NOT_FOUND".to_owned()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_want_the_last_money_as_many_win_as_can_be_paid() {
    on_each_engine(async |bench| {
        bench.open_account("ALFKI", 1000).await.unwrap();
        let mut orders = tokio::task::JoinSet::new();
        for n in 0..24 {
            let (server, request) = (bench.server.clone(), authorise(&n.to_string(), "ALFKI", 190));
            orders.spawn(async move { server.call(&methods::AUTHORISE, request).await });
        }
        let (won, lost): (Vec<_>, Vec<_>) = orders.join_all().await.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 5);
        for order in lost {
            assert_eq!(refusal(order), refused("INSUFFICIENT_FUNDS"));
        }
        assert_eq!(bench.cents("ALFKI").await, (1000, 950));
    })
    .await;
}
