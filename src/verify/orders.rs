//! Every order ended, is the fold of its history, and has the stock and the money that its state calls for; and what is
//! held or was taken is an order's.

use std::collections::{BTreeMap, BTreeSet};

use freehold_sdk::orders::v1::{OrderPlaced, OrderState};
use freehold_store::vals;
use freehold_wire::Event;
use freehold_wire::prost::Message;

use crate::verify::databases::{Moment, ReadError, cell};
use crate::verify::finding::Findings;
use crate::verify::positions::Positions;

const CHECK: &str = "orders";
const ORDERS: &str = "orders";

struct Order {
    id: String,
    state: OrderState,
    total_cents: i64,
    /// The mark of its last event in the feed of orders.
    mark: i64,
    saga: Option<String>,
}

impl Order {
    fn subject(&self) -> String {
        format!("orders order {}", self.id)
    }
}

/// What became of orders elsewhere: the states of reservations and payments, by the order's id.
struct Effects {
    reservations: Option<BTreeMap<String, String>>,
    payments: Option<BTreeMap<String, String>>,
    amounts: BTreeMap<String, i64>,
}

/// Checks every order.
pub(crate) async fn check(
    moment: &mut Moment,
    positions: &Positions,
    findings: &mut Findings,
) -> Result<(), ReadError> {
    let effects = Effects {
        reservations: states(moment, "inventory", "SELECT id, state FROM reservation").await?,
        payments: states(moment, "payments", "SELECT id, state FROM payment").await?,
        amounts: amounts(moment).await?,
    };
    let orders = orders(moment, findings).await?;
    for order in &orders {
        history(moment, findings, order).await?;
        if order.state == OrderState::Placed {
            unfinished(findings, order);
        } else {
            ended(findings, order);
            effects.belong(findings, order, positions);
        }
    }
    if moment.has(ORDERS) {
        let ids: BTreeSet<&str> = orders.iter().map(|order| order.id.as_str()).collect();
        let (reservations, payments) =
            (effects.reservations.iter().flatten(), effects.payments.iter().flatten());
        nobodys(findings, "inventory reservation", reservations, &["HELD", "SHIPPED"], &ids);
        nobodys(findings, "payments payment", payments, &["AUTHORISED", "CAPTURED"], &ids);
    }
    Ok(())
}

impl Effects {
    /// Stock and money are where the order's state wants them; an event that has not arrived explains a difference.
    fn belong(&self, findings: &mut Findings, order: &Order, positions: &Positions) {
        let subject = order.subject();
        let late = |consumer| positions.of(consumer, ORDERS).is_some_and(|at| at < order.mark);
        if let Some(reservations) = &self.reservations {
            let state = reservations.get(&order.id).map(String::as_str);
            let allowed = reservation_states(order.state);
            belongs(findings, &subject, "its reservation", state, allowed, late("inventory"));
        }
        if let Some(payments) = &self.payments {
            let state = payments.get(&order.id).map(String::as_str);
            belongs(findings, &subject, "its payment", state, payment_states(order.state), late("payments"));
            if matches!(order.state, OrderState::Confirmed | OrderState::Shipped) {
                let paid = self.amounts.get(&order.id).copied().unwrap_or(0);
                findings.equal(CHECK, &subject, "what was paid", paid, order.total_cents);
            }
        }
    }
}

/// What is held, or was taken, is an order's: nobody else would ever give it back. What was given back, or never taken,
/// may be anybody's.
fn nobodys<'a>(
    findings: &mut Findings,
    what: &str,
    known: impl Iterator<Item = (&'a String, &'a String)>,
    held: &[&str],
    orders: &BTreeSet<&str>,
) {
    for (id, _) in known.filter(|(id, state)| held.contains(&state.as_str()) && !orders.contains(id.as_str()))
    {
        findings.violated(CHECK, format!("{what} {id}"), "is of no order".to_owned());
    }
}

/// The saga of an order ended as the order did.
fn ended(findings: &mut Findings, order: &Order) {
    let must_be = if order.state == OrderState::Rejected { "compensated" } else { "done" };
    findings.equal(CHECK, order.subject(), "the state of its saga", order.saga.as_deref(), Some(must_be));
}

/// A placed order is fine as long as its saga goes on.
fn unfinished(findings: &mut Findings, order: &Order) {
    let subject = order.subject();
    match order.saga.as_deref() {
        Some("running" | "compensating") => {
            findings.lags(CHECK, subject, "has not ended; its saga goes on when the mesh runs".to_owned());
        }
        saga => findings.violated(CHECK, subject, format!("has not ended, and its saga is {saga:?}")),
    }
}

fn belongs(
    findings: &mut Findings,
    subject: &str,
    what: &str,
    state: Option<&str>,
    allowed: &[Option<&str>],
    late: bool,
) {
    if allowed.contains(&state) {
        findings.compared();
    } else if late {
        findings.lags(CHECK, subject, format!("{what} is still {state:?}, its event has not arrived there"));
    } else {
        findings.violated(CHECK, subject, format!("{what} is {state:?}, must be one of {allowed:?}"));
    }
}

/// A rejected order left nothing held: nothing was made, or it was given back, or a mark refuses it for ever.
fn reservation_states(state: OrderState) -> &'static [Option<&'static str>] {
    match state {
        OrderState::Confirmed => &[Some("HELD")],
        OrderState::Shipped => &[Some("SHIPPED")],
        OrderState::Cancelled => &[Some("RELEASED")],
        _ => &[None, Some("RELEASED")],
    }
}

fn payment_states(state: OrderState) -> &'static [Option<&'static str>] {
    match state {
        OrderState::Confirmed | OrderState::Shipped => &[Some("CAPTURED")],
        OrderState::Cancelled => &[Some("REFUNDED")],
        _ => &[None, Some("VOIDED"), Some("REFUNDED")],
    }
}

async fn orders(moment: &mut Moment, findings: &mut Findings) -> Result<Vec<Order>, ReadError> {
    let sql = "SELECT o.id, o.state, o.total_cents, s.state AS saga,
                   (SELECT COALESCE(MAX(b.mark), 0) FROM freehold_event b
                    WHERE b.entity = 'orders.v1.Order' AND b.key = o.id) AS mark
               FROM shop_order o LEFT JOIN freehold_saga s ON s.id = o.id ORDER BY o.id";
    let mut orders = Vec::new();
    for row in moment.rows(ORDERS, sql, vals![]).await? {
        let id: String = cell(ORDERS, &row, "id")?;
        let number: i64 = cell(ORDERS, &row, "state")?;
        let Some(state) = i32::try_from(number).ok().and_then(|state| OrderState::try_from(state).ok())
        else {
            findings.violated(
                CHECK,
                format!("orders order {id}"),
                format!("has the state {number}, which is none"),
            );
            continue;
        };
        orders.push(Order {
            id,
            state,
            total_cents: cell(ORDERS, &row, "total_cents")?,
            mark: cell(ORDERS, &row, "mark")?,
            saga: cell(ORDERS, &row, "saga")?,
        });
    }
    Ok(orders)
}

/// The history is gapless from 1, begins with the placing and folds to the row.
async fn history(moment: &mut Moment, findings: &mut Findings, order: &Order) -> Result<(), ReadError> {
    let sql = "SELECT e.revision, e.type, e.data, o.revision AS last FROM order_event e
               JOIN shop_order o ON o.id = e.order_id WHERE e.order_id = $1 ORDER BY e.revision";
    let rows = moment.rows(ORDERS, sql, vals![order.id.as_str()]).await?;
    let subject = order.subject();
    let mut folded = None;
    for (row, revision) in rows.iter().zip(1i64..) {
        findings.equal(
            CHECK,
            &subject,
            "a revision of its history",
            cell(ORDERS, row, "revision")?,
            revision,
        );
        let name: String = cell(ORDERS, row, "type")?;
        folded = state_after(&name);
        if name == OrderPlaced::NAME {
            let placed =
                OrderPlaced::decode(cell::<Vec<u8>>(ORDERS, row, "data")?.as_slice()).unwrap_or_default();
            let lines: i64 = placed.lines.iter().map(|line| line.line_cents).sum();
            findings.equal(CHECK, &subject, "the total", order.total_cents, lines);
        }
    }
    findings.equal(CHECK, &subject, "the state", Some(order.state), folded);
    let last = rows.last().map(|row| cell::<i64>(ORDERS, row, "last")).transpose()?;
    findings.equal(CHECK, &subject, "the revision", last, i64::try_from(rows.len()).ok());
    Ok(())
}

fn state_after(event: &str) -> Option<OrderState> {
    match event.strip_prefix("orders.v1.")? {
        "OrderPlaced" => Some(OrderState::Placed),
        "OrderConfirmed" => Some(OrderState::Confirmed),
        "OrderRejected" => Some(OrderState::Rejected),
        "OrderCancelled" => Some(OrderState::Cancelled),
        "OrderShipped" => Some(OrderState::Shipped),
        _ => None,
    }
}

/// The states of what a service holds, by id; `None` where its database is not there.
async fn states(
    moment: &mut Moment,
    name: &'static str,
    sql: &'static str,
) -> Result<Option<BTreeMap<String, String>>, ReadError> {
    if !moment.has(name) {
        return Ok(None);
    }
    let rows = moment.rows(name, sql, vals![]).await?;
    rows.iter()
        .map(|row| Ok((cell(name, row, "id")?, cell(name, row, "state")?)))
        .collect::<Result<_, _>>()
        .map(Some)
}

async fn amounts(moment: &mut Moment) -> Result<BTreeMap<String, i64>, ReadError> {
    let rows = moment.rows("payments", "SELECT id, amount_cents FROM payment", vals![]).await?;
    rows.iter()
        .map(|row| Ok((cell("payments", row, "id")?, cell("payments", row, "amount_cents")?)))
        .collect()
}
