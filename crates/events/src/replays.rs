//! The rows of replays, in the consumer's database: what is to be read again, how far that has come, and who said so.
//!
//! A replay reads beside the subscription and never ahead of it, so its subscription's position stays where it is.
//! **Invariant:** a replay moves only in a unit of work of the claim that it is under, so of two processes that read it
//! one gets on.

use freehold_store::{Queries, Row, StoreError, Work, vals};
use freehold_wire::pb::Position;

/// What became of a replay that ran to its end.
pub(crate) const DONE: &str = "done";

/// A replay.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Replay {
    pub(crate) id: i64,
    /// Everything up to here was read again; `None`: nothing yet, and it begins with the oldest event that is kept.
    pub(crate) position: Option<Position>,
    /// Where its subscription stood when it was asked for, which is where it ends.
    pub(crate) until: i64,
    pub(crate) who: String,
    pub(crate) asked_ms: i64,
    pub(crate) claim: i64,
    /// How many processes have begun with it since it moved last.
    pub(crate) starts: i64,
    /// When it ended; `None` while it goes on.
    pub(crate) ended_ms: Option<i64>,
    /// What became of it; empty while it goes on.
    pub(crate) outcome: String,
}

/// The right to move a replay on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) replay: i64,
    pub(crate) number: i64,
}

impl Replay {
    /// The claim that it is under.
    pub(crate) fn claimed(&self) -> Claim {
        Claim { replay: self.id, number: self.claim }
    }
}

/// Asks for a replay of everything after a position, `None`: from the oldest event that is kept.
pub(crate) async fn ask(
    work: &mut Work,
    subscription: &str,
    (after, until): (Option<Position>, i64),
    who: &str,
) -> Result<(), StoreError> {
    const ASK: &str = "INSERT INTO freehold_replay (subscription, epoch, mark, until_mark, who, asked_ms, claim, starts, \
                       outcome) VALUES ($1, $2, $3, $4, $5, $6, 0, 0, '')";
    let (epoch, mark) = (after.map_or(0, |after| after.epoch.cast_signed()), after.map(|after| after.mark));
    let now = work.now();
    work.exec(ASK, vals![subscription, epoch, mark, until, who, now]).await.map(drop)
}

/// Notes a replay that needs nothing but to be on record.
pub(crate) async fn note(work: &mut Work, subscription: &str, who: &str) -> Result<(), StoreError> {
    const NOTE: &str = "INSERT INTO freehold_replay (subscription, epoch, until_mark, who, asked_ms, claim, starts, \
                        ended_ms, outcome) VALUES ($1, 0, 0, $2, $3, 0, 0, $3, $4)";
    let now = work.now();
    work.exec(NOTE, vals![subscription, who, now, DONE]).await.map(drop)
}

/// The replay that comes next, or goes on.
pub(crate) async fn next(
    queries: &mut impl Queries,
    subscription: &str,
) -> Result<Option<Replay>, StoreError> {
    const NEXT: &str = "SELECT id, epoch, mark, until_mark, who, asked_ms, claim, starts, ended_ms, outcome \
                        FROM freehold_replay WHERE subscription = $1 AND ended_ms IS NULL ORDER BY id LIMIT 1";
    let row = queries.one(NEXT, vals![subscription]).await?;
    row.as_ref().map(read).transpose()
}

/// The last one that was asked for.
pub(crate) async fn last(
    queries: &mut impl Queries,
    subscription: &str,
) -> Result<Option<Replay>, StoreError> {
    const LAST: &str = "SELECT id, epoch, mark, until_mark, who, asked_ms, claim, starts, ended_ms, outcome \
                        FROM freehold_replay WHERE subscription = $1 ORDER BY id DESC LIMIT 1";
    let row = queries.one(LAST, vals![subscription]).await?;
    row.as_ref().map(read).transpose()
}

/// Claims a replay as it was seen; `None` where it has moved or was claimed since.
pub(crate) async fn claim(work: &mut Work, seen: Replay) -> Result<Option<Replay>, StoreError> {
    const CLAIM: &str = "UPDATE freehold_replay SET claim = claim + 1, starts = starts + 1 \
                         WHERE id = $1 AND claim = $2 AND ended_ms IS NULL RETURNING starts";
    let row = work.one(CLAIM, vals![seen.id, seen.claim]).await?;
    let claimed = |row: Row| Ok(Replay { claim: seen.claim + 1, starts: row.get("starts")?, ..seen });
    row.map(claimed).transpose()
}

/// Moves a replay forward, and ends it where it has come by its end; `false` where it is under another claim.
pub(crate) async fn advance(work: &mut Work, claim: Claim, position: &Position) -> Result<bool, StoreError> {
    const ADVANCE: &str = "UPDATE freehold_replay SET epoch = $3, mark = $4, starts = 0, \
                           ended_ms = CASE WHEN $4 >= until_mark THEN $5 END, \
                           outcome = CASE WHEN $4 >= until_mark THEN $6 ELSE '' END \
                           WHERE id = $1 AND claim = $2 AND ended_ms IS NULL";
    let (epoch, now) = (position.epoch.cast_signed(), work.now());
    let values = vals![claim.replay, claim.number, epoch, position.mark, now, DONE];
    Ok(work.exec(ADVANCE, values).await? == 1)
}

/// Ends a replay that was claimed, for a reason.
pub(crate) async fn end(work: &mut Work, claim: Claim, outcome: &str) -> Result<(), StoreError> {
    const END: &str = "UPDATE freehold_replay SET ended_ms = $3, outcome = $4 WHERE id = $1 AND claim = $2";
    let now = work.now();
    work.exec(END, vals![claim.replay, claim.number, now, outcome]).await.map(drop)
}

fn read(row: &Row) -> Result<Replay, StoreError> {
    let (epoch, mark) = (row.get::<i64>("epoch")?.cast_unsigned(), row.get::<Option<i64>>("mark")?);
    Ok(Replay {
        id: row.get("id")?,
        position: mark.map(|mark| Position::default().with_epoch(epoch).with_mark(mark)),
        until: row.get("until_mark")?,
        who: row.get("who")?,
        asked_ms: row.get("asked_ms")?,
        claim: row.get("claim")?,
        starts: row.get("starts")?,
        ended_ms: row.get("ended_ms")?,
        outcome: row.get("outcome")?,
    })
}
