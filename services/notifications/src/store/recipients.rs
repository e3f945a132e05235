//! Whom to reach, out of the copy of users.

use freehold_store::{Queries, StoreError, vals};

/// What the copy knows of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Recipient {
    /// The copy has not heard of the customer yet.
    Unknown,
    /// The customer has been erased.
    Erased,
    /// The customer is reached so.
    Reachable { name: String, email: String },
}

/// The customer of that id.
pub(crate) async fn find(queries: &mut impl Queries, customer_id: &str) -> Result<Recipient, StoreError> {
    let row = queries
        .one(
            "SELECT name, email, freehold_deleted FROM recipient_copy WHERE id = $1",
            vals![customer_id],
        )
        .await?;
    let Some(row) = row else { return Ok(Recipient::Unknown) };
    if row.get("freehold_deleted")? {
        return Ok(Recipient::Erased);
    }
    Ok(Recipient::Reachable { name: row.get("name")?, email: row.get("email")? })
}
