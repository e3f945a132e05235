//! The tables `replacement` and `moved_line`: which product took the place of which, and what that moved.
//!
//! Lines are moved by whole statements, however many baskets there are. The rows of both products are taken before.

use freehold_store::{Queries, Row, StoreError, Work, vals};

use crate::basket::{Exchange, Replacement, State};

/// Writes a replacement.
pub(crate) async fn save(work: &mut Work, replacement: &Replacement) -> Result<(), StoreError> {
    let Replacement { exchange, state, moved_baskets } = replacement;
    work.exec(
        "INSERT INTO replacement (id, product_id, by_product_id, state, moved_baskets)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO UPDATE SET state = excluded.state",
        vals![
            exchange.id.as_str(),
            exchange.product_id.as_str(),
            exchange.by_product_id.as_str(),
            state.as_str(),
            *moved_baskets,
        ],
    )
    .await?;
    Ok(())
}

/// The replacement of that id.
pub(crate) async fn find(queries: &mut impl Queries, id: &str) -> Result<Option<Replacement>, StoreError> {
    let row = queries
        .one(
            "SELECT id, product_id, by_product_id, state, moved_baskets FROM replacement WHERE id = $1",
            vals![id],
        )
        .await?;
    row.map(|row| from_row(&row)).transpose()
}

/// Moves all lines of the one product to the other, and keeps what it moved. In how many baskets.
pub(crate) async fn move_lines(work: &mut Work, exchange: &Exchange) -> Result<i64, StoreError> {
    let Exchange { id, product_id, by_product_id } = exchange;
    let (id, from, to) = (id.as_str(), product_id.as_str(), by_product_id.as_str());
    work.exec(
        "UPDATE basket SET changes = changes + 1
         WHERE customer_id IN (SELECT customer_id FROM basket_line WHERE product_id = $1)",
        vals![from],
    )
    .await?;
    // What was moved to this product before is moved on now, and can no longer be moved back from it.
    work.exec(
        "DELETE FROM moved_line WHERE customer_id IN (SELECT customer_id FROM basket_line WHERE product_id = $1)
             AND replacement_id IN (SELECT id FROM replacement WHERE by_product_id = $1)",
        vals![from],
    )
    .await?;
    work.exec(
        "INSERT INTO moved_line (replacement_id, customer_id, units)
         SELECT CAST($1 AS TEXT), customer_id, units FROM basket_line WHERE product_id = $2",
        vals![id, from],
    )
    .await?;
    work.exec(
        "INSERT INTO basket_line (customer_id, product_id, units)
         SELECT customer_id, CAST($1 AS TEXT), units FROM basket_line WHERE product_id = $2
         ON CONFLICT (customer_id, product_id) DO UPDATE SET units = basket_line.units + excluded.units",
        vals![to, from],
    )
    .await?;
    let moved = work.exec("DELETE FROM basket_line WHERE product_id = $1", vals![from]).await?;
    Ok(i64::try_from(moved).unwrap_or(i64::MAX))
}

/// Moves back what the exchange moved and nobody has touched since.
pub(crate) async fn move_back(work: &mut Work, exchange: &Exchange) -> Result<(), StoreError> {
    let Exchange { id, product_id, by_product_id } = exchange;
    let (id, from, to) = (id.as_str(), product_id.as_str(), by_product_id.as_str());
    work.exec(
        "UPDATE basket SET changes = changes + 1
         WHERE customer_id IN (SELECT customer_id FROM moved_line WHERE replacement_id = $1)",
        vals![id],
    )
    .await?;
    work.exec(
        "INSERT INTO basket_line (customer_id, product_id, units)
         SELECT customer_id, CAST($1 AS TEXT), units FROM moved_line WHERE replacement_id = $2
         ON CONFLICT (customer_id, product_id) DO UPDATE SET units = basket_line.units + excluded.units",
        vals![from, id],
    )
    .await?;
    // A line that was there before keeps what it had; one that the move made goes as a whole.
    work.exec(
        "DELETE FROM basket_line WHERE product_id = $1 AND units = (SELECT m.units FROM moved_line m
             WHERE m.replacement_id = $2 AND m.customer_id = basket_line.customer_id)",
        vals![to, id],
    )
    .await?;
    work.exec(
        "UPDATE basket_line SET units = units - (SELECT m.units FROM moved_line m
             WHERE m.replacement_id = $2 AND m.customer_id = basket_line.customer_id)
         WHERE product_id = $1
             AND customer_id IN (SELECT customer_id FROM moved_line WHERE replacement_id = $2)",
        vals![to, id],
    )
    .await?;
    work.exec("DELETE FROM moved_line WHERE replacement_id = $1", vals![id]).await?;
    Ok(())
}

fn from_row(row: &Row) -> Result<Replacement, StoreError> {
    let state: String = row.get("state")?;
    Ok(Replacement {
        exchange: Exchange {
            id: row.get("id")?,
            product_id: row.get("product_id")?,
            by_product_id: row.get("by_product_id")?,
        },
        state: State::parse(&state)
            .ok_or_else(|| StoreError::decode("state", "holds no state of a replacement"))?,
        moved_baskets: row.get("moved_baskets")?,
    })
}
