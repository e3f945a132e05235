//! Customers who order, ship, cancel and pay for ever, and remember what they were told.
//!
//! Every call is made until it is answered, under one key. **Invariant:** what is in [`Told`] was acknowledged.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use freehold_sdk::catalog::v1::{CatalogClient, ChangePriceRequest, CreateProductRequest};
use freehold_sdk::inventory::v1::{InventoryClient, RestockRequest};
use freehold_sdk::orders::v1::{
    CancelOrderRequest, NewLine, Order, OrderState, OrdersClient, PlaceOrderRequest, ShipOrderRequest,
};
use freehold_sdk::payments::v1::{DepositRequest, OpenAccountRequest, PaymentsClient};
use freehold_sdk::users::v1::{RegisterUserRequest, UsersClient};
use freehold_sdk::{Error, Mesh};
use freehold_testkit::{PATIENCE, eventually};
use futures_util::future::join_all;

/// How many customers order at once.
const CUSTOMERS: usize = 6;
const PRODUCTS: usize = 4;
/// More units than anybody orders.
const PLENTY: i64 = 1_000_000;
const PRICE: i64 = 100;

/// A shop in a mesh.
pub(crate) struct Shop {
    catalog: CatalogClient,
    inventory: InventoryClient,
    orders: OrdersClient,
    payments: PaymentsClient,
    users: UsersClient,
    closed: AtomicBool,
    /// How often a service had no room for what was asked of it.
    full: Mutex<BTreeMap<String, u64>>,
}

/// What customers were told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// The state of each order that was answered for.
    pub(crate) orders: BTreeMap<String, i32>,
    /// By product: the prices that it was given, each once.
    pub(crate) prices: BTreeMap<String, i64>,
    /// What was paid in, by its id.
    pub(crate) deposits: BTreeMap<String, i64>,
    /// Refusals that stay.
    pub(crate) refused: u64,
}

impl Told {
    /// What somebody else was told too.
    pub(crate) fn and(mut self, more: Self) -> Self {
        self.orders.extend(more.orders);
        self.deposits.extend(more.deposits);
        for (product, prices) in more.prices {
            *self.prices.entry(product).or_default() += prices;
        }
        self.refused += more.refused;
        self
    }
}

impl Shop {
    /// Fills the shelves.
    pub(crate) async fn open(mesh: &Mesh) -> Self {
        let shop = Self {
            catalog: CatalogClient::connect(mesh).unwrap(),
            inventory: InventoryClient::connect(mesh).unwrap(),
            orders: OrdersClient::connect(mesh).unwrap().with_deadline(PATIENCE),
            payments: PaymentsClient::connect(mesh).unwrap(),
            users: UsersClient::connect(mesh).unwrap(),
            closed: AtomicBool::new(false),
            full: Mutex::default(),
        };
        for product in (0..PRODUCTS).map(|product| format!("P{product}")) {
            let create =
                CreateProductRequest::default().with_id(&product).with_name("Thing").with_price_cents(PRICE);
            let catalog = shop.catalog.with_key(format!("create-{product}"));
            shop.persist(|| catalog.create_product(create.clone())).await.unwrap();
            let restock = RestockRequest::default().with_product_id(&product).with_units(PLENTY);
            let restock = restock.with_delivery_id(format!("first-{product}"));
            let inventory = shop.inventory.with_key(format!("first-{product}"));
            shop.persist(|| inventory.restock(restock.clone())).await.unwrap();
        }
        shop
    }

    /// Nobody begins anything any more.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// All customers, each on their own, until nobody begins anything any more; what they were told.
    pub(crate) async fn serve(&self) -> Told {
        let customers = join_all((0..CUSTOMERS).map(|number| self.customer(number))).await;
        customers.into_iter().fold(Told::default(), Told::and)
    }

    /// Somebody who pays in and orders nothing, so that no order keeps them waiting; what they were told.
    pub(crate) async fn save(&self) -> Told {
        let (mut told, mut turn) = (Told::default(), 0);
        self.register("Saver").await;
        while !self.closed.load(Ordering::Relaxed) {
            self.deposit(&mut told, "Saver", turn).await;
            turn += 1;
        }
        told
    }

    /// Orders once more, and does not wait for what comes of it once there was room for the order.
    pub(crate) async fn try_to_order(&self) {
        let id = format!("tried-{:016x}", fastrand::u64(..));
        let line = NewLine::default().with_product_id("P0").with_units(1);
        let place = PlaceOrderRequest::default().with_id(&id).with_customer_id("Saver").with_lines([line]);
        let orders = self.orders.with_key(id).with_deadline(Duration::from_secs(5));
        if let Err(error) = orders.place_order(place).await {
            self.note(&error);
        }
    }

    async fn customer(&self, number: usize) -> Told {
        let (mut told, customer) = (Told::default(), format!("C{number}"));
        self.register(&customer).await;
        let mut turn = 0_usize;
        while !self.closed.load(Ordering::Relaxed) {
            match turn % 5 {
                0 => self.deposit(&mut told, &customer, turn).await,
                3 => self.reprice(&mut told, number, turn).await,
                _ => self.order(&mut told, &customer, turn).await,
            }
            turn += 1;
        }
        told
    }

    async fn register(&self, customer: &str) {
        let user =
            RegisterUserRequest::default().with_id(customer).with_name("Ann").with_email("a@example.com");
        let users = self.users.with_key(format!("user-{customer}"));
        self.persist(|| users.register_user(user.clone())).await.unwrap();
        let account = OpenAccountRequest::default().with_customer_id(customer);
        let payments = self.payments.with_key(format!("account-{customer}"));
        self.persist(|| payments.open_account(account.clone())).await.unwrap();
    }

    async fn deposit(&self, told: &mut Told, customer: &str, turn: usize) {
        let id = format!("{customer}-deposit-{turn}");
        let cents = 100_000;
        let deposit = DepositRequest::default().with_customer_id(customer).with_amount_cents(cents);
        let deposit = deposit.with_deposit_id(&id);
        let payments = self.payments.with_key(id.as_str());
        self.persist(|| payments.deposit(deposit.clone())).await.unwrap();
        told.deposits.insert(id, cents);
    }

    /// A product gets a price that it has never had.
    async fn reprice(&self, told: &mut Told, number: usize, turn: usize) {
        let product = format!("P{}", number % PRODUCTS);
        let cents = PRICE + (turn * CUSTOMERS + number) as i64;
        let change = ChangePriceRequest::default().with_id(&product).with_price_cents(cents);
        let catalog = self.catalog.with_key(format!("price-{product}-{cents}"));
        self.persist(|| catalog.change_price(change.clone())).await.unwrap();
        *told.prices.entry(product).or_default() += 1;
    }

    async fn order(&self, told: &mut Told, customer: &str, turn: usize) {
        let id = format!("{customer}-{turn}");
        let product = format!("P{}", turn % PRODUCTS);
        let place = PlaceOrderRequest::default().with_id(&id).with_customer_id(customer);
        let place = place.with_lines([NewLine::default().with_product_id(product).with_units(1)]);
        let orders = self.orders.with_key(format!("place-{id}"));
        let Some(order) = self.answered(told, || orders.place_order(place.clone())).await else { return };
        if order.state != i32::from(OrderState::Confirmed) {
            return;
        }
        let orders = self.orders.with_key(format!("end-{id}"));
        if turn.is_multiple_of(2) {
            let ship = ShipOrderRequest::default().with_id(&id);
            self.answered(told, || orders.ship_order(ship.clone())).await;
        } else {
            let cancel = CancelOrderRequest::default().with_id(&id).with_reason("changed my mind");
            self.answered(told, || orders.cancel_order(cancel.clone())).await;
        }
    }

    /// What is said of an order in the end.
    async fn answered<F>(&self, told: &mut Told, call: impl FnMut() -> F) -> Option<Order>
    where
        F: Future<Output = Result<Order, Error>>,
    {
        match self.persist(call).await {
            Ok(order) => {
                told.orders.insert(order.id.clone(), order.state);
                Some(order)
            }
            Err(error) => {
                assert!(error.is_failed_precondition() || error.is_not_found(), "{error}");
                told.refused += 1;
                None
            }
        }
    }

    /// Makes a call until it is answered for good.
    async fn persist<T, F>(&self, mut call: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        eventually("an answer for good", PATIENCE, async || match call().await {
            Err(error) if error.is_retryable_with_same_key() => {
                self.note(&error);
                None
            }
            answered => Some(answered),
        })
        .await
    }

    fn note(&self, error: &Error) {
        if error.reason() == "DATABASE_FULL" {
            let service = error.method().split('.').next().unwrap_or_default();
            *self.refusals().entry(service.to_owned()).or_default() += 1;
        }
    }

    /// How often that service had no room for what was asked of it.
    pub(crate) fn refused_for_room(&self, service: &str) -> u64 {
        self.refusals().get(service).copied().unwrap_or(0)
    }

    /// The same of all services.
    pub(crate) fn all_refused_for_room(&self) -> u64 {
        self.refusals().values().sum()
    }

    fn refusals(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.full.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
