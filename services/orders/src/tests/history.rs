//! Whether everything that is kept of an order is the fold of its history: its rows, what the mesh was told of it, and the
//! events that went out.

use freehold_store::{Constraint, Row, entity};
use freehold_wire::{Entity, Event};
use prost::Message;

use super::*;
use crate::convert;
use crate::order::Order;
use crate::store::history;

/// Everything that is wrong.
pub(super) async fn mistakes(bench: &Bench) -> Vec<String> {
    let mut read = bench.store.read().await.unwrap();
    let rows = read.all("SELECT * FROM shop_order ORDER BY id", vals![]).await.unwrap();
    let told = entity::chunk(&mut read, pb::Order::NAME, "", 1000).await.unwrap();
    let mut mistakes = Vec::new();
    if told.len() != rows.len() {
        mistakes.push(format!("{} orders are kept, {} told", rows.len(), told.len()));
    }
    for (row, told) in rows.iter().zip(told) {
        let kept = kept(&mut read, row).await;
        let history = history::of(&mut read, &kept.id).await.unwrap();
        let folded = Order::fold(&kept.id, &history).map(|order| convert::entity(&order));
        let told = pb::Order::decode(&*told.data.unwrap()).unwrap();
        for (what, order) in [("kept", &kept), ("told", &told)] {
            if folded.as_ref() != Some(order) {
                mistakes.push(format!("{}: {what} {order:?}, folded {folded:?}", kept.id));
            }
        }
    }
    mistakes.extend(untold(bench).await);
    mistakes
}

/// The order as its rows have it.
async fn kept(queries: &mut impl Queries, row: &Row) -> pb::Order {
    let id: String = row.get("id").unwrap();
    let sql = "SELECT * FROM order_line WHERE order_id = $1 ORDER BY ordinal";
    let lines = queries.all(sql, vals![id.as_str()]).await.unwrap();
    pb::Order::default()
        .with_id(id)
        .with_customer_id(row.get::<String>("customer_id").unwrap())
        .with_state(i32::try_from(row.get::<i64>("state").unwrap()).unwrap())
        .with_lines(lines.iter().map(kept_line))
        .with_total_cents(row.get("total_cents").unwrap())
        .with_reason(row.get::<String>("reason").unwrap())
        .with_placed_ms(row.get("placed_ms").unwrap())
        .with_revision(row.get("revision").unwrap())
}

fn kept_line(row: &Row) -> pb::OrderLine {
    let discount: i64 = row.get("discount_basis_points").unwrap();
    pb::OrderLine::default()
        .with_product_id(row.get::<String>("product_id").unwrap())
        .with_product_name(row.get::<String>("product_name").unwrap())
        .with_catalog_cents(row.get("catalog_cents").unwrap())
        .with_unit_cents(row.get("unit_cents").unwrap())
        .with_units(row.get("units").unwrap())
        .with_discount_basis_points(i32::try_from(discount).unwrap())
        .with_line_cents(row.get("line_cents").unwrap())
        .with_product_version(row.get("product_version").unwrap())
}

/// Where the history is not what went out: each event, once, in its order.
async fn untold(bench: &Bench) -> Vec<String> {
    let sql = "SELECT order_id, type, data FROM order_event ORDER BY order_id, revision";
    let rows = bench.store.read().await.unwrap().all(sql, vals![]).await.unwrap();
    let recorded = rows.iter().map(|row| -> (String, String, Vec<u8>) {
        (row.get("order_id").unwrap(), row.get("type").unwrap(), row.get("data").unwrap())
    });
    let events = bench.events().await.into_iter().filter(|event| event.r#type != pb::Order::NAME);
    let mut told: Vec<_> = events.map(|event| (event.subject, event.r#type, event.data.unwrap())).collect();
    // Stable: what went out of one order stays in its order.
    told.sort_by(|a, b| a.0.cmp(&b.0));
    let recorded: Vec<_> = recorded.collect();
    if recorded == told { Vec::new() } else { vec![format!("recorded {recorded:?}, told {told:?}")] }
}

#[tokio::test]
async fn what_is_kept_and_told_of_an_order_is_the_fold_of_its_history() {
    on_each_engine(async |bench| {
        for id in ["confirmed", "cancelled", "shipped", "rejected"] {
            if id == "rejected" {
                bench.world.others.refuse("authorise", "INSUFFICIENT_FUNDS");
            }
            bench.place(wanted(id)).await.unwrap();
        }
        bench.cancel("cancelled").await.unwrap();
        bench.ship("shipped").await.unwrap();
        assert_eq!(mistakes(bench).await, Vec::<String>::new());
        let confirmed =
            bench.events().await.into_iter().find(|event| event.r#type == pb::OrderConfirmed::NAME);
        let confirmed = pb::OrderConfirmed::decode(&*confirmed.unwrap().data.unwrap()).unwrap();
        assert_eq!((confirmed.customer_id.as_str(), confirmed.total_cents), ("VINET", 39_200));
    })
    .await;
}

/// The planted bugs: rows that say more than the history, and a history that says more than was told.
#[tokio::test]
async fn what_is_no_fold_of_its_history_is_found_out() {
    for falsification in [
        "UPDATE shop_order SET state = 5",
        "UPDATE shop_order SET total_cents = total_cents + 1",
        "UPDATE order_line SET units = units + 1",
        "DELETE FROM order_line WHERE ordinal = 1",
        "INSERT INTO order_event (order_id, revision, type, at_ms, data)
         SELECT order_id, 3, 'orders.v1.OrderShipped', at_ms, data FROM order_event WHERE revision = 2",
    ] {
        on_each_engine(async |bench| {
            bench.place(wanted("10248")).await.unwrap();
            assert_eq!(mistakes(bench).await, Vec::<String>::new());
            bench.execute(falsification).await.unwrap();
            assert_ne!(mistakes(bench).await, Vec::<String>::new(), "{falsification}");
        })
        .await;
    }
}

#[tokio::test]
async fn an_event_of_an_order_is_never_changed_or_removed() {
    on_each_engine(async |bench| {
        bench.place(wanted("10248")).await.unwrap();
        for sql in ["UPDATE order_event SET at_ms = 1", "DELETE FROM order_event WHERE revision = 2"] {
            let refused = bench.execute(sql).await.unwrap_err();
            let StoreError::Constraint { kind, .. } = &refused else { panic!("{refused:?}") };
            assert_eq!(*kind, Constraint::Other);
        }
        assert_eq!(mistakes(bench).await, Vec::<String>::new());
    })
    .await;
}
