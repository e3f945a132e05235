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
    const ADVANCE: &str = "UPDATE freehold_portion SET starts = CASE WHEN mark <= $5 THEN 0 ELSE starts END, \
                           epoch = CASE WHEN mark < $5 THEN $4 ELSE epoch END, \
                           mark = CASE WHEN mark < $5 THEN $5 ELSE mark END \
                           WHERE subscription = $1 AND holder = $2 AND fence = $3";
    const MOVE: &str = "SELECT freehold_move_portion($1, $2, $3, $4, $5) AS moved";
    let values = vals![subscription, holder, fence, position.epoch.cast_signed(), position.mark];
    if work.engine() == Engine::Sqlite {
        return Ok(work.exec(ADVANCE, values).await? == 1);
    }
    work.one(MOVE, values).await?.map_or(Ok(false), |row| row.get("moved"))
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
    const CHANGE: &str = "UPDATE freehold_portion SET shares = $3, fence = $4, epoch = $5, mark = $6, starts = $7 \
                          WHERE subscription = $1 AND holder = $2";
    const MAKE: &str = "INSERT INTO freehold_portion (subscription, holder, shares, fence, epoch, mark, starts, beat) \
                        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
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
        let mut values = vals![subscription, holder, shares, *fence, epoch, position.mark, *starts];
        if work.exec(CHANGE, values.clone()).await? == 0 {
            values.push((*beat).into());
            work.exec(MAKE, values).await?;
        }
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

#[cfg(test)]
mod tests {
    use freehold_testkit::engines;
    use freehold_wire::Watermark;

    use super::*;
    use crate::fixture::{Mails, SUBSCRIPTION, context};
    use crate::position::{self, Standing};

    const ME: &str = "me";

    /// How many pages of portions the unit has looked at so far, those of the index included.
    async fn looked_at(work: &mut Work) -> Result<i64, StoreError> {
        const PAGES: &str = "SELECT CAST(sum(pg_stat_get_xact_blocks_fetched(oid)) AS BIGINT) AS n FROM pg_class \
                             WHERE relnamespace = CAST(current_schema AS REGNAMESPACE) \
                             AND relname IN ('freehold_portion', 'freehold_portion_pkey')";
        work.one(PAGES, vals![]).await?.unwrap().get("n")
    }

    async fn move_to(work: &mut Work, mark: i64) -> Result<(), StoreError> {
        let position = Position::default().with_epoch(1).with_mark(mark);
        assert!(advance(work, SUBSCRIPTION, (ME, 1), &position).await?);
        Ok(())
    }

    async fn begins(work: &mut Work) -> Result<bool, StoreError> {
        let watermark = Watermark::new("orders", vec![], 0);
        let standing = Standing { watermark, position: Position::default(), origin: 0, moved_ms: 0 };
        position::begin_once(work, SUBSCRIPTION, &standing).await?;
        settle(work, SUBSCRIPTION, ME, &Dead::new()).await
    }

    /// E10 with a gap that is looked for: what was taken long ago is no progress. The planted bug takes it for some, and an
    /// event that kills each process is never found out.
    #[tokio::test]
    async fn what_is_read_again_is_no_sign_that_the_process_lives() {
        for database in engines::each().await {
            let mails = Mails::on(database).await;
            let starts = async |mark: i64| {
                let unit = async move |work: &mut Work| {
                    work.exec("UPDATE freehold_portion SET starts = 3", vals![]).await?;
                    move_to(work, mark).await?;
                    work.one("SELECT starts AS n FROM freehold_portion", vals![])
                        .await?
                        .unwrap()
                        .get::<i64>("n")
                };
                mails.store.unit::<_, StoreError, _>(&context(), unit).await.unwrap().0
            };
            mails.store.unit(&context(), begins).await.unwrap();
            assert_eq!([starts(10).await, starts(5).await, starts(10).await], [0, 3, 0]);
        }
    }

    /// E14: whoever leaves a transaction open keeps every version of a portion, and no batch comes by them. Red where it is
    /// looked up without its chapter.
    #[tokio::test]
    async fn a_portion_costs_no_more_where_its_old_versions_are_kept() {
        const MOVES: i64 = 3000;
        let Some(database) = engines::postgres().await else { return };
        let mails = Mails::on(database).await;
        assert!(mails.store.unit::<_, StoreError, _>(&context(), begins).await.unwrap().0);
        let mut outside = mails.store.read().await.unwrap();
        outside.one("SELECT 1 AS n", vals![]).await.unwrap();
        let moves = async |work: &mut Work| -> Result<(), StoreError> {
            for number in 1..=MOVES {
                move_to(work, 40 * number).await?;
            }
            Ok(())
        };
        mails.store.unit(&context(), moves).await.unwrap();
        let looks = async |work: &mut Work| -> Result<i64, StoreError> {
            let before = looked_at(work).await?;
            move_to(work, 40 * MOVES + 1).await?;
            Ok(looked_at(work).await? - before)
        };
        let (pages, _) = mails.store.unit(&context(), looks).await.unwrap();
        drop(outside);
        assert!(pages < 15, "{pages} pages");
        let portions =
            division(&mut mails.store.read().await.unwrap(), SUBSCRIPTION).await.unwrap().unwrap().portions;
        assert_eq!(
            portions.iter().map(|portion| portion.position.mark).collect::<Vec<_>>(),
            [40 * MOVES + 1]
        );
    }
}
