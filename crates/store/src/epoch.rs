//! The owner's history: its epochs, and the tokens and positions that are made of its marks.
//!
//! An epoch is appended at each start as (random id, first mark), and is that of all marks from there on, whichever instance
//! gives them out. A database that was restored from a backup goes on under another id, so a token of the lost part is
//! recognised. **Invariant:** marks ascend over all epochs.

use std::sync::Arc;

use freehold_wire::Watermark;
use freehold_wire::pb::{Epoch, Position, Token};

use crate::engine::{Engine, Lane};
use crate::error::StoreError;
use crate::postgres;
use crate::row::Row;
use crate::vals;

/// The epochs of one owner, oldest first. On SQLite they are fixed while the store is open.
#[derive(Debug)]
pub(crate) struct History {
    pub(crate) service: Arc<str>,
    epochs: Vec<Epoch>,
}

impl History {
    pub(crate) fn new(service: &str, epochs: Vec<Epoch>) -> Self {
        Self { service: service.into(), epochs }
    }

    /// The history with what the database has now; `None` where it does not go on from this one, of which everything up to
    /// `mark` was reached.
    pub(crate) fn continued(&self, epochs: Vec<Epoch>, mark: i64) -> Option<Self> {
        let begun_since = epochs.strip_prefix(self.epochs.as_slice())?;
        let goes_on = begun_since.first().is_none_or(|next| next.first > mark);
        goes_on.then(|| Self { service: self.service.clone(), epochs })
    }

    /// The token of a commit whose last event has this mark.
    pub(crate) fn token(&self, mark: i64) -> Token {
        Token::default().with_owner(self.service.as_ref()).with_epoch(self.last_epoch()).with_mark(mark)
    }

    /// The token of a commit in an earlier epoch.
    pub(crate) fn recorded_token(&self, mark: i64) -> Token {
        self.token(mark).with_epoch(self.epoch_of(mark))
    }

    /// The id of the epoch that began last.
    fn last_epoch(&self) -> u64 {
        self.epochs.last().map_or(0, |epoch| epoch.id)
    }

    /// The position of an event.
    pub(crate) fn position(&self, mark: i64) -> Position {
        Position::default().with_epoch(self.epoch_of(mark)).with_mark(mark)
    }

    /// The owner's watermark with its head at `mark`.
    pub(crate) fn watermark(&self, mark: i64) -> Watermark {
        Watermark::new(self.service.as_ref(), self.epochs.clone(), mark)
    }

    /// The newest epoch that had begun at the mark; a mark before all of them is of the first.
    fn epoch_of(&self, mark: i64) -> u64 {
        let begun = self.epochs.iter().rev().find(|epoch| epoch.first <= mark);
        begun.or(self.epochs.first()).map_or(0, |epoch| epoch.id)
    }
}

/// Appends the epoch of this start and answers all of them, with the last mark before it.
pub(crate) async fn begin(lane: &mut Lane, now: i64) -> Result<(Vec<Epoch>, i64), StoreError> {
    const APPEND: &str = "INSERT INTO freehold_epoch (id, first_mark, started_ms) VALUES ($1, $2, $3)";
    if lane.engine() == Engine::Postgres {
        // No tick from here on, until the epoch is there.
        lane.script("LOCK TABLE freehold_store IN SHARE ROW EXCLUSIVE MODE").await?;
        postgres::begin_era(lane, now).await?;
    }
    let last = last_mark(lane).await?;
    let id = fastrand::u64(1..).cast_signed();
    lane.exec(APPEND, vals![id, last + 1, now]).await?;
    Ok((all(lane).await?, last))
}

/// All epochs, oldest first.
pub(crate) const EPOCHS: &str = "SELECT id, first_mark FROM freehold_epoch ORDER BY ordinal";

async fn all(lane: &mut Lane) -> Result<Vec<Epoch>, StoreError> {
    of_rows(&lane.all(EPOCHS, vals![]).await?)
}

/// Those that [`EPOCHS`] has found.
pub(crate) fn of_rows(rows: &[Row]) -> Result<Vec<Epoch>, StoreError> {
    let epoch = |row: &Row| Ok(of_row(row.get("id")?, row.get("first_mark")?));
    rows.iter().map(epoch).collect()
}

/// The id's 64 bits are kept as the BIGINT of the same bits.
pub(crate) fn of_row(id: i64, first: i64) -> Epoch {
    Epoch::default().with_id(id.cast_unsigned()).with_first(first)
}

/// The last mark that was given out, as this transaction sees it, also where its event has been purged since.
pub(crate) async fn last_mark(lane: &mut Lane) -> Result<i64, StoreError> {
    let row = lane.one("SELECT mark FROM freehold_head", vals![]).await?;
    row.map_or(Ok(0), |row| row.get("mark"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The planted bug, any longer list, would go on where a backup was restored and begun anew.
    #[test]
    fn a_history_goes_on_where_nothing_that_was_reached_is_another_epochs() {
        let epoch = |id, first| Epoch::default().with_id(id).with_first(first);
        let history = History::new("orders", vec![epoch(10, 1), epoch(20, 101)]);
        let with = |more: &[Epoch]| [&[epoch(10, 1)], more].concat();
        assert!(history.continued(with(&[epoch(20, 101)]), 150).is_some());
        assert!(history.continued(with(&[epoch(20, 101), epoch(30, 151)]), 150).is_some());
        assert!(history.continued(with(&[epoch(20, 101), epoch(30, 150)]), 150).is_none());
        assert!(history.continued(with(&[epoch(30, 101)]), 150).is_none(), "its epoch is gone");
        assert!(history.continued(with(&[]), 150).is_none());
    }

    #[test]
    fn a_mark_belongs_to_the_newest_epoch_that_had_begun() {
        let epoch = |id, first| Epoch::default().with_id(id).with_first(first);
        let history = History::new("orders", vec![epoch(10, 1), epoch(20, 101), epoch(30, 101)]);
        assert_eq!(history.position(0).epoch, 10);
        assert_eq!(history.position(100).epoch, 10);
        assert_eq!(history.position(101).epoch, 30);
        assert_eq!(history.token(100).epoch, 30, "a unit without events is of the present epoch");
        assert!(history.watermark(100).covers(&history.token(100)).is_ok());
        assert!(history.watermark(100).covers(&history.recorded_token(100)).is_ok());
    }
}
