//! Stock is conserved, whatever is asked in whatever order: retries, late steps and early compensations included.

use freehold_store::{Queries, vals};
use freehold_testkit::{engines, rounds};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tonic::Code;

use super::books::mistakes;
use super::*;

/// Something that is asked, or happens.
#[derive(Debug, Clone)]
enum Step {
    Restock { delivery: u8, product: u8, units: i64 },
    Reserve { id: u8, lines: Vec<(u8, i64)> },
    Release(u8),
    Ship(u8),
    OrderShipped(u8),
    OrderCancelled(u8),
}

/// Few ids, so that steps meet.
fn step() -> impl Strategy<Value = Step> {
    let (delivery, product, id) = (0..12_u8, 0..3_u8, 0..6_u8);
    let lines = btree_map(product.clone(), 1..30_i64, 1..=3).prop_map(|lines| lines.into_iter().collect());
    prop_oneof![
        3 => (delivery, product, 1..60_i64)
            .prop_map(|(delivery, product, units)| Step::Restock { delivery, product, units }),
        4 => (id.clone(), lines).prop_map(|(id, lines)| Step::Reserve { id, lines }),
        2 => id.clone().prop_map(Step::Release),
        1 => id.clone().prop_map(Step::Ship),
        1 => id.clone().prop_map(Step::OrderShipped),
        1 => id.prop_map(Step::OrderCancelled),
    ]
}

/// Takes a step; only what a state forbids may be refused.
async fn take(bench: &Bench, step: &Step) {
    match step.clone() {
        Step::Restock { delivery, product, units } => {
            allowed(bench.restock(&delivery.to_string(), &product.to_string(), units).await);
        }
        Step::Reserve { id, lines } => {
            let lines: Vec<_> = lines.iter().map(|(product, units)| (product.to_string(), *units)).collect();
            let lines: Vec<_> = lines.iter().map(|(product, units)| (product.as_str(), *units)).collect();
            allowed(bench.reserve(&id.to_string(), &lines).await);
        }
        Step::Release(id) => allowed(bench.release(&id.to_string()).await),
        Step::Ship(id) => allowed(bench.ship(&id.to_string()).await),
        Step::OrderShipped(id) => refused_at_most(bench.order_shipped(&id.to_string()).await),
        Step::OrderCancelled(id) => refused_at_most(bench.order_cancelled(&id.to_string()).await),
    }
}

fn allowed<T>(answer: Result<T, Status>) {
    if let Err(status) = answer {
        let code = status.code();
        assert!(matches!(code, Code::FailedPrecondition | Code::NotFound), "{status}");
        assert_ne!(freehold_wire::reason::of(&status), "CONSTRAINT", "the schema is the last resort");
    }
}

fn refused_at_most(reacted: Result<(), ReactionError>) {
    assert!(matches!(reacted, Ok(()) | Err(ReactionError::Refuse(_))), "{reacted:?}");
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
fn whatever_is_asked_stock_is_conserved() {
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

/// The planted bugs: a unit that came from nowhere, a hold that nobody has, a change that nobody was told.
#[tokio::test]
async fn books_that_do_not_balance_are_found_out() {
    on_each_engine(async |bench| {
        bench.restock("d1", "1", 10).await.unwrap();
        assert!(mistakes(bench).await.is_empty());
        for (sql, mistake) in [
            ("UPDATE stock SET on_hand_units = 11", "1: 11 on hand and 0 shipped, 10 received"),
            ("UPDATE stock SET on_hand_units = 10, reserved_units = 1", "1: 1 reserved, 0 held"),
        ] {
            falsify(bench, sql).await;
            let found = mistakes(bench).await;
            assert_eq!(found[0], mistake);
            assert!(found[1].starts_with("stock 1: told"), "{found:?}");
        }
    })
    .await;
}

async fn falsify(bench: &Bench, sql: &'static str) {
    let unit = async move |work: &mut Work| work.exec(sql, vals![]).await;
    bench.store.unit(&reacting(), unit).await.unwrap();
}
