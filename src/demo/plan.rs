//! The plan of a run: what is loaded first, which orders are placed, and what happens while they are. Pure.
//!
//! The same seed makes the same plan with the same ids, so a run that is repeated resumes and adds nothing. Customers,
//! products and accounts are the same for every seed; orders, deliveries, deposits and price changes are a seed's own.

use std::collections::BTreeMap;

use crate::demo::northwind::{Customer, Northwind, Order, Product};

/// How often, over a run, goods arrive.
const DELIVERIES: u32 = 10;
/// How much of what is asked for in all arrives on the way, in percent.
const RESTOCKED_PERCENT: i64 = 70;
/// How much of what a customer's orders cost is on the account, in percent; so payments refuse too.
const COVERED_PERCENT: i64 = 80;
/// How often, over a run, prices change; how many get dearer each time, and by how much, in percent.
const REPRICINGS: u32 = 40;
const DEARER: usize = 5;
const DEARER_PERCENT: i64 = 20;

/// A run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) customers: Vec<Customer>,
    pub(crate) products: Vec<Product>,
    /// What each customer's account is given for this run, in cents.
    pub(crate) deposits: BTreeMap<String, i64>,
    /// The orders under this run's own ids, in the order of placing.
    pub(crate) orders: Vec<Order>,
    /// What happens on the way, by the number of orders that have been begun by then.
    pub(crate) turns: BTreeMap<usize, Vec<Turn>>,
    /// The products whose sale ends when half the orders have been begun.
    pub(crate) discontinued: Vec<String>,
}

/// Something that happens while orders are placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Goods arrive.
    Deliver { product_id: String, units: i64 },
    /// A price changes, in cents.
    Reprice { product_id: String, cents: i64 },
}

/// What becomes of a confirmed order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is shipped.
    Ship,
    /// It is cancelled.
    Cancel,
    /// It stays as it is.
    Keep,
}

impl Plan {
    /// The plan of a run with the first `orders` orders.
    pub(crate) fn new(northwind: &Northwind, seed: u64, orders: usize) -> Self {
        let source = &northwind.orders[..orders.min(northwind.orders.len())];
        Self {
            seed,
            customers: northwind.customers.clone(),
            products: northwind.products.clone(),
            deposits: deposits(source),
            orders: source
                .iter()
                .map(|order| Order { id: order_id(seed, &order.id), ..order.clone() })
                .collect(),
            turns: turns(&northwind.products, source, seed),
            discontinued: discontinued(&northwind.products),
        }
    }

    /// Whether the order at that place comes after the sale of some products has ended.
    pub(crate) fn is_second_half(&self, place: usize) -> bool {
        place >= self.orders.len() / 2
    }

    /// What begins the ids of this run's orders and mails.
    pub(crate) fn prefix(&self) -> String {
        format!("s{}-", self.seed)
    }

    /// The idempotency key of something that is done once in this run.
    pub(crate) fn key(&self, what: &str) -> String {
        format!("demo-{}-{what}", self.seed)
    }

    /// What becomes of the order at that place, if it is confirmed.
    pub(crate) fn fate(&self, place: usize) -> Fate {
        match place % 10 {
            0 | 3 | 6 => Fate::Ship,
            9 => Fate::Cancel,
            _ => Fate::Keep,
        }
    }
}

fn order_id(seed: u64, id: &str) -> String {
    format!("s{seed}-{id}")
}

fn deposits(orders: &[Order]) -> BTreeMap<String, i64> {
    let mut costs: BTreeMap<String, i64> = BTreeMap::new();
    for order in orders {
        *costs.entry(order.customer_id.clone()).or_default() +=
            order.lines.iter().map(super::northwind::Line::cents).sum::<i64>();
    }
    costs.into_iter().map(|(customer, cents)| (customer, cents * COVERED_PERCENT / 100)).collect()
}

fn turns(products: &[Product], orders: &[Order], seed: u64) -> BTreeMap<usize, Vec<Turn>> {
    let mut turns: BTreeMap<usize, Vec<Turn>> = BTreeMap::new();
    let demand = demand(orders);
    for at in spread(orders.len(), DELIVERIES) {
        turns.entry(at).or_default().extend(deliveries(products, &demand));
    }
    for (round, at) in spread(orders.len(), REPRICINGS).enumerate() {
        turns.entry(at).or_default().extend(repricings(products, seed, round));
    }
    turns
}

fn discontinued(products: &[Product]) -> Vec<String> {
    products.iter().filter(|product| product.discontinued).map(|product| product.id.clone()).collect()
}

/// The places between which a run falls into so many equal parts.
fn spread(orders: usize, parts: u32) -> impl Iterator<Item = usize> {
    (1..parts as usize).map(move |part| orders * part / parts as usize)
}

fn demand(orders: &[Order]) -> BTreeMap<&str, i64> {
    let mut demand = BTreeMap::new();
    for line in orders.iter().flat_map(|order| &order.lines) {
        *demand.entry(line.product_id.as_str()).or_default() += line.units;
    }
    demand
}

fn deliveries(products: &[Product], demand: &BTreeMap<&str, i64>) -> Vec<Turn> {
    let deliver = |product: &Product| {
        let asked = demand.get(product.id.as_str()).copied().unwrap_or(0);
        let units = asked * RESTOCKED_PERCENT / 100 / i64::from(DELIVERIES);
        (units > 0).then(|| Turn::Deliver { product_id: product.id.clone(), units })
    };
    products.iter().filter_map(deliver).collect()
}

/// A few products get dearer each time; those of the time before go back to their price.
fn repricings(products: &[Product], seed: u64, round: usize) -> Vec<Turn> {
    let reprice = |product: &Product, cents| Turn::Reprice { product_id: product.id.clone(), cents };
    let dearer = |product: &Product| reprice(product, product.price_cents * (100 + DEARER_PERCENT) / 100);
    let back = round.checked_sub(1).map(|before| chosen(products, seed, before));
    let back = back.into_iter().flatten().map(|product| reprice(product, product.price_cents));
    back.chain(chosen(products, seed, round).map(dearer)).collect()
}

fn chosen(products: &[Product], seed: u64, round: usize) -> impl Iterator<Item = &Product> {
    let start = usize::try_from(seed % 1_000).unwrap_or(0) + round * DEARER;
    (start..start + DEARER).map(move |at| &products[at % products.len()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::northwind::{EMBEDDED, read};

    fn plan(seed: u64) -> Plan {
        Plan::new(&read(&EMBEDDED).unwrap(), seed, 830)
    }

    #[test]
    fn the_same_seed_makes_the_same_plan() {
        assert_eq!(plan(7).turns, plan(7).turns);
        assert_eq!(plan(7).orders, plan(7).orders);
    }

    #[test]
    fn another_seed_has_orders_of_its_own() {
        assert_eq!(plan(1).orders[0].id, "s1-10248");
        assert_eq!(plan(2).orders[0].id, "s2-10248");
        assert_eq!(plan(1).deposits, plan(2).deposits);
    }

    #[test]
    fn accounts_cover_eighty_percent() {
        let plan = plan(1);
        let cost: i64 = plan.orders.iter().flat_map(|order| &order.lines).map(|line| line.cents()).sum();
        let covered: i64 = plan.deposits.values().sum();
        assert!((cost * 80 / 100 - covered).abs() <= 91, "{cost} {covered}");
    }

    #[test]
    fn discontinued_products_are_sold_until_half_the_orders_are_placed() {
        let plan = plan(1);
        assert_eq!(plan.discontinued.len(), 8);
        assert!(!plan.is_second_half(414) && plan.is_second_half(415));
    }
}
