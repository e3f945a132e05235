//! Whether the books balance: what the tables say of each product must agree, and so must what the mesh was told.

use freehold_store::{Queries, Row, entity, vals};
use freehold_wire::Entity;

use super::*;
use crate::convert;
use crate::store::{reservations, stocks};

/// What all tables say of one product.
const OF_PRODUCTS: &str = "
    SELECT product_id, on_hand_units, reserved_units,
        (SELECT CAST(coalesce(sum(units), 0) AS BIGINT) FROM delivery
            WHERE delivery.product_id = stock.product_id) AS received,
        (SELECT CAST(coalesce(sum(units), 0) AS BIGINT) FROM reservation_line
            JOIN reservation ON id = reservation_id
            WHERE reservation_line.product_id = stock.product_id AND state = 'HELD') AS held,
        (SELECT CAST(coalesce(sum(units), 0) AS BIGINT) FROM reservation_line
            JOIN reservation ON id = reservation_id
            WHERE reservation_line.product_id = stock.product_id AND state = 'SHIPPED') AS shipped
    FROM stock";

/// Everything that is wrong.
pub(super) async fn mistakes(bench: &Bench) -> Vec<String> {
    let mut read = bench.store.read().await.unwrap();
    let products = read.all(OF_PRODUCTS, vals![]).await.unwrap();
    let mut mistakes: Vec<String> = products.iter().flat_map(mistakes_of_product).collect();
    for (product, told) in told::<pb::Stock>(&mut read).await {
        let kept = stocks::find(&mut read, &product).await.unwrap();
        if kept.as_ref().map(convert::stock).as_ref() != Some(&told) {
            mistakes.push(format!("stock {product}: told {told:?}, kept {kept:?}"));
        }
    }
    for (id, told) in told::<pb::Reservation>(&mut read).await {
        let kept = reservations::find(&mut read, &id).await.unwrap();
        if kept.as_ref().map(convert::reservation).as_ref() != Some(&told) {
            mistakes.push(format!("reservation {id}: told {told:?}, kept {kept:?}"));
        }
    }
    mistakes
}

fn mistakes_of_product(row: &Row) -> Vec<String> {
    let product: String = row.get("product_id").unwrap();
    let units = |column: &str| row.get::<i64>(column).unwrap();
    let (on_hand, reserved) = (units("on_hand_units"), units("reserved_units"));
    let (received, held, shipped) = (units("received"), units("held"), units("shipped"));
    let mut mistakes = Vec::new();
    if on_hand + shipped != received {
        mistakes.push(format!("{product}: {on_hand} on hand and {shipped} shipped, {received} received"));
    }
    if reserved != held {
        mistakes.push(format!("{product}: {reserved} reserved, {held} held"));
    }
    if reserved < 0 || reserved > on_hand {
        mistakes.push(format!("{product}: {reserved} reserved of {on_hand}"));
    }
    mistakes
}

/// What the mesh was told last of each entity of a type, by key.
async fn told<T: Entity>(queries: &mut impl Queries) -> Vec<(String, T)> {
    let records = entity::chunk(queries, T::NAME, "", 1000).await.unwrap();
    let decode = |record: entity::Record| (record.key, T::decode(&*record.data.unwrap()).unwrap());
    records.into_iter().map(decode).collect()
}
