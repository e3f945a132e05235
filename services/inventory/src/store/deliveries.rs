//! The table `delivery`: one row per delivery that was booked, for ever.

use freehold_store::{Queries, Row, StoreError, Work, vals};

use crate::delivery::Delivery;

/// Books a delivery. Whether its id was free; where it was not, nothing has changed.
pub(crate) async fn book(work: &mut Work, delivery: &Delivery) -> Result<bool, StoreError> {
    let now = work.now();
    let booked = work
        .exec(
            "INSERT INTO delivery (id, product_id, units, received_ms) VALUES ($1, $2, $3, $4)
             ON CONFLICT (id) DO NOTHING",
            vals![delivery.id.as_str(), delivery.product_id.as_str(), delivery.units, now],
        )
        .await?;
    Ok(booked == 1)
}

/// The delivery of that id.
pub(crate) async fn find(queries: &mut impl Queries, id: &str) -> Result<Option<Delivery>, StoreError> {
    let row = queries.one("SELECT id, product_id, units FROM delivery WHERE id = $1", vals![id]).await?;
    row.map(|row| from_row(&row)).transpose()
}

fn from_row(row: &Row) -> Result<Delivery, StoreError> {
    Ok(Delivery { id: row.get("id")?, product_id: row.get("product_id")?, units: row.get("units")? })
}
