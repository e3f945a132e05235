//! Places the orders of a plan, many at once, while goods arrive and prices change; riders of shipped ones queue for a
//! driver.
//!
//! Every call has a key that the plan fixes, so whatever was done before a crash, of either side, is not done again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use freehold_sdk::Error;
use freehold_sdk::catalog::v1::{ChangePriceRequest, DiscontinueProductRequest};
use freehold_sdk::orders::v1::{
    CancelOrderRequest, NewLine, Order, OrderState, PlaceOrderRequest, ShipOrderRequest,
};
use futures_util::future::try_join_all;
use tokio::sync::OnceCell;

use crate::demo::drive::Queues;
use crate::demo::generated::Calls;
use crate::demo::load::deliver;
use crate::demo::northwind;
use crate::demo::persist::persist;
use crate::demo::plan::{Fate, Plan, Turn};
use crate::demo::progress::Progress;
use crate::demo::report::{Ended, Tally};

/// Places all orders with `workers` under way at once.
pub(crate) async fn place_all(
    calls: &Calls,
    plan: &Plan,
    workers: usize,
    progress: &Progress,
    queues: Queues,
) -> Result<Tally, Error> {
    let shared =
        Shared { calls, plan, progress, queues, next: AtomicUsize::new(0), discontinued: OnceCell::new() };
    let tallies = try_join_all((0..workers).map(|_| work(&shared))).await?;
    Ok(tallies.into_iter().fold(Tally::default(), Tally::and))
}

/// What the workers share.
struct Shared<'a> {
    calls: &'a Calls,
    plan: &'a Plan,
    progress: &'a Progress,
    queues: Queues,
    next: AtomicUsize,
    discontinued: OnceCell<()>,
}

async fn work(shared: &Shared<'_>) -> Result<Tally, Error> {
    let Shared { calls, plan, .. } = shared;
    let mut tally = Tally::default();
    loop {
        let place = shared.next.fetch_add(1, Ordering::Relaxed);
        let Some(order) = plan.orders.get(place) else { return Ok(tally) };
        let turns = plan.turns.get(&place).into_iter().flatten();
        try_join_all(turns.map(|turn| take(calls, plan, place, turn))).await?;
        if plan.is_second_half(place) {
            shared.discontinued.get_or_try_init(|| discontinue(calls, plan)).await?;
        }
        let began = Instant::now();
        let ended = place_one(calls, plan, order).await?;
        tally.order(&ended, began.elapsed());
        if let Ended::Confirmed = ended {
            follow(shared, place, &order.id, &mut tally).await?;
        }
        shared.progress.advance();
    }
}

async fn place_one(calls: &Calls, plan: &Plan, order: &northwind::Order) -> Result<Ended, Error> {
    let line = |line: &northwind::Line| {
        NewLine::default()
            .with_product_id(line.product_id.as_str())
            .with_units(line.units)
            .with_unit_cents(line.unit_cents)
            .with_discount_basis_points(line.discount_basis_points)
    };
    let request = PlaceOrderRequest::default()
        .with_id(order.id.as_str())
        .with_customer_id(order.customer_id.as_str())
        .with_lines(order.lines.iter().map(line));
    let orders = calls.orders.with_key(plan.key(&order.id)).with_deadline(Duration::from_secs(30));
    match persist(|| orders.place_order(request.clone())).await {
        Ok(order) => Ok(ended(&order)),
        Err(error) if error.is_failed_precondition() => Ok(Ended::Refused(error.reason().to_owned())),
        Err(error) => Err(error),
    }
}

fn ended(order: &Order) -> Ended {
    if order.state == i32::from(OrderState::Confirmed) {
        Ended::Confirmed
    } else {
        Ended::Rejected(order.reason.clone())
    }
}

/// What becomes of a confirmed order.
async fn follow(shared: &Shared<'_>, place: usize, id: &str, tally: &mut Tally) -> Result<(), Error> {
    let Shared { calls, plan, .. } = shared;
    match plan.fate(place) {
        Fate::Keep => {}
        Fate::Ship => {
            let request = ShipOrderRequest::default().with_id(id);
            let orders = calls.orders.with_key(plan.key(&format!("ship-{id}")));
            persist(|| orders.ship_order(request.clone())).await?;
            tally.shipped += 1;
            shared.queues.join(plan, place).await;
        }
        Fate::Cancel => {
            let request = CancelOrderRequest::default().with_id(id).with_reason("changed my mind");
            let orders = calls.orders.with_key(plan.key(&format!("cancel-{id}")));
            persist(|| orders.cancel_order(request.clone())).await?;
            tally.cancelled += 1;
        }
    }
    Ok(())
}

async fn take(calls: &Calls, plan: &Plan, place: usize, turn: &Turn) -> Result<(), Error> {
    match turn {
        Turn::Deliver { product_id, units } => {
            deliver(calls, product_id, *units, &plan.key(&format!("delivery-{place}-{product_id}"))).await
        }
        Turn::Reprice { product_id, cents } => {
            let key = plan.key(&format!("price-{place}-{product_id}-{cents}"));
            reprice(calls, &key, product_id, *cents).await
        }
    }
}

/// Ends the sale of the products that are not sold any more.
async fn discontinue(calls: &Calls, plan: &Plan) -> Result<(), Error> {
    for id in &plan.discontinued {
        let request = DiscontinueProductRequest::default().with_id(id.as_str());
        let catalog = calls.catalog.with_key(plan.key(&format!("end-{id}")));
        persist(|| catalog.discontinue_product(request.clone())).await?;
    }
    Ok(())
}

/// Changes a price, once per key.
pub(crate) async fn reprice(calls: &Calls, key: &str, product_id: &str, cents: i64) -> Result<(), Error> {
    let request = ChangePriceRequest::default().with_id(product_id).with_price_cents(cents);
    let catalog = calls.catalog.with_key(key);
    persist(|| catalog.change_price(request.clone())).await.map(|_| ())
}
