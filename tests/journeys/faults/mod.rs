//! Services as processes of their own that are killed, frozen and cut off, round after round, while customers go on
//! ordering: nothing is lost, doubled, reordered or made up.
//!
//! On servers, two instances of a service share its subscriptions, one of which stands still until the other has taken its
//! keys, and the broker dies with and without what it stored. What happens in a round is up to its number, to whom is up to
//! one seed. What the databases hold in the end is judged against what the customers were told (`judged`).

pub(crate) mod judged;
mod room;
pub(crate) mod shop;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fastrand::Rng;
use freehold_sdk::PORTS;
use freehold_testkit::fault_proxy::End;
use freehold_testkit::process::Signal;
use freehold_testkit::{FaultProxy, Faults, PATIENCE, Scratch, eventually, rounds};

use crate::apart::Apart;
use crate::engines::{Engines, On};
use judged::Books;
use shop::{Shop, Told};

/// How often something is killed in every run; `cargo xtask soak faults` has ten times as many.
const ROUNDS: u32 = 50;
/// The same on servers, where a round takes longer.
const ROUNDS_ON_SERVERS: u32 = 12;
/// How many rounds more there may be until everything has happened that they are there for.
const MORE: u32 = 60;
/// Sets the seed: the one that a failing run has printed.
const SEED: &str = "FREEHOLD_TEST_SEED";
/// How many events orders tells between two rounds, at most.
const STRETCH: i64 = 8;
/// Whose subscriptions two instances share on PostgreSQL, and what the second is called.
const SHARED: &str = "notifications";
const SECOND: &str = "notifications, the second";

#[tokio::test]
async fn processes_that_are_killed_frozen_and_cut_off_lose_nothing() {
    suffer(On::Sqlite, rounds(ROUNDS)).await;
}

#[tokio::test]
async fn processes_on_postgresql_and_nats_that_are_killed_frozen_and_cut_off_lose_nothing() {
    suffer(On::PostgresAndNats, rounds(ROUNDS_ON_SERVERS)).await;
}

/// The bug that is planted on the way is in a database: for a while the catalog has no shelf for what was sold.
async fn suffer(on: On, rounds: u32) {
    let scratch = Scratch::new("faults");
    let Some(engines) = Engines::start(scratch.path(), on).await else { return };
    let mut mesh = Mesh::start(scratch.path(), on, engines, seed()).await;
    let shop = Shop::open(&mesh.apart.mesh("demo")).await;
    let failing = async {
        // The first ten have one of everything that does not hang on chance.
        for round in 0..rounds + MORE {
            if round >= rounds.max(10) && mesh.lacks(on).is_none() {
                break;
            }
            mesh.go_round(round).await;
        }
        mesh.mend().await;
        mesh.apart.serves().await;
        shop.close();
    };
    let (told, ()) = tokio::join!(shop.serve(), failing);
    assert_eq!(mesh.lacks(on), None, "what never happens is not tested: {:?}", mesh.sums);
    let books = mesh.settle(&told).await;
    let counts = (told.orders.len(), told.deposits.len(), told.refused);
    let counted = COUNTED.map(|what| (what, mesh.count(what)));
    println!("{counts:?} orders, deposits and refusals; {:?} {counted:?}", mesh.sums);
    assert!(!told.orders.is_empty() && !told.prices.is_empty() && !told.deposits.is_empty(), "{told:?}");
    assert!(books.decided("catalog", "dead") > 0 && books.decided("catalog", "redriven") > 0);
    books.each_damage_is_seen(&told);
}

/// What all chance of a test comes from: a new seed, or the one that is set.
pub(crate) fn seed() -> u64 {
    let set = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok());
    let seed = set.unwrap_or_else(|| fastrand::u64(..));
    println!("{SEED}={seed}");
    seed
}

/// How often what the rounds are there for has happened.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    killed: u32,
    frozen: u32,
    cut_off: u32,
    overtaken: u32,
    broker_killed: u32,
    broker_wiped: u32,
}

/// What processes count of subscriptions: events that came again, those that the bus lacked, and units of work of an
/// instance that was overtaken.
const COUNTED: [&str; 3] = ["redelivered", "refilled", "fenced"];

/// The processes, and what is done to them.
struct Mesh {
    folder: PathBuf,
    engines: Engines,
    apart: Apart,
    /// Before every service, for all that others want of it.
    proxies: Vec<FaultProxy>,
    random: Rng,
    sums: Sums,
    /// What processes had counted that were killed since.
    gone: BTreeMap<&'static str, u64>,
}

impl Mesh {
    async fn start(folder: &Path, on: On, engines: Engines, seed: u64) -> Self {
        let (mut apart, proxies) = Apart::start_behind_proxies(folder, &engines, seed).await;
        if on.has_postgres() {
            apart.begin_second(SHARED, SECOND);
        }
        let (folder, random) = (folder.to_owned(), Rng::with_seed(seed));
        Self { folder, engines, apart, proxies, random, sums: Sums::default(), gone: BTreeMap::new() }
    }

    /// What has not happened yet, and has to.
    fn lacks(&self, on: On) -> Option<&'static str> {
        let Sums { killed, frozen, cut_off, overtaken, broker_killed, broker_wiped, .. } = self.sums;
        let wanted = [
            ("a kill", killed > 0),
            ("a freeze", frozen > 0),
            ("a cut", cut_off > 0),
            ("an instance that was overtaken", overtaken > 0 || !on.has_postgres()),
            ("a unit that was fenced", !on.has_postgres() || self.count("fenced") > 0),
            ("a broker that died", broker_killed > 0 || !on.has_nats()),
            ("a broker that forgot", broker_wiped > 0 || !on.has_nats()),
            ("an event that came again", !on.has_postgres() || self.count("redelivered") > 0),
            ("an event that the bus lacked", !on.has_nats() || self.count("refilled") > 0),
        ];
        wanted.into_iter().find(|(_, happened)| !happened).map(|(what, _)| what)
    }

    /// Something is killed at some moment, and comes back; meanwhile others may be frozen or cut off.
    async fn go_round(&mut self, round: u32) {
        self.reach_a_moment().await;
        match round % 10 {
            2 => self.engines.change("catalog", BREAK, BREAK_ON_POSTGRES).await,
            5 => self.mend().await,
            _ => {}
        }
        let broker_dies = round % 3 == 1 && self.engines.kill_broker();
        if round % 4 == 3 && self.apart.names().any(|name| name == SECOND) {
            self.overtake().await;
        }
        let victim = PORTS[self.random.usize(..PORTS.len())].0;
        let frozen = PORTS[self.random.usize(..PORTS.len())].0;
        let frozen = (round % 2 == 1 && frozen != victim).then_some(frozen);
        if let Some(other) = frozen {
            self.apart.signal(other, Signal::Stop);
            self.sums.frozen += 1;
        }
        if round.is_multiple_of(3) {
            let cut = self.random.usize(..PORTS.len());
            self.proxies[cut].set(Faults { reset: 0.3, reset_within: 2000, ..Faults::NONE });
            self.proxies[cut].end_all(End::Reset);
            self.sums.cut_off += 1;
        }
        self.kill(victim).await;
        if let Some(other) = frozen {
            self.apart.signal(other, Signal::Continue);
        }
        self.proxies.iter().for_each(|proxy| proxy.set(Faults::NONE));
        if broker_dies {
            self.reach_a_moment().await;
            self.bring_the_broker_back(round).await;
        }
    }

    /// Orders are told of on.
    async fn reach_a_moment(&mut self) {
        let moment = self.engines.events().await + self.random.i64(1..STRETCH);
        let reached = async || (self.engines.events().await >= moment).then_some(());
        eventually("the moment", PATIENCE, reached).await;
    }

    /// Kills a service and starts it again.
    async fn kill(&mut self, victim: &'static str) {
        for what in COUNTED {
            *self.gone.entry(what).or_default() += self.apart.counted(victim, &metric(what));
        }
        self.apart.kill(victim);
        self.sums.killed += 1;
        self.apart.begin(victim);
        self.apart.is_healthy(victim).await;
    }

    /// What all processes have counted, the killed ones too.
    fn count(&self, what: &str) -> u64 {
        let alive = self.apart.names().map(|name| self.apart.counted(name, &metric(what))).sum::<u64>();
        self.gone.get(what).copied().unwrap_or(0) + alive
    }

    /// One of the two instances stands still until the other has taken its keys, and goes on.
    async fn overtake(&mut self) {
        self.holders(2).await;
        let still = if self.random.bool() { SHARED } else { SECOND };
        self.apart.signal(still, Signal::Stop);
        self.holders(1).await;
        self.apart.signal(still, Signal::Continue);
        self.holders(2).await;
        self.sums.overtaken += 1;
    }

    /// Waits until so many instances hold keys.
    async fn holders(&mut self, count: i64) {
        const HOLDERS: &str = "SELECT COUNT(DISTINCT holder) AS n FROM freehold_portion";
        let hold = async || (self.engines.number(SHARED, HOLDERS).await == Some(count)).then_some(());
        eventually("the instances that hold keys", PATIENCE, hold).await;
    }

    async fn bring_the_broker_back(&mut self, round: u32) {
        let broker = self.engines.broker().expect("it was killed");
        if round.is_multiple_of(2) {
            broker.restart_wiped().await;
            self.sums.broker_wiped += 1;
        } else {
            broker.restart().await;
            self.sums.broker_killed += 1;
        }
    }

    /// The catalog has its shelf again, once somebody has given up on it.
    async fn mend(&mut self) {
        const DEAD: &str = "SELECT COUNT(*) AS n FROM freehold_parked_log WHERE action = 'dead'";
        let dead = async || self.engines.number("catalog", DEAD).await.filter(|dead| *dead > 0).map(drop);
        eventually("a dead letter", PATIENCE, dead).await;
        self.engines.change("catalog", MEND, MEND_ON_POSTGRES).await;
    }

    /// Waits until nothing is under way, and judges what is there.
    async fn settle(&mut self, told: &Told) -> Books {
        let (folder, apart) = (&self.folder, &self.apart);
        let books = eventually("everything to come right", PATIENCE, async || {
            let redriven = apart.run(&["dlq", "redrive", "--all", "--who", "checker", "--mesh", "env"]).await;
            assert_eq!(redriven.code, Some(0), "{redriven:#?}");
            let books = Books::open(folder).await;
            books.are_idle().then_some(books)
        })
        .await;
        let wrong = books.wrong(told);
        assert!(wrong.is_empty(), "{}: {wrong:#?}", self.folder.display());
        books
    }
}

fn metric(what: &str) -> String {
    format!("freehold_subscription_{what}_total")
}

/// What refuses every sale, as a column that a release forgot would.
const BREAK: &str = "CREATE TRIGGER IF NOT EXISTS broken BEFORE INSERT ON sale BEGIN SELECT RAISE(ABORT, 'no such shelf'); END";
const MEND: &str = "DROP TRIGGER IF EXISTS broken";
const BREAK_ON_POSTGRES: &str = "CREATE OR REPLACE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS \
    $$ BEGIN RAISE EXCEPTION 'no such shelf' USING ERRCODE = 'check_violation'; END $$; \
    CREATE OR REPLACE TRIGGER broken BEFORE INSERT ON sale FOR EACH ROW EXECUTE FUNCTION broken()";
const MEND_ON_POSTGRES: &str = "DROP TRIGGER IF EXISTS broken ON sale";
