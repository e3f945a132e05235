//! Services as processes of their own that are killed, frozen and cut off, round after round, while customers go on
//! ordering: nothing is lost, doubled, reordered or made up.
//!
//! Everything comes from one seed but the moments at which the machine lets things happen. What the databases hold in the
//! end is judged against what the customers were told (`judged`), by SQL of its own.

pub(crate) mod judged;
pub(crate) mod shop;

use std::path::{Path, PathBuf};

use fastrand::Rng;
use freehold_sdk::PORTS;
use freehold_testkit::fault_proxy::End;
use freehold_testkit::process::Signal;
use freehold_testkit::{FaultProxy, Faults, Scratch, eventually, rounds};

use crate::apart::Apart;
use crate::mesh::LONG;
use crate::records::Records;
use shop::{Shop, Told};

/// How often something is killed in every run; `cargo xtask soak faults` has ten times as many.
const ROUNDS: u32 = 50;
/// Sets the seed: the one that a failing run has printed.
const SEED: &str = "FREEHOLD_TEST_SEED";
/// How many events the mesh emits between two rounds, at most.
const STRETCH: i64 = 20;

/// How often what the rounds are there for has happened. What never happens is not tested.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    killed: u32,
    frozen: u32,
    cut_off: u32,
    dead: i64,
    redriven: i64,
}

/// The bug that is planted on the way is in a database: for a while the catalog has no shelf for what was sold.
#[tokio::test]
async fn processes_that_are_killed_frozen_and_cut_off_lose_nothing() {
    let seed =
        std::env::var(SEED).ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    println!("{SEED}={seed}");
    let scratch = Scratch::new("faults");
    let mut mesh = Mesh::start(scratch.path(), seed).await;
    let shop = Shop::open(&mesh.apart.mesh("demo")).await;
    let failing = async {
        for round in 0..rounds(ROUNDS) {
            mesh.go_round(round).await;
        }
        mesh.calm_down().await;
        shop.close();
    };
    let (told, ()) = tokio::join!(shop.serve(), failing);
    let sums = mesh.settle(&told).await;
    println!(
        "{} orders, {} deposits, {} refused; {sums:?}",
        told.orders.len(),
        told.deposits.len(),
        told.refused
    );
    assert!(!told.orders.is_empty() && !told.prices.is_empty() && !told.deposits.is_empty(), "{told:?}");
    assert!(
        sums.killed > 0 && sums.frozen > 0 && sums.cut_off > 0,
        "what never happens is not tested: {sums:?}"
    );
    assert!(sums.dead > 0 && sums.redriven > 0, "what never happens is not tested: {sums:?}");
    judged::each_damage_is_seen(&Records::of(&scratch.join("data")), &told);
}

/// The processes, and what is done to them.
struct Mesh {
    folder: PathBuf,
    records: Records,
    apart: Apart,
    /// Before every service, for all that others want of it.
    proxies: Vec<FaultProxy>,
    random: Rng,
    sums: Sums,
}

impl Mesh {
    async fn start(folder: &Path, seed: u64) -> Self {
        let (apart, proxies) = Apart::start_behind_proxies(folder, seed).await;
        let records = Records::of(&folder.join("data"));
        let random = Rng::with_seed(seed);
        Self { folder: folder.to_owned(), records, apart, proxies, random, sums: Sums::default() }
    }

    /// Something is killed at some moment, and comes back; meanwhile others may be frozen or cut off.
    async fn go_round(&mut self, round: u32) {
        let moment = self.records.events() + self.random.i64(1..STRETCH);
        let records = &self.records;
        eventually("the moment", LONG, async || (records.events() >= moment).then_some(())).await;
        match round % 10 {
            2 => self.records.change_running("catalog", BREAK),
            5 => self.records.change_running("catalog", MEND),
            _ => {}
        }
        let victim = self.random.usize(..PORTS.len());
        let frozen =
            Some(self.random.usize(..PORTS.len())).filter(|other| *other != victim && self.random.bool());
        if let Some(other) = frozen {
            self.apart.signal(PORTS[other].0, Signal::Stop);
            self.sums.frozen += 1;
        }
        if self.random.u32(0..3) == 0 {
            let cut = self.random.usize(..PORTS.len());
            self.proxies[cut].set(Faults { reset: 0.3, reset_within: 2000, ..Faults::NONE });
            self.proxies[cut].end_all(End::Reset);
            self.sums.cut_off += 1;
        }
        self.apart.kill(PORTS[victim].0);
        self.sums.killed += 1;
        self.apart.begin(PORTS[victim].0);
        self.apart.is_healthy(PORTS[victim].0).await;
        if let Some(other) = frozen {
            self.apart.signal(PORTS[other].0, Signal::Continue);
        }
        self.proxies.iter().for_each(|proxy| proxy.set(Faults::NONE));
    }

    /// Nothing goes wrong any more, and somebody decides about the dead letters.
    async fn calm_down(&mut self) {
        self.records.change_running("catalog", MEND);
        self.apart.serves().await;
    }

    /// Waits until nothing is under way, and judges what is there.
    async fn settle(mut self, told: &Told) -> Sums {
        let (records, apart) = (&self.records, &self.apart);
        eventually("everything to come right", LONG, async || {
            let redriven = apart.run(&["dlq", "redrive", "--all", "--who", "checker", "--mesh", "env"]).await;
            assert_eq!(redriven.code, Some(0), "{redriven:#?}");
            judged::is_idle(records).then_some(())
        })
        .await;
        let wrong = judged::wrong(&self.records, told);
        assert!(wrong.is_empty(), "{}: {wrong:#?}", self.folder.display());
        let decided = |action: &str| {
            let sql = format!("SELECT COUNT(*) FROM freehold_parked_log WHERE action = '{action}'");
            self.records.number("catalog", &sql).unwrap()
        };
        (self.sums.dead, self.sums.redriven) = (decided("dead"), decided("redriven"));
        self.sums
    }
}

/// What refuses every sale, as a column that a release forgot would.
const BREAK: &str = "CREATE TRIGGER IF NOT EXISTS broken BEFORE INSERT ON sale BEGIN SELECT RAISE(ABORT, 'no such shelf'); END";
const MEND: &str = "DROP TRIGGER IF EXISTS broken";
