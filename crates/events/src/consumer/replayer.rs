//! Reading again what was read before, beside what comes anew, for as long as a replay is asked for.
//!
//! It has a stream of its own, from the owner itself, since a bus keeps less. What took effect is passed over without a unit
//! of work; whatever else there is goes through the same intake as what comes anew, one event in a unit, so that it never
//! waits for a key while it holds another. **Invariant:** it is never ahead of its subscription, whose position it does not
//! move but where the owner no longer keeps what comes next.

use std::time::Duration;

use freehold_store::{StoreError, Work, inbox};
use freehold_wire::Watermark;
use freehold_wire::pb::{Envelope, Epoch, HeadResponse};
use tokio::time::sleep;

use super::following::cut;
use super::intake::{Arrived, Intake};
use super::reacting::STARTS;
use crate::link::{Arrivals, Batch, Link, LinkError};
use crate::position::{self, Standing};
use crate::purpose::Left;
use crate::replays::{self, Replay};
use crate::sharing::portions;

/// How often it looks for a replay.
const LOOK: Duration = Duration::from_secs(1);
/// After how many looks at a replay that another instance has and that does not move it is taken over: longer than a unit
/// of work may take.
const PATIENCE: u32 = 10;
/// Why a replay stops.
const OTHER: &str = "the owner's history is another one than the one that was read";

/// Runs the replays of one subscription, one after another.
pub(crate) struct Replayer {
    pub(crate) intake: Intake,
    /// To the owner, not over a bus.
    pub(crate) link: Link,
    pub(crate) batch: usize,
    /// Other instances may run the same replay.
    pub(crate) shared: bool,
}

/// What was seen of a replay, and how often in a row.
#[derive(Default)]
struct Seen {
    replay: Option<Replay>,
    looks: u32,
}

/// What a replay needs to know of its subscription.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Course {
    until: i64,
    /// The owner's head when the subscription began.
    origin: i64,
    /// Processes may have died over what comes next.
    careful: bool,
}

impl Replayer {
    /// Runs until it is dropped.
    pub(crate) async fn run(self) {
        let mut seen = Seen::default();
        loop {
            if let Err(left) = self.round(&mut seen).await {
                let subscription = self.intake.subscription.name();
                tracing::info!(subscription, problem = %left, "a replay stops for a moment");
            }
            sleep(LOOK).await;
        }
    }

    async fn round(&self, seen: &mut Seen) -> Result<(), Left> {
        let next =
            replays::next(&mut self.intake.store.read().await?, self.intake.subscription.name()).await?;
        seen.look(next);
        match seen.due(self.shared) {
            Some(replay) => self.replay(replay).await,
            None => Ok(()),
        }
    }

    /// Claims a replay, and answers what runs it under that claim; `None` where it is not there any more.
    pub(crate) async fn claim(&self, replay: Replay) -> Result<Option<(Self, Replay)>, StoreError> {
        let unit = async move |work: &mut Work| replays::claim(work, replay).await;
        let (claimed, _) = self.intake.store.unit::<_, StoreError, _>(&self.intake.context(), unit).await?;
        let Some(replay) = claimed else { return Ok(None) };
        let intake = Intake { replay: Some(replay.claimed()), ..self.intake.clone() };
        let mine = Self { intake, link: self.link.clone(), ..*self };
        Ok(Some((mine, replay)))
    }

    /// Reads all of it again, under a claim once the owner answers.
    async fn replay(&self, replay: Replay) -> Result<(), Left> {
        let Some(stands) = self.stands().await? else {
            return Ok(self.end(replay, "the subscription is gone").await?);
        };
        let head = self.link.kept().await?;
        if !goes_on(&stands, &head.epochs) {
            return Ok(self.end(replay, OTHER).await?);
        }
        if head.purged_to.is_some_and(|purged| purged.mark > stands.position.mark) {
            return Ok(self.begin_anew(replay, head).await?);
        }
        let mut arrivals = self.open(&replay).await?;
        if !goes_on(&stands, arrivals.epochs()) {
            return Ok(self.end(replay, OTHER).await?);
        }
        let Some((mine, replay)) = self.claim(replay).await? else { return Ok(()) };
        let mut course = Course::of(&replay, &stands);
        loop {
            let batch = arrivals.next(self.batch).await?;
            let last = batch.position.mark >= replay.until;
            if !mine.take(course, batch).await? || last {
                return Ok(());
            }
            course.careful = false;
        }
    }

    /// From where it was read last; what is no longer kept is passed over.
    async fn open(&self, replay: &Replay) -> Result<Arrivals, LinkError> {
        match self.link.open(replay.position).await {
            Err(LinkError::PositionPurged(_)) => self.link.open(None).await,
            opened => opened,
        }
    }

    /// Takes in what of a batch has not taken effect, and moves on; `false` where another process has the replay by now.
    pub(crate) async fn take(&self, course: Course, batch: Batch) -> Result<bool, StoreError> {
        let Course { until, origin, careful } = course;
        let end = batch.position.with_mark(until);
        let (Batch { events, position, .. }, _) = cut(batch, end);
        let arrived =
            |events: Vec<Envelope>, position| Arrived { events: events.into(), position, origin, careful };
        let mut stands = None;
        for event in self.news(events).await? {
            let position = event.position.unwrap_or_default();
            if self.intake.absorb(arrived(vec![event], position)).await?.fenced {
                return Ok(false);
            }
            stands = Some(position.mark);
        }
        // An event at the very end has ended it already.
        if stands == Some(position.mark) {
            return Ok(true);
        }
        Ok(!self.intake.absorb(arrived(Vec::new(), position)).await?.fenced)
    }

    /// The events whose effect was not taken. A high-water never goes back, so what is below it needs no lock.
    async fn news(&self, events: Vec<Envelope>) -> Result<Vec<Envelope>, StoreError> {
        let (name, mut read) = (self.intake.subscription.name(), self.intake.store.read().await?);
        let mut news = Vec::new();
        for event in events {
            if event.version > inbox::high_water(&mut read, name, &event.entity, &event.subject).await? {
                news.push(event);
            }
        }
        Ok(news)
    }

    /// The subscription itself was left behind: it goes on with the oldest event that is kept, which is on record. What its
    /// owner had committed by now is history to it, of which versions may be missing.
    async fn begin_anew(&self, replay: Replay, head: HeadResponse) -> Result<(), StoreError> {
        let (Some(purged), Some(position)) = (head.purged_to, head.position) else { return Ok(()) };
        let (name, owner) = (self.intake.subscription.name().to_owned(), self.intake.subscription.owner());
        let watermark = Watermark::new(owner, head.epochs, purged.mark);
        let anew = Standing { watermark, position: purged, origin: position.mark, moved_ms: 0 };
        let unit = async move |work: &mut Work| {
            let Some(claimed) = replays::claim(work, replay).await? else { return Ok(()) };
            let stood = portions::begin_anew(work, &name).await?.map_or(0, |stood| stood.mark);
            let outcome =
                format!("begun anew after {}: nothing between {stood} and that is kept", purged.mark);
            replays::end(work, claimed.claimed(), &outcome).await?;
            position::begin(work, &name, &anew).await
        };
        self.intake.store.unit::<_, StoreError, _>(&self.intake.context(), unit).await.map(drop)
    }

    /// Where the subscription stands, which is where the slowest of its instances does.
    async fn stands(&self) -> Result<Option<Standing>, StoreError> {
        let (name, mut read) = (self.intake.subscription.name(), self.intake.store.read().await?);
        let division = portions::division(&mut read, name).await?;
        let stands = position::load(&mut read, name).await?;
        Ok(stands.zip(division).map(|(stands, division)| Standing { position: division.slowest(), ..stands }))
    }

    /// Ends a replay that cannot be, unless another instance has it.
    async fn end(&self, replay: Replay, outcome: &'static str) -> Result<(), StoreError> {
        let unit = async move |work: &mut Work| match replays::claim(work, replay).await? {
            Some(claimed) => replays::end(work, claimed.claimed(), outcome).await,
            None => Ok(()),
        };
        self.intake.store.unit::<_, StoreError, _>(&self.intake.context(), unit).await.map(drop)
    }
}

impl Course {
    /// The course of a replay that was claimed.
    pub(crate) fn of(replay: &Replay, stands: &Standing) -> Self {
        Self { until: replay.until, origin: stands.origin, careful: replay.starts > STARTS }
    }
}

impl Seen {
    fn look(&mut self, replay: Option<Replay>) {
        self.looks = if self.replay == replay { self.looks.saturating_add(1) } else { 0 };
        self.replay = replay;
    }

    /// What is to be claimed: whatever nobody has, or has had for too long without moving it.
    fn due(&self, shared: bool) -> Option<Replay> {
        let replay = self.replay.clone()?;
        let held = shared && replay.claim > 0 && self.looks < PATIENCE;
        (!held).then_some(replay)
    }
}

/// Whether an owner's history is the one that the subscription has read.
fn goes_on(stands: &Standing, epochs: &[Epoch]) -> bool {
    let owner = Watermark::new(stands.watermark.owner(), epochs.to_vec(), i64::MAX);
    position::contains(&owner, &stands.watermark)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replay(claim: i64, mark: i64) -> Replay {
        let position = Some(freehold_wire::pb::Position::default().with_mark(mark));
        let (who, outcome) = ("ann".to_owned(), String::new());
        Replay { id: 1, position, until: 9, who, asked_ms: 0, claim, starts: 0, ended_ms: None, outcome }
    }

    #[test]
    fn a_replay_that_another_instance_has_is_taken_over_when_it_does_not_move() {
        let mut seen = Seen::default();
        assert_eq!(seen.due(true), None);
        seen.look(Some(replay(0, 1)));
        assert_eq!(seen.due(true), Some(replay(0, 1)), "nobody has it");
        seen.look(Some(replay(1, 1)));
        for _ in 0..PATIENCE {
            assert_eq!(seen.due(true), None);
            assert_eq!(seen.due(false), Some(replay(1, 1)), "there is nobody else");
            seen.look(Some(replay(1, 1)));
        }
        assert_eq!(seen.due(true), Some(replay(1, 1)));
        seen.look(Some(replay(1, 2)));
        assert_eq!(seen.due(true), None, "it moves");
    }
}
