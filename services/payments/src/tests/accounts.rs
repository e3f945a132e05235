//! Accounts and deposits: each is booked once.

use freehold_testkit::mounted::{refusal, wrong_fields};

use super::*;

#[tokio::test]
async fn an_account_is_opened_once_with_its_first_money() {
    on_each_engine(async |bench| {
        let opened = bench.open_account("ALFKI", 1000).await.unwrap();
        assert_eq!((opened.balance_cents, opened.held_cents), (1000, 0));
        assert_eq!(bench.account("ALFKI").await.unwrap(), opened);
        assert_eq!(refusal(bench.open_account("ALFKI", 1000).await), refused("ACCOUNT_EXISTS"));
        bench.open_account("ANATR", 0).await.unwrap();
        assert_eq!(bench.cents("ANATR").await, (0, 0));
    })
    .await;
}

#[tokio::test]
async fn a_deposit_is_booked_once_under_any_key() {
    on_each_engine(async |bench| {
        bench.open_account("ALFKI", 1000).await.unwrap();
        let request = || deposit("d1", "ALFKI", 500);
        bench.server.keyed(&methods::DEPOSIT, "k1", request()).await.unwrap();
        let (account, replayed) = bench.server.keyed(&methods::DEPOSIT, "k2", request()).await.unwrap();
        assert!(!replayed, "another key, another call");
        assert_eq!(account.balance_cents, 1500);
    })
    .await;
}

#[tokio::test]
async fn a_deposit_of_another_content_is_a_conflict() {
    on_each_engine(async |bench| {
        bench.open_account("ALFKI", 0).await.unwrap();
        bench.open_account("ANATR", 0).await.unwrap();
        bench.deposit("d1", "ALFKI", 500).await.unwrap();
        assert_eq!(refusal(bench.deposit("d1", "ALFKI", 501).await), refused("DEPOSIT_CONFLICT"));
        assert_eq!(refusal(bench.deposit("d1", "ANATR", 500).await), refused("DEPOSIT_CONFLICT"));
        assert_eq!((bench.cents("ALFKI").await.0, bench.cents("ANATR").await.0), (500, 0));
    })
    .await;
}

#[tokio::test]
async fn money_wants_an_account() {
    on_each_engine(async |bench| {
        assert_eq!(refusal(bench.deposit("d1", "ALFKI", 500).await), refused("ACCOUNT_UNKNOWN"));
        assert_eq!(refusal(bench.authorise("10248", "ALFKI", 0).await), refused("ACCOUNT_UNKNOWN"));
        assert_eq!(refusal(bench.account("ALFKI").await).0, Code::NotFound);
        assert_eq!(refusal(bench.payment("10248").await).0, Code::NotFound);
    })
    .await;
}

#[tokio::test]
async fn bad_input_is_refused_by_the_names_of_its_fields() {
    on_each_engine(async |bench| {
        assert_eq!(wrong_fields(bench.open_account("", -1).await), ["customer_id", "opening_cents"]);
        let wrong = ["customer_id", "amount_cents", "deposit_id"];
        assert_eq!(wrong_fields(bench.deposit("", "", 0).await), wrong);
        assert_eq!(wrong_fields(bench.deposit("d1", "ALFKI", 1_000_000_000_001).await), ["amount_cents"]);
        let wrong = ["id", "customer_id", "amount_cents"];
        assert_eq!(wrong_fields(bench.authorise("", "", -1).await), wrong);
        assert_eq!(wrong_fields(bench.account("").await), ["customer_id"]);
        assert_eq!(wrong_fields(bench.payment("").await), ["id"]);
        for answer in [bench.void("").await, bench.capture("").await, bench.refund("").await] {
            assert_eq!(wrong_fields(answer), ["id"]);
        }
    })
    .await;
}
