//! The table `product`: one row per product that has not been deleted.

use freehold_sdk::catalog::v1 as pb;
use freehold_store::{Queries, Row, StoreError, Work, vals};

use crate::convert;
use crate::product::{Product, State};

/// Writes a product: the row and what the mesh shares of it.
pub(crate) async fn save(work: &mut Work, product: &Product) -> Result<(), StoreError> {
    work.exec(
        "INSERT INTO product (id, name, price_cents, cost_cents, buyer_email, state, category)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, price_cents = excluded.price_cents,
             cost_cents = excluded.cost_cents, buyer_email = excluded.buyer_email, state = excluded.state,
             category = excluded.category",
        vals![
            product.id.as_str(),
            product.name.as_str(),
            product.price_cents,
            product.cost_cents,
            product.buyer_email.as_str(),
            product.state.as_str(),
            product.category.as_str(),
        ],
    )
    .await?;
    work.put(&convert::entity(product)).await?;
    Ok(())
}

/// Removes a product; a tombstone tells the others. Whether there was one.
pub(crate) async fn delete(work: &mut Work, id: &str) -> Result<bool, StoreError> {
    let removed = work.exec("DELETE FROM product WHERE id = $1", vals![id]).await?;
    if removed == 1 {
        work.delete::<pb::Product>(id).await?;
    }
    Ok(removed == 1)
}

/// The product of that id.
pub(crate) async fn find(queries: &mut impl Queries, id: &str) -> Result<Option<Product>, StoreError> {
    let row = queries
        .one(
            "SELECT id, name, price_cents, cost_cents, buyer_email, state, category FROM product WHERE id = $1",
            vals![id],
        )
        .await?;
    row.map(|row| from_row(&row)).transpose()
}

/// At most `limit` products after an id, by id.
pub(crate) async fn after(
    queries: &mut impl Queries,
    id: &str,
    limit: i64,
) -> Result<Vec<Product>, StoreError> {
    let rows = queries
        .all(
            "SELECT id, name, price_cents, cost_cents, buyer_email, state, category
             FROM product WHERE id > $1 ORDER BY id LIMIT $2",
            vals![id, limit],
        )
        .await?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &Row) -> Result<Product, StoreError> {
    let state: String = row.get("state")?;
    Ok(Product {
        id: row.get("id")?,
        name: row.get("name")?,
        price_cents: row.get("price_cents")?,
        cost_cents: row.get("cost_cents")?,
        buyer_email: row.get("buyer_email")?,
        state: State::parse(&state)
            .ok_or_else(|| StoreError::decode("state", "holds no state of a product"))?,
        category: row.get("category")?,
    })
}
