//! Pending mails whose recipient the copy of users knows. Whom it has not heard of yet, it will, and whose last change it
//! could not read, it will read the next: those mails wait, and nobody behind them does.
//! **Invariant:** nobody counts as erased whom the owner has not erased.

use freehold_replica::Copied;
use freehold_store::{Queries, Row, StoreError, vals};

use crate::generated::RecipientCopy;
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
///
/// A hole in the copy reads as deleted; what tells it from an erasure is its record, which goes as soon as the next copy
/// has filled the hole, and the next copy takes the place of this one only when it is ready.
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
             WHERE m.state = $1 AND m.number > $2 AND (NOT r.freehold_deleted OR (
                 EXISTS (SELECT 1 FROM freehold_replica c WHERE c.replica = $4 AND c.ready)
                 AND NOT EXISTS (SELECT 1 FROM freehold_undecoded u WHERE u.replica = $4 AND u.key = r.id)))
             ORDER BY m.number LIMIT $3",
            vals![State::Pending.number(), number, limit, RecipientCopy::NAME],
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
