//! What the databases of the mesh hold, against each other and against what customers were told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use freehold_sdk::{CONTRACT, PORTS};
use freehold_server::databases::Databases;
use freehold_testkit::checker::{self, Rows, Told as Event};
use freehold_testkit::{PATIENCE, eventually};
use prost_reflect::DescriptorPool;

use super::shop::Told;
use crate::mesh::is_sound;

/// The copies that customers fill: whose, the table, its message, the owner, and of what.
const COPIES: [(&str, &str, &str, &str, &str); 4] = [
    ("notifications", "recipient_copy", "notifications.v1.RecipientCopy", "users", "users.v1.User"),
    ("orders", "product_copy", "orders.v1.ProductCopy", "catalog", "catalog.v1.Product"),
    ("orders", "customer_copy", "orders.v1.CustomerCopy", "users", "users.v1.User"),
    ("rides", "rider_copy", "rides.v1.RiderCopy", "users", "users.v1.User"),
];

/// Waits until nothing is under way, without anybody's help, and judges what is there.
pub(crate) async fn comes_right(folder: &Path, told: &Told) -> Books {
    let books = eventually("everything to come right", PATIENCE, async || {
        let books = Books::open(folder).await;
        books.are_idle().then_some(books)
    })
    .await;
    let wrong = books.wrong(told);
    assert!(wrong.is_empty(), "{wrong:#?}");
    is_sound(folder).await;
    println!("{} orders and {} deposits were told, all are there", told.orders.len(), told.deposits.len());
    books
}

/// The databases of a mesh, each as of one moment.
pub(crate) struct Books(BTreeMap<&'static str, Rows>);

impl Books {
    /// Copies all that there are of the folder `data` of `folder`, on whichever engine.
    pub(crate) async fn open(folder: &Path) -> Self {
        let databases = Databases::of(&folder.join("data")).unwrap();
        let mut books = BTreeMap::new();
        for (service, _) in PORTS {
            if let Some(rows) = Rows::copy_of(&databases.reader_url(service)).await
                && rows.has("freehold_outbox")
            {
                books.insert(*service, rows);
            }
        }
        Self(books)
    }

    /// Whether nothing is under way: every subscription is at its owner's head, nothing waits, every saga has ended.
    pub(crate) fn are_idle(&self) -> bool {
        let head = |owner: &str| {
            self.0.get(owner).map_or(0, |rows| rows.told().last().map_or(0, |event| event.mark))
        };
        self.0.values().all(|rows| {
            let has = |table, sql| rows.has(table) && rows.one::<i64>(sql) != Some(0);
            let positions = if rows.has("freehold_position") { rows.positions() } else { BTreeMap::new() };
            positions.values().all(|(owner, mark)| *mark >= head(owner))
                && !has("freehold_parked", "SELECT COUNT(*) FROM freehold_parked")
                && !has("freehold_saga", "SELECT COUNT(*) FROM freehold_saga WHERE ended_ms IS NULL")
        })
    }

    /// All that is wrong.
    pub(crate) fn wrong(&self, told: &Told) -> Vec<String> {
        let all = &self.0;
        let events: BTreeMap<&str, Vec<Event>> =
            all.iter().map(|(service, rows)| (*service, rows.told())).collect();
        let mut wrong = Vec::new();
        for (service, rows) in all {
            wrong.extend(named(service, checker::owner(&events[service], &rows.standing(), 0)));
            if rows.has("freehold_position") {
                wrong.extend(named(service, subscriptions(rows, &events)));
            }
        }
        let pool = DescriptorPool::decode(CONTRACT.descriptors).unwrap();
        for (consumer, table, message, owner, of) in COPIES {
            let shape = pool.get_message_by_name(message).unwrap();
            let told = events[owner].iter().filter(|event| event.stream.0 == of);
            let told: Vec<Event> = told.cloned().collect();
            wrong.extend(named(consumer, checker::copies(&all[consumer], table, "id", &shape, &told)));
        }
        wrong.extend(orders(&all["orders"], told));
        wrong.extend(named("catalog", prices(&events["catalog"], told)));
        wrong.extend(named("payments", money(&all["payments"], told)));
        wrong.extend(named("inventory", stock(&all["inventory"])));
        wrong.extend(named("notifications", mails(&all["notifications"], &events["orders"])));
        wrong
    }

    /// What was decided so often in a service's subscriptions.
    pub(crate) fn decided(&self, service: &str, action: &str) -> i64 {
        let sql = format!("SELECT COUNT(*) FROM freehold_parked_log WHERE action = '{action}'");
        self.0[service].one(&sql).unwrap()
    }

    /// How many dead letters there ever were.
    pub(crate) fn dead_letters(&self) -> i64 {
        let had = |rows: &&Rows| rows.has("freehold_parked_log");
        let dead = "SELECT COUNT(*) FROM freehold_parked_log WHERE action = 'dead'";
        self.0.values().filter(had).map(|rows| rows.one::<i64>(dead).unwrap_or(0)).sum()
    }

    /// Asserts that each of [`DAMAGES`] is seen.
    pub(crate) fn each_damage_is_seen(&self, told: &Told) {
        let mut seen = self.wrong(told);
        for (bug, service, sql) in DAMAGES {
            self.0[service].change(sql);
            let now = self.wrong(told);
            assert!(now.len() > seen.len(), "{bug} was not seen: {now:#?}");
            seen = now;
        }
    }
}

fn named(service: &str, wrong: Vec<String>) -> impl Iterator<Item = String> {
    wrong.into_iter().map(move |wrong| format!("{service}: {wrong}"))
}

fn subscriptions(rows: &Rows, events: &BTreeMap<&str, Vec<Event>>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (subscription, (owner, position)) in rows.positions() {
        if subscription.contains("/replica/") {
            continue;
        }
        let taken = rows.taken(&subscription);
        let entities: BTreeSet<&String> = taken.keys().map(|stream| &stream.0).collect();
        let (parked, decided) = (rows.parked(&subscription), rows.decided(&subscription));
        let asked = |event: &Event| entities.contains(&event.stream.0);
        let told = &events[owner.as_str()];
        wrong.extend(checker::subscription(told, position, &taken, &parked, &decided, asked));
    }
    wrong
}

/// Every order that was answered for is there, in the state that was told last.
fn orders(rows: &Rows, told: &Told) -> Vec<String> {
    let there = rows.all("SELECT id, state FROM shop_order", |row| Ok((row.get(0)?, row.get(1)?)));
    let there: BTreeMap<String, i32> = there.into_iter().collect();
    let differs = |(id, state): (&String, &i32)| {
        let is = there.get(id);
        (is != Some(state)).then(|| format!("orders: {id} is {is:?}, and {state} was told"))
    };
    told.orders.iter().filter_map(differs).collect()
}

/// Every price was changed once, however often it was asked for.
fn prices(events: &[Event], told: &Told) -> Vec<String> {
    let differs = |(product, changes): (&String, &i64)| {
        let changed = |event: &&Event| event.kind == "catalog.v1.PriceChanged" && event.stream.1 == *product;
        let events = events.iter().filter(changed).count() as i64;
        (events != *changes)
            .then(|| format!("{product} changed its price {events} times, and {changes} were told"))
    };
    told.prices.iter().filter_map(differs).collect()
}

/// Every deposit is there once, and no cent came or went.
fn money(rows: &Rows, told: &Told) -> Vec<String> {
    let mut wrong = Vec::new();
    let deposits = rows.all("SELECT id, amount_cents FROM deposit", |row| Ok((row.get(0)?, row.get(1)?)));
    let deposits: BTreeMap<String, i64> = deposits.into_iter().collect();
    if deposits != told.deposits {
        wrong.push(format!("{} deposits are there, and {} were told", deposits.len(), told.deposits.len()));
    }
    let uneven = rows.all(
        "SELECT movement FROM ledger_entry GROUP BY movement HAVING SUM(amount_cents) <> 0 OR COUNT(*) <> 2",
        |row| row.get::<_, String>(0),
    );
    wrong.extend(uneven.into_iter().map(|movement| format!("the movement {movement} is not even")));
    let paid = "SELECT COALESCE(SUM(amount_cents), 0) FROM payment WHERE state = 'CAPTURED'";
    let left = "SELECT COALESCE(SUM(balance_cents), 0) FROM account";
    let (paid, left): (i64, i64) = (rows.one(paid).unwrap(), rows.one(left).unwrap());
    let came: i64 = told.deposits.values().sum();
    if paid + left != came {
        wrong.push(format!("{came} cents came, {paid} were paid and {left} are left"));
    }
    wrong
}

/// What lies on the shelf is what came less what was shipped, and nobody holds anything any more.
fn stock(rows: &Rows) -> Vec<String> {
    let sql = "SELECT product_id, on_hand_units, reserved_units, \
               (SELECT COALESCE(SUM(units), 0) FROM delivery d WHERE d.product_id = s.product_id) - \
               (SELECT COALESCE(SUM(units), 0) FROM reservation_line l JOIN reservation r ON r.id = l.reservation_id \
                WHERE l.product_id = s.product_id AND r.state = 'SHIPPED'), \
               (SELECT COALESCE(SUM(units), 0) FROM reservation_line l JOIN reservation r ON r.id = l.reservation_id \
                WHERE l.product_id = s.product_id AND r.state = 'HELD') FROM stock s";
    let rows = rows.all(sql, |row| {
        Ok((row.get::<_, String>(0)?, [row.get(1)?, row.get(2)?, row.get(3)?, row.get::<_, i64>(4)?]))
    });
    let uneven = rows.into_iter().filter(|(_, [there, held, left, holds])| there != left || held != holds);
    uneven.map(|(product, sums)| format!("{product} is not even: {sums:?}")).collect()
}

/// A mail for each event that customers are told of, and none twice.
fn mails(rows: &Rows, events: &[Event]) -> Vec<String> {
    let mails = rows.all("SELECT order_id, COUNT(*) FROM mail GROUP BY order_id", |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
    });
    let mails: BTreeMap<String, i64> = mails.into_iter().collect();
    let mut wanted = BTreeMap::<String, i64>::new();
    for event in events {
        let ends = ["OrderConfirmed", "OrderRejected", "OrderCancelled", "OrderShipped"];
        if ends.iter().any(|end| event.kind.ends_with(end)) {
            *wanted.entry(event.stream.1.clone()).or_default() += 1;
        }
    }
    let differs = |(order, count): (&String, &i64)| {
        let is = mails.get(order).copied().unwrap_or(0);
        (is != *count).then(|| format!("{order} has {is} mails, and {count} events have one"))
    };
    wanted.iter().filter_map(differs).collect()
}

/// What each kind of bug would leave behind, planted into what is sound.
const DAMAGES: [(&str, &str, &str); 10] = [
    ("an order is lost", "orders", "DELETE FROM shop_order WHERE id = (SELECT MIN(id) FROM shop_order)"),
    ("a deposit is lost", "payments", "DELETE FROM deposit WHERE id = (SELECT MIN(id) FROM deposit)"),
    (
        "a cent is made up",
        "payments",
        "UPDATE account SET balance_cents = balance_cents + 1 WHERE customer_id = 'C0'",
    ),
    (
        "half a movement is lost",
        "payments",
        "DELETE FROM ledger_entry WHERE id = (SELECT MIN(id) FROM ledger_entry)",
    ),
    (
        "a unit is lost",
        "inventory",
        "UPDATE stock SET on_hand_units = on_hand_units - 1 WHERE product_id = 'P0'",
    ),
    ("a mail is lost", "notifications", "DELETE FROM mail WHERE number = (SELECT MIN(number) FROM mail)"),
    ("an effect is forgotten", "notifications", "UPDATE freehold_inbox SET version = version - 1"),
    (
        "a copy is ahead of its owner",
        "orders",
        "UPDATE product_copy SET freehold_version = 9999 WHERE id = 'P0'",
    ),
    ("a copy is of no version", "orders", "UPDATE product_copy SET name = 'Other' WHERE id = 'P1'"),
    (
        "an event is lost",
        "users",
        "DELETE FROM freehold_outbox WHERE mark = (SELECT MAX(mark) FROM freehold_outbox)",
    ),
];
