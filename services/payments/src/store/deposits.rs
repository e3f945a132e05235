//! The table `deposit`: one row per deposit that was booked, for ever.

use freehold_store::{Queries, Row, StoreError, Work, vals};

use crate::deposit::Deposit;

/// Books a deposit. Whether its id was free; where it was not, nothing has changed.
pub(crate) async fn book(work: &mut Work, deposit: &Deposit) -> Result<bool, StoreError> {
    let now = work.now();
    let booked = work
        .exec(
            "INSERT INTO deposit (id, customer_id, amount_cents, received_ms) VALUES ($1, $2, $3, $4)
             ON CONFLICT (id) DO NOTHING",
            vals![deposit.id.as_str(), deposit.customer_id.as_str(), deposit.amount_cents, now],
        )
        .await?;
    Ok(booked == 1)
}

/// The deposit of that id.
pub(crate) async fn find(queries: &mut impl Queries, id: &str) -> Result<Option<Deposit>, StoreError> {
    let row =
        queries.one("SELECT id, customer_id, amount_cents FROM deposit WHERE id = $1", vals![id]).await?;
    row.map(|row| from_row(&row)).transpose()
}

fn from_row(row: &Row) -> Result<Deposit, StoreError> {
    Ok(Deposit {
        id: row.get("id")?,
        customer_id: row.get("customer_id")?,
        amount_cents: row.get("amount_cents")?,
    })
}
