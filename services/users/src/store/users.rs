//! The table `app_user`: one row per user who has not been erased.

use freehold_sdk::users::v1 as pb;
use freehold_store::{Queries, Row, StoreError, Work, vals};

use crate::convert;
use crate::user::{Address, Email, User};

/// Writes a user: the row and what the mesh shares of it.
pub(crate) async fn save(work: &mut Work, user: &User) -> Result<(), StoreError> {
    work.exec(
        "INSERT INTO app_user (id, name, email, street, city, postal_code, country, note, registered_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, email = excluded.email, street = excluded.street,
             city = excluded.city, postal_code = excluded.postal_code, country = excluded.country,
             note = excluded.note",
        vals![
            user.id.as_str(),
            user.name.as_str(),
            user.email.as_str(),
            user.address.street.as_str(),
            user.address.city.as_str(),
            user.address.postal_code.as_str(),
            user.address.country.as_str(),
            user.note.as_str(),
            user.registered_ms,
        ],
    )
    .await?;
    work.put(&convert::entity(user)).await?;
    Ok(())
}

/// Removes a user for good, from the events that are kept too. Whether there was one.
pub(crate) async fn erase(work: &mut Work, id: &str) -> Result<bool, StoreError> {
    let removed = work.exec("DELETE FROM app_user WHERE id = $1", vals![id]).await?;
    if removed == 1 {
        work.erase::<pb::User>(id).await?;
    }
    Ok(removed == 1)
}

/// The user of that id.
pub(crate) async fn find(queries: &mut impl Queries, id: &str) -> Result<Option<User>, StoreError> {
    let row = queries
        .one(
            "SELECT id, name, email, street, city, postal_code, country, note, registered_ms
             FROM app_user WHERE id = $1",
            vals![id],
        )
        .await?;
    row.map(|row| from_row(&row)).transpose()
}

/// At most `limit` users after an id, by id.
pub(crate) async fn after(queries: &mut impl Queries, id: &str, limit: i64) -> Result<Vec<User>, StoreError> {
    let rows = queries
        .all(
            "SELECT id, name, email, street, city, postal_code, country, note, registered_ms
             FROM app_user WHERE id > $1 ORDER BY id LIMIT $2",
            vals![id, limit],
        )
        .await?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &Row) -> Result<User, StoreError> {
    let email: String = row.get("email")?;
    Ok(User {
        id: row.get("id")?,
        name: row.get("name")?,
        email: Email::parse(&email).ok_or_else(|| StoreError::decode("email", "is no mail address"))?,
        address: Address {
            street: row.get("street")?,
            city: row.get("city")?,
            postal_code: row.get("postal_code")?,
            country: row.get("country")?,
        },
        note: row.get("note")?,
        registered_ms: row.get("registered_ms")?,
    })
}
