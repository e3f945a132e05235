//! C12 and C13 at every write: the same key and payload again get the same reply, marked as such; the same key with
//! another payload is refused, and nothing happens.

use std::collections::BTreeSet;

use freehold_sdk::catalog::v1::methods::catalog;
use freehold_sdk::catalog::v1::{
    ChangePriceRequest, CreateProductRequest, DeleteProductRequest, DiscontinueProductRequest,
    RebuildSalesRequest, ReinstateProductRequest, SetAttributesRequest,
};
use freehold_sdk::drivers::v1::methods::drivers;
use freehold_sdk::drivers::v1::{
    ChangeStandingRequest, EraseDriverRequest, RateDriverRequest, RegisterDriverRequest, Standing,
    UpdateDriverRequest, Vehicle,
};
use freehold_sdk::gateway::v1::ReplaceProductRequest;
use freehold_sdk::gateway::v1::methods::gateway;
use freehold_sdk::inventory::v1::methods::inventory;
use freehold_sdk::inventory::v1::{
    ReleaseRequest, ReserveRequest, RestockRequest, ShipRequest, Stock, StockLine,
};
use freehold_sdk::orders::v1::methods::orders;
use freehold_sdk::orders::v1::{
    BasketLine, CancelOrderRequest, NewLine, PlaceOrderRequest, ReplaceInBasketsRequest,
    RestoreInBasketsRequest, SaveBasketRequest, ShipOrderRequest,
};
use freehold_sdk::payments::v1::methods::payments;
use freehold_sdk::payments::v1::{
    AuthoriseRequest, CaptureRequest, DepositRequest, OpenAccountRequest, RefundRequest, VoidRequest,
};
use freehold_sdk::rides::v1::methods::rides;
use freehold_sdk::rides::v1::{
    AcceptRideRequest, CancelRideRequest, FinishRideRequest, Point, RequestRideRequest, StartRideRequest,
};
use freehold_sdk::users::v1::methods::users;
use freehold_sdk::users::v1::{EraseUserRequest, RegisterUserRequest, UpdateUserRequest};
use freehold_testkit::mounted::refusal;
use freehold_wire::Method;
use freehold_wire::metadata::{IDEMPOTENCY_KEY, REPLAYED};
use freehold_wire::prost::Message;
use freehold_wire::prost_types::Struct;
use futures_util::future::join_all;
use prost_reflect::DynamicMessage;
use tonic::Code;

use super::Services;
use crate::contract::{Rpc, rpcs};
use crate::mesh::shared;
use crate::messages::altered;
use crate::wire::{named, with};
use crate::world::{DRIVERS, PRODUCTS, USERS};

/// A write that works, given those before it.
struct Write {
    method: &'static str,
    request: Vec<u8>,
}

#[tokio::test]
async fn a_key_stands_for_one_payload_and_one_reply() {
    let mesh = shared().await;
    let services = Services::of(&mesh).await;
    for (number, write) in writes().into_iter().enumerate() {
        let rpc = rpcs().into_iter().find(|rpc| rpc.full_name() == write.method).unwrap();
        let headers = with(named(Some(rpc.caller())), IDEMPOTENCY_KEY, format!("keys-{number}"));
        let first = services.with(&rpc, &headers, write.request.clone()).await;
        let first = first.unwrap_or_else(|status| panic!("{number} {}: {status}", rpc.full_name()));
        assert!(!first.metadata.contains_key(REPLAYED), "{}", rpc.full_name());

        let again = services.with(&rpc, &headers, write.request.clone()).await.unwrap();
        assert_eq!(again.message, first.message, "{}", rpc.full_name());
        assert_eq!(
            again.metadata.get(REPLAYED).map(|said| said.as_bytes()),
            Some(&b"true"[..]),
            "{}",
            rpc.full_name()
        );

        let request = DynamicMessage::decode(rpc.request(), write.request.as_slice()).unwrap();
        let other = services.with(&rpc, &headers, altered(&request).encode_to_vec()).await;
        let reused = (Code::FailedPrecondition, "IDEMPOTENCY_KEY_REUSED".to_owned());
        assert_eq!(refusal(other), reused, "{}", rpc.full_name());
    }
}

/// The table below has every write; one that is added to a contract wants a row.
#[test]
fn every_write_is_tried() {
    let tried: BTreeSet<&str> = writes().iter().map(|write| write.method).collect();
    let keyed: BTreeSet<&str> = rpcs().iter().filter(|rpc| rpc.is_keyed()).map(Rpc::full_name).collect();
    assert_eq!(tried, keyed);
}

/// C13: the same key at the same time. One runs, and all others get its reply.
#[tokio::test]
async fn calls_under_one_key_at_once_take_effect_once() {
    const AT_ONCE: usize = 16;
    let mesh = shared().await;
    let services = Services::of(&mesh).await;
    let delivery = RestockRequest::default()
        .with_product_id("keys-at-once")
        .with_units(3)
        .with_delivery_id("keys-at-once");
    let restock = write(&inventory::RESTOCK, delivery);
    let rpc = rpcs().into_iter().find(|rpc| rpc.full_name() == restock.method).unwrap();
    let headers = with(named(Some(rpc.caller())), IDEMPOTENCY_KEY, "keys-at-once");
    let calls = (0..AT_ONCE).map(|_| services.with(&rpc, &headers, restock.request.clone()));
    let answers = join_all(calls).await.into_iter().collect::<Result<Vec<_>, _>>().unwrap();
    assert!(answers.iter().all(|answer| answer.message == answers[0].message));
    assert_eq!(answers.iter().filter(|answer| answer.metadata.contains_key(REPLAYED)).count(), AT_ONCE - 1);
    let stock = Stock::decode(answers[0].message.as_slice()).unwrap();
    assert_eq!((stock.on_hand_units, stock.reserved_units), (3, 0));
}

/// A refusal is not recorded: what was refused under a key may work under it later.
#[tokio::test]
async fn a_refusal_does_not_use_its_key_up() {
    let mesh = shared().await;
    let services = Services::of(&mesh).await;
    let by = |method: &str| rpcs().into_iter().find(|rpc| rpc.full_name() == method).unwrap();
    let change = ChangePriceRequest::default().with_id("keys-late").with_price_cents(5);
    let change = write(&catalog::CHANGE_PRICE, change);
    let rpc = by(change.method);
    let headers = with(named(Some(rpc.caller())), IDEMPOTENCY_KEY, "keys-late");
    let refused = refusal(services.with(&rpc, &headers, change.request.clone()).await);
    assert_eq!(refused, (Code::NotFound, "NOT_FOUND".to_owned()));
    let create = CreateProductRequest::default().with_id("keys-late").with_name("Late");
    let create = write(&catalog::CREATE_PRODUCT, create);
    services.call(&by(create.method), create.request).await.unwrap();
    let changed = services.with(&rpc, &headers, change.request).await.unwrap();
    assert!(!changed.metadata.contains_key(REPLAYED));
}

fn write<In: Message, Out>(method: &'static Method<In, Out>, request: In) -> Write {
    Write { method: method.rules().name(), request: request.encode_to_vec() }
}

fn writes() -> Vec<Write> {
    [
        of_users(),
        of_catalog(),
        of_inventory(),
        of_payments(),
        of_orders(),
        of_baskets(),
        of_drivers(),
        of_rides(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn of_users() -> Vec<Write> {
    const ID: &str = "keys-user";
    let user = RegisterUserRequest::default().with_id(ID).with_name("Before").with_email("keys@example.com");
    vec![
        write(&users::REGISTER_USER, user),
        write(&users::UPDATE_USER, UpdateUserRequest::default().with_id(ID).with_name("After")),
        write(&users::ERASE_USER, EraseUserRequest::default().with_id(ID)),
    ]
}

fn of_catalog() -> Vec<Write> {
    const ID: &str = "keys-product";
    let product = CreateProductRequest::default().with_id(ID).with_name("Name").with_price_cents(100);
    vec![
        write(&catalog::CREATE_PRODUCT, product),
        write(&catalog::CHANGE_PRICE, ChangePriceRequest::default().with_id(ID).with_price_cents(200)),
        write(&catalog::DISCONTINUE_PRODUCT, DiscontinueProductRequest::default().with_id(ID)),
        write(
            &catalog::REINSTATE_PRODUCT,
            ReinstateProductRequest::default().with_id(ID).with_discontinuation_id("keys"),
        ),
        write(
            &catalog::SET_ATTRIBUTES,
            SetAttributesRequest::default().with_product_id(ID).with_attributes(Struct::default()),
        ),
        write(&catalog::DELETE_PRODUCT, DeleteProductRequest::default().with_id(ID)),
        write(&catalog::REBUILD_SALES, RebuildSalesRequest::default().with_reason("keys")),
    ]
}

fn of_inventory() -> Vec<Write> {
    const ID: &str = "keys-stock";
    let delivery =
        RestockRequest::default().with_product_id(ID).with_units(10).with_delivery_id("keys-delivery");
    let lines = [StockLine::default().with_product_id(ID).with_units(2)];
    let hold = ReserveRequest::default().with_id("keys-released").with_lines(lines);
    vec![
        write(&inventory::RESTOCK, delivery),
        write(&inventory::RESERVE, hold),
        write(&inventory::RELEASE, ReleaseRequest::default().with_id("keys-released")),
    ]
}

fn of_payments() -> Vec<Write> {
    const ID: &str = "keys-customer";
    let deposit =
        DepositRequest::default().with_customer_id(ID).with_amount_cents(500).with_deposit_id("keys-deposit");
    let hold = |id: &str| AuthoriseRequest::default().with_id(id).with_customer_id(ID).with_amount_cents(100);
    vec![
        write(
            &payments::OPEN_ACCOUNT,
            OpenAccountRequest::default().with_customer_id(ID).with_opening_cents(100),
        ),
        write(&payments::DEPOSIT, deposit),
        write(&payments::AUTHORISE, hold("keys-refunded")),
        write(&payments::CAPTURE, CaptureRequest::default().with_id("keys-refunded")),
        write(&payments::REFUND, RefundRequest::default().with_id("keys-refunded")),
        write(&payments::AUTHORISE, hold("keys-voided")),
        write(&payments::VOID, VoidRequest::default().with_id("keys-voided")),
    ]
}

fn of_orders() -> Vec<Write> {
    let order = |id: &str| {
        let lines = [NewLine::default().with_product_id(PRODUCTS[1]).with_units(1)];
        PlaceOrderRequest::default().with_id(id).with_customer_id(USERS[1]).with_lines(lines)
    };
    vec![
        write(&orders::PLACE_ORDER, order("keys-cancelled")),
        write(&orders::CANCEL_ORDER, CancelOrderRequest::default().with_id("keys-cancelled")),
        write(&orders::PLACE_ORDER, order("keys-sent")),
        write(&orders::SHIP_ORDER, ShipOrderRequest::default().with_id("keys-sent")),
        write(&inventory::SHIP, ShipRequest::default().with_id("keys-sent")),
    ]
}

fn of_baskets() -> Vec<Write> {
    const ID: &str = "keys-replacement";
    let lines = [BasketLine::default().with_product_id(PRODUCTS[1]).with_units(1)];
    let replace = ReplaceInBasketsRequest::default()
        .with_id(ID)
        .with_product_id(PRODUCTS[1])
        .with_by_product_id(PRODUCTS[0]);
    let restore = RestoreInBasketsRequest::default()
        .with_id(ID)
        .with_product_id(PRODUCTS[1])
        .with_by_product_id(PRODUCTS[0]);
    // There is nothing to replace, and the answer says so, each time.
    let nothing =
        ReplaceProductRequest::default().with_id(ID).with_product_id("keys-a").with_by_product_id("keys-b");
    vec![
        write(
            &orders::SAVE_BASKET,
            SaveBasketRequest::default().with_customer_id(USERS[1]).with_lines(lines),
        ),
        write(&orders::REPLACE_IN_BASKETS, replace),
        write(&orders::RESTORE_IN_BASKETS, restore),
        write(&gateway::REPLACE_PRODUCT, nothing),
    ]
}

fn of_drivers() -> Vec<Write> {
    const ID: &str = "keys-driver";
    let vehicle = Vehicle::default().with_plate("B-AL 1815").with_seats(4);
    let driver = RegisterDriverRequest::default().with_id(ID).with_name("Before").with_phone("030 1815");
    let rating = RateDriverRequest::default().with_id(ID).with_rating_id("keys-rating").with_stars(4);
    let suspended = ChangeStandingRequest::default().with_id(ID).with_standing(Standing::Suspended);
    vec![
        write(&drivers::REGISTER_DRIVER, driver.with_vehicle(vehicle)),
        write(&drivers::UPDATE_DRIVER, UpdateDriverRequest::default().with_id(ID).with_name("After")),
        write(&drivers::CHANGE_STANDING, suspended),
        write(&drivers::RATE_DRIVER, rating),
        write(&drivers::ERASE_DRIVER, EraseDriverRequest::default().with_id(ID)),
    ]
}

fn of_rides() -> Vec<Write> {
    let ride = |id: &str| {
        let ride = RequestRideRequest::default().with_id(id).with_rider_id(USERS[1]);
        ride.with_pickup(Point::default()).with_destination(Point::default())
    };
    let accept = AcceptRideRequest::default().with_id("keys-driven").with_driver_id(DRIVERS[1]);
    vec![
        write(&rides::REQUEST_RIDE, ride("keys-driven")),
        write(&rides::ACCEPT_RIDE, accept),
        write(&rides::START_RIDE, StartRideRequest::default().with_id("keys-driven")),
        write(&rides::FINISH_RIDE, FinishRideRequest::default().with_id("keys-driven")),
        write(&rides::REQUEST_RIDE, ride("keys-called-off")),
        write(&rides::CANCEL_RIDE, CancelRideRequest::default().with_id("keys-called-off")),
    ]
}
