//! The consumer in simulated weather: what it decides, over a real database, one step at a time, all by one seed.
//!
//! A seed is an owner that commits, a way that loses, doubles and reorders (or keeps order and lets its owner purge), and
//! reactions that fail in every way; the process dies at any line, and an operator decides about dead letters and has it read
//! again. Nothing
//! waits and nothing runs beside anything else. What has come of it is judged by `freehold_testkit::checker`.
//! **Invariant:** a seed that fails does so again, alone.

mod ails;
mod death;
mod life;
mod owner;
mod planted;

use std::ops::AddAssign;

use freehold_testkit::checker::Rows;
use freehold_testkit::{Scratch, engines};

use crate::fixture::Mails;
use life::Life;
use planted::Planted;

/// How many seeds every run has; `cargo xtask soak faults` has twenty times as many.
const SEEDS: u32 = 1_000;
/// Sets the first seed: the one that a failing run has printed.
const SEED: &str = "FREEHOLD_TEST_SEED";

/// How often what the seeds are there for has happened. What never happens is not tested.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sums {
    died: u64,
    redelivered: u64,
    retried: u64,
    parked: u64,
    refilled: u64,
    purged: u64,
    dead: u64,
    redriven: u64,
    skipped: u64,
    replayed: u64,
}

impl AddAssign for Sums {
    fn add_assign(&mut self, more: Self) {
        self.died += more.died;
        self.redelivered += more.redelivered;
        self.retried += more.retried;
        self.parked += more.parked;
        self.refilled += more.refilled;
        self.purged += more.purged;
        self.dead += more.dead;
        self.redriven += more.redriven;
        self.skipped += more.skipped;
        self.replayed += more.replayed;
    }
}

/// Lives seed after seed until something is wrong: answers the seed and what.
async fn live(
    seeds: impl IntoIterator<Item = u64>,
    bug: Option<Planted>,
) -> (Sums, Option<(u64, Vec<String>)>) {
    let mails = Mails::on(engines::sqlite_in(Scratch::in_memory("simulation"))).await;
    let rows = Rows::open(&mails.file()).unwrap();
    if let Some(bug) = bug {
        bug.plant(&mails.file());
    }
    let mut sums = Sums::default();
    for seed in seeds {
        let mut life = Life::new(&mails, &rows, seed, bug).await;
        let wrong = life.live().await;
        sums += life.sums();
        if !wrong.is_empty() {
            return (sums, Some((seed, wrong)));
        }
    }
    (sums, None)
}

/// E20 to E28 and E42 under a thousand courses of events: nothing lost, doubled, reordered or forgotten.
#[tokio::test]
async fn in_any_weather_every_event_takes_effect_once_and_in_order() {
    let first = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok());
    let rounds = freehold_testkit::rounds(SEEDS);
    // What every change passes is the same each time; whoever lets it run for longer looks where nobody has been.
    let first: u64 = first.unwrap_or_else(|| if rounds > SEEDS { fastrand::u64(..u64::MAX / 2) } else { 0 });
    let (sums, wrong) = live(first..first + u64::from(rounds), None).await;
    println!("seeds from {first}: {sums:?}");
    assert!(wrong.is_none(), "{SEED}={}: {:#?}", wrong.as_ref().map_or(0, |wrong| wrong.0), wrong);
    let Sums { died, redelivered, retried, parked, refilled, purged, dead, redriven, skipped, replayed } =
        sums;
    let sometimes = [died, redelivered, retried, parked, refilled, purged, dead, redriven, skipped, replayed];
    assert!(sometimes.iter().all(|times| *times > 0), "what never happens is not tested: {sums:?}");
}

/// Each planted bug does its damage within a few hundred seeds, and the checker names it.
#[tokio::test]
async fn every_planted_bug_is_caught() {
    for bug in Planted::ALL {
        let (sums, wrong) = live(0..500, Some(bug)).await;
        let Some((seed, wrong)) = wrong else { panic!("{bug:?} was not caught: {sums:?}") };
        println!("{bug:?} at seed {seed}: {}", wrong[0]);
    }
}
