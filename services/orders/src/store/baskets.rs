//! The tables `basket`, `basket_line` and `basket_product`: what customers mean to order.
//!
//! Who changes lines takes the rows of their products first, in order, and then those of the baskets: so two never wait
//! for each other, and both see all that the other did or nothing.

use freehold_store::{Queries, Row, StoreError, Work, vals};

use crate::basket::BasketLine;

/// Takes the row of a product. The replacement that took it out of all baskets; `None` where none did.
pub(crate) async fn take_product(work: &mut Work, product_id: &str) -> Result<Option<String>, StoreError> {
    let row = work
        .one(
            "INSERT INTO basket_product (product_id, replacement_id) VALUES ($1, '')
             ON CONFLICT (product_id) DO UPDATE SET product_id = excluded.product_id
             RETURNING replacement_id",
            vals![product_id],
        )
        .await?;
    let replacement: Option<String> = row.map(|row| row.get("replacement_id")).transpose()?;
    Ok(replacement.filter(|id| !id.is_empty()))
}

/// Notes which replacement took a product out of all baskets; `None` where none does any more. Its row is taken.
pub(crate) async fn mark_product(
    work: &mut Work,
    product_id: &str,
    replacement_id: Option<&str>,
) -> Result<(), StoreError> {
    work.exec(
        "UPDATE basket_product SET replacement_id = $2 WHERE product_id = $1",
        vals![product_id, replacement_id.unwrap_or_default()],
    )
    .await?;
    Ok(())
}

/// Puts these lines, whose products are taken, in place of what was in the basket.
pub(crate) async fn save(work: &mut Work, customer_id: &str, lines: &[BasketLine]) -> Result<(), StoreError> {
    work.exec(
        "INSERT INTO basket (customer_id, changes) VALUES ($1, 1)
         ON CONFLICT (customer_id) DO UPDATE SET changes = basket.changes + 1",
        vals![customer_id],
    )
    .await?;
    // What was moved in this basket is not moved back: its owner has seen it since.
    work.exec("DELETE FROM moved_line WHERE customer_id = $1", vals![customer_id]).await?;
    work.exec("DELETE FROM basket_line WHERE customer_id = $1", vals![customer_id]).await?;
    for line in lines {
        work.exec(
            "INSERT INTO basket_line (customer_id, product_id, units) VALUES ($1, $2, $3)",
            vals![customer_id, line.product_id.as_str(), line.units],
        )
        .await?;
    }
    Ok(())
}

/// What is in a basket, by product.
pub(crate) async fn lines(
    queries: &mut impl Queries,
    customer_id: &str,
) -> Result<Vec<BasketLine>, StoreError> {
    let rows = queries
        .all(
            "SELECT product_id, units FROM basket_line WHERE customer_id = $1 ORDER BY product_id",
            vals![customer_id],
        )
        .await?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &Row) -> Result<BasketLine, StoreError> {
    Ok(BasketLine { product_id: row.get("product_id")?, units: row.get("units")? })
}
