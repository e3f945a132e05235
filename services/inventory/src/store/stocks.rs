//! The table `stock`: one row per product that ever came in.

use freehold_sdk::inventory::v1 as pb;
use freehold_store::{Queries, Row, StoreError, Work, vals};

use crate::convert;
use crate::stock::Stock;

/// Writes the stock of a product: the row and what the mesh shares of it.
pub(crate) async fn save(work: &mut Work, stock: &Stock) -> Result<(), StoreError> {
    work.exec(
        "INSERT INTO stock (product_id, on_hand_units, reserved_units) VALUES ($1, $2, $3)
         ON CONFLICT (product_id) DO UPDATE SET on_hand_units = excluded.on_hand_units,
             reserved_units = excluded.reserved_units",
        vals![stock.product_id.as_str(), stock.on_hand_units, stock.reserved_units],
    )
    .await?;
    work.put(&convert::stock(stock)).await?;
    Ok(())
}

/// The stock of that product, locked; none of it where it never came in.
pub(crate) async fn lock(work: &mut Work, product_id: &str) -> Result<Stock, StoreError> {
    work.lock::<pb::Stock>(product_id).await?;
    Ok(find(work, product_id).await?.unwrap_or_else(|| Stock::none(product_id)))
}

/// The stock of that product; `None` where it never came in.
pub(crate) async fn find(queries: &mut impl Queries, product_id: &str) -> Result<Option<Stock>, StoreError> {
    let row = queries
        .one(
            "SELECT product_id, on_hand_units, reserved_units FROM stock WHERE product_id = $1",
            vals![product_id],
        )
        .await?;
    row.map(|row| from_row(&row)).transpose()
}

/// At most `limit` stocks after a product, by product.
pub(crate) async fn after(
    queries: &mut impl Queries,
    product_id: &str,
    limit: i64,
) -> Result<Vec<Stock>, StoreError> {
    let rows = queries
        .all(
            "SELECT product_id, on_hand_units, reserved_units
             FROM stock WHERE product_id > $1 ORDER BY product_id LIMIT $2",
            vals![product_id, limit],
        )
        .await?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &Row) -> Result<Stock, StoreError> {
    Ok(Stock {
        product_id: row.get("product_id")?,
        on_hand_units: row.get("on_hand_units")?,
        reserved_units: row.get("reserved_units")?,
    })
}
