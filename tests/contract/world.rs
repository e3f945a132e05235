//! What the shared mesh has in it before the first test: two of everything that can be listed.
//!
//! Tests read these and leave them as they are; what a test changes it makes itself, under ids of its own.

use freehold_sdk::catalog::v1::{CatalogClient, CreateProductRequest};
use freehold_sdk::drivers::v1::{DriversClient, RegisterDriverRequest, Vehicle};
use freehold_sdk::inventory::v1::{InventoryClient, RestockRequest};
use freehold_sdk::notifications::v1::{CountMailsRequest, NotificationsClient};
use freehold_sdk::orders::v1::{NewLine, Order, OrderState, OrdersClient, PlaceOrderRequest};
use freehold_sdk::payments::v1::{OpenAccountRequest, PaymentsClient};
use freehold_sdk::rides::v1::{Point, RequestRideRequest, RidesClient};
use freehold_sdk::users::v1::{RegisterUserRequest, UsersClient};
use freehold_sdk::{Mesh, Session};
use freehold_testkit::{PATIENCE, eventually};

use crate::mesh::Up;

/// Two users with an account each.
pub(crate) const USERS: [&str; 2] = ["ANA", "MARIA"];
/// Two products that there is enough of.
pub(crate) const PRODUCTS: [&str; 2] = ["CHAI", "CHANG"];
/// Two orders of the first user, for one unit of the first product.
pub(crate) const ORDERS: [&str; 2] = ["FIRST", "SECOND"];
/// Two drivers.
pub(crate) const DRIVERS: [&str; 2] = ["ADA", "GRACE"];
/// Two rides that the first user has requested.
pub(crate) const RIDES: [&str; 2] = ["HOME", "WORK"];

/// What is in a product and never leaves its owner.
pub(crate) const COST_CENTS: i64 = 987_654_321;
/// What is in a product and leaves its owner to those who declared it.
pub(crate) const BUYER_EMAIL: &str = "canary-buyer@example.com";
/// What is in a user and never leaves its owner.
pub(crate) const NOTE: &str = "canary-note";

/// The clients of one consumer, in one session.
pub(crate) struct Clients {
    pub(crate) users: UsersClient,
    pub(crate) catalog: CatalogClient,
    pub(crate) inventory: InventoryClient,
    pub(crate) payments: PaymentsClient,
    pub(crate) orders: OrdersClient,
    pub(crate) notifications: NotificationsClient,
    pub(crate) drivers: DriversClient,
    pub(crate) rides: RidesClient,
}

impl Clients {
    /// The clients of a consumer that share the session.
    pub(crate) fn of(up: &Up, consumer: &str, session: &Session) -> Self {
        Self::over(&Mesh::fixed(consumer, up.services()), session)
    }

    /// The same over a mesh of several processes.
    pub(crate) fn over(mesh: &Mesh, session: &Session) -> Self {
        Self {
            users: UsersClient::connect(mesh).unwrap().with_session(session).with_deadline(PATIENCE),
            catalog: CatalogClient::connect(mesh).unwrap().with_session(session).with_deadline(PATIENCE),
            inventory: InventoryClient::connect(mesh).unwrap().with_session(session).with_deadline(PATIENCE),
            payments: PaymentsClient::connect(mesh).unwrap().with_session(session).with_deadline(PATIENCE),
            orders: OrdersClient::connect(mesh).unwrap().with_session(session).with_deadline(PATIENCE),
            notifications: NotificationsClient::connect(mesh)
                .unwrap()
                .with_session(session)
                .with_deadline(PATIENCE),
            drivers: DriversClient::connect(mesh).unwrap().with_session(session).with_deadline(PATIENCE),
            rides: RidesClient::connect(mesh).unwrap().with_session(session).with_deadline(PATIENCE),
        }
    }

    /// Registers a user and opens an account.
    pub(crate) async fn user(&self, id: &str, name: &str) {
        let user = RegisterUserRequest::default().with_id(id).with_name(name).with_note(NOTE);
        self.users.register_user(user.with_email(format!("{id}@example.com"))).await.unwrap();
        self.account(id).await;
    }

    /// Opens an account with more in it than a test spends.
    pub(crate) async fn account(&self, customer: &str) {
        let account =
            OpenAccountRequest::default().with_customer_id(customer).with_opening_cents(1_000_000_000);
        self.payments.open_account(account).await.unwrap();
    }

    /// Creates a product and brings some of it into the house.
    pub(crate) async fn product(&self, id: &str, name: &str) {
        let product = CreateProductRequest::default()
            .with_id(id)
            .with_name(name)
            .with_price_cents(1800)
            .with_cost_cents(COST_CENTS)
            .with_buyer_email(BUYER_EMAIL);
        self.catalog.create_product(product).await.unwrap();
        let delivery = RestockRequest::default().with_product_id(id).with_units(1_000_000);
        self.inventory.restock(delivery.with_delivery_id(format!("first of {id}"))).await.unwrap();
    }

    /// Places an order for one unit of a product, and answers it as its saga left it.
    pub(crate) async fn order(&self, id: &str, customer: &str, product: &str) -> Order {
        let line = NewLine::default().with_product_id(product).with_units(1);
        let order = PlaceOrderRequest::default().with_id(id).with_customer_id(customer).with_lines([line]);
        self.orders.place_order(order).await.unwrap()
    }

    /// Registers a driver.
    pub(crate) async fn driver(&self, id: &str, name: &str) {
        let vehicle = Vehicle::default().with_plate("B-AL 1815").with_seats(4);
        let driver = RegisterDriverRequest::default().with_id(id).with_name(name).with_phone("030 1815");
        self.drivers.register_driver(driver.with_vehicle(vehicle)).await.unwrap();
    }

    /// Requests a ride.
    pub(crate) async fn ride(&self, id: &str, rider: &str) {
        let (from, to) = (Point::default().with_latitude_e7(525_200_066), Point::default());
        let ride = RequestRideRequest::default().with_id(id).with_rider_id(rider);
        self.rides.request_ride(ride.with_pickup(from).with_destination(to)).await.unwrap();
    }
}

/// Fills a new mesh.
pub(crate) async fn furnish(up: &Up) {
    let demo = Clients::of(up, "demo", &Session::new());
    for user in USERS {
        demo.user(user, user).await;
    }
    for product in PRODUCTS {
        demo.product(product, product).await;
    }
    for order in ORDERS {
        let placed = demo.order(order, USERS[0], PRODUCTS[0]).await;
        assert_eq!(placed.state, i32::from(OrderState::Confirmed), "{placed:?}");
    }
    for driver in DRIVERS {
        demo.driver(driver, driver).await;
    }
    for ride in RIDES {
        demo.ride(ride, USERS[0]).await;
    }
    eventually("a mail about each order", PATIENCE, async || {
        let mails = demo.notifications.count_mails(CountMailsRequest::default()).await.unwrap();
        (mails.pending + mails.sent == 2).then_some(())
    })
    .await;
}
