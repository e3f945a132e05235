//! One subscription's stream: open, check the history, take in batches, fetch again what is missing, reconnect.
//!
//! A thin loop; what it decides is decided in `inbox`, `position` and `retry`. **Invariant:** it never goes on over
//! another history than the one that it has read so far.

use std::sync::Arc;
use std::time::{Duration, Instant};

use freehold_store::{StoreError, Work};
use freehold_wire::Watermark;
use freehold_wire::pb::{Epoch, Position};
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

use super::intake::{Intake, Taken};
use super::retrier;
use crate::handle::{Progress, State};
use crate::link::{self, Batch, Link, LinkError};
use crate::position::{self, Standing};

/// How often a position that moved without events is written down.
const LAZILY: Duration = Duration::from_secs(1);
/// How often the kept events are fetched again for a version that is missing, before it is given up.
const FETCHES: u32 = 3;

/// Why a stream is left.
#[derive(Debug, thiserror::Error)]
enum Left {
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// To fetch again what is missing.
    #[error("a version is missing; the kept events are fetched again")]
    Gap,
}

/// A missing version is looked for among everything that the owner keeps.
#[derive(Debug, Clone, Copy)]
struct Search {
    fetches: u32,
    /// Where the gap was seen; a fetch that gets here has seen all before it.
    until: i64,
}

/// Runs one subscription.
pub(crate) struct Runner {
    intake: Intake,
    link: Link,
    batch: usize,
    progress: watch::Sender<Progress>,
    committed: watch::Sender<Option<Position>>,
    parked: Arc<Notify>,
    search: Option<Search>,
    written: Instant,
}

impl Runner {
    pub(crate) fn new(
        intake: Intake,
        link: Link,
        batch: usize,
        progress: watch::Sender<Progress>,
        committed: watch::Sender<Option<Position>>,
        parked: Arc<Notify>,
    ) -> Self {
        Self { intake, link, batch, progress, committed, parked, search: None, written: Instant::now() }
    }

    /// Runs until it is dropped, or until the owner's history turns out to be another one.
    pub(crate) async fn run(mut self) {
        let mut waits = link::reconnects();
        loop {
            let before = self.position();
            let left = match self.stream().await {
                Ok(never) => match never {},
                Err(left) => left,
            };
            let problem = left.to_string();
            let name = self.intake.subscription.name();
            if matches!(left, Left::Link(LinkError::HistoryLost(_))) {
                tracing::error!(subscription = name, problem, "the subscription has stopped");
                return self.tell(State::HistoryLost(problem));
            }
            if self.position() != before {
                waits = link::reconnects();
            }
            if matches!(left, Left::Link(LinkError::Ended)) {
                tracing::debug!(subscription = name, "the stream is opened again");
            } else {
                tracing::warn!(subscription = name, problem, "the stream broke");
                self.tell(State::Disconnected(problem));
            }
            sleep(waits.next().unwrap_or(LAZILY)).await;
        }
    }

    async fn stream(&mut self) -> Result<std::convert::Infallible, Left> {
        let standing = self.standing().await?;
        if self.search.is_none() && self.has_gaps().await? {
            self.search = Some(Search { fetches: 0, until: standing.position.mark });
        }
        let after = self.search.is_none().then_some(standing.position);
        let mut arrivals = self.link.open(after).await?;
        self.check(&standing, arrivals.epochs().to_vec()).await?;
        self.moved(standing.position);
        self.tell(if self.search.is_some() { State::Gap } else { State::Live });
        loop {
            let batch = arrivals.next(self.batch).await?;
            let position = batch.position;
            let gap = self.absorb(batch, standing.origin).await?;
            self.look_for(gap, position).await?;
        }
    }

    /// Where the subscription stands; a new one begins before the oldest event that its owner has.
    async fn standing(&self) -> Result<Standing, Left> {
        let name = self.intake.subscription.name();
        if let Some(standing) = position::load(&mut self.intake.store.read().await?, name).await? {
            return Ok(standing);
        }
        let head = self.link.head().await?;
        let (Some(first), Some(position)) = (head.epochs.first().copied(), head.position) else {
            return Err(LinkError::Protocol("a head without epochs or position").into());
        };
        let start = Position::default().with_epoch(first.id).with_mark(first.first - 1);
        let watermark = Watermark::new(self.intake.subscription.owner(), head.epochs, start.mark);
        let standing = Standing { watermark, position: start, origin: position.mark };
        let (name, begun) = (name.to_owned(), standing.clone());
        let unit = async move |work: &mut Work| position::begin(work, &name, &begun).await;
        self.intake.store.unit::<_, StoreError, _>(&self.intake.context(), unit).await?;
        Ok(standing)
    }

    /// Refuses another history; notes the epochs that have begun since.
    async fn check(&self, standing: &Standing, heard: Vec<Epoch>) -> Result<(), Left> {
        let known = standing.watermark.epochs();
        if !position::continues(known, &heard) {
            let problem = "an epoch that was read from is gone".to_owned();
            return Err(LinkError::HistoryLost(problem).into());
        }
        if known != heard {
            let name = self.intake.subscription.name().to_owned();
            let unit = async move |work: &mut Work| position::note_epochs(work, &name, &heard).await;
            self.intake.store.unit::<_, StoreError, _>(&self.intake.context(), unit).await?;
        }
        Ok(())
    }

    /// Takes in a batch; answers whether a version is missing.
    async fn absorb(&mut self, batch: Batch, origin: i64) -> Result<bool, StoreError> {
        let Batch { events, position, .. } = batch;
        let news = self.position().is_none_or(|stands| position.mark > stands.mark);
        if events.is_empty() && (!news || self.written.elapsed() < LAZILY) {
            return Ok(false);
        }
        let Taken { parked, gap } = self.intake.absorb(events.into(), position, origin).await?;
        self.written = Instant::now();
        if news {
            self.moved(position);
        }
        if parked {
            self.parked.notify_one();
        }
        Ok(gap)
    }

    /// Leaves the stream for a fetch from the oldest event when a gap was seen; when such a fetch has come by the gap
    /// and it is still there, fetches again or settles it.
    async fn look_for(&mut self, gap: bool, position: Position) -> Result<(), Left> {
        let Some(search) = self.search else {
            if gap {
                self.search = Some(Search { fetches: 0, until: position.mark });
                return Err(Left::Gap);
            }
            return Ok(());
        };
        if position.mark < search.until {
            return Ok(());
        }
        if self.has_gaps().await? {
            if search.fetches + 1 < FETCHES {
                self.search = Some(Search { fetches: search.fetches + 1, ..search });
                return Err(Left::Gap);
            }
            retrier::settle_gaps(&self.intake).await?;
            self.parked.notify_one();
        }
        self.search = None;
        self.tell(State::Live);
        Ok(())
    }

    async fn has_gaps(&self) -> Result<bool, StoreError> {
        let name = self.intake.subscription.name();
        let gaps = crate::parked::gaps(&mut self.intake.store.read().await?, name).await?;
        Ok(!gaps.is_empty())
    }

    fn position(&self) -> Option<Position> {
        self.progress.borrow().position
    }

    /// The position was committed.
    fn moved(&self, position: Position) {
        self.progress.send_modify(|progress| progress.position = Some(position));
        self.committed.send_replace(Some(position));
    }

    fn tell(&self, state: State) {
        self.progress.send_modify(|progress| progress.state = state);
    }
}
