//! The table `order_event`: what happened to each order, kept for ever. The order is its fold.
//!
//! A row holds the contract's event as it was emitted, so one decoding serves the history, the feed and whoever audits.

use freehold_sdk::orders::v1 as pb;
use freehold_store::{Queries, Row, StoreError, Work, vals};
use freehold_wire::Event;

use crate::convert;
use crate::order::{Fact, Order, Recorded};

/// Appends a fact that was decided on the history up to `recorded.revision - 1`, and emits it.
/// `false` where another fact got that revision first.
pub(crate) async fn append(work: &mut Work, order: &Order, recorded: &Recorded) -> Result<bool, StoreError> {
    match &recorded.fact {
        Fact::Placed { lines, .. } => {
            let event = pb::OrderPlaced::default()
                .with_order_id(order.id.as_str())
                .with_customer_id(order.customer_id.as_str())
                .with_lines(lines.iter().map(convert::line))
                .with_total_cents(order.total_cents());
            record(work, &order.id, recorded, &event).await
        }
        Fact::Confirmed => {
            let event = pb::OrderConfirmed::default()
                .with_order_id(order.id.as_str())
                .with_customer_id(order.customer_id.as_str())
                .with_total_cents(order.total_cents());
            record(work, &order.id, recorded, &event).await
        }
        Fact::Rejected { reason } => {
            let event = pb::OrderRejected::default()
                .with_order_id(order.id.as_str())
                .with_customer_id(order.customer_id.as_str())
                .with_reason(reason.as_str());
            record(work, &order.id, recorded, &event).await
        }
        Fact::Cancelled { reason } => {
            let event = pb::OrderCancelled::default()
                .with_order_id(order.id.as_str())
                .with_customer_id(order.customer_id.as_str())
                .with_reason(reason.as_str());
            record(work, &order.id, recorded, &event).await
        }
        Fact::Shipped => {
            let event = pb::OrderShipped::default()
                .with_order_id(order.id.as_str())
                .with_customer_id(order.customer_id.as_str());
            record(work, &order.id, recorded, &event).await
        }
    }
}

async fn record<E: Event>(
    work: &mut Work,
    id: &str,
    recorded: &Recorded,
    event: &E,
) -> Result<bool, StoreError> {
    let added = work
        .exec(
            "INSERT INTO order_event (order_id, revision, type, at_ms, data) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (order_id, revision) DO NOTHING",
            vals![id, recorded.revision, E::NAME, recorded.at_ms, event.encode_to_vec()],
        )
        .await?;
    if added == 1 {
        work.emit(event).await?;
    }
    Ok(added == 1)
}

/// The history of an order, oldest first; empty where there is none.
pub(crate) async fn of(queries: &mut impl Queries, id: &str) -> Result<Vec<Recorded>, StoreError> {
    let rows = queries
        .all(
            "SELECT revision, type, at_ms, data FROM order_event WHERE order_id = $1 ORDER BY revision",
            vals![id],
        )
        .await?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &Row) -> Result<Recorded, StoreError> {
    let (name, data): (String, Vec<u8>) = (row.get("type")?, row.get("data")?);
    Ok(Recorded { revision: row.get("revision")?, at_ms: row.get("at_ms")?, fact: decode(&name, &data)? })
}

fn decode(name: &str, data: &[u8]) -> Result<Fact, StoreError> {
    match name {
        pb::OrderPlaced::NAME => event::<pb::OrderPlaced>(data).map(|event| Fact::Placed {
            customer_id: event.customer_id,
            lines: event.lines.into_iter().map(convert::recorded_line).collect(),
        }),
        pb::OrderConfirmed::NAME => Ok(Fact::Confirmed),
        pb::OrderRejected::NAME => {
            event::<pb::OrderRejected>(data).map(|event| Fact::Rejected { reason: event.reason })
        }
        pb::OrderCancelled::NAME => {
            event::<pb::OrderCancelled>(data).map(|event| Fact::Cancelled { reason: event.reason })
        }
        pb::OrderShipped::NAME => Ok(Fact::Shipped),
        _ => Err(StoreError::decode("type", "is an event that this version does not know")),
    }
}

fn event<E: Event>(data: &[u8]) -> Result<E, StoreError> {
    E::decode(data).map_err(|_| StoreError::decode("data", "is not the event that its type says"))
}
