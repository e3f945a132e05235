//! Every entity is what its owner's own rows say, and its versions are the events that were emitted, without a gap.
//!
//! The rows are read with SQL of this module's own: an owner that saves one thing and shares another is found.

use std::collections::BTreeMap;

use freehold_sdk::CONTRACT;
use freehold_sdk::catalog::v1::{Product, ProductState};
use freehold_sdk::drivers::v1::{Driver, Permit, Standing};
use freehold_sdk::inventory::v1::{Reservation, ReservationState, Stock, StockLine};
use freehold_sdk::orders::v1::{Order, OrderLine};
use freehold_sdk::payments::v1::{Account, Payment, PaymentState};
use freehold_sdk::rides::v1::{Point, Ride, RideState};
use freehold_sdk::users::v1::{Address, User};
use freehold_store::{Row, vals};
use freehold_wire::Entity;

use crate::verify::databases::{Moment, ReadError, cell};
use crate::verify::finding::Findings;

const CHECK: &str = "entities";

/// Checks every entity of every owner.
pub(crate) async fn check(moment: &mut Moment, findings: &mut Findings) -> Result<(), ReadError> {
    compare(moment, findings, "users", USERS, user).await?;
    compare(moment, findings, "catalog", PRODUCTS, product).await?;
    compare(moment, findings, "inventory", STOCK, stock).await?;
    compare(moment, findings, "payments", ACCOUNTS, account).await?;
    compare(moment, findings, "payments", PAYMENTS, payment).await?;
    let held = reservations(moment).await?;
    compare_with(moment, findings, "inventory", held).await?;
    let orders = orders(moment).await?;
    compare_with(moment, findings, "orders", orders).await?;
    compare(moment, findings, "drivers", DRIVERS, driver).await?;
    compare(moment, findings, "drivers", PERMITS, permit).await?;
    compare(moment, findings, "rides", RIDES, ride).await?;
    for owner in CONTRACT.owners.iter().filter(|owner| !owner.entities.is_empty()) {
        versions(moment, findings, owner.name).await?;
    }
    Ok(())
}

const USERS: &str =
    "SELECT id, name, email, street, city, postal_code, country, registered_ms FROM app_user ORDER BY id";
const PRODUCTS: &str = "SELECT id, name, price_cents, buyer_email, state, category FROM product ORDER BY id";
const STOCK: &str = "SELECT product_id, on_hand_units, reserved_units FROM stock ORDER BY product_id";
const ACCOUNTS: &str = "SELECT customer_id, balance_cents, held_cents FROM account ORDER BY customer_id";
const PAYMENTS: &str = "SELECT id, customer_id, amount_cents, state FROM payment ORDER BY id";
const DRIVERS: &str = "SELECT id, name, phone, registered_ms FROM driver ORDER BY id";
const PERMITS: &str = "SELECT id, standing FROM driver ORDER BY id";
const RIDES: &str = "SELECT id, rider_id, driver_id, state, pickup_latitude_e7, pickup_longitude_e7,
        destination_latitude_e7, destination_longitude_e7, requested_ms, accepted_ms, started_ms, ended_ms, reason
    FROM ride ORDER BY id";

async fn compare<E: Entity + PartialEq + std::fmt::Debug>(
    moment: &mut Moment,
    findings: &mut Findings,
    owner: &'static str,
    sql: &'static str,
    entity: fn(&Row) -> Result<E, ReadError>,
) -> Result<(), ReadError> {
    let rows = moment.rows(owner, sql, vals![]).await?;
    let expected = rows.iter().map(entity).collect::<Result<Vec<E>, ReadError>>()?;
    compare_with(moment, findings, owner, expected).await
}

/// Compares what the owner shares with what its rows make.
async fn compare_with<E: Entity + PartialEq + std::fmt::Debug>(
    moment: &mut Moment,
    findings: &mut Findings,
    owner: &'static str,
    expected: Vec<E>,
) -> Result<(), ReadError> {
    let mut shared = shared::<E>(moment, owner).await?;
    for entity in expected {
        let subject = format!("{} {}", E::NAME, entity.key());
        match shared.remove(entity.key()) {
            Some(Some(data)) => {
                let decoded = E::decode(data.as_slice()).ok();
                findings.equal(CHECK, subject, "what is shared", decoded.as_ref(), Some(&entity.shared()));
            }
            _ => findings.violated(CHECK, subject, "has a row, and is not shared".to_owned()),
        }
    }
    for (key, data) in shared {
        if data.is_some() {
            findings.violated(CHECK, format!("{} {key}", E::NAME), "is shared, and has no row".to_owned());
        }
    }
    Ok(())
}

/// What an owner shares, by key; `None` for tombstones. A key that was locked and never emitted is not shared.
async fn shared<E: Entity>(
    moment: &mut Moment,
    owner: &'static str,
) -> Result<BTreeMap<String, Option<Vec<u8>>>, ReadError> {
    let sql = "SELECT key, deleted, data FROM freehold_entity WHERE entity = $1 AND version > 0";
    let rows = moment.rows(owner, sql, vals![E::NAME]).await?;
    let entry = |row: &Row| {
        let deleted: bool = cell(owner, row, "deleted")?;
        let data: Option<Vec<u8>> = cell(owner, row, "data")?;
        Ok((cell(owner, row, "key")?, data.filter(|_| !deleted)))
    };
    rows.iter().map(entry).collect()
}

/// The kept events of each key ascend without a gap up to the entity's version.
async fn versions(
    moment: &mut Moment,
    findings: &mut Findings,
    owner: &'static str,
) -> Result<(), ReadError> {
    let sql = "SELECT e.entity, e.key, e.version, MIN(b.version) AS first, MAX(b.version) AS last,
                   COUNT(b.version) AS kept
               FROM freehold_entity e LEFT JOIN freehold_outbox b ON b.entity = e.entity AND b.key = e.key
               WHERE e.version > 0 GROUP BY e.entity, e.key, e.version ORDER BY e.entity, e.key";
    let keeps_all = moment.keeps_all(owner).await?;
    for row in moment.rows(owner, sql, vals![]).await? {
        let entity: String = cell(owner, &row, "entity")?;
        let subject = format!("{entity} {}", cell::<String>(owner, &row, "key")?);
        let version: i64 = cell(owner, &row, "version")?;
        let last: Option<i64> = cell(owner, &row, "last")?;
        if last.is_none() && !keeps_all {
            continue;
        }
        findings.equal(CHECK, &subject, "the version of its last event", last, Some(version));
        let (first, kept): (Option<i64>, i64) = (cell(owner, &row, "first")?, cell(owner, &row, "kept")?);
        let span = last.zip(first).map_or(0, |(last, first)| last - first + 1);
        findings.equal(CHECK, &subject, "the number of its kept events", kept, span);
    }
    Ok(())
}

fn user(row: &Row) -> Result<User, ReadError> {
    let text = |column| cell::<String>("users", row, column);
    let address = Address::default()
        .with_street(text("street")?)
        .with_city(text("city")?)
        .with_postal_code(text("postal_code")?)
        .with_country(text("country")?);
    Ok(User::default()
        .with_id(text("id")?)
        .with_name(text("name")?)
        .with_email(text("email")?)
        .with_address(address)
        .with_registered_ms(cell("users", row, "registered_ms")?))
}

fn product(row: &Row) -> Result<Product, ReadError> {
    let text = |column| cell::<String>("catalog", row, column);
    let state = match text("state")?.as_str() {
        "ACTIVE" => ProductState::Active,
        "DISCONTINUED" => ProductState::Discontinued,
        _ => ProductState::Unspecified,
    };
    Ok(Product::default()
        .with_id(text("id")?)
        .with_name(text("name")?)
        .with_price_cents(cell("catalog", row, "price_cents")?)
        .with_buyer_email(text("buyer_email")?)
        .with_state(state)
        .with_category(text("category")?))
}

fn stock(row: &Row) -> Result<Stock, ReadError> {
    Ok(Stock::default()
        .with_product_id(cell::<String>("inventory", row, "product_id")?)
        .with_on_hand_units(cell("inventory", row, "on_hand_units")?)
        .with_reserved_units(cell("inventory", row, "reserved_units")?))
}

fn account(row: &Row) -> Result<Account, ReadError> {
    Ok(Account::default()
        .with_customer_id(cell::<String>("payments", row, "customer_id")?)
        .with_balance_cents(cell("payments", row, "balance_cents")?)
        .with_held_cents(cell("payments", row, "held_cents")?))
}

fn payment(row: &Row) -> Result<Payment, ReadError> {
    let state = match cell::<String>("payments", row, "state")?.as_str() {
        "AUTHORISED" => PaymentState::Authorised,
        "CAPTURED" => PaymentState::Captured,
        "VOIDED" => PaymentState::Voided,
        "REFUNDED" => PaymentState::Refunded,
        _ => PaymentState::Unspecified,
    };
    Ok(Payment::default()
        .with_id(cell::<String>("payments", row, "id")?)
        .with_customer_id(cell::<String>("payments", row, "customer_id")?)
        .with_amount_cents(cell("payments", row, "amount_cents")?)
        .with_state(state))
}

fn driver(row: &Row) -> Result<Driver, ReadError> {
    let text = |column| cell::<String>("drivers", row, column);
    Ok(Driver::default()
        .with_id(text("id")?)
        .with_name(text("name")?)
        .with_phone(text("phone")?)
        .with_registered_ms(cell("drivers", row, "registered_ms")?))
}

fn permit(row: &Row) -> Result<Permit, ReadError> {
    let standing = match cell::<String>("drivers", row, "standing")?.as_str() {
        "GOOD" => Standing::Good,
        "SUSPENDED" => Standing::Suspended,
        _ => Standing::Unspecified,
    };
    Ok(Permit::default().with_driver_id(cell::<String>("drivers", row, "id")?).with_standing(standing))
}

fn ride(row: &Row) -> Result<Ride, ReadError> {
    let text = |column| cell::<String>("rides", row, column);
    let time = |column| cell::<i64>("rides", row, column);
    let degrees = |column| cell::<i32>("rides", row, column);
    let point = |latitude, longitude| {
        Ok::<_, ReadError>(
            Point::default().with_latitude_e7(degrees(latitude)?).with_longitude_e7(degrees(longitude)?),
        )
    };
    let state = match text("state")?.as_str() {
        "REQUESTED" => RideState::Requested,
        "ACCEPTED" => RideState::Accepted,
        "STARTED" => RideState::Started,
        "FINISHED" => RideState::Finished,
        "CANCELLED" => RideState::Cancelled,
        _ => RideState::Unspecified,
    };
    Ok(Ride::default()
        .with_id(text("id")?)
        .with_rider_id(text("rider_id")?)
        .with_driver_id(text("driver_id")?)
        .with_state(state)
        .with_pickup(point("pickup_latitude_e7", "pickup_longitude_e7")?)
        .with_destination(point("destination_latitude_e7", "destination_longitude_e7")?)
        .with_requested_ms(time("requested_ms")?)
        .with_accepted_ms(time("accepted_ms")?)
        .with_started_ms(time("started_ms")?)
        .with_ended_ms(time("ended_ms")?)
        .with_reason(text("reason")?))
}

async fn reservations(moment: &mut Moment) -> Result<Vec<Reservation>, ReadError> {
    let sql = "SELECT r.id, r.state, l.product_id, l.units FROM reservation r
               LEFT JOIN reservation_line l ON l.reservation_id = r.id ORDER BY r.id, l.product_id";
    let mut reservations: Vec<Reservation> = Vec::new();
    for row in moment.rows("inventory", sql, vals![]).await? {
        let id: String = cell("inventory", &row, "id")?;
        if reservations.last().is_none_or(|last| last.id != id) {
            let state = match cell::<String>("inventory", &row, "state")?.as_str() {
                "HELD" => ReservationState::Held,
                "RELEASED" => ReservationState::Released,
                "SHIPPED" => ReservationState::Shipped,
                _ => ReservationState::Unspecified,
            };
            reservations.push(Reservation::default().with_id(id).with_state(state));
        }
        let product: Option<String> = cell("inventory", &row, "product_id")?;
        if let (Some(product), Some(reservation)) = (product, reservations.last_mut()) {
            let units = cell("inventory", &row, "units")?;
            reservation.lines.push(StockLine::default().with_product_id(product).with_units(units));
        }
    }
    Ok(reservations)
}

async fn orders(moment: &mut Moment) -> Result<Vec<Order>, ReadError> {
    let sql = "SELECT o.id, o.customer_id, o.state, o.total_cents, o.reason, o.placed_ms, o.revision, l.product_id,
                   l.product_name, l.catalog_cents, l.unit_cents, l.units, l.discount_basis_points, l.line_cents,
                   l.product_version
               FROM shop_order o JOIN order_line l ON l.order_id = o.id ORDER BY o.id, l.ordinal";
    let mut orders: Vec<Order> = Vec::new();
    for row in moment.rows("orders", sql, vals![]).await? {
        let id: String = cell("orders", &row, "id")?;
        if orders.last().is_none_or(|last| last.id != id) {
            orders.push(order(id, &row)?);
        }
        let line = order_line(&row)?;
        if let Some(order) = orders.last_mut() {
            order.lines.push(line);
        }
    }
    Ok(orders)
}

fn order(id: String, row: &Row) -> Result<Order, ReadError> {
    let number = |column| cell::<i64>("orders", row, column);
    Ok(Order::default()
        .with_id(id)
        .with_customer_id(cell::<String>("orders", row, "customer_id")?)
        .with_state(i32::try_from(number("state")?).unwrap_or(-1))
        .with_total_cents(number("total_cents")?)
        .with_reason(cell::<String>("orders", row, "reason")?)
        .with_placed_ms(number("placed_ms")?)
        .with_revision(number("revision")?))
}

fn order_line(row: &Row) -> Result<OrderLine, ReadError> {
    let number = |column| cell::<i64>("orders", row, column);
    Ok(OrderLine::default()
        .with_product_id(cell::<String>("orders", row, "product_id")?)
        .with_product_name(cell::<String>("orders", row, "product_name")?)
        .with_catalog_cents(number("catalog_cents")?)
        .with_unit_cents(number("unit_cents")?)
        .with_units(number("units")?)
        .with_discount_basis_points(i32::try_from(number("discount_basis_points")?).unwrap_or(-1))
        .with_line_cents(number("line_cents")?)
        .with_product_version(number("product_version")?))
}
