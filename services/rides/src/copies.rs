//! What rides copies of others: drivers, their permits and riders, each read as its contract says.
//!
//! A copy that is shown has what the caller has seen and is as young as declared; where it is not, the contract says what
//! comes: the owner is asked, or the copy is shown and says so. **Invariant:** nothing is shown for younger than it is.

use std::time::{Duration, Instant};

use freehold_replica::{
    Achieved, Copied, Level, LevelName, Replica, ReplicaError, Replicated, Source, WhenStale,
};
use freehold_wire::{Context, Reason};
use tonic::Status;

use crate::generated::{DriverCopy, PermitCopy, RiderCopy};
use crate::part::{Part, Provenance, Why};

/// How much of the caller's time the copies may take until a decision can rest on them.
const CATCH_UP: Duration = Duration::from_secs(1);
/// The same where they are shown: whoever looks would rather see a copy than wait for it.
const GLANCE: Duration = Duration::from_millis(100);
/// How long an owner may take to answer for its copy.
const ASK: Duration = Duration::from_millis(200);

/// The copies. Cloning is cheap.
#[derive(Debug, Clone)]
pub(crate) struct Copies {
    pub(crate) drivers: Replica<DriverCopy>,
    pub(crate) permits: Replica<PermitCopy>,
    pub(crate) riders: Replica<RiderCopy>,
}

impl Copies {
    /// Waits until the permits are as young as declared and have what the caller has seen.
    ///
    /// # Errors
    /// They do not in time, and nobody takes a ride by old ones.
    pub(crate) async fn permits(&self, context: &Context) -> Result<(), ReplicaError> {
        let _ = self.permits.at(Level::Causal(context.session()), catching_up(context)).await?;
        let _ = self.permits.at(Replica::<PermitCopy>::declared_level(), catching_up(context)).await?;
        Ok(())
    }

    /// Whether the riders have what the caller has seen, and are as young as declared: a rider that they do not have then
    /// does not exist.
    pub(crate) async fn riders(&self, context: &Context) -> Result<bool, ReplicaError> {
        let standing = standing(&self.riders, context, catching_up(context)).await?;
        Ok(standing.lacks.is_none())
    }

    /// Waits until the names have what the caller has seen, as far as their owners can be reached.
    ///
    /// # Errors
    /// UNAVAILABLE, COPY_BEHIND: a list has no place to say that a name is an old one.
    pub(crate) async fn names(&self, context: &Context) -> Result<(), Status> {
        let seen = Level::Causal(context.session());
        let drivers = self.drivers.at(seen, catching_up(context)).await?;
        let riders = self.riders.at(seen, catching_up(context)).await?;
        let behind =
            || Reason::Unavailable.because("COPY_BEHIND", "the names are older than what you have seen");
        (is_met(&drivers, seen) && is_met(&riders, seen)).then_some(()).ok_or_else(behind)
    }
}

/// How a copy stands to what is asked of it.
struct Standing {
    lacks: Option<Why>,
    age: Option<Duration>,
}

/// What a copy shows of a key; nothing of it where its owner has none.
///
/// # Errors
/// [`ReplicaError`] of the own database, or for a session that its owner never gave out.
pub(crate) async fn shown<T: Copied>(
    copy: &Replica<T>,
    context: &Context,
    id: &str,
) -> Result<Part<T>, ReplicaError> {
    let standing = match standing(copy, context, GLANCE.min(context.remaining() / 4)).await {
        Err(ReplicaError::HistoryLost { .. }) => return Ok(Part::nowhere(Why::HistoryLost)),
        standing => standing?,
    };
    let row = copy.get_alone(id).await?;
    // What a copy does not have, it may not have yet: another copy of the same owner may be ahead of it.
    let asks = T::WHEN_STALE == WhenStale::AskOwner && (standing.lacks.is_some() || row.is_none());
    if !asks {
        return Ok(as_it_stands(copy, row, standing));
    }
    match ask(copy, context, id).await? {
        Ok(part) => Ok(part),
        Err(unanswered) => {
            let lacks = standing.lacks.map(|_| unanswered);
            Ok(as_it_stands(copy, row, Standing { lacks, ..standing }))
        }
    }
}

/// The copy and what is wrong with it; nothing where it has not been made yet.
fn as_it_stands<T: Copied>(copy: &Replica<T>, row: Option<Replicated<T>>, standing: Standing) -> Part<T> {
    if !copy.is_ready() {
        return Part::nowhere(Why::CopyNotReady);
    }
    let provenance = Provenance::Copy { age: standing.age, stale: standing.lacks };
    Part { value: row.map(|row| row.value), provenance }
}

/// What the owner says, or why it does not.
async fn ask<T: Copied>(
    copy: &Replica<T>,
    context: &Context,
    id: &str,
) -> Result<Result<Part<T>, Why>, ReplicaError> {
    let began = Instant::now();
    match copy.fetch(&[id.to_owned()], ASK.min(context.remaining() / 2)).await {
        Ok(rows) => Ok(Ok(Part::owner(rows.into_iter().next().map(|row| row.value), began.elapsed()))),
        Err(ReplicaError::Owner(error)) => Ok(Err(Why::no_answer(&error))),
        Err(ReplicaError::Undecodable { .. }) => Ok(Err(Why::Undecodable)),
        Err(error) => Err(error),
    }
}

/// What a copy lacks of what the caller has seen, for which it is waited a while; or of its youth, for which it is not:
/// its owner would be asked as fast.
async fn standing<T: Copied>(
    copy: &Replica<T>,
    context: &Context,
    budget: Duration,
) -> Result<Standing, ReplicaError> {
    let seen = meets(copy, Level::Causal(context.session()), budget).await?;
    if seen.lacks.is_some() {
        return Ok(seen);
    }
    meets(copy, Replica::<T>::declared_level(), Duration::ZERO).await
}

async fn meets<T: Copied>(
    copy: &Replica<T>,
    level: Level<'_>,
    budget: Duration,
) -> Result<Standing, ReplicaError> {
    match copy.at(level, budget).await {
        Ok(achieved) if is_met(&achieved, level) => Ok(Standing { lacks: None, age: achieved.age() }),
        Ok(achieved) => Ok(Standing { lacks: Some(unmet(level)), age: achieved.age() }),
        Err(ReplicaError::NotReady(_)) => Ok(Standing { lacks: Some(Why::CopyNotReady), age: None }),
        // Only the owner could have told whether the copy has what the caller has seen.
        Err(ReplicaError::Owner(_)) => Ok(Standing { lacks: Some(Why::CopyBehind), age: None }),
        Err(error) => Err(error),
    }
}

fn is_met(achieved: &Achieved, level: Level<'_>) -> bool {
    achieved.source() == Source::Copy && achieved.level() == level.name()
}

fn unmet(level: Level<'_>) -> Why {
    match level.name() {
        LevelName::Eventual | LevelName::Bounded => Why::CopyStale,
        LevelName::Causal | LevelName::Strong => Why::CopyBehind,
    }
}

/// How long the copies may take in this call.
fn catching_up(context: &Context) -> Duration {
    // What is left is for the answer: a caller who gave a second is to hear why, not that the second is over.
    CATCH_UP.min(context.remaining() / 2)
}
