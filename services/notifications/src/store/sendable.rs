//! Pending mails whose recipient the copy of users knows. Whom it has not heard of yet, it will: those mails wait, and
//! nobody behind them does.

use freehold_store::{Queries, Row, StoreError, vals};

use crate::mail::{Mail, State};
use crate::store::mails::{self, Numbered};

/// A mail that can come to its end now.
pub(crate) struct Sendable {
    pub(crate) number: i64,
    pub(crate) mail: Mail,
    pub(crate) recipient: Recipient,
}

/// What the copy knows of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Recipient {
    /// The customer has been erased.
    Erased,
    /// The customer is reached so.
    Reachable { name: String, email: String },
}

/// At most `limit` of them after a number, oldest first.
pub(crate) async fn after(
    queries: &mut impl Queries,
    number: i64,
    limit: i64,
) -> Result<Vec<Sendable>, StoreError> {
    let rows = queries
        .all(
            "SELECT m.number, m.id, m.customer_id, m.order_id, m.subject, m.body, m.state,
                 r.name, r.email, r.freehold_deleted
             FROM mail m JOIN recipient_copy r ON r.id = m.customer_id
             WHERE m.state = $1 AND m.number > $2 ORDER BY m.number LIMIT $3",
            vals![State::Pending.number(), number, limit],
        )
        .await?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &Row) -> Result<Sendable, StoreError> {
    let Numbered { number, mail } = mails::from_row(row)?;
    let recipient = if row.get("freehold_deleted")? {
        Recipient::Erased
    } else {
        Recipient::Reachable { name: row.get("name")?, email: row.get("email")? }
    };
    Ok(Sendable { number, mail, recipient })
}
