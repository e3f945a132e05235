//! The gateway dies before or after any call of a replacement, and another goes on over the same database: all or
//! nothing, at both owners.
//!
//! What dies between the lines of the executor itself is tested where the executor is, in crates/saga.

use freehold_saga::Outcome;

use super::*;
use crate::sagas::replace_product::{ReplaceProduct, definition};
use freehold_store::{StoreError, Work};

/// What goes wrong besides the death, and whether the replacement is done all the same.
struct Scene {
    name: &'static str,
    refuses: Option<(&'static str, &'static str)>,
    done: bool,
}

const SCENES: [Scene; 3] = [
    Scene { name: "all-goes-well", refuses: None, done: true },
    Scene { name: "orders-refuses", refuses: Some(("replace", "PRICE_TOO_HIGH")), done: false },
    Scene { name: "catalog-refuses", refuses: Some(("discontinue", "NOT_FOUND")), done: false },
];

/// E50, over the owners of a replacement.
#[tokio::test]
async fn a_replacement_is_all_or_nothing_whichever_line_its_gateway_dies_at() {
    for database in engines::each().await {
        for Scene { name, refuses, done } in SCENES {
            let mut lines = 0;
            loop {
                let id = format!("{name}-{lines}");
                let world = World::new();
                if let Some((call, reason)) = refuses {
                    world.refuse(call, reason);
                }
                let died = die_at(&database, &world, &id, lines).await;
                let outcome = go_on(&database, &world, &id).await;
                assert_eq!(outcome == Outcome::Done, done, "{database}, {id}: {outcome:?}");
                assert_eq!(world.replaced(), (done, done), "{database}, {id}");
                if !died {
                    break;
                }
                lines += 1;
            }
            assert!(lines >= 2, "{name} has {lines} lines to die at");
        }
    }
}

/// Begins a replacement in a gateway that passes so many lines and dies at the next; whether it did.
async fn die_at(database: &Database, world: &World, id: &str, lines: usize) -> bool {
    world.live(Some(lines));
    let bench = Bench::start(database, world.clone()).await;
    let died = tokio::select! {
        answer = bench.replace(replace(id)) => { answer.unwrap(); false }
        () = world.died() => true,
    };
    bench.stop().await;
    world.live(None);
    died
}

/// Another gateway over the same database; how the replacement ends there.
async fn go_on(database: &Database, world: &World, id: &str) -> Outcome {
    let bench = Bench::start(database, world.clone()).await;
    let ended = bench.sagas.wait(&context(), id).await.unwrap();
    let answer = bench.replace(replace(id)).await.unwrap();
    assert_eq!(
        answer.state().unwrap() == pb::ProductReplacementState::Done,
        *ended.outcome() == Outcome::Done,
        "{answer:?}"
    );
    bench.stop().await;
    ended.outcome().clone()
}

/// The planted bug: who calls one owner after the other, and remembers nothing.
#[tokio::test]
async fn without_a_saga_a_death_between_two_calls_leaves_half_of_it() {
    let world = World::new();
    world.live(Some(2));
    tokio::select! {
        () = replace_naively(&world) => unreachable!("it dies before"),
        () = world.died() => {}
    }
    assert_eq!(world.replaced(), (true, false));
}

async fn replace_naively(world: &World) {
    let calls = world.calls();
    calls.catalog.discontinue_product(Default::default()).await.unwrap();
    calls.orders.replace_in_baskets(Default::default()).await.unwrap();
}

/// A replacement that was begun and never driven: its row alone is enough.
#[tokio::test]
async fn a_replacement_that_was_only_written_down_is_taken_up() {
    for database in engines::each().await {
        let world = World::new();
        let store = freehold_testkit::open(crate::options(database.url())).await;
        let saga = definition(&world.calls());
        let unit = async move |work: &mut Work| -> Result<(), StoreError> {
            let [id, product_id, by_product_id] = ["r-1", "11", "42"].map(str::to_owned);
            saga.begin(work, "r-1", &ReplaceProduct { id, product_id, by_product_id }).await.unwrap();
            Ok(())
        };
        store.unit(&context(), unit).await.unwrap();
        store.close().await;
        assert_eq!(go_on(&database, &world, "r-1").await, Outcome::Done);
        assert_eq!(world.replaced(), (true, true));
    }
}
