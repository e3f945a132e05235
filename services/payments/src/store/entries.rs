//! The table `ledger_entry`: two rows per movement of money. They are added and never changed; the database sees to it.

use freehold_store::{Queries, StoreError, Work, vals};

use crate::ledger::Movement;

/// Books a movement: its debit and its credit. One of nothing leaves no trace.
pub(crate) async fn book(work: &mut Work, movement: &Movement) -> Result<(), StoreError> {
    if movement.amount_cents == 0 {
        return Ok(());
    }
    let now = work.now();
    work.exec(
        "INSERT INTO ledger_entry (movement, account, amount_cents, booked_ms)
         VALUES ($1, $2, $3, $6), ($1, $4, $5, $6)",
        vals![
            movement.name.as_str(),
            movement.debit.as_str(),
            -movement.amount_cents,
            movement.credit.as_str(),
            movement.amount_cents,
            now,
        ],
    )
    .await?;
    Ok(())
}
