//! Where a subscription stands in its owner's feed, in the consumer's database.
//!
//! The position moves in the unit of work of what it passes: the effects of a batch, or the rows of a copy.
//! **Invariant:** a position never goes back, and everything up to it has taken effect, is parked, or is not wanted.

use freehold_store::{Queries, StoreError, Value, Work, vals};
use freehold_wire::Watermark;
use freehold_wire::pb::{Epoch, HeadResponse, Position};
use prost::Message;

/// Where a subscription stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// How far it has come in the owner's history.
    pub watermark: Watermark,
    /// The same as the owner gave it out.
    pub position: Position,
    /// The owner's head when the subscription began: what is older is history to it.
    pub origin: i64,
    /// When it moved last, in milliseconds since 1970; of a copy, as of when it is known to be what it is.
    pub moved_ms: i64,
}

impl Standing {
    /// The same at another position.
    #[must_use]
    pub(crate) fn at(self, position: Position) -> Self {
        let known = self.watermark;
        let watermark = Watermark::new(known.owner(), known.epochs().to_vec(), position.mark);
        Self { watermark, position, ..self }
    }

    /// Whether nothing has been seen of the owner.
    pub(crate) fn is_unseen(&self) -> bool {
        self.position.mark < self.watermark.epochs().first().map_or(0, |first| first.first)
    }
}

/// Reads where a subscription stands; `None` before it has begun.
///
/// # Errors
/// [`StoreError`] of the database.
pub async fn load(queries: &mut impl Queries, subscription: &str) -> Result<Option<Standing>, StoreError> {
    const LOOK: &str =
        "SELECT owner, epochs, epoch, mark, origin, moved_ms FROM freehold_position WHERE subscription = $1";
    let Some(row) = queries.one(LOOK, vals![subscription]).await? else { return Ok(None) };
    let known = HeadResponse::decode(row.get::<Vec<u8>>("epochs")?.as_slice());
    let known =
        known.map_err(|_| StoreError::Decode { column: "epochs".into(), problem: "are damaged".into() })?;
    let mark = row.get("mark")?;
    Ok(Some(Standing {
        watermark: Watermark::new(row.get::<String>("owner")?, known.epochs, mark),
        position: Position::default().with_epoch(row.get::<i64>("epoch")?.cast_unsigned()).with_mark(mark),
        origin: row.get("origin")?,
        moved_ms: row.get("moved_ms")?,
    }))
}

/// Begins a subscription at a position, or begins it again there: with `origin` as the end of what is history to it.
///
/// # Errors
/// [`StoreError`] of the database.
pub async fn begin(work: &mut Work, subscription: &str, standing: &Standing) -> Result<(), StoreError> {
    const BEGIN: &str = "INSERT INTO freehold_position (subscription, owner, epochs, epoch, mark, origin, starts, moved_ms) \
                         VALUES ($1, $2, $3, $4, $5, $6, 0, $7) ON CONFLICT (subscription) DO UPDATE \
                         SET owner = excluded.owner, epochs = excluded.epochs, epoch = excluded.epoch, \
                         mark = excluded.mark, origin = excluded.origin, moved_ms = excluded.moved_ms";
    let values = beginning(work, subscription, standing);
    work.exec(BEGIN, values).await.map(drop)
}

/// Begins a subscription unless it has begun: of several that begin it at once, one does.
///
/// # Errors
/// [`StoreError`] of the database.
pub async fn begin_once(work: &mut Work, subscription: &str, standing: &Standing) -> Result<(), StoreError> {
    const BEGIN: &str = "INSERT INTO freehold_position (subscription, owner, epochs, epoch, mark, origin, starts, moved_ms) \
                         VALUES ($1, $2, $3, $4, $5, $6, 0, $7) ON CONFLICT (subscription) DO NOTHING";
    let values = beginning(work, subscription, standing);
    work.exec(BEGIN, values).await.map(drop)
}

fn beginning(work: &Work, subscription: &str, standing: &Standing) -> Vec<Value> {
    let Standing { watermark, position, origin, .. } = standing;
    let epochs = encode(watermark.epochs());
    let (epoch, now) = (position.epoch.cast_signed(), work.now());
    vals![subscription, watermark.owner(), epochs, epoch, position.mark, *origin, now]
}

/// Moves a subscription forward; a position behind where it stands changes nothing.
///
/// # Errors
/// [`StoreError`] of the database.
pub async fn advance(work: &mut Work, subscription: &str, position: &Position) -> Result<(), StoreError> {
    let now = work.now();
    advance_as_of(work, subscription, position, Some(now)).await
}

/// The same for a copy: `as_of_ms` says as of when the owner had nothing behind the position that the copy has not;
/// `None` claims nothing new. A copy that is catching up moves now, and is as old as what it has come to.
///
/// # Errors
/// [`StoreError`] of the database.
pub async fn advance_as_of(
    work: &mut Work,
    subscription: &str,
    position: &Position,
    as_of_ms: Option<i64>,
) -> Result<(), StoreError> {
    const ADVANCE: &str = "UPDATE freehold_position SET epoch = $2, mark = $3, starts = 0, \
                           moved_ms = COALESCE($4, moved_ms) WHERE subscription = $1 AND mark <= $3";
    let epoch = position.epoch.cast_signed();
    work.exec(ADVANCE, vals![subscription, epoch, position.mark, as_of_ms]).await.map(drop)
}

/// Ends a subscription: it stands nowhere any more.
///
/// # Errors
/// [`StoreError`] of the database.
pub async fn end(work: &mut Work, subscription: &str) -> Result<(), StoreError> {
    const END: &str = "DELETE FROM freehold_position WHERE subscription = $1";
    work.exec(END, vals![subscription]).await.map(drop)
}

/// Counts that a process begins to read from where the subscription stands; answers how often that has happened since
/// it moved last.
///
/// # Errors
/// [`StoreError`] of the database.
pub async fn count_start(work: &mut Work, subscription: &str) -> Result<i64, StoreError> {
    const COUNT: &str =
        "UPDATE freehold_position SET starts = starts + 1 WHERE subscription = $1 RETURNING starts";
    let row = work.one(COUNT, vals![subscription]).await?;
    row.map_or(Ok(0), |row| row.get("starts"))
}

/// Notes the owner's epochs as they were heard when a stream opened.
///
/// # Errors
/// [`StoreError`] of the database.
pub async fn note_epochs(work: &mut Work, subscription: &str, epochs: &[Epoch]) -> Result<(), StoreError> {
    const NOTE: &str = "UPDATE freehold_position SET epochs = $2 WHERE subscription = $1";
    work.exec(NOTE, vals![subscription, encode(epochs)]).await.map(drop)
}

/// Whether the epochs that were heard go on from those that were known: the owner's history is still the same one.
#[must_use]
pub fn continues(known: &[Epoch], heard: &[Epoch]) -> bool {
    known.iter().all(|epoch| heard.contains(epoch))
}

/// Whether an owner's history contains what was read of it: its epochs go on from the known ones, and it has come by
/// the known mark. Where the owner's head was not heard, its mark is the greatest one.
#[must_use]
pub fn contains(owner: &Watermark, known: &Watermark) -> bool {
    let epochs = known.epochs();
    let Some(oldest) = epochs.first() else { return true };
    let mark = known.mark();
    let epoch = epochs.iter().rev().find(|epoch| epoch.first <= mark).unwrap_or(oldest);
    let position = Position::default().with_epoch(epoch.id).with_mark(mark);
    continues(epochs, owner.epochs()) && owner.reached(&position).is_ok()
}

fn encode(epochs: &[Epoch]) -> Vec<u8> {
    HeadResponse::default().with_epochs(epochs.to_vec()).encode_to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_continues_when_nothing_that_was_known_is_missing() {
        let epoch = |id, first| Epoch::default().with_id(id).with_first(first);
        let known = [epoch(1, 1), epoch(2, 9)];
        assert!(continues(&known, &[epoch(1, 1), epoch(2, 9), epoch(3, 30)]));
        assert!(!continues(&known, &[epoch(1, 1), epoch(3, 5)]), "restored to before the second start");
        assert!(!continues(&known, &[epoch(7, 1)]), "another database");
        assert!(continues(&[], &[epoch(7, 1)]));
    }

    /// An instance whose own keys are further than the slowest. The planted bug asks whether the slowest is still there.
    #[test]
    fn an_instance_has_seen_what_it_has_seen_itself() {
        let epoch = |id, first| Epoch::default().with_id(id).with_first(first);
        let whole = Position::default().with_epoch(1).with_mark(45);
        let watermark = Watermark::new("orders", vec![epoch(1, 1)], whole.mark);
        let own = Standing { watermark, position: whole, origin: 0, moved_ms: 0 }.at(whole.with_mark(100));
        let restored = Watermark::new("orders", vec![epoch(1, 1), epoch(2, 51)], i64::MAX);
        assert_eq!(own.position.mark, 100);
        assert!(!contains(&restored, &own.watermark));
    }

    #[test]
    fn a_history_that_was_cut_below_what_was_read_does_not_contain_it() {
        let epoch = |id, first| Epoch::default().with_id(id).with_first(first);
        let known = |mark| Watermark::new("orders", vec![epoch(1, 1)], mark);
        let owner = |first, mark| Watermark::new("orders", vec![epoch(1, 1), epoch(2, first)], mark);
        assert!(contains(&owner(21, i64::MAX), &known(20)), "a restart");
        assert!(contains(&owner(21, 20), &known(20)), "a restart and nothing since");
        assert!(!contains(&owner(16, i64::MAX), &known(20)), "restored to 15");
        assert!(!contains(&known(19), &known(20)), "its head is behind");
        assert!(!contains(&Watermark::new("orders", vec![epoch(7, 1)], 50), &known(0)), "another database");
        assert!(contains(
            &Watermark::new("orders", vec![epoch(7, 1)], 0),
            &Watermark::new("orders", vec![], 0)
        ));
    }
}
