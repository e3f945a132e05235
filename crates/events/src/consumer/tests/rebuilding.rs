//! E44 with a consumer that dies at every line of the swap and of the sweeping.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use freehold_testkit::engines;

use super::projections::{counting, is_read, is_swept, rebuild, seen};
use crate::consumer::fault::{Faults, Point};
use crate::fixture::{Mails, Owner, SOON, Way, eventually};

/// Wherever it dies, one generation is read as a whole, and after the next start the new one is, with nothing left of
/// the old.
#[tokio::test]
async fn a_consumer_killed_at_any_line_of_the_swap_leaves_one_whole_view() {
    use Point::{
        AfterSwapCommit, BeforeOldPosition, BeforeSwap, BeforeSwapCommit, BetweenStages, PieceSwept,
        Withdrawn,
    };
    let lines = [
        BeforeSwap,
        BetweenStages,
        BeforeOldPosition,
        BeforeSwapCommit,
        AfterSwapCommit,
        PieceSwept,
        Withdrawn,
    ];
    for line in lines {
        for database in engines::each().await {
            killed_at(database, line, 1).await;
        }
    }
    killed_at(engines::sqlite(), PieceSwept, 3).await;
}

async fn killed_at(database: engines::Database, line: Point, nth: usize) {
    let (owner, mails) = (Owner::open().await, Mails::on(database).await);
    owner.place_all(5, 4).await;
    let tally = mails.tally(1);
    let handle = counting(&mails, Way::sound(owner.feed()), tally.clone()).start();
    handle.caught_up(SOON).await.unwrap();
    handle.stop().await;

    let hits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&hits);
    // Dead is dead: from then on it gets nowhere.
    let dies = move |at: Point| {
        let hit = usize::from(at == line);
        counted.fetch_add(hit, Ordering::SeqCst) + hit >= nth
    };
    let faults = Faults { dies: Some(Arc::new(dies)), ..Faults::default() };
    let handle = counting(&mails, Way::sound(owner.feed()), tally.clone()).faults(faults).start();
    rebuild(&mails, &owner, &tally).await;
    eventually("the kill", || async { hits.load(Ordering::SeqCst) >= nth }).await;
    handle.stop().await;

    let mails = mails.restart().await;
    let (generation, events, cents) = seen(&mails).await;
    let swapped = matches!(line, Point::AfterSwapCommit | Point::PieceSwept | Point::Withdrawn);
    assert_eq!((generation, events, cents), (if swapped { 2 } else { 1 }, 20, 50), "{line:?}");
    let handle = counting(&mails, Way::sound(owner.feed()), tally).start();
    is_read(&mails, 2).await;
    handle.caught_up(SOON).await.unwrap();
    assert_eq!(seen(&mails).await, (2, 20, 50), "{line:?}");
    is_swept(&mails, &owner, 2).await;
    handle.stop().await;
}
