//! The gateway as its callers meet it: one port for all of it, pages that say what they lack, and replacements that are
//! all or nothing though it is killed in the middle.

use freehold_sdk::catalog::v1::{CatalogClient, CreateProductRequest, GetProductRequest, ProductState};
use freehold_sdk::gateway::v1::{
    GatewayClient, GetOrderPageRequest, OrderPage, PartState, ProductReplacement, ProductReplacementState,
    ReplaceProductRequest,
};
use freehold_sdk::inventory::v1::{InventoryClient, RestockRequest};
use freehold_sdk::orders::v1::{
    BasketLine, GetBasketRequest, NewLine, OrdersClient, PlaceOrderRequest, SaveBasketRequest,
};
use freehold_sdk::payments::v1::{OpenAccountRequest, PaymentsClient};
use freehold_sdk::users::v1::{RegisterUserRequest, UsersClient};
use freehold_sdk::{Error, Mesh, PORTS, Session};
use freehold_testkit::{PATIENCE, Scratch};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::keyed::{deaf_way, happened};
use crate::mesh::{Up, freehold, is_sound, run};
use crate::records::Records;

#[tokio::test]
async fn one_port_is_the_directory_the_gateway_and_every_service_over_http() {
    let scratch = Scratch::new("one-port");
    let up = Up::start(scratch.path()).await;
    assert_eq!(up.services["gateway"], up.directory);
    fill(&up.mesh()).await.unwrap();
    let status = run(scratch.path(), &["status", "--mesh", &up.directory]).await;
    assert_eq!(status.code, Some(0), "{status:#?}");

    let (code, user) = ask(&up.directory, "GET /v1/users/MARIA", "").await;
    assert_eq!((code, &user["name"]), (200, &"Maria".into()), "{user}");
    let (code, nobody) = ask(&up.directory, "GET /v1/users/NOBODY", "").await;
    assert_eq!((code, &nobody["error"]["status"]), (404, &"NOT_FOUND".into()), "{nobody}");
}

/// Invariant 12: what is forwarded is decided for its caller; what the gateway composes is decided for it at the gateway.
#[tokio::test]
async fn what_comes_by_http_is_decided_for_its_caller() {
    let scratch = Scratch::new("http-access");
    let up = Up::start(scratch.path()).await;
    fill(&up.mesh()).await.unwrap();
    let name = |caller: &str| format!("freehold-caller: {caller}\r\n");
    for (what, declared, others) in [
        ("GET /v1/payments/order-1", "demo", "backoffice"),
        ("GET /v1/order-pages/order-1", "backoffice", "demo"),
    ] {
        let (code, answer) = ask(&up.directory, what, &name(declared)).await;
        assert_eq!(code, 200, "{what}: {answer}");
        for headers in [String::new(), name(others), name("gateway")] {
            let gateways_own = headers.contains("gateway") && what.contains("payments");
            let (code, answer) = ask(&up.directory, what, &headers).await;
            assert_eq!(code == 200, gateways_own, "{what} by {headers:?}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_page_without_one_of_its_services_is_partial_and_says_which() {
    let scratch = Scratch::new("partial");
    let mut users = Up::with(scratch.path(), &["--only", "users", "--port", "0", "--data", "data"]).await;
    let others = Apart::but(&["users"]);
    let up = others.start(scratch.path(), &users.services).await;
    let mut services = up.services.clone();
    services.extend(users.services.clone());
    fill(&Mesh::fixed("demo", services)).await.unwrap();
    let whole = page(&up).await;
    assert!(!whole.partial, "{whole:?}");
    assert_eq!(whole.customer.unwrap().customer.unwrap().name, "Maria");
    assert_eq!(whole.lines[0].stock.as_ref().unwrap().stock.as_ref().unwrap().reserved_units, 3);

    users.process.kill();
    let partial = page(&up).await;
    assert!(partial.partial, "{partial:?}");
    let (order, customer) = (partial.order.unwrap(), partial.customer.unwrap());
    assert_eq!(customer.state().unwrap(), PartState::Unavailable, "{}", customer.reason);
    assert_eq!(order.state().unwrap(), PartState::Present);
}

/// Both ends of a replacement, over a kill -9 of the gateway in the middle of it.
#[tokio::test]
async fn a_replacement_whose_gateway_is_killed_is_all_or_nothing() {
    let scratch = Scratch::new("replaced");
    let records = Records::of(&scratch.join("data"));
    let owners = Apart::but(&["gateway"]).start(scratch.path(), &Default::default()).await;
    fill(&owners.mesh()).await.unwrap();
    let mut deaf = owners.services.clone();
    deaf.insert("orders".to_owned(), deaf_way(&owners.services["orders"]).await);
    let gateway = Apart::of(&["gateway"]);
    for (by, moment, done) in [
        ("GOLD", ("catalog", "SELECT 1 FROM discontinuation WHERE id = 'by-GOLD'"), false),
        ("MATE", ("orders", "SELECT 1 FROM replacement WHERE id = 'by-MATE'"), true),
    ] {
        let mut up = gateway.start(scratch.path(), &deaf).await;
        let lost = tokio::spawn(replace(up.mesh_of("backoffice"), by));
        happened(&records, moment.0, moment.1, &lost).await;
        up.process.kill();
        assert!(lost.await.unwrap().unwrap_err().is_retryable_with_same_key());
        let taken_up = gateway.start(scratch.path(), &owners.services).await;
        let ended = replace(taken_up.mesh_of("backoffice"), by).await.unwrap();
        let expected = if done { ProductReplacementState::Done } else { ProductReplacementState::Undone };
        assert_eq!(ended.state().unwrap(), expected, "{ended:?}");
        let state = if done { ProductState::Discontinued } else { ProductState::Active };
        assert_eq!(tea(&owners).await, state);
        assert_eq!(basket(&owners).await, [(if done { "MATE" } else { "TEA" }.to_owned(), 7)]);
    }
    is_sound(scratch.path()).await;
}

/// Some services of a mesh, in a process of their own.
struct Apart(Vec<&'static str>);

impl Apart {
    fn of(services: &[&'static str]) -> Self {
        Self(services.to_vec())
    }

    fn but(services: &[&'static str]) -> Self {
        Self(PORTS.iter().map(|(name, _)| *name).filter(|name| !services.contains(name)).collect())
    }

    /// Starts them over the folder `data` of `folder`, beside the others.
    async fn start(
        &self,
        folder: &std::path::Path,
        others: &std::collections::BTreeMap<String, String>,
    ) -> Up {
        let only = self.0.join(",");
        let mut command = freehold(folder, &["up", "--only", &only, "--port", "0", "--data", "data"]);
        for (name, url) in others {
            command.env(format!("FREEHOLD_{}_URL", name.to_uppercase()), url);
        }
        Up::of(folder, command).await
    }
}

impl Up {
    /// The mesh as that consumer sees it.
    fn mesh_of(&self, consumer: &str) -> Mesh {
        Mesh::fixed(consumer, self.services.clone())
    }
}

async fn page(up: &Up) -> OrderPage {
    let gateway = GatewayClient::connect(&up.mesh_of("backoffice")).unwrap().with_deadline(PATIENCE);
    gateway.get_order_page(GetOrderPageRequest::default().with_order_id("order-1")).await.unwrap()
}

/// Replaces tea by something else, under an id of that.
async fn replace(mesh: Mesh, by: &'static str) -> Result<ProductReplacement, Error> {
    let gateway = GatewayClient::connect(&mesh)?.with_deadline(PATIENCE).with_key(by);
    let request = ReplaceProductRequest::default()
        .with_id(format!("by-{by}"))
        .with_product_id("TEA")
        .with_by_product_id(by);
    gateway.replace_product(request).await
}

async fn tea(up: &Up) -> ProductState {
    let catalog = CatalogClient::connect(&up.mesh()).unwrap().with_deadline(PATIENCE);
    catalog.get_product(GetProductRequest::default().with_id("TEA")).await.unwrap().state().unwrap()
}

async fn basket(up: &Up) -> Vec<(String, i64)> {
    let orders = OrdersClient::connect(&up.mesh_of("backoffice")).unwrap().with_deadline(PATIENCE);
    let basket = orders.get_basket(GetBasketRequest::default().with_customer_id("MARIA")).await.unwrap();
    basket.lines.into_iter().map(|line| (line.product_id, line.units)).collect()
}

/// A customer with money, an order and a basket; tea, something like it, and something far dearer.
async fn fill(mesh: &Mesh) -> Result<(), Error> {
    let session = Session::new();
    let users = UsersClient::connect(mesh)?.with_deadline(PATIENCE).with_session(&session);
    let maria =
        RegisterUserRequest::default().with_id("MARIA").with_name("Maria").with_email("maria@example.com");
    users.register_user(maria).await?;
    let account = OpenAccountRequest::default().with_customer_id("MARIA").with_opening_cents(10_000);
    PaymentsClient::connect(mesh)?.with_deadline(PATIENCE).open_account(account).await?;
    let catalog = CatalogClient::connect(mesh)?.with_deadline(PATIENCE).with_session(&session);
    for (id, cents) in [("TEA", 450), ("MATE", 450), ("GOLD", 9_000)] {
        let product = CreateProductRequest::default().with_id(id).with_name(id).with_price_cents(cents);
        catalog.create_product(product).await?;
    }
    let restock = RestockRequest::default().with_product_id("TEA").with_units(10).with_delivery_id("first");
    InventoryClient::connect(mesh)?.with_deadline(PATIENCE).restock(restock).await?;
    let orders = OrdersClient::connect(mesh)?.with_deadline(PATIENCE).with_session(&session);
    let order = PlaceOrderRequest::default()
        .with_id("order-1")
        .with_customer_id("MARIA")
        .with_lines([NewLine::default().with_product_id("TEA").with_units(3)]);
    orders.place_order(order).await?;
    let desk = Mesh::fixed("backoffice", mesh.services());
    let orders = OrdersClient::connect(&desk)?.with_deadline(PATIENCE).with_session(&session);
    let basket = SaveBasketRequest::default()
        .with_customer_id("MARIA")
        .with_lines([BasketLine::default().with_product_id("TEA").with_units(7)]);
    orders.save_basket(basket).await.map(drop)
}

/// Does what `curl` does: the status and the JSON of the answer.
async fn ask(url: &str, what: &str, headers: &str) -> (u16, Value) {
    let mut socket = TcpStream::connect(url.strip_prefix("http://").unwrap()).await.unwrap();
    let request = format!("{what} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let code = head.split(' ').nth(1).unwrap().parse().unwrap();
    (code, serde_json::from_str(body).unwrap())
}
