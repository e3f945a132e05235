//! The tables `reservation` and `reservation_line`: a reservation that was ever asked for or released, for ever.

use freehold_store::{Queries, Row, StoreError, Work, vals};

use crate::convert;
use crate::reservation::{Lines, Reservation, State};

/// Writes a reservation: the rows and what the mesh shares of them. Lines that are there stay; they never change.
pub(crate) async fn save(work: &mut Work, reservation: &Reservation) -> Result<(), StoreError> {
    work.exec(
        "INSERT INTO reservation (id, state) VALUES ($1, $2)
         ON CONFLICT (id) DO UPDATE SET state = excluded.state",
        vals![reservation.id.as_str(), reservation.state.as_str()],
    )
    .await?;
    for (product_id, units) in &reservation.lines {
        work.exec(
            "INSERT INTO reservation_line (reservation_id, product_id, units) VALUES ($1, $2, $3)
             ON CONFLICT (reservation_id, product_id) DO NOTHING",
            vals![reservation.id.as_str(), product_id.as_str(), *units],
        )
        .await?;
    }
    work.put(&convert::reservation(reservation)).await?;
    Ok(())
}

/// The reservation of that id.
pub(crate) async fn find(queries: &mut impl Queries, id: &str) -> Result<Option<Reservation>, StoreError> {
    let Some(row) = queries.one("SELECT id, state FROM reservation WHERE id = $1", vals![id]).await? else {
        return Ok(None);
    };
    let lines = queries
        .all("SELECT product_id, units FROM reservation_line WHERE reservation_id = $1", vals![id])
        .await?;
    from_rows(&row, &lines).map(Some)
}

fn from_rows(row: &Row, lines: &[Row]) -> Result<Reservation, StoreError> {
    let state: String = row.get("state")?;
    Ok(Reservation {
        id: row.get("id")?,
        lines: lines.iter().map(line).collect::<Result<Lines, StoreError>>()?,
        state: State::parse(&state)
            .ok_or_else(|| StoreError::decode("state", "holds no state of a reservation"))?,
    })
}

fn line(row: &Row) -> Result<(String, i64), StoreError> {
    Ok((row.get("product_id")?, row.get("units")?))
}
