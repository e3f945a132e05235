//! The rows of a division, in the consumer's database.
//!
//! A change of it locks the subscription's own row first, so that changes come one after another; whoever commits an effect
//! touches its instance's row alone. **Invariant:** a row moves only for the fence that it has.

use std::collections::BTreeSet;

use freehold_store::{Engine, Queries, Row, StoreError, Work, vals};
use freehold_wire::Shares;
use freehold_wire::pb::Position;

use super::division::{Dead, Division, Portion};

/// The division of a subscription as it stands; `None` before the subscription has begun.
pub(crate) async fn division(
    queries: &mut impl Queries,
    subscription: &str,
) -> Result<Option<Division>, StoreError> {
    const WHOLE: &str = "SELECT fence, epoch, mark FROM freehold_position WHERE subscription = $1";
    const PORTIONS: &str = "SELECT holder, shares, fence, beat, epoch, mark, starts FROM freehold_portion \
                            WHERE subscription = $1 ORDER BY holder";
    read(queries, subscription, WHOLE, PORTIONS).await
}

/// The same, and no other unit may change it until this one ends.
async fn lock(work: &mut Work, subscription: &str) -> Result<Option<Division>, StoreError> {
    const WHOLE: &str = "SELECT fence, epoch, mark FROM freehold_position WHERE subscription = $1 FOR UPDATE";
    const PORTIONS: &str = "SELECT holder, shares, fence, beat, epoch, mark, starts FROM freehold_portion \
                            WHERE subscription = $1 ORDER BY holder FOR UPDATE";
    if work.engine() == Engine::Sqlite {
        return division(work, subscription).await;
    }
    read(work, subscription, WHOLE, PORTIONS).await
}

async fn read(
    queries: &mut impl Queries,
    subscription: &str,
    whole: &'static str,
    portions: &'static str,
) -> Result<Option<Division>, StoreError> {
    let Some(row) = queries.one(whole, vals![subscription]).await? else { return Ok(None) };
    let rows = queries.all(portions, vals![subscription]).await?;
    let portions = rows.iter().map(portion).collect::<Result<_, _>>()?;
    Ok(Some(Division { whole: place(&row)?, fence: row.get("fence")?, portions }))
}

/// Takes for `me` what it may take; answers whether that changed anything.
pub(crate) async fn settle(
    work: &mut Work,
    subscription: &str,
    me: &str,
    dead: &Dead,
) -> Result<bool, StoreError> {
    let Some(before) = lock(work, subscription).await? else { return Ok(false) };
    let mut after = before.clone();
    let changed = after.settle(me, dead);
    if changed {
        write(work, subscription, &before, &after).await?;
    }
    Ok(changed)
}

/// Gives back what `me` holds.
pub(crate) async fn leave(work: &mut Work, subscription: &str, me: &str) -> Result<(), StoreError> {
    let Some(before) = lock(work, subscription).await? else { return Ok(()) };
    let mut after = before.clone();
    if after.leave(me) {
        write(work, subscription, &before, &after).await?;
    }
    Ok(())
}

/// Has every instance take its part anew, and refuses what any has in hand; answers where the slowest of them stood.
pub(crate) async fn begin_anew(work: &mut Work, subscription: &str) -> Result<Option<Position>, StoreError> {
    let Some(before) = lock(work, subscription).await? else { return Ok(None) };
    let whole = before.slowest();
    let after = Division { whole, fence: before.fence + 1, portions: Vec::new() };
    write(work, subscription, &before, &after).await?;
    Ok(Some(whole))
}

/// Ends the division: whoever runs alone has everything, and stands where all of it stands at least.
pub(crate) async fn dissolve(work: &mut Work, subscription: &str) -> Result<(), StoreError> {
    const DISSOLVE: &str = "DELETE FROM freehold_portion WHERE subscription = $1";
    work.exec(DISSOLVE, vals![subscription]).await.map(drop)
}

/// Shows that an instance lives, in everything that it holds.
pub(crate) async fn beat(work: &mut Work, holder: &str) -> Result<(), StoreError> {
    const BEAT: &str = "UPDATE freehold_portion SET beat = beat + 1 WHERE holder = $1";
    work.exec(BEAT, vals![holder]).await.map(drop)
}

/// Moves what an instance holds under this fence forward; `false` where it does not hold it any more.
pub(crate) async fn advance(
    work: &mut Work,
    subscription: &str,
    (holder, fence): (&str, i64),
    position: &Position,
) -> Result<bool, StoreError> {
    const ADVANCE: &str = "UPDATE freehold_portion SET starts = 0, \
                           epoch = CASE WHEN mark < $5 THEN $4 ELSE epoch END, \
                           mark = CASE WHEN mark < $5 THEN $5 ELSE mark END \
                           WHERE subscription = $1 AND holder = $2 AND fence = $3";
    let values = vals![subscription, holder, fence, position.epoch.cast_signed(), position.mark];
    Ok(work.exec(ADVANCE, values).await? == 1)
}

async fn write(
    work: &mut Work,
    subscription: &str,
    before: &Division,
    after: &Division,
) -> Result<(), StoreError> {
    const WHOLE: &str =
        "UPDATE freehold_position SET fence = $2, epoch = $3, mark = $4 WHERE subscription = $1";
    const GONE: &str = "DELETE FROM freehold_portion WHERE subscription = $1 AND holder = $2";
    const PORTION: &str = "INSERT INTO freehold_portion \
                           (subscription, holder, shares, fence, beat, epoch, mark, starts) \
                           VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (subscription, holder) DO UPDATE \
                           SET shares = excluded.shares, fence = excluded.fence, epoch = excluded.epoch, \
                           mark = excluded.mark, starts = excluded.starts";
    let whole = &after.whole;
    let values = vals![subscription, after.fence, whole.epoch.cast_signed(), whole.mark];
    work.exec(WHOLE, values).await?;
    let stay: BTreeSet<&str> = after.portions.iter().map(|portion| portion.holder.as_str()).collect();
    for gone in before.portions.iter().filter(|portion| !stay.contains(portion.holder.as_str())) {
        work.exec(GONE, vals![subscription, &gone.holder]).await?;
    }
    for portion in after.portions.iter().filter(|portion| before.of(&portion.holder) != Some(*portion)) {
        let Portion { holder, shares, fence, beat, position, starts } = portion;
        let (shares, epoch) = (shares.bits().cast_signed(), position.epoch.cast_signed());
        let values = vals![subscription, holder, shares, *fence, *beat, epoch, position.mark, *starts];
        work.exec(PORTION, values).await?;
    }
    Ok(())
}

fn portion(row: &Row) -> Result<Portion, StoreError> {
    Ok(Portion {
        holder: row.get("holder")?,
        shares: Shares::of_bits(row.get::<i64>("shares")?.cast_unsigned()),
        fence: row.get("fence")?,
        beat: row.get("beat")?,
        position: place(row)?,
        starts: row.get("starts")?,
    })
}

fn place(row: &Row) -> Result<Position, StoreError> {
    let epoch = row.get::<i64>("epoch")?.cast_unsigned();
    Ok(Position::default().with_epoch(epoch).with_mark(row.get("mark")?))
}
