//! What is asked of the mesh: one event now and then, as many as it takes, or so many a second.
//!
//! **Invariant:** a latency ends with the commit of the effect, never with anything earlier; in an open loop it begins
//! when the call was due, so a caller who is late counts as waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use freehold_wire::Method;
use tokio::time::{sleep, sleep_until};

use crate::mesh::{Outcome, Placed, Reply, Running};

/// How many callers write at once.
pub(crate) const WRITERS: usize = 64;
/// Between two events of an idle mesh.
const PAUSE: Duration = Duration::from_millis(10);
/// In an open loop every so many-th event is a probe.
const PROBE_EVERY: u32 = 16;
/// The probe behind everything else.
const SETTLES: i64 = -1;

/// A mesh with a count of the probes that it was sent.
pub(crate) struct Load {
    pub(crate) mesh: Arc<Running>,
    keys: usize,
    probes: AtomicI64,
}

/// Latencies, sorted.
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    pub(crate) fn of(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        Self(all)
    }

    /// That of which so many in a hundred are shorter, in milliseconds.
    pub(crate) fn at(&self, hundredth: usize) -> f64 {
        let last = self.0.len().saturating_sub(1);
        self.0.get((self.0.len() * hundredth / 100).min(last)).map_or(0.0, |it| it.as_secs_f64() * 1e3)
    }
}

impl Load {
    /// A load on so many keys.
    pub(crate) fn new(mesh: Running, keys: usize) -> Self {
        Self { mesh: Arc::new(mesh), keys, probes: AtomicI64::new(0) }
    }

    /// Events of a mesh with nothing else to do, from their commit to their effect's.
    pub(crate) async fn idle(&self, events: usize) -> Outcome<Latencies> {
        let mut all = Vec::with_capacity(events);
        for event in 0..events {
            let next = self.mesh.taker.store.head().mark() + 1;
            let committed = self.mesh.commit(Placed::new(self.key(event), Some(0))).await?;
            all.push(self.mesh.probed(next).await?.saturating_duration_since(committed));
            sleep(PAUSE).await;
        }
        Ok(Latencies::of(all))
    }

    /// So many events by callers who each wait for their answer; how many a second, until the last effect.
    pub(crate) async fn at_once(
        &self,
        method: &'static Method<Placed, Reply>,
        events: usize,
    ) -> Outcome<f64> {
        let each = events / WRITERS;
        let began = Instant::now();
        let writers = (0..WRITERS).map(|writer| {
            let (mesh, keys) = (Arc::clone(&self.mesh), self.keys);
            tokio::spawn(async move {
                for round in 0..each {
                    mesh.place(Placed::new(key_of(writer * each + round, keys), None), method).await?;
                }
                Outcome::Ok(())
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await??;
        }
        self.settled().await?;
        Ok((each * WRITERS) as f64 / began.elapsed().as_secs_f64())
    }

    /// So many events a second, whether or not the ones before are done, each from when its call was due. Answers too how
    /// many calls were refused.
    pub(crate) async fn paced(
        &self,
        method: &'static Method<Placed, Reply>,
        per_second: u32,
        time: Duration,
    ) -> Outcome<(Latencies, u64)> {
        let pace = Pace { began: Instant::now(), step: Duration::from_secs(1) / per_second };
        let first = self.probes.load(Ordering::Relaxed);
        let calls = per_second * u32::try_from(time.as_secs())?;
        self.probes.fetch_add(i64::from(calls / PROBE_EVERY), Ordering::Relaxed);
        let seen = tokio::spawn(watch(Arc::clone(&self.mesh), pace, first));
        let refused = self.call_paced(pace, method, calls, first).await?;
        self.settled().await?;
        Ok((Latencies::of(seen.await??), refused))
    }

    async fn call_paced(
        &self,
        pace: Pace,
        method: &'static Method<Placed, Reply>,
        calls: u32,
        first: i64,
    ) -> Outcome<u64> {
        let mut calling = Vec::new();
        for call in 0..calls {
            let due = pace.began + pace.step * call;
            if due > Instant::now() {
                sleep_until(due.into()).await;
            }
            let probe = (call % PROBE_EVERY == 0).then(|| first + i64::from(call / PROBE_EVERY));
            let (mesh, placed) = (Arc::clone(&self.mesh), Placed::new(self.key(call as usize), probe));
            calling.push(tokio::spawn(async move { mesh.place(placed, method).await }));
        }
        let mut refused = 0;
        for call in calling {
            refused += u64::from(call.await?.is_err());
        }
        Ok(refused)
    }

    /// Waits until everything that was written so far has taken effect.
    pub(crate) async fn settled(&self) -> Outcome<()> {
        let mut commits = self.mesh.taker.store.commits();
        let before = *commits.borrow_and_update();
        self.mesh.commit(Placed::new("the last".to_owned(), Some(SETTLES))).await?;
        loop {
            let mark = *commits.borrow_and_update();
            if mark > before && self.mesh.probes.at(usize::try_from(mark - 1)?) == Some(SETTLES) {
                return Ok(());
            }
            commits.changed().await?;
        }
    }

    fn key(&self, event: usize) -> String {
        key_of(event, self.keys)
    }
}

/// Keys come one after the other, so that those of one writer differ from call to call.
fn key_of(event: usize, keys: usize) -> String {
    format!("k{}", event % keys)
}

/// When calls are due.
#[derive(Clone, Copy)]
struct Pace {
    began: Instant,
    step: Duration,
}

/// How long each probe from `first` on took, up to the one that settles: the last.
async fn watch(mesh: Arc<Running>, pace: Pace, first: i64) -> Outcome<Vec<Duration>> {
    let mut commits = mesh.taker.store.commits();
    let (mut seen, mut all) = (usize::try_from(*commits.borrow_and_update())?, Vec::new());
    loop {
        commits.changed().await?;
        let (at, until) = (Instant::now(), usize::try_from(*commits.borrow_and_update())?);
        for place in seen..until {
            let probe = mesh.probes.at(place).ok_or("a probe was not seen")?;
            if probe == SETTLES {
                return Ok(all);
            }
            let call = u32::try_from(probe - first)? * PROBE_EVERY;
            all.push(at.duration_since(pace.began + pace.step * call));
        }
        seen = until;
    }
}
