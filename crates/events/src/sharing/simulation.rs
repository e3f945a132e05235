//! Instances of one consumer in a simulation: they read, commit, stand still, die, come back and have their clocks set.
//!
//! The database is plain data whose units are atomic; the deciding code is that of the product (`division`, `roster`,
//! `inbox`). Nothing waits, so thousands of courses are tried from their seeds. The planted bugs show what the oracle sees.

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use freehold_wire::Shares;
use freehold_wire::pb::Position;

use super::division::{Dead, Division};
use super::roster::{Looked, Roster};
use crate::inbox::{Known, Verdict, judge};

const INSTANCES: usize = 4;
const KEYS: usize = 24;
const LEASE: Duration = Duration::from_secs(4);
const BEAT: Duration = Duration::from_secs(1);
const BATCH: usize = 5;

/// What a consumer with a bug does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Planted {
    Nothing,
    /// A commit does not ask whether the shares are still the same.
    NoFencing,
    /// What is taken over is taken to stand where the taker stands.
    FastestPosition,
    /// A lease ends at a time of day that its holder wrote down.
    WallClock,
    /// What the fastest has done is acknowledged.
    FastestAcknowledged,
}

/// What the runs came to: each of these must have happened somewhere.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Sometimes {
    fenced: u32,
    redelivered: u32,
    taken_from_the_dead: u32,
    taken_from_the_living: u32,
    left: u32,
}

/// One process.
struct Instance {
    name: String,
    up: bool,
    /// It stands still until then.
    stopped: Duration,
    /// How far its time of day is off.
    wall: i64,
    next_beat: Duration,
    roster: Roster,
    dead: Option<Dead>,
    hold: Option<Hold>,
    /// What it has read and not committed, under what it held then.
    batch: Option<(Hold, Vec<usize>)>,
}

/// What an instance believes that it holds.
#[derive(Clone, Copy)]
struct Hold {
    shares: Shares,
    fence: i64,
    cursor: usize,
}

struct World {
    rng: Rng,
    bug: Planted,
    now: Duration,
    /// The owner's events by their mark less one: key and version.
    events: Vec<(usize, i64)>,
    division: Division,
    /// With the planted bug: until when, by its holder's time of day, a lease is good.
    leases: BTreeMap<String, i64>,
    inbox: BTreeMap<usize, i64>,
    acknowledged: i64,
    instances: Vec<Instance>,
    born: u32,
    sometimes: Sometimes,
}

fn name_of(key: usize) -> String {
    format!("key-{key}")
}

impl World {
    fn new(seed: u64, bug: Planted) -> Self {
        let mut world = Self {
            rng: Rng::with_seed(seed),
            bug,
            now: Duration::ZERO,
            events: Vec::new(),
            division: Division { whole: Position::default(), fence: 0, portions: Vec::new() },
            leases: BTreeMap::new(),
            inbox: BTreeMap::new(),
            acknowledged: 0,
            instances: Vec::new(),
            born: 0,
            sometimes: Sometimes::default(),
        };
        for at in 0..INSTANCES {
            let instance = world.born(at == 0);
            world.instances.push(instance);
        }
        world
    }

    /// A process as it starts: with another name than any before it.
    fn born(&mut self, up: bool) -> Instance {
        self.born += 1;
        let (name, now) = (format!("instance-{}", self.born), self.now);
        let (roster, wall) = (Roster::default(), 0);
        Instance { name, up, stopped: now, wall, next_beat: now, roster, dead: None, hold: None, batch: None }
    }

    /// A run under faults, then one without them until everything must be done.
    fn run(mut self) -> Result<Sometimes, String> {
        for _ in 0..300 {
            self.emit();
            self.fault();
            self.step()?;
        }
        for at in 0..INSTANCES {
            self.instances[at].stopped = self.now;
            if !self.instances[at].up {
                self.instances[at] = self.born(true);
            }
        }
        // Whoever went far back needs some time for it.
        for _ in 0..6000 {
            if self.is_done().is_ok() {
                break;
            }
            self.step()?;
        }
        self.is_done()?;
        Ok(self.sometimes)
    }

    fn emit(&mut self) {
        let key = self.rng.usize(..KEYS);
        let version = self.events.iter().filter(|event| event.0 == key).count() + 1;
        self.events.push((key, i64::try_from(version).unwrap()));
    }

    fn fault(&mut self) {
        let at = self.rng.usize(..INSTANCES);
        match self.rng.u32(..60) {
            0..=1 => self.instances[at].up = false,
            2..=5 if !self.instances[at].up => self.instances[at] = self.born(true),
            6..=7 => self.instances[at].stopped = self.now + Duration::from_secs(self.rng.u64(1..15)),
            8 => self.instances[at].wall += self.rng.i64(-3600..3600),
            9 if self.instances[at].up && self.instances[at].stopped <= self.now => self.leave(at),
            _ => {}
        }
    }

    /// It ends as it should.
    fn leave(&mut self, at: usize) {
        self.sometimes.left += u32::from(self.division.leave(&self.instances[at].name));
        self.instances[at].up = false;
    }

    /// Some time passes, and whoever lives and does not stand still does something.
    fn step(&mut self) -> Result<(), String> {
        self.now += Duration::from_millis(self.rng.u64(0..300));
        for at in 0..INSTANCES {
            if !self.instances[at].up || self.instances[at].stopped > self.now {
                continue;
            }
            if self.instances[at].next_beat <= self.now {
                self.beat(at)?;
            } else if self.instances[at].dead.is_some() {
                self.settle(at);
            }
            match self.rng.u32(..3) {
                0 => self.read(at),
                1 => self.commit(at)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// The keeper's look: it shows that it lives, and sees whether the others do.
    fn beat(&mut self, at: usize) -> Result<(), String> {
        let wall = self.wall(at);
        let instance = &mut self.instances[at];
        instance.next_beat = self.now + BEAT;
        self.leases.insert(instance.name.clone(), wall + 4);
        for portion in self.division.portions.iter_mut().filter(|portion| portion.holder == instance.name) {
            portion.beat += 1;
        }
        let looked = Looked { asked: self.now, answered: self.now };
        let mut dead = instance.roster.look(&instance.name, &self.division.portions, LEASE, looked);
        if self.bug == Planted::WallClock {
            let over = |holder: &String| self.leases.get(holder).is_none_or(|until| *until < wall);
            let others = self.division.portions.iter().filter(|portion| portion.holder != instance.name);
            dead = others
                .filter(|other| over(&other.holder))
                .map(|other| (other.holder.clone(), other.beat))
                .collect();
        }
        instance.dead = Some(dead);
        self.acknowledge()
    }

    fn wall(&self, at: usize) -> i64 {
        i64::try_from(self.now.as_secs()).unwrap() + self.instances[at].wall
    }

    fn acknowledge(&mut self) -> Result<(), String> {
        let portions = self.division.portions.iter();
        let done = match self.bug {
            Planted::FastestAcknowledged => portions.map(|portion| portion.position.mark).max().unwrap_or(0),
            _ => self.division.slowest().mark,
        };
        if done < self.acknowledged && self.bug == Planted::Nothing {
            return Err(format!("the prefix went back from {} to {done}", self.acknowledged));
        }
        let (from, to) = (self.acknowledged, self.acknowledged.max(done));
        self.acknowledged = to;
        for (key, version) in &self.events[usize::try_from(from).unwrap()..usize::try_from(to).unwrap()] {
            if self.inbox.get(key).is_none_or(|taken| taken < version) {
                return Err(format!("{done} is acknowledged, and {version} of {key} has not taken effect"));
            }
        }
        Ok(())
    }

    /// The unit in which it takes what it may take.
    fn settle(&mut self, at: usize) {
        let dead = self.instances[at].dead.take().unwrap_or_default();
        let name = self.instances[at].name.clone();
        let before = self.division.clone();
        if !self.division.settle(&name, &dead) {
            return;
        }
        let gone = |division: &Division| division.portions.len();
        if gone(&self.division) < gone(&before) + usize::from(before.of(&name).is_none()) {
            self.sometimes.taken_from_the_dead += 1;
        } else if before.free().is_empty() {
            self.sometimes.taken_from_the_living += 1;
        }
        if self.bug == Planted::FastestPosition
            && let Some(was) = before.of(&name).map(|portion| portion.position)
            && let Some(mine) = self.division.portions.iter_mut().find(|portion| portion.holder == name)
        {
            mine.position = was;
        }
        // The keeper calls its own process back, which may have a batch in hand; the others learn it at a commit.
        self.instances[at].hold = None;
    }

    fn read(&mut self, at: usize) {
        let instance = &mut self.instances[at];
        if instance.batch.is_some() {
            return;
        }
        let Some(mut hold) = instance.hold.or_else(|| {
            let portion = self.division.of(&instance.name).filter(|portion| !portion.shares.is_empty())?;
            let cursor = usize::try_from(portion.position.mark).unwrap();
            Some(Hold { shares: portion.shares, fence: portion.fence, cursor })
        }) else {
            return;
        };
        let until = self.events.len().min(hold.cursor + BATCH);
        let batch = (hold.cursor..until).collect();
        hold.cursor = until;
        instance.batch = Some((hold, batch));
        instance.hold = Some(hold);
    }

    /// The unit that takes a batch in, or the refusal of it.
    fn commit(&mut self, at: usize) -> Result<(), String> {
        let instance = &mut self.instances[at];
        let Some((hold, batch)) = instance.batch.take() else { return Ok(()) };
        let portion = self.division.portions.iter_mut().find(|portion| portion.holder == instance.name);
        let unfenced = self.bug == Planted::NoFencing;
        match portion {
            Some(portion) if portion.fence == hold.fence || unfenced => {
                portion.position.mark = portion.position.mark.max(i64::try_from(hold.cursor).unwrap());
                portion.starts = 0;
            }
            None if unfenced => {}
            _ => {
                self.sometimes.fenced += 1;
                instance.hold = None;
                return Ok(());
            }
        }
        for mark in batch {
            self.take(at, hold.shares, mark)?;
        }
        Ok(())
    }

    fn take(&mut self, at: usize, believed: Shares, mark: usize) -> Result<(), String> {
        let (key, version) = self.events[mark];
        if !believed.has(&name_of(key)) {
            return Ok(());
        }
        let known = Known { taken: self.inbox.get(&key).copied(), parked: None };
        match judge(known, version, false) {
            Verdict::Deliver => {
                let holds = self.division.of(&self.instances[at].name);
                if !holds.is_some_and(|portion| portion.shares.has(&name_of(key))) {
                    return Err(format!("version {version} of {key} took effect at one that had lost it"));
                }
                self.inbox.insert(key, version);
            }
            Verdict::Duplicate => self.sometimes.redelivered += 1,
            Verdict::Behind | Verdict::Gap => {
                return Err(format!("before version {version} of {key} is a gap"));
            }
        }
        Ok(())
    }

    /// All has taken effect and is acknowledged, and the living have equal parts.
    fn is_done(&self) -> Result<(), String> {
        let head = i64::try_from(self.events.len()).unwrap();
        if self.acknowledged < head {
            return Err(format!("{} of {head} are acknowledged", self.acknowledged));
        }
        let counts: Vec<u32> = self.division.portions.iter().map(|portion| portion.shares.count()).collect();
        if counts.len() != INSTANCES || counts.iter().any(|count| *count != 16) {
            return Err(format!("the parts are {counts:?}"));
        }
        Ok(())
    }
}

/// How many courses are tried: `FREEHOLD_SEEDS`, or 1,000.
fn seeds() -> u64 {
    std::env::var("FREEHOLD_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(1000)
}

/// E29, E30: whoever dies, stands still or is taken for dead, each event takes effect once, at whoever holds its key, and
/// nothing is acknowledged before that.
#[test]
fn shares_that_change_hands_lose_nothing_and_double_nothing() {
    let mut sum = Sometimes::default();
    for seed in 0..seeds() {
        let came = World::new(seed, Planted::Nothing).run();
        let came = came.unwrap_or_else(|problem| panic!("seed {seed}: {problem}"));
        sum.fenced += came.fenced;
        sum.redelivered += came.redelivered;
        sum.taken_from_the_dead += came.taken_from_the_dead;
        sum.taken_from_the_living += came.taken_from_the_living;
        sum.left += came.left;
    }
    let happened =
        [sum.fenced, sum.redelivered, sum.taken_from_the_dead, sum.taken_from_the_living, sum.left];
    assert!(happened.iter().all(|times| *times > 0), "{sum:?}");
}

#[test]
fn planted_bugs_in_the_sharing_are_seen_by_the_oracle() {
    let bugs =
        [Planted::NoFencing, Planted::FastestPosition, Planted::WallClock, Planted::FastestAcknowledged];
    for bug in bugs {
        let seen = (0..100).filter(|seed| World::new(*seed, bug).run().is_err()).count();
        assert!(seen > 0, "{bug:?}");
    }
}
