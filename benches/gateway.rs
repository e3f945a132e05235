//! The order page beside the calls that it is made of, one at a time in turn: what it costs over its slowest call, with
//! and without what a caller knows who comes from a list; in a mesh in one process, and with owners a millisecond away
//! from a gateway in a process of its own.
//!
//! `cargo bench --bench gateway`; the bars and the figures are in docs/benchmarks.md.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::future::Future;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use freehold_sdk::catalog::v1::{BatchGetProductsRequest, CatalogClient, CreateProductRequest};
use freehold_sdk::gateway::v1::{GatewayClient, GetOrderPageRequest};
use freehold_sdk::inventory::v1::{BatchGetStockRequest, InventoryClient, RestockRequest};
use freehold_sdk::orders::v1::{GetOrderRequest, NewLine, OrdersClient, PlaceOrderRequest};
use freehold_sdk::payments::v1::{GetPaymentRequest, OpenAccountRequest, PaymentsClient};
use freehold_sdk::users::v1::{GetUserRequest, RegisterUserRequest, UsersClient};
use freehold_sdk::{Mesh, Session};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant as At, sleep_until};

type Result<T> = std::result::Result<T, Box<dyn Error>>;
type Services = BTreeMap<String, String>;

const ROUNDS: usize = 2_000;
const PRODUCTS: [&str; 3] = ["TEA", "MATE", "COFFEE"];
/// How long a message takes from one machine to another, one way.
const AWAY: Duration = Duration::from_millis(1);

fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let (_mesh, services) = up(folder.path(), &["--data", "data"], &Services::new())?;
    runtime.block_on(fill(&services))?;
    report("a mesh in one process", runtime.block_on(turns(&services, &services))?);
    let away = runtime.block_on(put_away(&services))?;
    let (_gateway, gateway) = up(folder.path(), &["--data", "apart", "--only", "gateway"], &away)?;
    report("owners 1 ms away", runtime.block_on(turns(&away, &gateway))?);
    Ok(())
}

/// What each call took, and the pages over the slowest one.
fn report(what: &str, mut times: Vec<(&'static str, Vec<Duration>)>) {
    println!("{what}, p50 and p99 of {ROUNDS}");
    let mut slowest = Duration::ZERO;
    for (call, times) in &mut times {
        times.sort_unstable();
        let (p50, p99) = (times[times.len() / 2], times[times.len() * 99 / 100]);
        let compared = if call.starts_with("page") {
            format!(", {:.2} times the slowest call", p50.as_secs_f64() / slowest.as_secs_f64())
        } else {
            slowest = slowest.max(p50);
            String::new()
        };
        println!("  {call:<22} {:>6} us {:>6} us{compared}", p50.as_micros(), p99.as_micros());
    }
}

/// Each call once, round after round, so that whatever else the machine does hits all of them alike.
async fn turns(owners: &Services, gateway: &Services) -> Result<Vec<(&'static str, Vec<Duration>)>> {
    let demo = Mesh::fixed("demo", owners.clone());
    let (orders, users) = (OrdersClient::connect(&demo)?, UsersClient::connect(&demo)?);
    let (catalog, inventory) = (CatalogClient::connect(&demo)?, InventoryClient::connect(&demo)?);
    let payments = PaymentsClient::connect(&demo)?;
    let gateway = GatewayClient::connect(&Mesh::fixed("backoffice", gateway.clone()))?;
    let page = GetOrderPageRequest::default().with_order_id("order-1");
    let known = page.clone().with_customer_id("MARIA").with_product_ids(PRODUCTS);
    let calls =
        ["order", "customer", "products", "stock", "payment", "page, ids known", "page, ids not known"];
    let mut times: Vec<(&str, Vec<Duration>)> = calls.map(|call| (call, Vec::with_capacity(ROUNDS))).into();
    for _ in 0..ROUNDS {
        let order = GetOrderRequest::default().with_id("order-1");
        times[0].1.push(timed(orders.get_order(order)).await?);
        times[1].1.push(timed(users.get_user(GetUserRequest::default().with_id("MARIA"))).await?);
        let products = BatchGetProductsRequest::default().with_ids(PRODUCTS);
        times[2].1.push(timed(catalog.batch_get_products(products)).await?);
        let stock = BatchGetStockRequest::default().with_product_ids(PRODUCTS);
        times[3].1.push(timed(inventory.batch_get_stock(stock)).await?);
        let payment = GetPaymentRequest::default().with_id("order-1");
        times[4].1.push(timed(payments.get_payment(payment)).await?);
        times[5].1.push(timed(gateway.get_order_page(known.clone())).await?);
        times[6].1.push(timed(gateway.get_order_page(page.clone())).await?);
    }
    Ok(times)
}

async fn timed<T>(
    call: impl Future<Output = std::result::Result<T, freehold_sdk::Error>>,
) -> Result<Duration> {
    let began = Instant::now();
    call.await?;
    Ok(began.elapsed())
}

/// One order of three lines.
async fn fill(owners: &Services) -> Result<()> {
    let (mesh, session) = (Mesh::fixed("demo", owners.clone()), Session::new());
    let maria =
        RegisterUserRequest::default().with_id("MARIA").with_name("Maria").with_email("maria@example.com");
    UsersClient::connect(&mesh)?.with_session(&session).register_user(maria).await?;
    let account = OpenAccountRequest::default().with_customer_id("MARIA").with_opening_cents(10_000);
    PaymentsClient::connect(&mesh)?.open_account(account).await?;
    let (catalog, inventory) = (CatalogClient::connect(&mesh)?, InventoryClient::connect(&mesh)?);
    for id in PRODUCTS {
        let product = CreateProductRequest::default().with_id(id).with_name(id).with_price_cents(450);
        catalog.with_session(&session).create_product(product).await?;
        let goods = RestockRequest::default().with_product_id(id).with_units(10).with_delivery_id(id);
        inventory.restock(goods).await?;
    }
    let lines = PRODUCTS.map(|id| NewLine::default().with_product_id(id).with_units(1));
    let order = PlaceOrderRequest::default().with_id("order-1").with_customer_id("MARIA").with_lines(lines);
    OrdersClient::connect(&mesh)?.with_session(&session).place_order(order).await?;
    Ok(())
}

/// A mesh, which knows where the others are.
fn up(folder: &Path, arguments: &[&str], others: &Services) -> Result<(Ended, Services)> {
    let ready = tempfile::Builder::new().prefix("ready").tempdir_in(folder)?.keep().join("ready.json");
    let mut command = Command::new(env!("CARGO_BIN_EXE_freehold"));
    command.current_dir(folder).args(["up", "--port", "0"]).args(arguments);
    command.arg("--ready-file").arg(&ready).stderr(Stdio::null()).stdout(Stdio::null());
    for (name, url) in others {
        command.env(format!("FREEHOLD_{}_URL", name.to_uppercase()), url);
    }
    let up = Ended(command.spawn()?);
    let began = Instant::now();
    while !ready.exists() && began.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(1));
    }
    let said: serde_json::Value = serde_json::from_slice(&fs::read(&ready)?)?;
    Ok((up, serde_json::from_value(said["services"].clone())?))
}

/// A process that ends with this value.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The same services behind wires on which everything takes its time.
async fn put_away(services: &Services) -> Result<Services> {
    let mut away = Services::new();
    for (name, url) in services {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        away.insert(name.clone(), format!("http://{}", listener.local_addr()?));
        let owner = url.strip_prefix("http://").unwrap_or(url).to_owned();
        tokio::spawn(async move {
            while let Ok((caller, _)) = listener.accept().await {
                tokio::spawn(wire(caller, owner.clone()));
            }
        });
    }
    Ok(away)
}

async fn wire(caller: TcpStream, owner: String) -> std::io::Result<()> {
    let owner = TcpStream::connect(owner).await?;
    caller.set_nodelay(true)?;
    owner.set_nodelay(true)?;
    let ((said, answers), (answered, asks)) = (caller.into_split(), owner.into_split());
    tokio::spawn(delay(said, asks));
    tokio::spawn(delay(answered, answers));
    Ok(())
}

/// Passes on what comes, each piece a while after it came.
async fn delay(
    mut from: impl AsyncRead + Unpin + Send + 'static,
    mut to: impl AsyncWrite + Unpin + Send + 'static,
) -> std::io::Result<()> {
    let (under_way, mut arriving) = mpsc::unbounded_channel::<(At, Vec<u8>)>();
    tokio::spawn(async move {
        let mut piece = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from.read(&mut piece).await {
            if under_way.send((At::now() + AWAY, piece[..read].to_vec())).is_err() {
                break;
            }
        }
    });
    while let Some((at, piece)) = arriving.recv().await {
        sleep_until(at).await;
        to.write_all(&piece).await?;
    }
    to.shutdown().await
}
