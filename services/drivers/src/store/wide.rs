//! One statement for many rows: of a statement's text there are a few widths, and rows go into the widest that they fill.
//!
//! A statement per row would be a round trip per row on PostgreSQL. A text per number of rows would be compiled anew all
//! the time; these few stay compiled.

use freehold_store::{Queries, Row, StoreError, Value, Work};

/// How many rows a statement takes, the widest first.
const WIDTHS: [usize; 4] = [128, 32, 8, 1];

/// A statement over a list of rows: `head ($1, $2), ($3, $4) tail`.
pub(super) struct Wide {
    texts: [String; WIDTHS.len()],
}

impl Wide {
    /// The statement for rows of so many values.
    pub(super) fn new(head: &str, values: usize, tail: &str) -> Self {
        let row = |row: usize| {
            let places = (1..=values).map(|value| format!("${}", row * values + value));
            format!("({})", places.collect::<Vec<_>>().join(", "))
        };
        let text =
            |width: usize| format!("{head} {} {tail}", (0..width).map(row).collect::<Vec<_>>().join(", "));
        Self { texts: WIDTHS.map(text) }
    }

    /// Runs the statement over all rows; answers how many rows of the database it changed.
    pub(super) async fn exec<T>(
        &'static self,
        work: &mut Work,
        rows: &[T],
        values: impl Fn(&T, &mut Vec<Value>),
    ) -> Result<u64, StoreError> {
        let mut changed = 0;
        for (sql, rows) in self.chunks(rows) {
            changed += work.exec(sql, collected(rows, &values)).await?;
        }
        Ok(changed)
    }

    /// Runs the query over all rows.
    pub(super) async fn all<T>(
        &'static self,
        work: &mut Work,
        rows: &[T],
        values: impl Fn(&T, &mut Vec<Value>),
    ) -> Result<Vec<Row>, StoreError> {
        let mut found = Vec::new();
        for (sql, rows) in self.chunks(rows) {
            found.extend(work.all(sql, collected(rows, &values)).await?);
        }
        Ok(found)
    }

    fn chunks<'a, T>(&'static self, rows: &'a [T]) -> Vec<(&'static str, &'a [T])> {
        let (mut chunks, mut rest) = (Vec::new(), rows);
        for (width, text) in WIDTHS.into_iter().zip(&self.texts) {
            while let Some((chunk, tail)) = rest.split_at_checked(width) {
                chunks.push((text.as_str(), chunk));
                rest = tail;
            }
        }
        chunks
    }
}

fn collected<T>(rows: &[T], values: &impl Fn(&T, &mut Vec<Value>)) -> Vec<Value> {
    let mut all = Vec::new();
    for row in rows {
        values(row, &mut all);
    }
    all
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;

    static INSERT: LazyLock<Wide> =
        LazyLock::new(|| Wide::new("INSERT INTO t VALUES", 2, "ON CONFLICT DO NOTHING"));

    #[test]
    fn the_places_of_all_rows_are_numbered_through() {
        let one = "INSERT INTO t VALUES ($1, $2) ON CONFLICT DO NOTHING";
        assert_eq!(INSERT.texts[3], one);
        assert!(INSERT.texts[2].contains("($13, $14), ($15, $16) ON"), "{}", INSERT.texts[2]);
    }

    #[test]
    fn every_row_is_in_one_chunk_in_its_order() {
        for many in [0, 1, 7, 8, 39, 128, 129, 300] {
            let rows: Vec<usize> = (0..many).collect();
            let chunks = INSERT.chunks(&rows);
            assert_eq!(chunks.iter().flat_map(|(_, rows)| rows.to_vec()).collect::<Vec<_>>(), rows);
            for (sql, rows) in chunks {
                assert_eq!(sql.matches('(').count(), rows.len());
            }
        }
    }
}
