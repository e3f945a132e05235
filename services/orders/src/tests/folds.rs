//! Whatever is asked of orders in whatever order: every order ends, and all that is kept of it is the fold of its history.

use freehold_testkit::rounds;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::history::mistakes;
use super::*;

/// Something that is asked.
#[derive(Debug, Clone)]
enum Step {
    /// `refused`: the call of the saga that is refused; none where it is past the last.
    Place {
        id: u8,
        units: i64,
        refused: usize,
    },
    Cancel {
        id: u8,
        revision: Option<i64>,
    },
    Ship {
        id: u8,
        revision: Option<i64>,
    },
}

const CALLS: [&str; 4] = ["reserve", "authorise", "prices", "capture"];

/// Few ids, so that steps meet.
fn step() -> impl Strategy<Value = Step> {
    let (id, revision) = (0..4_u8, proptest::option::of(1..4_i64));
    prop_oneof![
        2 => (id.clone(), 1..3_i64, 0..8_usize).prop_map(|(id, units, refused)| Step::Place { id, units, refused }),
        1 => (id.clone(), revision.clone()).prop_map(|(id, revision)| Step::Cancel { id, revision }),
        1 => (id, revision).prop_map(|(id, revision)| Step::Ship { id, revision }),
    ]
}

/// Takes a step; only what a state forbids may be refused.
async fn take(bench: &Bench, step: &Step) {
    match *step {
        Step::Place { id, units, refused } => {
            match CALLS.get(refused) {
                Some(call) => bench.world.others.refuse(call, "NOT_TODAY"),
                None => bench.world.others.answer(|_| Ok(())),
            }
            let request = wanted(&id.to_string()).with_lines([line("11", units), line("42", 1)]);
            allowed(bench.place(request).await);
        }
        Step::Cancel { id, revision } => {
            let mut request = cancel(&id.to_string());
            request.revision = revision;
            allowed(bench.server.call(&methods::CANCEL_ORDER, request).await);
        }
        Step::Ship { id, revision } => {
            let mut request = pb::ShipOrderRequest::default().with_id(id.to_string());
            request.revision = revision;
            allowed(bench.server.call(&methods::SHIP_ORDER, request).await);
        }
    }
}

fn allowed(answer: Result<pb::Order, Status>) {
    match answer {
        Ok(order) => assert_ne!(order.state().unwrap(), pb::OrderState::Placed, "every order ends"),
        Err(status) => {
            let code = status.code();
            assert!(matches!(code, Code::FailedPrecondition | Code::NotFound | Code::Aborted), "{status}");
            assert_ne!(freehold_wire::reason::of(&status), "CONSTRAINT", "the schema is the last resort");
        }
    }
}

async fn take_all(steps: &[Step]) {
    on_each_engine(async |bench| {
        for step in steps {
            take(bench, step).await;
        }
        assert_eq!(mistakes(bench).await, Vec::<String>::new());
    })
    .await;
}

#[test]
fn whatever_is_asked_an_order_is_the_fold_of_its_history() {
    let config =
        Config { cases: rounds(16), failure_persistence: None, max_shrink_iters: 100, ..Config::default() };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    TestRunner::new(config)
        .run(&vec(step(), 1..40), |steps| {
            runtime.block_on(take_all(&steps));
            Ok(())
        })
        .unwrap();
}
