//! Whether the books balance: the ledger in itself, the accounts with the ledger, the payments with both, and what the
//! mesh was told with what is kept.

use freehold_store::{Queries, Row, entity, vals};
use freehold_wire::Entity;

use super::*;
use crate::convert;
use crate::store::{accounts, payments};

/// What the accounts and the ledger say of one customer.
const OF_CUSTOMERS: &str = "
    SELECT customer_id, balance_cents, held_cents,
        (SELECT CAST(coalesce(sum(amount_cents), 0) AS BIGINT) FROM ledger_entry
            WHERE ledger_entry.account = 'customer:' || customer_id) AS spendable,
        (SELECT CAST(coalesce(sum(amount_cents), 0) AS BIGINT) FROM ledger_entry
            WHERE ledger_entry.account = 'held:' || customer_id) AS held,
        (SELECT CAST(coalesce(sum(amount_cents), 0) AS BIGINT) FROM payment
            WHERE payment.customer_id = account.customer_id AND state = 'AUTHORISED') AS authorised
    FROM account";

/// What the ledger and the payments say of us.
const OF_US: &str = "
    SELECT (SELECT CAST(coalesce(sum(amount_cents), 0) AS BIGINT) FROM ledger_entry) AS ledger,
        (SELECT CAST(coalesce(sum(amount_cents), 0) AS BIGINT) FROM ledger_entry
            WHERE account = 'house') AS house,
        (SELECT CAST(coalesce(sum(amount_cents), 0) AS BIGINT) FROM payment
            WHERE state = 'CAPTURED') AS captured";

/// Movements that are not one debit and one credit.
const LOPSIDED: &str = "
    SELECT movement FROM ledger_entry GROUP BY movement HAVING count(*) <> 2 OR sum(amount_cents) <> 0";

/// Everything that is wrong.
pub(super) async fn mistakes(bench: &Bench) -> Vec<String> {
    let mut read = bench.store.read().await.unwrap();
    let us = read.one(OF_US, vals![]).await.unwrap().unwrap();
    let mut mistakes = mistakes_of_ours(&us);
    for row in read.all(LOPSIDED, vals![]).await.unwrap() {
        mistakes.push(format!("{} is lopsided", row.get::<String>("movement").unwrap()));
    }
    for row in read.all(OF_CUSTOMERS, vals![]).await.unwrap() {
        mistakes.extend(mistakes_of_customer(&row));
    }
    for (customer, told) in told::<pb::Account>(&mut read).await {
        let kept = accounts::find(&mut read, &customer).await.unwrap();
        if kept.as_ref().map(convert::account).as_ref() != Some(&told) {
            mistakes.push(format!("account {customer}: told {told:?}, kept {kept:?}"));
        }
    }
    for (id, told) in told::<pb::Payment>(&mut read).await {
        let kept = payments::find(&mut read, &id).await.unwrap();
        if kept.as_ref().map(convert::payment).as_ref() != Some(&told) {
            mistakes.push(format!("payment {id}: told {told:?}, kept {kept:?}"));
        }
    }
    mistakes
}

fn mistakes_of_ours(row: &Row) -> Vec<String> {
    let cents = |column: &str| row.get::<i64>(column).unwrap();
    let (ledger, house, captured) = (cents("ledger"), cents("house"), cents("captured"));
    let mut mistakes = Vec::new();
    if ledger != 0 {
        mistakes.push(format!("the ledger sums to {ledger}"));
    }
    if house != captured {
        mistakes.push(format!("the house has {house}, {captured} were captured"));
    }
    mistakes
}

fn mistakes_of_customer(row: &Row) -> Vec<String> {
    let customer: String = row.get("customer_id").unwrap();
    let cents = |column: &str| row.get::<i64>(column).unwrap();
    let (balance, held_cents) = (cents("balance_cents"), cents("held_cents"));
    let (spendable, held, authorised) = (cents("spendable"), cents("held"), cents("authorised"));
    let mut mistakes = Vec::new();
    if balance != spendable + held {
        mistakes.push(format!("{customer}: a balance of {balance}, {spendable} and {held} in the ledger"));
    }
    if held_cents != held || held_cents != authorised {
        mistakes
            .push(format!("{customer}: {held_cents} held, {held} in the ledger, {authorised} authorised"));
    }
    if spendable < 0 || held < 0 {
        mistakes.push(format!("{customer}: {spendable} can be spent, {held} are held"));
    }
    mistakes
}

/// What the mesh was told last of each entity of a type, by key.
async fn told<T: Entity>(queries: &mut impl Queries) -> Vec<(String, T)> {
    let records = entity::chunk(queries, T::NAME, "", 1000).await.unwrap();
    let decode = |record: entity::Record| (record.key, T::decode(&*record.data.unwrap()).unwrap());
    records.into_iter().map(decode).collect()
}
