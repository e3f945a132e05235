//! Every event took effect once at each consumer that declared a view of it.
//!
//! An event up to a subscription's position is either in the inbox, up to its key's version, or parked; and what it had
//! to bring about is there: a mail for each event that a customer is told about, and no mail without one.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use freehold_contract::Model;
use freehold_sdk::CONTRACT;
use freehold_store::vals;

use crate::verify::databases::{Moment, ReadError, cell};
use crate::verify::finding::Findings;
use crate::verify::positions::{Position, Positions};

const CHECK: &str = "events";

/// Checks every subscription that has views.
pub(crate) async fn check(
    moment: &mut Moment,
    model: &Model,
    positions: &Positions,
    findings: &mut Findings,
) -> Result<(), ReadError> {
    for position in &positions.0 {
        parked(moment, findings, position).await?;
        if moment.has(&position.owner) {
            standing(moment, findings, position).await?;
            inbox(moment, model, findings, position).await?;
        }
    }
    mails(moment, positions, findings).await
}

/// Parked keys are no violation by themselves, and never quiet.
async fn parked(moment: &mut Moment, findings: &mut Findings, position: &Position) -> Result<(), ReadError> {
    let sql = "SELECT key, state, COUNT(*) AS events, MAX(reason) AS reason FROM freehold_parked
               WHERE subscription = $1 GROUP BY key, state ORDER BY key";
    let rows = moment.rows(position.consumer, sql, vals![position.subscription.as_str()]).await?;
    for row in rows {
        let key: String = cell(position.consumer, &row, "key")?;
        let (state, reason): (String, String) =
            (cell(position.consumer, &row, "state")?, cell(position.consumer, &row, "reason")?);
        let events: i64 = cell(position.consumer, &row, "events")?;
        let problem = format!("{events} events are parked ({state}): {reason}");
        findings.lags(CHECK, format!("{} {key}", position.subscription), problem);
    }
    Ok(())
}

/// A subscription has read some of what its owner has emitted, and never more.
async fn standing(
    moment: &mut Moment,
    findings: &mut Findings,
    position: &Position,
) -> Result<(), ReadError> {
    let owner = CONTRACT.owner(&position.owner).map_or("", |owner| owner.name);
    // Asked of what numbers the events: the last one need not be kept.
    let sql = "SELECT mark AS head FROM freehold_head";
    for row in moment.rows(owner, sql, vals![]).await? {
        let head: i64 = cell(owner, &row, "head")?;
        let problem = format!("has read up to {}, its owner's last event is {head}", position.mark);
        match position.mark.cmp(&head) {
            Ordering::Less => findings.lags(CHECK, &position.subscription, problem),
            Ordering::Equal => findings.compared(),
            Ordering::Greater => findings.violated(CHECK, &position.subscription, problem),
        }
    }
    Ok(())
}

/// The entities of whose streams a subscription reads views; none where it fills a copy.
fn viewed<'a>(model: &'a Model, position: &Position) -> BTreeSet<&'a str> {
    let consumer = model.consumers.iter().find(|consumer| consumer.name == position.consumer);
    let views = consumer.filter(|_| reacts(&position.subscription)).map(|consumer| &consumer.views);
    views
        .into_iter()
        .flatten()
        .filter(|view| view.owner == position.owner)
        .map(|view| &*view.entity)
        .collect()
}

/// Whether the subscription has an inbox: that of reactions, or of a generation of a view that is built from events.
fn reacts(subscription: &str) -> bool {
    let mut parts = subscription.split('/').skip(1);
    let (purpose, last) = (parts.next(), parts.next());
    last.is_some_and(|last| purpose == Some("views") || last.parse::<i64>().is_ok())
}

/// Per key, the inbox is as far as the owner's events up to the position, or as far as the first parked one.
async fn inbox(
    moment: &mut Moment,
    model: &Model,
    findings: &mut Findings,
    position: &Position,
) -> Result<(), ReadError> {
    let entities = viewed(model, position);
    let owner = CONTRACT.owner(&position.owner).map_or("", |owner| owner.name);
    let emitted = "SELECT entity, key, MAX(version) AS version FROM freehold_event
                   WHERE mark <= $1 GROUP BY entity, key";
    let emitted = moment.rows(owner, emitted, vals![position.mark]).await?;
    let subscription = position.subscription.as_str();
    let seen = "SELECT i.entity, i.key, i.version, (SELECT COUNT(*) FROM freehold_parked p
                    WHERE p.subscription = i.subscription AND p.entity = i.entity AND p.key = i.key) AS parked
                FROM freehold_inbox i WHERE i.subscription = $1";
    let mut high = BTreeMap::new();
    for row in moment.rows(position.consumer, seen, vals![subscription]).await? {
        let entity: String = cell(position.consumer, &row, "entity")?;
        let key: String = cell(position.consumer, &row, "key")?;
        let version: i64 = cell(position.consumer, &row, "version")?;
        let parked: i64 = cell(position.consumer, &row, "parked")?;
        high.insert((entity, key), (version, parked));
    }
    for row in emitted {
        let entity: String = cell(owner, &row, "entity")?;
        if !entities.contains(entity.as_str()) {
            continue;
        }
        let key: String = cell(owner, &row, "key")?;
        let version: i64 = cell(owner, &row, "version")?;
        let subject = format!("{subscription} {key}");
        let (seen, parked) = high.remove(&(entity, key)).unwrap_or((0, 0));
        if parked == 0 {
            findings.equal(CHECK, subject, "the version that took effect", seen, version);
        }
    }
    Ok(())
}

const TOLD: [&str; 4] = [
    "orders.v1.OrderConfirmed",
    "orders.v1.OrderRejected",
    "orders.v1.OrderCancelled",
    "orders.v1.OrderShipped",
];

/// One mail per event that a customer is told about, by the event's id.
async fn mails(moment: &mut Moment, positions: &Positions, findings: &mut Findings) -> Result<(), ReadError> {
    let Some(mark) = positions.of("notifications", "orders") else { return Ok(()) };
    if !moment.has("orders") {
        return Ok(());
    }
    let sql = "SELECT id, customer_id, order_id FROM mail";
    let mut mails: BTreeMap<String, String> = BTreeMap::new();
    for row in moment.rows("notifications", sql, vals![]).await? {
        mails.insert(cell("notifications", &row, "id")?, cell("notifications", &row, "order_id")?);
    }
    let parked = parked_keys(moment).await?;
    let sql = "SELECT id, key, mark, type FROM freehold_event WHERE type IN ($1, $2, $3, $4) ORDER BY mark";
    for row in moment.rows("orders", sql, TOLD.map(Into::into).to_vec()).await? {
        let (id, order): (String, String) = (cell("orders", &row, "id")?, cell("orders", &row, "key")?);
        let at: i64 = cell("orders", &row, "mark")?;
        let subject = format!("notifications mail {id}");
        match mails.remove(&id) {
            Some(about) => findings.equal(CHECK, subject, "the order that it is about", about, order),
            None if at > mark || parked.contains(&order) => {
                findings.lags(CHECK, subject, format!("is not written yet, for order {order}"));
            }
            None => findings.violated(CHECK, subject, format!("is missing, for order {order}")),
        }
    }
    if !moment.keeps_all("orders").await? {
        return pending(moment, findings).await;
    }
    for (id, order) in mails {
        findings.violated(
            CHECK,
            format!("notifications mail {id}"),
            format!("is of no event, for order {order}"),
        );
    }
    pending(moment, findings).await
}

async fn parked_keys(moment: &mut Moment) -> Result<BTreeSet<String>, ReadError> {
    let sql = "SELECT DISTINCT key FROM freehold_parked WHERE entity = 'orders.v1.Order'";
    let rows = moment.rows("notifications", sql, vals![]).await?;
    rows.iter().map(|row| cell("notifications", row, "key")).collect()
}

async fn pending(moment: &mut Moment, findings: &mut Findings) -> Result<(), ReadError> {
    let sql = "SELECT COUNT(*) AS mails FROM mail WHERE state = 1";
    for row in moment.rows("notifications", sql, vals![]).await? {
        let mails: i64 = cell("notifications", &row, "mails")?;
        if mails > 0 {
            findings.lags(CHECK, "notifications mails", format!("{mails} are not sent yet"));
        }
    }
    Ok(())
}
