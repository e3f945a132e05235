//! The tables `order_sale` and `sale`: how products sell, once for each generation that is there.

use freehold_events::projection::read_generation;
use freehold_store::{Queries, Row, StoreError, Work, vals};

use crate::month::Month;

/// How a generation is removed, a piece at a time.
pub(crate) static SWEEPS: [&str; 2] = [
    "DELETE FROM order_sale WHERE generation = $1 AND (order_id, product_id) IN
         (SELECT order_id, product_id FROM order_sale WHERE generation = $1 LIMIT 1000)",
    "DELETE FROM sale WHERE generation = $1 AND (product_id, month) IN
         (SELECT product_id, month FROM sale WHERE generation = $1 LIMIT 1000)",
];

/// What was sold of a product in a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MonthlySales {
    pub(crate) month: String,
    pub(crate) orders: i64,
    pub(crate) units: i64,
    pub(crate) cents: i64,
}

/// Notes what an order is about; a product that it names twice is one.
pub(crate) async fn place(
    work: &mut Work,
    generation: i64,
    order_id: &str,
    product_id: &str,
    units: i64,
    cents: i64,
) -> Result<(), StoreError> {
    work.exec(
        "INSERT INTO order_sale (generation, order_id, product_id, units, cents) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (generation, order_id, product_id) DO UPDATE
             SET units = order_sale.units + excluded.units, cents = order_sale.cents + excluded.cents",
        vals![generation, order_id, product_id, units, cents],
    )
    .await?;
    Ok(())
}

/// Counts an order in a month; `false` where nothing is known of it.
pub(crate) async fn confirm(
    work: &mut Work,
    generation: i64,
    order_id: &str,
    month: &Month,
) -> Result<bool, StoreError> {
    let known = work
        .exec(
            "UPDATE order_sale SET month = $3 WHERE generation = $1 AND order_id = $2",
            vals![generation, order_id, month.as_str()],
        )
        .await?;
    work.exec(
        "INSERT INTO sale (generation, product_id, month, orders, units, cents)
         SELECT generation, product_id, month, 1, units, cents FROM order_sale
         WHERE generation = $1 AND order_id = $2 AND month IS NOT NULL
         ON CONFLICT (generation, product_id, month) DO UPDATE
             SET orders = sale.orders + 1, units = sale.units + excluded.units,
                 cents = sale.cents + excluded.cents",
        vals![generation, order_id],
    )
    .await?;
    Ok(known > 0)
}

/// Counts an order no more.
pub(crate) async fn take_back(work: &mut Work, generation: i64, order_id: &str) -> Result<(), StoreError> {
    work.exec(
        "UPDATE sale SET orders = sale.orders - 1, units = sale.units - o.units, cents = sale.cents - o.cents
         FROM order_sale o WHERE o.generation = $1 AND o.order_id = $2 AND sale.generation = $1
             AND sale.product_id = o.product_id AND sale.month = o.month",
        vals![generation, order_id],
    )
    .await?;
    work.exec(
        "DELETE FROM sale WHERE generation = $1 AND orders = 0 AND product_id IN
             (SELECT product_id FROM order_sale WHERE generation = $1 AND order_id = $2)",
        vals![generation, order_id],
    )
    .await?;
    forget(work, generation, order_id).await
}

/// Nothing more will come of an order.
pub(crate) async fn forget(work: &mut Work, generation: i64, order_id: &str) -> Result<(), StoreError> {
    work.exec("DELETE FROM order_sale WHERE generation = $1 AND order_id = $2", vals![generation, order_id])
        .await?;
    Ok(())
}

/// The generation that is read; 0 before the first one.
pub(crate) async fn generation(queries: &mut impl Queries) -> Result<i64, StoreError> {
    Ok(read_generation(queries, crate::sales::NAME).await?.unwrap_or_default())
}

/// At most `limit` months of a product's sales, after one month and up to another.
pub(crate) async fn of_product(
    queries: &mut impl Queries,
    generation: i64,
    product_id: &str,
    (from, after, to): (&str, &str, &str),
    limit: i64,
) -> Result<Vec<MonthlySales>, StoreError> {
    let rows = queries
        .all(
            "SELECT month, orders, units, cents FROM sale
             WHERE generation = $1 AND product_id = $2 AND month >= $3 AND month > $4 AND month <= $5
             ORDER BY month LIMIT $6",
            vals![generation, product_id, from, after, to, limit],
        )
        .await?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &Row) -> Result<MonthlySales, StoreError> {
    Ok(MonthlySales {
        month: row.get("month")?,
        orders: row.get("orders")?,
        units: row.get("units")?,
        cents: row.get("cents")?,
    })
}
