//! What catalog says was sold is what the orders say: of those that were confirmed and not cancelled, by product and
//! month.

use std::collections::BTreeMap;

use freehold_store::{Engine, vals};

use crate::verify::databases::{Moment, ReadError, cell};
use crate::verify::finding::Findings;
use crate::verify::positions::Positions;

const CHECK: &str = "sales";
const CATALOG: &str = "catalog";
const ORDERS: &str = "orders";

/// By product and month: orders, units, cents.
type Sales = BTreeMap<(String, String), (i64, i64, i64)>;

/// Compares the sales that are read with the orders.
pub(crate) async fn check(
    moment: &mut Moment,
    positions: &Positions,
    findings: &mut Findings,
) -> Result<(), ReadError> {
    if !moment.has(CATALOG) || !moment.has(ORDERS) {
        return Ok(());
    }
    let read =
        "SELECT generation FROM freehold_projection WHERE projection = 'catalog/sales' AND state = 'read'";
    let rows = moment.rows(CATALOG, read, vals![]).await?;
    let generation = rows.first().map(|row| cell::<i64>(CATALOG, row, "generation")).transpose()?;
    let generation = generation.unwrap_or_default();
    let late = is_late(moment, positions, &format!("catalog/sales/{generation}")).await?;
    let told = "SELECT product_id, month, orders, units, cents FROM sale WHERE generation = $1";
    let mut told = sales(CATALOG, moment.rows(CATALOG, told, vals![generation]).await?)?;
    for (of, sold) in sold(moment).await? {
        compare(findings, &of, told.remove(&of), Some(sold), late);
    }
    for (of, told) in told {
        compare(findings, &of, Some(told), None, late);
    }
    Ok(())
}

/// Whether there are events of orders that the view has not taken in.
async fn is_late(moment: &mut Moment, positions: &Positions, subscription: &str) -> Result<bool, ReadError> {
    let parked = "SELECT version FROM freehold_parked WHERE subscription = $1 LIMIT 1";
    if !moment.rows(CATALOG, parked, vals![subscription]).await?.is_empty() {
        return Ok(true);
    }
    let stands = positions.0.iter().find(|position| position.subscription == subscription);
    let last = "SELECT COALESCE(MAX(mark), 0) AS mark FROM freehold_event WHERE entity = 'orders.v1.Order'";
    let rows = moment.rows(ORDERS, last, vals![]).await?;
    let last = rows.first().map(|row| cell::<i64>(ORDERS, row, "mark")).transpose()?;
    Ok(stands.map_or(0, |position| position.mark) < last.unwrap_or_default())
}

/// What the orders themselves say.
async fn sold(moment: &mut Moment) -> Result<Sales, ReadError> {
    macro_rules! by_month {
        ($month:literal) => {
            concat!(
                "SELECT l.product_id, ",
                $month,
                " AS month, COUNT(DISTINCT o.id) AS orders, CAST(SUM(l.units) AS BIGINT) AS units,
                   CAST(SUM(l.line_cents) AS BIGINT) AS cents
                 FROM shop_order o JOIN order_line l ON l.order_id = o.id
                 JOIN order_event e ON e.order_id = o.id AND e.type = 'orders.v1.OrderConfirmed'
                 WHERE o.state IN (2, 5) GROUP BY l.product_id, month"
            )
        };
    }
    let sql = match moment.engine(ORDERS) {
        Engine::Sqlite => by_month!("strftime('%Y-%m', e.at_ms / 1000, 'unixepoch')"),
        Engine::Postgres => by_month!("to_char(to_timestamp(e.at_ms / 1000) AT TIME ZONE 'UTC', 'YYYY-MM')"),
    };
    sales(ORDERS, moment.rows(ORDERS, sql, vals![]).await?)
}

fn sales(name: &'static str, rows: Vec<freehold_store::Row>) -> Result<Sales, ReadError> {
    let mut sales = Sales::new();
    for row in rows {
        let number = |column| cell::<i64>(name, &row, column);
        let of = (cell(name, &row, "product_id")?, cell(name, &row, "month")?);
        sales.insert(of, (number("orders")?, number("units")?, number("cents")?));
    }
    Ok(sales)
}

fn compare(
    findings: &mut Findings,
    (product, month): &(String, String),
    told: Option<(i64, i64, i64)>,
    sold: Option<(i64, i64, i64)>,
    late: bool,
) {
    let subject = format!("catalog sales of {product} in {month}");
    if late && told != sold {
        let problem = format!("orders, units and cents are still {told:?}, not {sold:?}");
        findings.lags(CHECK, subject, problem);
    } else {
        findings.equal(CHECK, subject, "what is told of orders, units and cents", told, sold);
    }
}
