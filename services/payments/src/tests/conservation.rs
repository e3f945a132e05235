//! Money is conserved, whatever is asked in whatever order: retries, late steps and early compensations included.

use freehold_store::{Constraint, Queries, StoreError, vals};
use freehold_testkit::{engines, rounds};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::books::mistakes;
use super::*;

/// Something that is asked, or happens.
#[derive(Debug, Clone)]
enum Step {
    Open { customer: u8, cents: i64 },
    Deposit { id: u8, customer: u8, cents: i64 },
    Authorise { id: u8, customer: u8, cents: i64 },
    Void(u8),
    Capture(u8),
    Refund(u8),
    OrderCancelled(u8),
}

/// Few ids, so that steps meet.
fn step() -> impl Strategy<Value = Step> {
    let (customer, id) = (0..2_u8, 0..5_u8);
    prop_oneof![
        2 => (customer.clone(), 0..100_i64).prop_map(|(customer, cents)| Step::Open { customer, cents }),
        2 => (id.clone(), customer.clone(), 1..60_i64)
            .prop_map(|(id, customer, cents)| Step::Deposit { id, customer, cents }),
        4 => (id.clone(), customer, 0..40_i64)
            .prop_map(|(id, customer, cents)| Step::Authorise { id, customer, cents }),
        1 => id.clone().prop_map(Step::Void),
        3 => id.clone().prop_map(Step::Capture),
        1 => id.clone().prop_map(Step::Refund),
        1 => id.prop_map(Step::OrderCancelled),
    ]
}

/// Takes a step; only what a state forbids may be refused.
async fn take(bench: &Bench, step: &Step) {
    match *step {
        Step::Open { customer, cents } => allowed(bench.open_account(&customer.to_string(), cents).await),
        Step::Deposit { id, customer, cents } => {
            allowed(bench.deposit(&id.to_string(), &customer.to_string(), cents).await);
        }
        Step::Authorise { id, customer, cents } => {
            allowed(bench.authorise(&id.to_string(), &customer.to_string(), cents).await);
        }
        Step::Void(id) => allowed(bench.void(&id.to_string()).await),
        Step::Capture(id) => allowed(bench.capture(&id.to_string()).await),
        Step::Refund(id) => drop(bench.refund(&id.to_string()).await.unwrap()),
        Step::OrderCancelled(id) => bench.order_cancelled(&id.to_string()).await.unwrap(),
    }
}

fn allowed<T>(answer: Result<T, Status>) {
    if let Err(status) = answer {
        let code = status.code();
        assert!(matches!(code, Code::FailedPrecondition | Code::NotFound), "{status}");
        assert_ne!(freehold_wire::reason::of(&status), "CONSTRAINT", "the schema is the last resort");
    }
}

/// Takes all steps, each as often as it says, on each engine.
async fn take_all(steps: &[(Step, usize)]) {
    for database in engines::each().await {
        let bench = Bench::open(&database).await;
        for (step, times) in steps {
            for _ in 0..*times {
                take(&bench, step).await;
            }
        }
        assert_eq!(mistakes(&bench).await, Vec::<String>::new());
        bench.store.close().await;
    }
}

#[test]
fn whatever_is_asked_money_is_conserved() {
    let config =
        Config { cases: rounds(32), failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let steps = vec((step(), 1..=2_usize), 1..120);
    TestRunner::new(config)
        .run(&steps, |steps| {
            runtime.block_on(take_all(&steps));
            Ok(())
        })
        .unwrap();
}

/// The planted bugs: money from nowhere, a movement with one end, a payment that moved none.
#[tokio::test]
async fn books_that_do_not_balance_are_found_out() {
    for (falsification, found_out) in [
        ("UPDATE account SET balance_cents = 1001", "ALFKI: a balance of 1001, 300 and 700 in the ledger"),
        ("UPDATE account SET held_cents = 701", "ALFKI: 701 held, 700 in the ledger, 700 authorised"),
        (
            "INSERT INTO ledger_entry (movement, account, amount_cents, booked_ms) VALUES ('x', 'bank', 1, 0)",
            "the ledger sums to 1",
        ),
        ("UPDATE payment SET state = 'CAPTURED'", "the house has 0, 700 were captured"),
    ] {
        on_each_engine(async |bench| {
            bench.open_account("ALFKI", 1000).await.unwrap();
            bench.authorise("10248", "ALFKI", 700).await.unwrap();
            assert_eq!(mistakes(bench).await, Vec::<String>::new());
            execute(bench, falsification).await.unwrap();
            assert!(mistakes(bench).await.iter().any(|mistake| mistake == found_out), "{falsification}");
        })
        .await;
    }
}

#[tokio::test]
async fn an_entry_of_the_ledger_is_never_changed_or_removed() {
    on_each_engine(async |bench| {
        bench.open_account("ALFKI", 1000).await.unwrap();
        for sql in ["UPDATE ledger_entry SET amount_cents = 1", "DELETE FROM ledger_entry"] {
            let refused = execute(bench, sql).await.unwrap_err();
            let StoreError::Constraint { kind, .. } = &refused else { panic!("{refused:?}") };
            assert_eq!(*kind, Constraint::Other);
        }
        assert_eq!(mistakes(bench).await, Vec::<String>::new());
    })
    .await;
}

async fn execute(bench: &Bench, sql: &'static str) -> Result<u64, StoreError> {
    let unit = async move |work: &mut Work| work.exec(sql, vals![]).await;
    bench.store.unit(&reacting(), unit).await.map(|(changed, _)| changed)
}
