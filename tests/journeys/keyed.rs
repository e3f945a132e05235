//! A server that dies between its commit and its reply: the caller knows nothing, and its key tells it everything.
//!
//! The calls go through a wire that lets requests through and swallows whatever comes back. Once the effect is in the
//! owner's database, the owner is killed: its reply has been lost for good.

use freehold_sdk::catalog::v1::{CatalogClient, CreateProductRequest};
use freehold_sdk::inventory::v1::{InventoryClient, RestockRequest};
use freehold_sdk::orders::v1::{NewLine, OrderState, OrdersClient, PlaceOrderRequest};
use freehold_sdk::payments::v1::{OpenAccountRequest, PaymentsClient};
use freehold_sdk::users::v1::{RegisterUserRequest, UsersClient};
use freehold_sdk::{Error, Mesh, Session};
use freehold_testkit::{PATIENCE, Scratch, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, sink};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::mesh::{Up, is_sound};
use crate::records::Records;

/// C12: the effect is there once, the repetition gets the reply that was lost, and without the key it would be refused.
#[tokio::test]
async fn a_write_whose_reply_died_with_its_server_is_done_once_under_its_key() {
    let scratch = Scratch::new("keyed");
    let records = Records::of(&scratch.join("data"));
    let mut up = Up::start(scratch.path()).await;
    let register = user("MARIA");

    let users =
        UsersClient::connect(&deaf(&up, "users").await).unwrap().with_deadline(PATIENCE).with_key("once");
    let lost = tokio::spawn({
        let (users, register) = (users.clone(), register.clone());
        async move { users.register_user(register).await }
    });
    happened(&records, "users", "SELECT 1 FROM app_user WHERE id = 'MARIA'", &lost).await;
    up.process.kill();
    let error = lost.await.unwrap().unwrap_err();
    assert!(error.is_retryable_with_same_key(), "{error}");

    let up = Up::start(scratch.path()).await;
    let users = UsersClient::connect(&up.mesh()).unwrap().with_deadline(PATIENCE);
    let registered = users.with_key("once").register_user(register.clone()).await.unwrap();
    let stored = records.number("users", "SELECT registered_ms FROM app_user WHERE id = 'MARIA'");
    assert_eq!(Some(registered.registered_ms), stored, "the reply is that of the first time");
    assert_eq!(records.number("users", "SELECT COUNT(*) FROM freehold_outbox WHERE key = 'MARIA'"), Some(1));
    let naive: Result<_, Error> = users.with_key("another").register_user(register).await;
    assert_eq!(naive.unwrap_err().reason(), "USER_EXISTS", "without its key, the write is not known again");
}

/// C12, over a saga: whether the server dies with the order just placed or with the saga at its end.
#[tokio::test]
async fn an_order_whose_reply_died_with_its_server_is_placed_once_under_its_key() {
    let scratch = Scratch::new("order");
    let records = Records::of(&scratch.join("data"));
    let mut up = Up::start(scratch.path()).await;
    let session = fill(&up.mesh()).await.unwrap();
    for (id, moment) in [
        ("begun", "SELECT 1 FROM shop_order WHERE id = 'begun'"),
        ("ended", "SELECT 1 FROM shop_order WHERE id = 'ended' AND state = 2"),
    ] {
        let order = PlaceOrderRequest::default()
            .with_id(id)
            .with_customer_id("MARIA")
            .with_lines([NewLine::default().with_product_id("TEA").with_units(3)]);
        let orders = OrdersClient::connect(&deaf(&up, "orders").await).unwrap().with_deadline(PATIENCE);
        let orders = orders.with_session(&session).with_key(id);
        let lost = tokio::spawn({
            let (orders, order) = (orders.clone(), order.clone());
            async move { orders.place_order(order).await }
        });
        happened(&records, "orders", moment, &lost).await;
        up.process.kill();
        let error = lost.await.unwrap().unwrap_err();
        assert!(error.is_retryable_with_same_key(), "{error}");

        up = Up::start(scratch.path()).await;
        let orders = OrdersClient::connect(&up.mesh()).unwrap().with_deadline(PATIENCE).with_key(id);
        let placed = orders.place_order(order.clone()).await.unwrap();
        assert_eq!(placed.state, i32::from(OrderState::Confirmed), "{placed:?}");
        assert_eq!(orders.place_order(order).await.unwrap(), placed);
    }
    is_sound(scratch.path()).await;
    assert_eq!(
        records.number("orders", "SELECT COUNT(*) FROM order_event"),
        Some(4),
        "two facts for each order"
    );
    assert_eq!(records.number("inventory", "SELECT reserved_units FROM stock"), Some(6));
    assert_eq!(records.number("payments", "SELECT SUM(amount_cents) FROM payment"), Some(6 * 450));
}

fn user(id: &str) -> RegisterUserRequest {
    RegisterUserRequest::default().with_id(id).with_name("Maria").with_email("maria@example.com")
}

/// A customer with money, and a product with stock. An order that is to see them is placed in their session.
async fn fill(mesh: &Mesh) -> Result<Session, Error> {
    let session = Session::new();
    let users = UsersClient::connect(mesh)?.with_deadline(PATIENCE).with_session(&session);
    users.register_user(user("MARIA")).await?;
    let account = OpenAccountRequest::default().with_customer_id("MARIA").with_opening_cents(10_000);
    PaymentsClient::connect(mesh)?.with_deadline(PATIENCE).open_account(account).await?;
    let tea = CreateProductRequest::default().with_id("TEA").with_name("Tea").with_price_cents(450);
    let catalog = CatalogClient::connect(mesh)?.with_deadline(PATIENCE).with_session(&session);
    catalog.create_product(tea).await?;
    let restock = RestockRequest::default().with_product_id("TEA").with_units(10).with_delivery_id("first");
    InventoryClient::connect(mesh)?.with_deadline(PATIENCE).restock(restock).await?;
    Ok(session)
}

/// Waits for the effect of a call that gets no answer.
pub(crate) async fn happened<T>(records: &Records, service: &str, sql: &str, call: &JoinHandle<T>) {
    eventually("the effect in the owner's database", PATIENCE, async || {
        assert!(!call.is_finished(), "the call came back before its effect was there");
        records.number(service, sql)
    })
    .await;
}

/// The mesh with one service behind a wire that never answers.
async fn deaf(up: &Up, service: &str) -> Mesh {
    Mesh::fixed("demo", [(service, deaf_way(&up.services[service]).await)])
}

/// The address of a wire to the service at `url` that never answers.
pub(crate) async fn deaf_way(url: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let owner = url.strip_prefix("http://").unwrap().to_owned();
    tokio::spawn(async move {
        while let Ok((caller, _)) = listener.accept().await {
            tokio::spawn(swallow(caller, owner.clone()));
        }
    });
    format!("http://{address}")
}

/// Passes what the caller sends on, and keeps what comes back but for the settings, without which nobody calls; ends
/// when the owner does.
async fn swallow(mut caller: TcpStream, owner: String) -> std::io::Result<()> {
    let mut owner = TcpStream::connect(owner).await?;
    let (mut said, mut passed) = caller.split();
    let (mut answered, mut asked) = owner.split();
    let answers = async {
        // They come in one piece, before the owner can have heard of a call.
        let mut settings = [0; 1024];
        let length = answered.read(&mut settings).await?;
        passed.write_all(&settings[..length]).await?;
        copy(&mut answered, &mut sink()).await
    };
    tokio::select! {
        _ = copy(&mut said, &mut asked) => {}
        _ = answers => {}
    }
    passed.shutdown().await
}
