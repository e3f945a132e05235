//! What keeps a copy: a snapshot first, then the feed from the position before it.
//!
//! The snapshot goes into a table of its own, chunk by chunk, and takes the place of the old one when everything up to
//! its last chunk has been applied behind it: readers see nothing, the old copy or the whole new one, never a half.
//! **Invariant:** rows and position move in one unit of work.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use freehold_client::Error;
use freehold_events::link::{Batch, Link, LinkError};
use freehold_events::position::{self, Standing as Position};
use freehold_events::purpose::{Left, Purpose, Report, State};
use freehold_store::{Store, StoreError, Work};
use freehold_wire::pb::{self, Envelope, Epoch, SnapshotRequest, SnapshotResponse};
use freehold_wire::{Context, Watermark};

use crate::apply::Verdict;
use crate::copied::Copied;
use crate::fault::{Faults, Point};
use crate::record::{self, Record};
use crate::rows::{self, Incoming};
use crate::shape::{self, Place};
use crate::standing::Board;

/// How long one unit of work may take.
const BUDGET: Duration = Duration::from_secs(10);
/// How often a watermark that moved without events is written down.
const LAZILY: Duration = Duration::from_secs(1);
/// How often a gap is fetched again from the position before it, before everything is copied anew.
const FETCHES: u32 = 3;

/// Keeps one copy.
pub(crate) struct Applier<T> {
    store: Store,
    board: Board,
    faults: Faults,
    report: Option<Report>,
    record: Option<Record>,
    /// How often in a row a gap was found.
    gaps: u32,
    /// Its owner no longer keeps what comes behind its position.
    purged: bool,
    written: Instant,
    copies: PhantomData<fn() -> T>,
}

/// What a unit of work applied.
struct Applied {
    /// Everything up to here.
    position: pb::Position,
    /// The version behind it has not come.
    gap: bool,
    record: Record,
}

impl<T: Copied> Applier<T> {
    pub(crate) fn new(store: Store, board: Board, faults: Faults) -> Self {
        Self {
            faults,
            store,
            board,
            report: None,
            record: None,
            gaps: 0,
            purged: false,
            written: Instant::now(),
            copies: PhantomData,
        }
    }

    pub(crate) fn reporting(self, report: Report) -> Self {
        Self { report: Some(report), ..self }
    }

    /// Tells readers what the database says of the copy, before its owner is heard of.
    pub(crate) async fn recall(&self) -> Result<(), StoreError> {
        let mut read = self.store.read().await?;
        let Some(stands) = position::load(&mut read, &record::subscription::<T>()).await? else {
            return Ok(());
        };
        let as_of = moment(stands.moved_ms);
        self.board.tell(|standing| {
            standing.watermark = Arc::new(stands.watermark);
            standing.as_of = as_of;
        });
        Ok(())
    }

    fn state(&self, state: State) {
        if let Some(report) = &self.report {
            report.state(state);
        }
    }

    /// The position and the record, of a copy that has begun.
    async fn begun(&self) -> Result<Option<(Position, Record)>, StoreError> {
        let mut read = self.store.read().await?;
        let stands = position::load(&mut read, &record::subscription::<T>()).await?;
        let record = record::load::<T>(&mut read).await?;
        Ok(stands.zip(record).filter(|(_, record)| record.ready || record.bound.is_some()))
    }

    /// Begins a snapshot: notes the owner's head, from which the feed is read behind it, and makes an empty table.
    async fn begin(&self, link: &Link) -> Result<(Position, Record), Left> {
        let moved_ms = now_ms();
        let head = link.head().await?;
        let position = head.position.ok_or(LinkError::Protocol("a head without a position"))?;
        // Registers, so that the owner keeps what comes while the snapshot runs.
        drop(link.open(Some(position)).await?);
        let watermark = Watermark::new(T::OWNER, head.epochs, position.mark);
        let stands = Position { watermark, position, origin: position.mark, moved_ms };
        let columns = shape::described(T::COLUMNS);
        let begun = stands.clone();
        let unit = async move |work: &mut Work| {
            let record = Record {
                columns,
                ready: false,
                after_key: Some(String::new()),
                bound: Some(begun.position.mark),
            };
            let next = Place::Next.table::<T>();
            work.define(&shape::discard(&next)).await?;
            work.define(&shape::create(&next, T::KEY, T::COLUMNS)).await?;
            position::begin(work, &record::subscription::<T>(), &begun).await?;
            record::save::<T>(work, &record).await?;
            Ok(record)
        };
        let (record, _) = self.store.unit::<_, StoreError, _>(&context::<T>(), unit).await?;
        Ok((stands, record))
    }

    /// Takes the snapshot from where it has come to its end; `known` is what has been heard of the owner's history.
    async fn snapshot(&self, link: &Link, known: &Watermark, mut record: Record) -> Result<Record, Left> {
        let after = record.after_key.clone().unwrap_or_default();
        let request = SnapshotRequest::default().with_entity(T::OF).with_after_key(after);
        let feed = |error: Error| Left::from(LinkError::Feed(error));
        let mut chunks = link.feed().snapshot(request).await.map_err(feed)?;
        while record.after_key.is_some() {
            let chunk = chunks.next().await.ok_or(LinkError::Ended)?.map_err(feed)?;
            if !chunk.epochs.is_empty() {
                self.heard(&copied(known, &record), &chunk.epochs).await?;
            }
            record = self.copy(record, chunk).await?;
        }
        Ok(record)
    }

    /// Notes the owner's epochs, unless the history that they are of has lost what was copied.
    async fn heard(&self, known: &Watermark, epochs: &[Epoch]) -> Result<(), Left> {
        if !position::contains(&Watermark::new(T::OWNER, epochs.to_vec(), i64::MAX), known) {
            return Err(LinkError::HistoryLost("what was copied is gone".to_owned()).into());
        }
        if known.epochs() != epochs {
            let heard = epochs.to_vec();
            let unit = async move |work: &mut Work| {
                position::note_epochs(work, &record::subscription::<T>(), &heard).await
            };
            self.store.unit::<_, StoreError, _>(&context::<T>(), unit).await?;
        }
        Ok(())
    }

    /// One chunk and the key that it ends at, in one unit of work.
    async fn copy(&self, mut record: Record, chunk: SnapshotResponse) -> Result<Record, Left> {
        let position = chunk.position.ok_or(LinkError::Protocol("a chunk without a position"))?;
        record.bound = record.bound.max(Some(position.mark));
        record.after_key = match chunk.rows.last() {
            _ if chunk.last => None,
            Some(row) => Some(row.key.clone()),
            None => record.after_key,
        };
        let faults = self.faults.clone();
        let unit = async move |work: &mut Work| {
            for row in &chunk.rows {
                rows::write::<T>(work, Place::Next, Incoming::row(row)).await?;
            }
            faults.reach(Point::InChunk)?;
            record::save::<T>(work, &record).await?;
            Ok(record)
        };
        let (record, _) = self.store.unit::<_, StoreError, _>(&context::<T>(), unit).await?;
        self.faults.reach(Point::AfterChunk)?;
        Ok(record)
    }

    /// Applies a batch, and completes a copy that has come far enough by it.
    async fn apply(
        &self,
        events: Vec<Envelope>,
        until: pb::Position,
        as_of: Option<Instant>,
        record: Record,
    ) -> Result<Applied, StoreError> {
        let as_of_ms = as_of.map(past_ms);
        let faults = self.faults.clone();
        let unit = async move |work: &mut Work| {
            let place = if record.bound.is_some() { Place::Next } else { Place::Main };
            let mut applied = Applied { position: until, gap: false, record };
            rows::open_gate(work, true).await?;
            let mut before = None;
            for event in &events {
                if rows::write::<T>(work, place, Incoming::event(event, T::OF)).await? == Verdict::Gap {
                    applied.gap = true;
                    break;
                }
                before.clone_from(&event.position);
            }
            if applied.gap {
                let stands = position::load(work, &record::subscription::<T>()).await?;
                applied.position = before.or(stands.map(|stands| stands.position)).unwrap_or_default();
            }
            if applied.record.completes(applied.position.mark) {
                applied.record = complete::<T>(work, applied.record).await?;
                faults.reach(Point::AfterReplace)?;
            }
            rows::open_gate(work, false).await?;
            faults.reach(Point::BeforePosition)?;
            // What waits behind a gap makes the copy older than its position says.
            let as_of_ms = as_of_ms.filter(|_| !applied.gap);
            let subscription = record::subscription::<T>();
            position::advance_as_of(work, &subscription, &applied.position, as_of_ms).await?;
            Ok(applied)
        };
        let (applied, _) = self.store.unit::<_, StoreError, _>(&context::<T>(), unit).await?;
        self.faults.reach(Point::AfterCommit)?;
        Ok(applied)
    }

    /// Tells readers how far the copy has come, after the commit.
    fn moved(&self, position: pb::Position, as_of: Option<Instant>) {
        let ready = self.record.as_ref().is_some_and(|record| record.ready);
        self.board.tell(|standing| {
            let epochs = standing.watermark.epochs().to_vec();
            standing.watermark = Arc::new(Watermark::new(T::OWNER, epochs, position.mark));
            standing.ready = ready;
            standing.as_of = standing.as_of.max(as_of);
        });
        // A copy that is not complete has not come anywhere yet.
        if let Some(report) = self.report.as_ref().filter(|_| ready) {
            report.moved(position);
        }
    }

    /// Reads again from before a gap; when that has not helped, copies everything anew.
    async fn fetch_again(&mut self) -> Result<(), Left> {
        self.gaps += 1;
        self.state(State::Gap);
        if self.gaps > FETCHES {
            self.gaps = 0;
            let unit = async |work: &mut Work| match record::load::<T>(work).await? {
                Some(record) => {
                    let again = Record { ready: false, after_key: None, bound: None, ..record };
                    record::save::<T>(work, &again).await
                }
                None => Ok(()),
            };
            self.store.unit::<_, StoreError, _>(&context::<T>(), unit).await?;
            self.record = None;
            self.board.tell(|standing| standing.ready = false);
        }
        Err(Left::Again("a version is missing"))
    }
}

#[async_trait]
impl<T: Copied> Purpose for Applier<T> {
    async fn resume(&mut self, link: &Link) -> Result<Option<pb::Position>, Left> {
        let begun = if self.purged { None } else { self.begun().await? };
        let (stands, mut record) = match begun {
            Some(begun) => begun,
            None => self.begin(link).await?,
        };
        self.purged = false;
        if record.after_key.is_some() {
            self.state(State::Copying);
            record = self.snapshot(link, &stands.watermark, record).await?;
        }
        if record.completes(stands.position.mark) {
            record = self.apply(Vec::new(), stands.position, None, record).await?.record;
        }
        self.record = Some(record);
        self.board.tell(|standing| standing.watermark = Arc::new(stands.watermark.clone()));
        self.moved(stands.position, moment(stands.moved_ms));
        Ok(Some(stands.position))
    }

    async fn opened(&mut self, epochs: &[Epoch]) -> Result<(), Left> {
        let known = self.board.read().watermark;
        self.heard(&known, epochs).await?;
        self.board.tell(|standing| {
            standing.watermark =
                Arc::new(Watermark::new(T::OWNER, epochs.to_vec(), standing.watermark.mark()));
            standing.connected = true;
        });
        self.state(State::Live);
        Ok(())
    }

    async fn take(&mut self, batch: Batch) -> Result<(), Left> {
        let Batch { events, position, as_of } = batch;
        let Some(record) = self.record.clone() else { return Err(Left::Again("the copy begins anew")) };
        if events.is_empty() && !record.completes(position.mark) && self.written.elapsed() < LAZILY {
            self.moved(position, Some(as_of));
            return Ok(());
        }
        let applied = self.apply(events, position, Some(as_of), record).await?;
        self.written = Instant::now();
        self.record = Some(applied.record);
        self.moved(applied.position, (!applied.gap).then_some(as_of));
        if applied.gap {
            return self.fetch_again().await;
        }
        self.gaps = 0;
        Ok(())
    }

    /// By a snapshot, which needs no history.
    fn begins_anew(&self) -> bool {
        true
    }

    fn left(&mut self, left: &Left) {
        self.purged |= matches!(left, Left::Link(LinkError::PositionPurged(_)));
        self.board.tell(|standing| {
            standing.connected = false;
            if let Left::Link(LinkError::HistoryLost(problem)) = left {
                standing.lost = Some(problem.as_str().into());
            }
        });
    }
}

/// The owner's history as far as rows of it may be in the copy: a snapshot's are newer than its position.
fn copied(known: &Watermark, record: &Record) -> Watermark {
    let mark = record.bound.unwrap_or_default().max(known.mark());
    Watermark::new(known.owner(), known.epochs().to_vec(), mark)
}

/// Puts the new table in the place of the old one.
async fn complete<T: Copied>(work: &mut Work, record: Record) -> Result<Record, StoreError> {
    work.define(&shape::replace(T::TABLE, &Place::Next.table::<T>())).await?;
    work.define(&shape::protect(T::TABLE, T::OF, work.engine())).await?;
    let record = Record { ready: true, after_key: None, bound: None, ..record };
    record::save::<T>(work, &record).await?;
    Ok(record)
}

fn context<T: Copied>() -> Context {
    Context::new(T::CONSUMER, BUDGET)
}

/// Milliseconds since 1970 by this machine's clock.
fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

/// A moment of the past in milliseconds since 1970, by this machine's clock.
fn past_ms(moment: Instant) -> i64 {
    let age = i64::try_from(moment.elapsed().as_millis()).unwrap_or(i64::MAX);
    now_ms().saturating_sub(age)
}

/// A time of the past, in milliseconds since 1970, on this machine's monotonic clock; `None` for one that has not come:
/// the clock was put back, and nobody knows how long ago it was.
fn moment(ms: i64) -> Option<Instant> {
    let at = UNIX_EPOCH + Duration::from_millis(u64::try_from(ms).ok()?);
    let age = SystemTime::now().duration_since(at).ok()?;
    Instant::now().checked_sub(age)
}
