//! The table `payment`: one row per payment that was ever asked for or given up, for ever.

use freehold_store::{Queries, Row, StoreError, Work, vals};

use crate::convert;
use crate::payment::{Payment, State};

/// Writes a payment: the row and what the mesh shares of it. Customer and amount that are there stay; they never change.
pub(crate) async fn save(work: &mut Work, payment: &Payment) -> Result<(), StoreError> {
    work.exec(
        "INSERT INTO payment (id, customer_id, amount_cents, state) VALUES ($1, $2, $3, $4)
         ON CONFLICT (id) DO UPDATE SET state = excluded.state",
        vals![
            payment.id.as_str(),
            payment.customer_id.as_str(),
            payment.amount_cents,
            payment.state.as_str(),
        ],
    )
    .await?;
    work.put(&convert::payment(payment)).await?;
    Ok(())
}

/// The payment of that id.
pub(crate) async fn find(queries: &mut impl Queries, id: &str) -> Result<Option<Payment>, StoreError> {
    let row = queries
        .one("SELECT id, customer_id, amount_cents, state FROM payment WHERE id = $1", vals![id])
        .await?;
    row.map(|row| from_row(&row)).transpose()
}

fn from_row(row: &Row) -> Result<Payment, StoreError> {
    let state: String = row.get("state")?;
    Ok(Payment {
        id: row.get("id")?,
        customer_id: row.get("customer_id")?,
        amount_cents: row.get("amount_cents")?,
        state: State::parse(&state)
            .ok_or_else(|| StoreError::decode("state", "holds no state of a payment"))?,
    })
}
