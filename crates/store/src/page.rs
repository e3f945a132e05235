//! A page: the first rows of a query, as many as a number of bytes holds.
//!
//! A LIMIT bounds how many rows come, not how large they are. **Invariant:** a page is empty only where the query is.

use crate::row::Row;

/// The first rows of a query.
#[derive(Debug)]
pub struct Page {
    /// The rows.
    pub rows: Vec<Row>,
    /// The query has a further row, which did not fit any more.
    pub cut: bool,
}

/// What is left of a page.
pub(crate) struct Room {
    left: usize,
    empty: bool,
}

impl Room {
    /// A page of that many bytes.
    pub(crate) fn of(bytes: usize) -> Self {
        Self { left: bytes, empty: true }
    }

    /// Whether a row still fits. The first does, however large it is.
    pub(crate) fn fits(&mut self, row: &Row) -> bool {
        let left = self.left.checked_sub(row.bytes());
        let fits = left.is_some() || self.empty;
        (self.left, self.empty) = (left.unwrap_or(0), false);
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    fn row(bytes: usize) -> Row {
        Row::new(["data".into()].into(), vec![Some(Value::Blob(vec![0; bytes - 8]))])
    }

    #[test]
    fn a_page_holds_its_bytes() {
        let mut room = Room::of(100);
        assert!(room.fits(&row(60)) && room.fits(&row(40)) && !room.fits(&row(8)));
    }

    #[test]
    fn a_row_that_fits_no_page_has_one_to_itself() {
        let mut room = Room::of(100);
        assert!(room.fits(&row(1000)) && !room.fits(&row(8)));
    }
}
