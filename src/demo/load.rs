//! Fills the mesh: customers with accounts and money, products with stock, drivers. Doing it again changes nothing.

use freehold_sdk::Error;
use freehold_sdk::catalog::v1::CreateProductRequest;
use freehold_sdk::drivers::v1::{RegisterDriverRequest, Vehicle};
use freehold_sdk::inventory::v1::RestockRequest;
use freehold_sdk::payments::v1::{DepositRequest, OpenAccountRequest};
use freehold_sdk::users::v1::{Address, RegisterUserRequest};
use futures_util::future::try_join_all;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::demo::fleet::{Driver, FLEET};
use crate::demo::generated::Calls;
use crate::demo::northwind::{Customer, Product};
use crate::demo::persist::persist;
use crate::demo::plan::Plan;

/// Fills the mesh with what the plan needs, `workers` calls at a time.
pub(crate) async fn load(calls: &Calls, plan: &Plan, workers: usize) -> Result<(), Error> {
    let customers = stream::iter(&plan.customers).map(|customer| add_customer(calls, plan, customer));
    customers.buffer_unordered(workers).try_collect::<()>().await?;
    let products = stream::iter(&plan.products).map(|product| add_product(calls, plan, product));
    products.buffer_unordered(workers).try_collect::<()>().await?;
    try_join_all(FLEET.iter().map(|driver| add_driver(calls, driver))).await.map(drop)
}

async fn add_customer(calls: &Calls, plan: &Plan, customer: &Customer) -> Result<(), Error> {
    let address = Address::default()
        .with_street(customer.address.as_str())
        .with_city(customer.city.as_str())
        .with_postal_code(customer.postal_code.as_str())
        .with_country(customer.country.as_str());
    let user = RegisterUserRequest::default()
        .with_id(customer.id.as_str())
        .with_name(customer.company.as_str())
        .with_email(format!("{}@example.com", customer.id.to_lowercase()))
        .with_address(address);
    let users = calls.users.with_key(format!("demo-user-{}", customer.id));
    unless_there("USER_EXISTS", persist(|| users.register_user(user.clone())).await)?;
    let account = OpenAccountRequest::default().with_customer_id(customer.id.as_str());
    let payments = calls.payments.with_key(format!("demo-account-{}", customer.id));
    unless_there("ACCOUNT_EXISTS", persist(|| payments.open_account(account.clone())).await)?;
    deposit(calls, plan, &customer.id).await
}

async fn deposit(calls: &Calls, plan: &Plan, customer_id: &str) -> Result<(), Error> {
    let Some(cents) = plan.deposits.get(customer_id).copied().filter(|cents| *cents > 0) else {
        return Ok(());
    };
    let deposit = DepositRequest::default()
        .with_customer_id(customer_id)
        .with_amount_cents(cents)
        .with_deposit_id(plan.key(&format!("deposit-{customer_id}")));
    let payments = calls.payments.with_key(deposit.deposit_id.as_str());
    unless_there("DEPOSIT_CONFLICT", persist(|| payments.deposit(deposit.clone())).await)
}

async fn add_product(calls: &Calls, plan: &Plan, product: &Product) -> Result<(), Error> {
    let create = CreateProductRequest::default()
        .with_id(product.id.as_str())
        .with_name(product.name.as_str())
        .with_price_cents(product.price_cents)
        .with_category(product.category.as_str());
    let catalog = calls.catalog.with_key(format!("demo-product-{}", product.id));
    unless_there("PRODUCT_EXISTS", persist(|| catalog.create_product(create.clone())).await)?;
    deliver(calls, &product.id, product.units, &plan.key(&format!("opening-{}", product.id))).await
}

async fn add_driver(calls: &Calls, driver: &Driver) -> Result<(), Error> {
    let vehicle =
        Vehicle::default().with_plate(driver.plate).with_model(driver.model).with_seats(driver.seats);
    let register = RegisterDriverRequest::default()
        .with_id(driver.id)
        .with_name(driver.name)
        .with_phone(driver.phone)
        .with_vehicle(vehicle);
    let drivers = calls.drivers.with_key(format!("demo-{}", driver.id));
    unless_there("DRIVER_EXISTS", persist(|| drivers.register_driver(register.clone())).await)
}

/// Books a delivery, once per id.
pub(crate) async fn deliver(
    calls: &Calls,
    product_id: &str,
    units: i64,
    delivery_id: &str,
) -> Result<(), Error> {
    if units == 0 {
        return Ok(());
    }
    let restock =
        RestockRequest::default().with_product_id(product_id).with_units(units).with_delivery_id(delivery_id);
    let inventory = calls.inventory.with_key(delivery_id);
    persist(|| inventory.restock(restock.clone())).await.map(|_| ())
}

/// What is there already need not be made.
fn unless_there<T>(reason: &str, made: Result<T, Error>) -> Result<(), Error> {
    match made {
        Err(error) if error.reason() == reason => Ok(()),
        made => made.map(|_| ()),
    }
}
