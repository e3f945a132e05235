//! The swap: one unit of work in which the generation that was built takes the place of the one that is read.
//!
//! **Invariant:** it happens where both stand at the same position of the same history, and where no key waits in the
//! new one that does not wait in the old one; so what is read neither goes back nor lacks anything.

use freehold_store::{Queries, StoreError, Work, vals};

use super::Projection;
use super::generations::{self, Stage};
use crate::consumer::{Faults, Point, Stopped};
use crate::position;

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Swap {
    /// The new generation is read.
    Done,
    /// One of them stands elsewhere.
    Unequal,
    /// So many keys wait in the new generation that do not wait in the old one.
    Waiting(i64),
    /// It is not the one that is built, or none is read.
    Void,
}

/// Makes the generation that is built the one that is read, if it may be.
pub(crate) async fn swap(
    work: &mut Work,
    projection: &Projection,
    building: i64,
    faults: &Faults,
) -> Result<Swap, Stopped> {
    let generations = generations::lock(work, projection.name()).await?;
    let of = |stage| generations.iter().find(|generation| generation.stage == stage);
    let (Some(read), Some(built)) = (of(Stage::Read), of(Stage::Building)) else { return Ok(Swap::Void) };
    if built.number != building {
        return Ok(Swap::Void);
    }
    let (old, new) = (projection.subscription_name(read.number), projection.subscription_name(building));
    if !stand_equal(work, &old, &new).await? && !faults.swaps_anywhere() {
        return Ok(Swap::Unequal);
    }
    let waiting = waiting(work, &old, &new).await?;
    if waiting > 0 {
        return Ok(Swap::Waiting(waiting));
    }
    faults.reach(Point::BeforeSwap)?;
    generations::set(work, projection.name(), read.number, Stage::Left).await?;
    faults.reach(Point::BetweenStages)?;
    generations::set(work, projection.name(), building, Stage::Read).await?;
    faults.reach(Point::BeforeOldPosition)?;
    position::end(work, &old).await?;
    faults.reach(Point::BeforeSwapCommit)?;
    Ok(Swap::Done)
}

async fn stand_equal(work: &mut Work, old: &str, new: &str) -> Result<bool, StoreError> {
    let (Some(old), Some(new)) = (position::load(work, old).await?, position::load(work, new).await?) else {
        return Ok(false);
    };
    let (known, heard) = (old.watermark.epochs(), new.watermark.epochs());
    let same = position::continues(known, heard) || position::continues(heard, known);
    Ok(same && old.position.mark == new.position.mark)
}

/// How many keys wait in the new generation that do not wait in the old one, at the same version or before it.
async fn waiting(work: &mut Work, old: &str, new: &str) -> Result<i64, StoreError> {
    const WAITING: &str = "SELECT count(*) AS n FROM freehold_parked new \
                           WHERE new.subscription = $2 AND new.state <> 'behind' AND NOT EXISTS \
                           (SELECT 1 FROM freehold_parked old WHERE old.subscription = $1 \
                            AND old.entity = new.entity AND old.key = new.key AND old.version <= new.version)";
    let row = work.one(WAITING, vals![old, new]).await?;
    row.map_or(Ok(0), |row| row.get("n"))
}
