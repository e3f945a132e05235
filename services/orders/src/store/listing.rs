//! The list of orders: own rows joined in SQL with the copies of customers and products.
//!
//! A name is the owner's name of now as far as the copy goes; a deleted product keeps the name it was placed under.

use std::collections::BTreeMap;

use freehold_store::{Queries, Row, StoreError, vals};

/// An order as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) id: String,
    pub(crate) customer_id: String,
    /// Empty once the customer has been erased.
    pub(crate) customer_name: String,
    pub(crate) state: i32,
    pub(crate) total_cents: i64,
    pub(crate) placed_ms: i64,
    pub(crate) lines: Vec<LineSummary>,
}

/// A line as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LineSummary {
    pub(crate) product_id: String,
    pub(crate) product_name: String,
    pub(crate) units: i64,
    pub(crate) line_cents: i64,
}

/// The orders of a page, and their lines. `$1` and `$2` bound the page, `$3` is the customer where one is asked for, so that
/// each way has its index.
struct Statements {
    orders: &'static str,
    lines: &'static str,
}

const OF_ALL: Statements = Statements {
    orders: "SELECT o.id, o.customer_id, COALESCE(c.name, '') AS customer_name, o.state, o.total_cents, o.placed_ms
             FROM shop_order o LEFT JOIN customer_copy c ON c.id = o.customer_id
             WHERE o.id > $1 ORDER BY o.id LIMIT $2",
    lines: "SELECT l.order_id, l.product_id, COALESCE(p.name, l.product_name) AS product_name, l.units, l.line_cents
            FROM order_line l LEFT JOIN product_copy p ON p.id = l.product_id
            WHERE l.order_id > $1 AND l.order_id <= $2 ORDER BY l.order_id, l.ordinal",
};

const OF_CUSTOMER: Statements = Statements {
    orders: "SELECT o.id, o.customer_id, COALESCE(c.name, '') AS customer_name, o.state, o.total_cents, o.placed_ms
             FROM shop_order o LEFT JOIN customer_copy c ON c.id = o.customer_id
             WHERE o.customer_id = $3 AND o.id > $1 ORDER BY o.id LIMIT $2",
    lines: "SELECT l.order_id, l.product_id, COALESCE(p.name, l.product_name) AS product_name, l.units, l.line_cents
            FROM shop_order o JOIN order_line l ON l.order_id = o.id LEFT JOIN product_copy p ON p.id = l.product_id
            WHERE o.customer_id = $3 AND o.id > $1 AND o.id <= $2 ORDER BY o.id, l.ordinal",
};

/// At most `limit` orders after an id, by id; of one customer, or of all where `customer_id` is empty.
pub(crate) async fn after(
    queries: &mut impl Queries,
    id: &str,
    customer_id: &str,
    limit: i64,
) -> Result<Vec<Summary>, StoreError> {
    let (sql, customer) =
        if customer_id.is_empty() { (OF_ALL, vals![]) } else { (OF_CUSTOMER, vals![customer_id]) };
    let rows = queries.all(sql.orders, [vals![id, limit], customer.clone()].concat()).await?;
    let mut summaries = rows.iter().map(from_row).collect::<Result<Vec<_>, _>>()?;
    let Some(last) = summaries.last() else { return Ok(summaries) };
    let rows = queries.all(sql.lines, [vals![id, last.id.as_str()], customer].concat()).await?;
    let mut lines: BTreeMap<String, Vec<LineSummary>> = BTreeMap::new();
    for row in &rows {
        lines.entry(row.get("order_id")?).or_default().push(line_from_row(row)?);
    }
    for summary in &mut summaries {
        summary.lines = lines.remove(&summary.id).unwrap_or_default();
    }
    Ok(summaries)
}

fn from_row(row: &Row) -> Result<Summary, StoreError> {
    let state: i64 = row.get("state")?;
    Ok(Summary {
        id: row.get("id")?,
        customer_id: row.get("customer_id")?,
        customer_name: row.get("customer_name")?,
        state: i32::try_from(state).map_err(|_| StoreError::decode("state", "is no order state"))?,
        total_cents: row.get("total_cents")?,
        placed_ms: row.get("placed_ms")?,
        lines: Vec::new(),
    })
}

fn line_from_row(row: &Row) -> Result<LineSummary, StoreError> {
    Ok(LineSummary {
        product_id: row.get("product_id")?,
        product_name: row.get("product_name")?,
        units: row.get("units")?,
        line_cents: row.get("line_cents")?,
    })
}
