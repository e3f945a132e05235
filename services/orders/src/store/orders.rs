//! Orders: a new fact goes into the history, its fold into `shop_order` and `order_line`, all in one unit of work.

use freehold_sdk::orders::v1 as pb;
use freehold_store::{Queries, StoreError, Work, vals};

use crate::convert;
use crate::order::{Fact, Line, Order, Recorded};
use crate::store::history;

/// Why a fact was not taken in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    /// Somebody else's fact took the revision first.
    #[error("the order `{0}` has changed meanwhile")]
    Stale(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The order of that id, locked until the end of the unit of work.
pub(crate) async fn lock(work: &mut Work, id: &str) -> Result<Option<Order>, StoreError> {
    work.lock::<pb::Order>(id).await?;
    find(work, id).await
}

/// The order of that id, as it stands.
pub(crate) async fn find(queries: &mut impl Queries, id: &str) -> Result<Option<Order>, StoreError> {
    Ok(Order::fold(id, &history::of(queries, id).await?))
}

/// Places a new order.
pub(crate) async fn place(
    work: &mut Work,
    id: &str,
    customer_id: &str,
    lines: Vec<Line>,
) -> Result<Order, RecordError> {
    let fact = Fact::Placed { customer_id: customer_id.to_owned(), lines };
    let recorded = Recorded { revision: 1, at_ms: work.now(), fact };
    let Some(order) = Order::fold(id, std::slice::from_ref(&recorded)) else {
        return Err(RecordError::Stale(id.to_owned()));
    };
    append(work, &order, &recorded).await?;
    for (ordinal, line) in (0..).zip(&order.lines) {
        insert_line(work, id, ordinal, line).await?;
    }
    Ok(order)
}

/// Takes the next fact of an order in.
pub(crate) async fn record(work: &mut Work, order: &Order, fact: Fact) -> Result<Order, RecordError> {
    let recorded = Recorded { revision: order.revision + 1, at_ms: work.now(), fact };
    let mut next = order.clone();
    next.apply(&recorded);
    append(work, &next, &recorded).await?;
    Ok(next)
}

async fn append(work: &mut Work, order: &Order, recorded: &Recorded) -> Result<(), RecordError> {
    if !history::append(work, order, recorded).await? {
        return Err(RecordError::Stale(order.id.clone()));
    }
    save(work, order).await?;
    Ok(())
}

/// Writes the fold of an order: the row that lists read and what the mesh shares of it.
async fn save(work: &mut Work, order: &Order) -> Result<(), StoreError> {
    work.exec(
        "INSERT INTO shop_order (id, customer_id, state, total_cents, reason, placed_ms, revision)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (id) DO UPDATE SET state = excluded.state, reason = excluded.reason,
             revision = excluded.revision",
        vals![
            order.id.as_str(),
            order.customer_id.as_str(),
            i64::from(i32::from(convert::state(order.state))),
            order.total_cents(),
            order.reason.as_str(),
            order.placed_ms,
            order.revision,
        ],
    )
    .await?;
    work.put(&convert::entity(order)).await?;
    Ok(())
}

async fn insert_line(work: &mut Work, id: &str, ordinal: i64, line: &Line) -> Result<(), StoreError> {
    work.exec(
        "INSERT INTO order_line (order_id, ordinal, product_id, product_name, catalog_cents, unit_cents, units,
             discount_basis_points, line_cents, product_version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        vals![
            id,
            ordinal,
            line.product_id.as_str(),
            line.product_name.as_str(),
            line.catalog_cents,
            line.unit_cents,
            line.units,
            i64::from(line.discount_basis_points),
            line.cents(),
            line.product_version,
        ],
    )
    .await?;
    Ok(())
}
