//! The table `account`: one row per customer who ever opened one.

use freehold_sdk::payments::v1 as pb;
use freehold_store::{Queries, Row, StoreError, Work, vals};

use crate::account::Account;
use crate::convert;

/// Writes an account: the row and what the mesh shares of it.
pub(crate) async fn save(work: &mut Work, account: &Account) -> Result<(), StoreError> {
    work.exec(
        "INSERT INTO account (customer_id, balance_cents, held_cents) VALUES ($1, $2, $3)
         ON CONFLICT (customer_id) DO UPDATE SET balance_cents = excluded.balance_cents,
             held_cents = excluded.held_cents",
        vals![account.customer_id.as_str(), account.balance_cents, account.held_cents],
    )
    .await?;
    work.put(&convert::account(account)).await?;
    Ok(())
}

/// The account of that customer, locked.
pub(crate) async fn lock(work: &mut Work, customer_id: &str) -> Result<Option<Account>, StoreError> {
    work.lock::<pb::Account>(customer_id).await?;
    find(work, customer_id).await
}

/// The account of that customer.
pub(crate) async fn find(
    queries: &mut impl Queries,
    customer_id: &str,
) -> Result<Option<Account>, StoreError> {
    let row = queries
        .one(
            "SELECT customer_id, balance_cents, held_cents FROM account WHERE customer_id = $1",
            vals![customer_id],
        )
        .await?;
    row.map(|row| from_row(&row)).transpose()
}

fn from_row(row: &Row) -> Result<Account, StoreError> {
    Ok(Account {
        customer_id: row.get("customer_id")?,
        balance_cents: row.get("balance_cents")?,
        held_cents: row.get("held_cents")?,
    })
}
