//! One seed: an owner and a consumer from their first event to the last, with everything in between.

mod replays;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use freehold_store::{StoreError, Work, inbox};
use freehold_testkit::checker::{self, Effect, Rows};
use freehold_wire::pb::Envelope;
use tokio::sync::Notify;

use super::super::purge;
use super::Sums;
use super::ails::{Ail, Ails};
use super::death::Death;
use super::owner::{self, History};
use super::planted::Planted;
use crate::DeadLetters;
use crate::consumer::fault::{Faults, Point};
use crate::consumer::intake::Intake;
use crate::consumer::reacting::Reacting;
use crate::consumer::retrier::Retrier;
use crate::fixture::{Mails, ORDER, SOON, SUBSCRIPTION, context};
use crate::link::{Batch, Link};
use crate::meter::Meter;
use crate::parked::{self, Key};
use crate::position;
use crate::purpose::{Left, Purpose, Report};
use crate::retry::RetryPolicy;

/// Where a process may die.
const POINTS: [Point; 6] = [
    Point::BeforeUnit,
    Point::BetweenEffectAndInbox,
    Point::BeforePosition,
    Point::BeforeCommit,
    Point::AfterCommit,
    Point::AfterClaim,
];
const KEYS: [&str; 4] = ["a", "b", "c", "d"];
/// Who decides about dead letters.
const OPERATOR: &str = "operator";
/// How long things may take to come right once nothing goes wrong any more. Far more rounds than any seed takes.
const ROUNDS: u32 = 300;

/// What is between the owner and its consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weather {
    /// The owner's feed: in order and whole. The owner drops what was acknowledged.
    Feed,
    /// Something that loses, doubles and reorders. The owner keeps what was lost.
    Bus,
}

/// One course of events.
pub(super) struct Life<'a> {
    mails: &'a Mails,
    rows: &'a Rows,
    random: Rng,
    bug: Option<Planted>,
    weather: Weather,
    /// Nothing is lost on the way any more.
    calm: bool,
    history: Arc<Mutex<History>>,
    ails: Arc<Mutex<Ails>>,
    /// How the process that runs may end.
    death: Arc<Mutex<Arc<Death>>>,
    link: Link,
    /// The process: gone when it has died.
    process: Option<Process>,
    skipped: BTreeSet<Effect>,
    decided: u64,
    wrong: Vec<String>,
    sums: Sums,
}

/// What a process has in memory.
struct Process {
    reacting: Reacting,
    report: Report,
    stream: Option<Stream>,
}

/// An open stream.
#[derive(Debug, Clone, Copy)]
struct Stream {
    /// Everything up to here has been sent.
    sent: i64,
    /// It begins at the oldest kept event: what is missing is fetched, from the owner itself.
    fetches: bool,
}

impl<'a> Life<'a> {
    pub(super) async fn new(mails: &'a Mails, rows: &'a Rows, seed: u64, bug: Option<Planted>) -> Self {
        for table in [
            "DELETE FROM freehold_position",
            "DELETE FROM freehold_inbox",
            "DELETE FROM freehold_parked",
            "DELETE FROM freehold_parked_log",
            "DELETE FROM freehold_replay",
            "DELETE FROM effect",
        ] {
            purge(mails, table).await;
        }
        let mut random = Rng::with_seed(seed);
        let (history, ails) =
            (Arc::new(Mutex::new(History::default())), Arc::new(Mutex::new(Ails::default())));
        let reacts = Arc::clone(&ails);
        let death = Arc::new(Mutex::new(Arc::<Death>::default()));
        let dies = Arc::clone(&death);
        mails.fail(move |key, version| {
            let answer = lock(&reacts).react(key, version);
            if answer.is_none() {
                lock(&dies).comes();
            }
            answer.unwrap_or(Err(StoreError::Closed.into()))
        });
        let link = Link::new(owner::feed(Arc::clone(&history)), SUBSCRIPTION, ["o.v1.Placed"]);
        Self {
            weather: if random.bool() { Weather::Feed } else { Weather::Bus },
            calm: false,
            mails,
            rows,
            random,
            bug,
            history,
            ails,
            death,
            link,
            process: None,
            skipped: BTreeSet::new(),
            decided: 0,
            wrong: Vec::new(),
            sums: Sums::default(),
        }
    }

    pub(super) fn sums(&self) -> Sums {
        self.sums
    }

    /// Lives it; answers what is wrong in the end.
    pub(super) async fn live(&mut self) -> Vec<String> {
        for _ in 0..self.random.u32(20..60) {
            self.step().await;
            if !self.wrong.is_empty() {
                return std::mem::take(&mut self.wrong);
            }
        }
        self.calm_down().await;
        std::mem::take(&mut self.wrong)
    }

    async fn step(&mut self) {
        match self.random.u32(0..19) {
            0..4 => self.commit(),
            4..9 => self.deliver().await,
            9..12 => self.retry().await,
            12 => self.operate().await,
            13 => self.purge(),
            14 => self.die(),
            15 => self.ask().await,
            16..18 => drop(self.reread().await),
            _ => {
                let point = POINTS[self.random.usize(..POINTS.len())];
                self.death().will_come(Some((point, self.random.u32(0..4))));
            }
        }
    }

    /// Nothing goes wrong any more, but for what waits to be mended: all of it comes right.
    async fn calm_down(&mut self) {
        self.death().will_come(None);
        // The last event of a key shows what was lost before it.
        for key in KEYS {
            lock(&self.history).commit(key, true);
        }
        self.calm = true;
        for _ in 0..ROUNDS {
            self.deliver().await;
            self.retry().await;
            self.operate().await;
            let rereads = self.reread().await;
            let stands = self.rows.positions().get(SUBSCRIPTION).map_or(0, |position| position.1);
            let waits = self.rows.parked(SUBSCRIPTION);
            if stands >= lock(&self.history).head() && waits.is_empty() && !rereads {
                return self.look(true);
            }
            if !self.wrong.is_empty() {
                return;
            }
        }
        let waits = self.rows.parked(SUBSCRIPTION);
        self.wrong.push(format!("it never comes right: {waits:?}"));
    }

    fn commit(&mut self) {
        for _ in 0..self.random.u32(1..4) {
            let key = KEYS[self.random.usize(..KEYS.len())];
            let version = lock(&self.history).commit(key, self.random.u32(0..5) > 0);
            let ail = match self.random.u32(0..24) {
                0 | 1 => Ail::Retries(self.random.u32(1..6)),
                2 => Ail::Silent,
                3 => Ail::Kills,
                4 => Ail::Poison,
                _ => continue,
            };
            lock(&self.ails).befall(key, version, ail);
        }
    }

    /// The owner drops what was acknowledged.
    fn purge(&mut self) {
        let Some(process) = &self.process else { return };
        let acknowledged = process.report.position().map_or(0, |position| position.mark);
        self.purge_to(acknowledged);
    }

    fn purge_to(&mut self, acknowledged: i64) {
        let mut history = lock(&self.history);
        let fastest = self.bug == Some(Planted::KeepsForTheFastest);
        let to = if fastest { history.head() } else { acknowledged };
        if self.weather == Weather::Feed && to > history.purged_to {
            history.purged_to = to;
            self.sums.purged += 1;
        }
    }

    /// The next batch, to a process that runs and has a stream.
    async fn deliver(&mut self) {
        let mut process = self.process.take().unwrap_or_else(|| self.begin());
        let Some(stream) = self.stream(&mut process).await else { return self.die() };
        let sent = lock(&self.history).after(stream.sent, self.random.usize(1..8));
        // A heartbeat where there is no event.
        let last = sent.last().and_then(|event| event.position).unwrap_or(owner::position(stream.sent));
        let stands = process.report.position().map_or(0, |position| position.mark);
        let resent = |event: &&Envelope| event.position.is_some_and(|it| it.mark <= stands);
        self.sums.redelivered += sent.iter().filter(resent).count() as u64;
        process.stream = Some(Stream { sent: last.mark, ..stream });
        let events = if stream.fetches { sent } else { self.on_the_way(sent) };
        self.before_it_is_taken(&events, last.mark).await;
        let batch = Batch { events, position: last, as_of: std::time::Instant::now() };
        match self.death().before(process.reacting.take(batch)).await {
            Some(Ok(())) => self.process = Some(process),
            Some(Err(Left::Again(_))) => {
                process.stream = None;
                self.process = Some(process);
            }
            None => self.die(),
            Some(Err(left)) => self.wrong.push(left.to_string()),
        }
    }

    /// What the planted bug does too early.
    async fn before_it_is_taken(&mut self, events: &[Envelope], mark: i64) {
        let events = events.to_vec();
        let unit = match self.bug {
            Some(Planted::AcksBeforeCommit) => return self.purge_to(mark),
            Some(Planted::InboxFirst) => async move |work: &mut Work| {
                for event in &events {
                    inbox::advance(work, SUBSCRIPTION, &event.entity, &event.subject, event.version).await?;
                }
                Ok::<_, StoreError>(())
            },
            _ => return self.position_first(mark).await,
        };
        self.mails.store.unit(&context(), unit).await.unwrap();
    }

    async fn position_first(&mut self, mark: i64) {
        if self.bug == Some(Planted::PositionFirst) {
            let unit = async move |work: &mut Work| {
                position::advance(work, SUBSCRIPTION, &owner::position(mark)).await
            };
            self.mails.store.unit::<_, StoreError, _>(&context(), unit).await.unwrap();
            self.purge_to(mark);
        }
    }

    /// What becomes of events on their way.
    fn on_the_way(&mut self, sent: Vec<Envelope>) -> Vec<Envelope> {
        if self.calm || self.weather == Weather::Feed {
            return sent;
        }
        // What is older than the subscription comes from the owner: of that a gap cannot be told from what it dropped.
        let origin = self.rows.one("SELECT origin FROM freehold_position").unwrap_or(0);
        if sent.iter().any(|event| parked::is_history(event, origin)) {
            return sent;
        }
        let mut came = Vec::new();
        for event in sent {
            let times = [1, 1, 1, 1, 1, 1, 2, 0][self.random.usize(..8)];
            came.extend(std::iter::repeat_n(event, times));
        }
        if came.len() > 1 && self.random.u32(0..4) == 0 {
            let at = self.random.usize(1..came.len());
            came.swap(at - 1, at);
        }
        came
    }

    /// The stream of a process; `None` where it died over opening one.
    async fn stream(&mut self, process: &mut Process) -> Option<Stream> {
        if let Some(stream) = process.stream {
            return Some(stream);
        }
        let after = process.reacting.resume(&self.link).await.ok()?;
        process.reacting.opened(&owner::epochs()).await.ok()?;
        // Whoever has seen nothing begins there too, on whatever way.
        let fetches = after.is_none() && process.report.position().is_some_and(|stands| stands.mark > 0);
        self.sums.refilled += u64::from(fetches);
        let stream = Stream { sent: after.map_or(0, |after| after.mark), fetches };
        process.stream = Some(stream);
        Some(stream)
    }

    /// One attempt at every key that waits for one, due or not.
    async fn retry(&mut self) {
        let retrier = Retrier { intake: self.intake(), parked: Arc::new(Notify::new()) };
        for waits in self.rows.parked(SUBSCRIPTION).iter().filter(|waits| waits.state == "waiting") {
            self.sums.parked += 1;
            if waits.attempts > 50 {
                self.wrong.push(format!("{waits:?} is tried for ever"));
            }
            let key = Key { subscription: SUBSCRIPTION, entity: ORDER, key: &waits.stream.1 };
            let first = parked::first(&mut self.mails.store.read().await.unwrap(), key).await.unwrap();
            let Some(first) = first.filter(|first| first.event.version == waits.version) else { continue };
            self.sums.retried += 1;
            match self.death().before(retrier.attempt(first)).await {
                Some(done) => self.wrong.extend(done.err().map(|error| error.to_string())),
                None => return self.die(),
            }
        }
    }

    /// Somebody looks at the dead letters: mends what is wrong and redrives them, or gives them up.
    async fn operate(&mut self) {
        let letters = DeadLetters::new(self.mails.store.clone());
        for dead in self.rows.parked(SUBSCRIPTION).iter().filter(|waits| waits.state == "dead") {
            self.sums.dead += 1;
            let key = dead.stream.1.as_str();
            let ail = lock(&self.ails).mend(key, dead.version);
            if !matches!(ail, Some(Ail::Poison | Ail::Silent | Ail::Kills)) {
                self.wrong.push(format!("{dead:?} is dead, and {ail:?} ailed it"));
            }
            let decided = if self.random.u32(0..4) == 0 {
                self.sums.skipped += 1;
                self.skipped.insert((dead.stream.clone(), dead.version));
                letters.skip(SUBSCRIPTION, ORDER, key, dead.version, OPERATOR).await
            } else {
                self.sums.redriven += 1;
                letters.redrive(SUBSCRIPTION, ORDER, key, OPERATOR).await.map(drop)
            };
            self.decided += 1;
            self.wrong.extend(decided.err().map(|error| error.to_string()));
        }
    }

    /// The process is gone. What it leaves must be right as far as it goes.
    fn die(&mut self) {
        self.process = None;
        *lock(&self.death) = Arc::default();
        self.sums.died += 1;
        if self.bug == Some(Planted::ParksInMemory) {
            Rows::damage(&self.mails.file(), "DELETE FROM freehold_parked");
        }
        self.look(false);
    }

    fn look(&mut self, whole: bool) {
        let told = lock(&self.history).told();
        let is_wanted = |event: &&freehold_testkit::checker::Told| event.data.is_some();
        let wanted =
            told.iter().filter(is_wanted).map(|event| (event.stream.clone(), event.version)).collect();
        self.wrong.extend(checker::effects(&self.effects(), &wanted, &self.skipped, whole));
        let (taken, parked) = (self.rows.taken(SUBSCRIPTION), self.rows.parked(SUBSCRIPTION));
        let decided = self.rows.decided(SUBSCRIPTION);
        // On the way of a bus, what is lost is missed when something comes after it, and all of it in the end.
        if let Some((_, position)) = self.rows.positions().get(SUBSCRIPTION)
            && (whole || self.weather == Weather::Feed)
        {
            let wrong = checker::subscription(&told, *position, &taken, &parked, &decided, |_| true);
            self.wrong.extend(wrong);
        }
        let on_record = decided.iter().filter(|decided| decided.who == OPERATOR).count() as u64;
        if on_record != self.decided {
            self.wrong.push(format!("{} decisions were taken, and {on_record} are on record", self.decided));
        }
    }

    fn effects(&self) -> Vec<Effect> {
        let effects = if self.bug == Some(Planted::EffectOutside) {
            lock(&self.ails).outside.clone()
        } else {
            self.rows.all("SELECT key, version FROM effect ORDER BY id", |row| Ok((row.get(0)?, row.get(1)?)))
        };
        effects.into_iter().map(|(key, version)| ((ORDER.to_owned(), key), version)).collect()
    }

    fn death(&self) -> Arc<Death> {
        Arc::clone(&lock(&self.death))
    }

    fn begin(&self) -> Process {
        let (report, _) = Report::new();
        let reacting = Reacting::new(self.intake(), report.clone(), Arc::new(Notify::new()), None);
        Process { reacting, report, stream: None }
    }

    fn intake(&self) -> Intake {
        let subscription = self.mails.subscription();
        let horizon = if self.bug == Some(Planted::GivesUpEarly) { 0 } else { 3600 };
        let retry =
            RetryPolicy { attempts: 8, horizon: Duration::from_secs(horizon), ..RetryPolicy::default() };
        let death = self.death();
        let dies = move |point| death.comes_at(point);
        Intake {
            store: self.mails.store.clone(),
            meter: Meter::of(&subscription),
            subscription,
            retry,
            budget: SOON,
            hold: None,
            replay: None,
            faults: Faults {
                dies: Some(Arc::new(dies)),
                judges: self.bug.and_then(Planted::judges),
                ..Faults::default()
            },
        }
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
