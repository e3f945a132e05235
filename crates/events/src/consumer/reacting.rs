//! The purpose of views: taking events in, and fetching again what is missing.
//!
//! **Invariant:** a version that is missing is looked for among everything that the owner keeps before it is given up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use freehold_store::{StoreError, Work};
use freehold_wire::pb::{Epoch, Position};
use freehold_wire::{Shares, Watermark};
use tokio::sync::Notify;

use super::intake::{Arrived, Intake, Taken};
use super::retrier;
use crate::link::{Batch, Link, LinkError};
use crate::parked;
use crate::position::{self, Standing};
use crate::purpose::{Left, Purpose, Report, State};
use crate::sharing::{Member, portions};

/// How often a position that moved without events is written down.
const LAZILY: Duration = Duration::from_secs(1);
/// How often the kept events are fetched again for a version that is missing, before it is given up.
const FETCHES: u32 = 3;

/// How often a process may begin at a position without getting on before what comes next is handled with care.
pub(super) const STARTS: i64 = 3;

/// A missing version is looked for.
#[derive(Debug, Clone, Copy)]
struct Search {
    fetches: u32,
    /// Where the gap was seen; a fetch that gets here has seen all before it.
    until: i64,
}

/// Reacts to the events of one subscription.
pub(crate) struct Reacting {
    intake: Intake,
    report: Report,
    /// Tells the retrier that a key has parked.
    parked: Arc<Notify>,
    standing: Option<Standing>,
    search: Option<Search>,
    written: Instant,
    /// Processes may have died over what comes next; `None` before that is known.
    careful: Option<bool>,
    /// What other instances of the consumer take part in; `None` where this one runs alone.
    member: Option<Member>,
}

#[async_trait]
impl Purpose for Reacting {
    async fn resume(&mut self, link: &Link) -> Result<Option<Position>, Left> {
        let mut standing = self.stand(link).await?;
        if let Some(member) = self.member.clone() {
            standing = standing.at(self.hold(&member).await?);
        } else if self.careful.is_none() {
            self.careful = Some(self.count_start().await? > STARTS);
        }
        if self.search.is_none() && self.has_gaps().await? {
            self.search = Some(Search { fetches: 0, until: standing.position.mark });
        }
        self.report.moved(standing.position);
        // Whoever has seen nothing begins with the oldest event that is kept, whatever came before that.
        let after = (self.search.is_none() && !standing.is_unseen()).then_some(standing.position);
        self.standing = Some(standing);
        Ok(after)
    }

    async fn opened(&mut self, epochs: &[Epoch]) -> Result<(), Left> {
        let Some(standing) = &self.standing else { return Err(Left::Again("it stands nowhere yet")) };
        let known = &standing.watermark;
        // A stream from the oldest event has not been asked for the position.
        if !position::contains(&Watermark::new(known.owner(), epochs.to_vec(), i64::MAX), known) {
            return Err(LinkError::HistoryLost("what was read of it is gone".to_owned()).into());
        }
        if known.epochs() != epochs {
            let (name, heard) = (self.intake.subscription.name().to_owned(), epochs.to_vec());
            let unit = async move |work: &mut Work| position::note_epochs(work, &name, &heard).await;
            self.intake.store.unit::<_, StoreError, _>(&self.intake.context(), unit).await?;
        }
        self.report.state(if self.search.is_some() { State::Gap } else { State::Live });
        Ok(())
    }

    async fn take(&mut self, batch: Batch) -> Result<(), Left> {
        self.take_in(batch, true).await
    }

    fn shares(&self) -> Shares {
        self.intake.hold.as_ref().map_or(Shares::ALL, |hold| hold.shares)
    }

    async fn recalled(&mut self) {
        match &self.member {
            Some(member) => member.recalled.notified().await,
            None => std::future::pending().await,
        }
    }
}

impl Reacting {
    pub(crate) fn new(intake: Intake, report: Report, parked: Arc<Notify>, member: Option<Member>) -> Self {
        let (standing, search, written, careful) = (None, None, Instant::now(), None);
        Self { intake, report, parked, standing, search, written, careful, member }
    }

    /// Waits for this instance's part, and answers where that stands.
    async fn hold(&mut self, member: &Member) -> Result<Position, Left> {
        let idle = || self.report.state(State::Standby);
        let portion = member.portion(&self.intake.store, || self.intake.context(), idle).await?;
        self.careful = Some(portion.starts > STARTS);
        self.intake.hold = Some(member.hold(&portion));
        Ok(portion.position)
    }

    /// Takes in a batch; a position without events is written down `lazily` or at once.
    pub(super) async fn take_in(&mut self, batch: Batch, lazily: bool) -> Result<(), Left> {
        let mark = batch.position.mark;
        let gap = self.absorb(batch, lazily).await?;
        self.look_for(gap, mark).await
    }

    /// What takes its events in.
    pub(super) fn intake(&self) -> &Intake {
        &self.intake
    }

    /// Where the subscription stands; a new one begins before the oldest event that its owner has.
    async fn stand(&self, link: &Link) -> Result<Standing, Left> {
        let name = self.intake.subscription.name();
        if let Some(standing) = position::load(&mut self.intake.store.read().await?, name).await? {
            return Ok(standing);
        }
        let head = link.head().await?;
        let (Some(first), Some(position)) = (head.epochs.first(), head.position) else {
            return Err(LinkError::Protocol("a head without epochs or position").into());
        };
        let start = Position::default().with_epoch(first.id).with_mark(first.first - 1);
        let watermark = Watermark::new(self.intake.subscription.owner(), head.epochs, start.mark);
        let standing = Standing { watermark, position: start, origin: position.mark, moved_ms: 0 };
        let (subscription, begun) = (self.intake.subscription.clone(), standing.clone());
        let unit = async move |work: &mut Work| {
            subscription.enter(work).await?;
            position::begin_once(work, subscription.name(), &begun).await
        };
        self.intake.store.unit::<_, StoreError, _>(&self.intake.context(), unit).await?;
        let begun = position::load(&mut self.intake.store.read().await?, name).await?;
        begun.ok_or(Left::Again("its position is gone"))
    }

    /// Notes that this process begins; answers how many have since the position moved.
    async fn count_start(&self) -> Result<i64, StoreError> {
        let name = self.intake.subscription.name().to_owned();
        let unit = async move |work: &mut Work| {
            portions::dissolve(work, &name).await?;
            position::count_start(work, &name).await
        };
        let (starts, _) = self.intake.store.unit::<_, StoreError, _>(&self.intake.context(), unit).await?;
        Ok(starts)
    }

    /// Takes in a batch; answers whether a version is missing.
    async fn absorb(&mut self, batch: Batch, lazily: bool) -> Result<bool, Left> {
        let Batch { events, position, .. } = batch;
        let news = self.report.position().is_none_or(|stands| position.mark > stands.mark);
        if events.is_empty() && (!news || (lazily && self.written.elapsed() < LAZILY)) {
            return Ok(self.has_gaps().await?);
        }
        let origin = self.standing.as_ref().map_or(0, |standing| standing.origin);
        let careful = self.careful == Some(true);
        let arrived = Arrived { events: events.into(), position, origin, careful };
        let Taken { parked, gap, fenced, .. } = self.intake.absorb(arrived).await?;
        if fenced {
            return Err(Left::Again("another instance has taken of its shares"));
        }
        // A fetch comes by what was taken long ago before it comes to what processes die over.
        self.careful = Some(careful && self.search.is_some_and(|search| position.mark < search.until));
        self.written = Instant::now();
        if news {
            self.report.moved(position);
        }
        if parked {
            self.parked.notify_one();
        }
        // What waited behind a parked event may turn out to wait for a version that never came.
        Ok(gap || (parked && self.has_gaps().await?))
    }

    /// Leaves the stream for a fetch from the oldest event when a gap was seen; when such a fetch has come by the gap
    /// and it is still there, fetches again or settles it.
    async fn look_for(&mut self, gap: bool, mark: i64) -> Result<(), Left> {
        const MISSING: Left = Left::Again("a version is missing, the kept events are fetched again");
        let Some(search) = self.search else {
            if gap {
                self.search = Some(Search { fetches: 0, until: mark });
                return Err(MISSING);
            }
            return Ok(());
        };
        if mark < search.until {
            return Ok(());
        }
        if self.has_gaps().await? {
            if search.fetches + 1 < FETCHES {
                self.search = Some(Search { fetches: search.fetches + 1, ..search });
                return Err(MISSING);
            }
            retrier::settle_gaps(&self.intake).await?;
            self.parked.notify_one();
        }
        self.search = None;
        self.report.state(State::Live);
        Ok(())
    }

    async fn has_gaps(&self) -> Result<bool, StoreError> {
        let name = self.intake.subscription.name();
        let gaps = parked::gaps(&mut self.intake.store.read().await?, name).await?;
        Ok(gaps.iter().any(|first| self.intake.holds(&first.event.subject)))
    }
}
