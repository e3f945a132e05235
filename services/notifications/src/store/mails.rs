//! The table `mail`: one row per event that a customer is told about, by the event's id.

use freehold_store::{Queries, Row, StoreError, Work, vals};

use crate::mail::{Mail, State};

/// A mail with its number in the order of writing.
pub(crate) struct Numbered {
    pub(crate) number: i64,
    pub(crate) mail: Mail,
}

/// Writes a mail; one of that id stays as it is.
pub(crate) async fn insert(work: &mut Work, mail: &Mail) -> Result<(), StoreError> {
    let now = work.now();
    work.exec_later(
        "INSERT INTO mail (id, customer_id, order_id, subject, body, state, written_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING",
        vals![
            mail.id.as_str(),
            mail.customer_id.as_str(),
            mail.order_id.as_str(),
            mail.subject.as_str(),
            mail.body.as_str(),
            mail.state.number(),
            now,
        ],
    )
    .await
}

/// Ends a pending mail.
pub(crate) async fn end(work: &mut Work, id: &str, state: State) -> Result<(), StoreError> {
    work.exec(
        "UPDATE mail SET state = $2 WHERE id = $1 AND state = $3",
        vals![id, state.number(), State::Pending.number()],
    )
    .await?;
    Ok(())
}

/// At most `limit` mails after a number; about one order, or about all where `order_id` is empty.
pub(crate) async fn after(
    queries: &mut impl Queries,
    number: i64,
    order_id: &str,
    limit: i64,
) -> Result<Vec<Numbered>, StoreError> {
    let rows = queries
        .all(
            "SELECT number, id, customer_id, order_id, subject, body, state FROM mail
             WHERE number > $1 AND ($2 = '' OR order_id = $2) ORDER BY number LIMIT $3",
            vals![number, order_id, limit],
        )
        .await?;
    rows.iter().map(from_row).collect()
}

/// How many mails are in each state, about orders whose id begins with `prefix`.
pub(crate) async fn count(queries: &mut impl Queries, prefix: &str) -> Result<Vec<(State, i64)>, StoreError> {
    let rows = queries
        .all(
            "SELECT state, COUNT(*) AS mails FROM mail
             WHERE substr(order_id, 1, length($1)) = $1 GROUP BY state",
            vals![prefix],
        )
        .await?;
    rows.iter().map(|row| Ok((state(row)?, row.get("mails")?))).collect()
}

/// A mail out of the columns of its table.
pub(super) fn from_row(row: &Row) -> Result<Numbered, StoreError> {
    let mail = Mail {
        id: row.get("id")?,
        customer_id: row.get("customer_id")?,
        order_id: row.get("order_id")?,
        subject: row.get("subject")?,
        body: row.get("body")?,
        state: state(row)?,
    };
    Ok(Numbered { number: row.get("number")?, mail })
}

fn state(row: &Row) -> Result<State, StoreError> {
    State::of(row.get("state")?).ok_or_else(|| StoreError::decode("state", "is no state of a mail"))
}
