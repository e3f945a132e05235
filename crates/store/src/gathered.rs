//! Rows whose insertion nobody looks at, put together: on PostgreSQL each statement is a round trip.
//!
//! Rows of one statement wait for each other and go before whatever else the unit says, so nobody can tell that they have
//! waited. What is sent takes a power of two of them: of so few texts each stays compiled.

use crate::dialect::{self, Tuple};
use crate::value::Value;

/// The most rows that wait.
const MOST: usize = 128;
/// The most values that a statement of PostgreSQL takes.
const VALUES: usize = 65_535;

/// Rows that wait to be inserted by one statement.
pub(crate) struct Gathered {
    sql: &'static str,
    tuple: Tuple<'static>,
    rows: Vec<Vec<Value>>,
}

impl Gathered {
    /// What is gathered by a statement that inserts one row and does not depend on how many it inserts; `None` where it is
    /// no such statement.
    pub(crate) fn of(sql: &'static str) -> Option<Self> {
        dialect::tuple(sql).map(|tuple| Self { sql, tuple, rows: Vec::new() })
    }

    /// Whether another row of this statement may wait with them.
    pub(crate) fn takes(&self, sql: &str) -> bool {
        self.sql == sql && self.rows.len() < MOST && (self.rows.len() + 1) * self.tuple.values <= VALUES
    }

    /// How many values a row has.
    pub(crate) fn wants(&self) -> usize {
        self.tuple.values
    }

    pub(crate) fn push(&mut self, row: Vec<Value>) {
        self.rows.push(row);
    }

    /// The statements that insert the rows, in their order.
    pub(crate) fn statements(self) -> impl Iterator<Item = (String, Vec<Value>)> {
        let Self { tuple, rows, .. } = self;
        let mut rows = rows.into_iter();
        std::iter::from_fn(move || {
            let width = 1 << rows.len().checked_ilog2()?;
            Some((tuple.wide(width), rows.by_ref().take(width).flatten().collect()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vals;

    const INSERT: &str = "INSERT INTO t (a, b) VALUES ($1, $2)";

    #[test]
    fn every_row_is_in_one_statement_in_its_order() {
        for many in [0_i64, 1, 2, 7, 100, 128] {
            let mut gathered = Gathered::of(INSERT).unwrap();
            for row in 0..many {
                gathered.push(vals![row, "b"]);
            }
            let statements: Vec<_> = gathered.statements().collect();
            assert_eq!(statements.len(), usize::try_from(many.count_ones()).unwrap());
            let values: Vec<_> = statements.iter().flat_map(|(_, values)| values).collect();
            let rows: Vec<_> = (0..many).flat_map(|row| vals![row, "b"]).collect();
            assert_eq!(values, rows.iter().collect::<Vec<_>>());
            for (sql, values) in &statements {
                assert_eq!(dialect::wants(sql), values.len());
            }
        }
    }

    #[test]
    fn only_so_many_rows_of_one_statement_wait() {
        let mut gathered = Gathered::of(INSERT).unwrap();
        assert!(gathered.takes(INSERT) && !gathered.takes("INSERT INTO t (b, a) VALUES ($1, $2)"));
        (0..MOST).for_each(|_| gathered.push(vals![1, 2]));
        assert!(!gathered.takes(INSERT));
    }
}
