//! What runs the generations of one projection: the one that is read, the one that is built, and the broom behind both.
//!
//! It looks at the database, where rebuilds and swaps are written, and makes what runs agree with it. **Invariant:** a
//! generation is swept only when nothing of this process feeds it any more.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use freehold_store::{StoreError, Work};
use freehold_wire::Context;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use super::following::Course;
use super::{Consumer, Role};
use crate::handle::{Part, Running};
use crate::projection::generations::{self, Generation, Stage};
use crate::projection::sweep::sweep;
use crate::purpose::Left;

/// How often it looks without being told.
const LOOK: Duration = Duration::from_secs(1);
/// How long the tasks of a generation may take to end before they are aborted.
const GRACE: Duration = Duration::from_secs(1);

/// Runs one projection.
pub(crate) struct Overseer {
    pub(crate) consumer: Consumer,
    pub(crate) course: Arc<Course>,
    /// What runs, the generation that is read first.
    pub(crate) parts: watch::Sender<Vec<Part>>,
    pub(crate) running: BTreeMap<i64, Fed>,
}

/// A generation that is fed.
pub(crate) struct Fed {
    running: Running,
    stop: CancellationToken,
}

impl Overseer {
    /// Runs until it is stopped; all that it started has ended then.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        stop.run_until_cancelled(self.oversee(&stop)).await;
        for (_, fed) in std::mem::take(&mut self.running) {
            end(fed).await;
        }
    }

    async fn oversee(&mut self, stop: &CancellationToken) {
        let mut settled = false;
        loop {
            if let Err(error) = self.round(&mut settled, stop).await {
                let projection = self.course.projection.name();
                tracing::warn!(projection, %error, "failed to look after a projection");
            }
            tokio::select! {
                () = self.course.projection.wake().notified() => {}
                () = sleep(LOOK) => {}
            }
        }
    }

    async fn round(&mut self, settled: &mut bool, stop: &CancellationToken) -> Result<(), Left> {
        if !*settled {
            self.settle().await?;
            *settled = true;
        }
        let name = self.course.projection.name();
        let generations = generations::all(&mut self.consumer.store.read().await?, name).await?;
        if let Some(read) = generations.iter().find(|generation| generation.stage == Stage::Read) {
            // A swap may have been noted since this was read.
            self.course.read.fetch_max(read.number, Ordering::SeqCst);
        }
        self.end_left(&generations).await;
        for generation in &generations {
            if self.is_fed(generation) && !self.running.contains_key(&generation.number) {
                self.feed(generation.number, stop)?;
            }
        }
        self.tell();
        self.sweep(&generations).await
    }

    async fn settle(&self) -> Result<(), StoreError> {
        let projection = self.course.projection.clone();
        let unit = async move |work: &mut Work| generations::settle(work, &projection).await;
        self.consumer.store.unit::<_, StoreError, _>(&self.context(), unit).await.map(drop)
    }

    /// A view of another version is read as it is: what would feed it is not here.
    fn is_fed(&self, generation: &Generation) -> bool {
        generation.stage != Stage::Left && generation.version == self.course.projection.version()
    }

    async fn end_left(&mut self, generations: &[Generation]) {
        let fed: Vec<i64> = generations
            .iter()
            .filter(|generation| self.is_fed(generation))
            .map(|generation| generation.number)
            .collect();
        for (_, left) in
            self.running.extract_if(.., |generation, _| !fed.contains(generation)).collect::<Vec<_>>()
        {
            end(left).await;
        }
    }

    fn feed(&mut self, generation: i64, stop: &CancellationToken) -> Result<(), Left> {
        let stop = stop.child_token();
        let subscription = self.course.projection.subscription(generation);
        let running = match self.consumer.link(&subscription, false) {
            Ok(link) => {
                let role = Role::Generation(Arc::clone(&self.course), generation);
                self.consumer.run(&subscription, link, &stop, role)
            }
            Err(problem) => super::failed(&subscription, problem),
        };
        self.running.insert(generation, Fed { running, stop });
        Ok(())
    }

    fn tell(&self) {
        let read = self.course.read.load(Ordering::SeqCst);
        let mut fed: Vec<_> = self.running.iter().collect();
        fed.sort_by_key(|(generation, _)| **generation != read);
        let parts: Vec<Part> = fed.into_iter().map(|(_, fed)| fed.running.part.clone()).collect();
        self.parts.send_replace(parts);
    }

    async fn sweep(&self, generations: &[Generation]) -> Result<(), Left> {
        for left in generations.iter().filter(|generation| generation.stage == Stage::Left) {
            let projection = &self.course.projection;
            let subscription = projection.subscription(left.number);
            // Without a way to the owner its name cannot be withdrawn; a later start will.
            let Ok(link) = self.consumer.link(&subscription, false) else { continue };
            let context = || self.context();
            let faults = &self.consumer.faults;
            sweep(&self.consumer.store, context, projection, left.number, &link, faults).await?;
        }
        Ok(())
    }

    fn context(&self) -> Context {
        Context::new(self.consumer.store.service(), self.consumer.options.budget)
    }
}

/// Ends what feeds a generation.
async fn end(fed: Fed) {
    fed.stop.cancel();
    let until = Instant::now() + GRACE;
    for mut task in fed.running.tasks {
        if timeout_at(until, &mut task).await.is_err() {
            task.abort();
        }
    }
}
