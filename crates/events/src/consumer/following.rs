//! The purpose of one generation of a projection: reacting, and while it is built, never ahead of the one that is read.
//!
//! What is built takes in events up to where the generation that is read stands; there it tries to take its place. For
//! that moment it has the turn, so that the other one does not move on. **Invariant:** a generation that is built is
//! never ahead of the one that is read.

use std::cmp::Ordering;
use std::sync::atomic::{AtomicI64, Ordering as Memory};

use async_trait::async_trait;
use freehold_store::Work;
use freehold_wire::pb::{Envelope, Epoch, Position};
use tokio::sync::Mutex;

use super::fault::Point;
use super::intake::Stopped;
use super::reacting::Reacting;
use crate::link::{Batch, Link};
use crate::position::{self, Standing};
use crate::projection::Projection;
use crate::projection::swap::{Swap, swap};
use crate::purpose::{Left, Purpose, Report, State};

/// What the generations of a projection share in this process.
pub(crate) struct Course {
    pub(crate) projection: Projection,
    /// The generation that is read.
    pub(crate) read: AtomicI64,
    /// Whoever takes events in has it: both take turns while they stand close to each other.
    pub(crate) turn: Mutex<()>,
}

/// Feeds one generation.
pub(crate) struct Following {
    pub(crate) reacting: Reacting,
    pub(crate) course: std::sync::Arc<Course>,
    pub(crate) generation: i64,
    pub(crate) report: Report,
}

#[async_trait]
impl Purpose for Following {
    async fn resume(&mut self, link: &Link) -> Result<Option<Position>, Left> {
        if self.standing(self.generation).await?.is_none_or(|stands| stands.is_unseen()) {
            link.is_whole().await?;
            // Only what is registered keeps its owner from purging the first events now.
            drop(link.open(None).await?);
            link.is_whole().await?;
        }
        self.reacting.resume(link).await
    }

    async fn opened(&mut self, epochs: &[Epoch]) -> Result<(), Left> {
        self.reacting.opened(epochs).await?;
        if self.role() == Ordering::Greater {
            self.report.state(State::Rebuilding);
        }
        Ok(())
    }

    async fn take(&mut self, batch: Batch) -> Result<(), Left> {
        let course = std::sync::Arc::clone(&self.course);
        if self.role() == Ordering::Greater {
            return self.follow(&course, batch).await;
        }
        let _turn = course.turn.lock().await;
        match self.role() {
            Ordering::Equal => self.reacting.take(batch).await,
            _ => Err(Left::Again("another generation is read by now")),
        }
    }
}

impl Following {
    /// Whether it is the generation that is read (equal), one that is built (greater), or one that was left.
    fn role(&self) -> Ordering {
        self.generation.cmp(&self.course.read.load(Memory::SeqCst))
    }

    /// Takes in what is not ahead of the generation that is read, and once it stands where that one does, takes its
    /// place and goes on with the rest.
    async fn follow(&mut self, course: &Course, batch: Batch) -> Result<(), Left> {
        let read = course.read.load(Memory::SeqCst);
        let ahead = |stands: &Standing| batch.position.mark < stands.position.mark;
        if self.standing(read).await?.as_ref().is_some_and(ahead) && !self.bugged() {
            return self.reacting.take(batch).await;
        }
        let turn = course.turn.lock().await;
        let Some(stands) = self.standing(read).await? else {
            return Err(Left::Again("the generation that is read has not begun"));
        };
        let (now, later) = cut(batch, stands.position);
        self.reacting.take_in(now, false).await?;
        match self.swap().await? {
            Swap::Done => {
                course.read.store(self.generation, Memory::SeqCst);
                self.report.state(State::Live);
                course.projection.wake().notify_one();
                drop(turn);
                match later {
                    Some(later) => self.reacting.take(later).await,
                    None => Ok(()),
                }
            }
            Swap::Waiting(keys) => {
                self.report.state(State::Waiting(keys));
                wait(later)
            }
            Swap::Unequal | Swap::Void => wait(later),
        }
    }

    async fn swap(&self) -> Result<Swap, Left> {
        let intake = self.reacting.intake();
        let (projection, faults) = (self.course.projection.clone(), intake.faults.clone());
        let generation = self.generation;
        let unit = async move |work: &mut Work| swap(work, &projection, generation, &faults).await;
        let (swapped, _) = intake.store.unit(&intake.context(), unit).await.map_err(Stopped::into_store)?;
        if swapped == Swap::Done {
            intake.faults.reach(Point::AfterSwapCommit).map_err(Stopped::into_store)?;
        }
        Ok(swapped)
    }

    /// Where a generation stands.
    async fn standing(&self, generation: i64) -> Result<Option<Standing>, Left> {
        let name = self.course.projection.subscription_name(generation);
        Ok(position::load(&mut self.reacting.intake().store.read().await?, &name).await?)
    }

    fn bugged(&self) -> bool {
        self.reacting.intake().faults.swaps_anywhere()
    }
}

/// What has arrived and may not be taken in yet is read again later.
fn wait(later: Option<Batch>) -> Result<(), Left> {
    later.map_or(Ok(()), |_| Err(Left::Again("it waits for the generation that is read")))
}

/// The part of a batch up to `limit`, and the rest.
pub(super) fn cut(batch: Batch, limit: Position) -> (Batch, Option<Batch>) {
    if batch.position.mark <= limit.mark {
        return (batch, None);
    }
    let Batch { mut events, position, as_of } = batch;
    let mark = |event: &Envelope| event.position.as_ref().map_or(0, |position| position.mark);
    let later = events.split_off(events.partition_point(|event| mark(event) <= limit.mark));
    (Batch { events, position: limit, as_of }, Some(Batch { events: later, position, as_of }))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn batch(marks: &[i64], position: i64) -> Batch {
        let at = |mark: i64| Position::default().with_mark(mark);
        let events = marks.iter().map(|mark| Envelope::default().with_position(at(*mark))).collect();
        Batch { events, position: at(position), as_of: Instant::now() }
    }

    fn marks(batch: &Batch) -> (Vec<i64>, i64) {
        let marks = batch.events.iter().map(|event| event.position.unwrap().mark).collect();
        (marks, batch.position.mark)
    }

    #[test]
    fn a_batch_is_cut_where_the_other_generation_stands() {
        let at = |mark| Position::default().with_mark(mark);
        let (now, later) = cut(batch(&[3, 5, 8], 9), at(5));
        assert_eq!((marks(&now), marks(&later.unwrap())), ((vec![3, 5], 5), (vec![8], 9)));
        let (now, later) = cut(batch(&[3, 5], 6), at(6));
        assert_eq!((marks(&now), later), ((vec![3, 5], 6), None));
        let (now, later) = cut(batch(&[], 9), at(4));
        assert_eq!((marks(&now), marks(&later.unwrap())), ((vec![], 4), (vec![], 9)));
    }
}
