//! Copies, measured: how long after a commit its copy has it, what a read of a copy costs beside the bare query and the
//! call of its owner, and how quickly a copy is made and followed.
//!
//! Owner and consumer have a database each (SQLite, FULL) and speak gRPC over the loopback, as two processes would.
//! `cargo bench -p freehold-replica`; the bars and the figures are in docs/benchmarks.md.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use freehold_client::{FeedClient, Mesh};
use freehold_events::feed::Feed;
use freehold_events::{Consumer, Handle};
use freehold_replica::{Column, ColumnKind, Copied, Level, Replica, Source, WhenStale};
use freehold_server::Server;
use freehold_store::{Options, Row, Store, StoreError, Value, Work};
use freehold_wire::contract::{Consumer as Declared, Owner as Declares, Purpose, SharedType};
use freehold_wire::feed::FeedServiceServer;
use freehold_wire::pb::{ReadRequest, Token};
use freehold_wire::{Context, Contract, Entitlement, Entity, Session};
use rusqlite::Connection;
use tokio_util::sync::CancellationToken;

type Outcome<T> = Result<T, Box<dyn Error>>;

const PRODUCTS: i64 = 20_000;
const CHANGES: i64 = 300;
const ROUNDS: usize = 15;
const READS: usize = 4_000;
const BUDGET: Duration = Duration::from_secs(60);

static CONTRACT: Contract = Contract {
    owners: &[Declares {
        name: "catalog",
        contact: "",
        services: &[],
        methods: &[],
        entities: &[SharedType {
            name: "c.v1.Product",
            entity: "c.v1.Product",
            shared: &[1, 2, 3],
            personal: false,
        }],
        events: &[],
    }],
    consumers: &[Declared {
        name: "orders",
        file: "orders/v1/needs.proto",
        calls: &[],
        entitlements: &[Entitlement { of: "c.v1.Product", fields: &[1, 2, 3], purpose: Purpose::Replica }],
    }],
    descriptors: &[],
};

#[derive(Clone, PartialEq, prost::Message)]
struct Product {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(int64, tag = "3")]
    price_cents: i64,
}

impl Entity for Product {
    const NAME: &'static str = "c.v1.Product";
    const OWNER: &'static str = "catalog";

    fn key(&self) -> &str {
        &self.id
    }

    fn shared(&self) -> Self {
        self.clone()
    }
}

impl Copied for Product {
    const NAME: &'static str = "orders.v1.ProductCopy";
    const OF: &'static str = "c.v1.Product";
    const OWNER: &'static str = "catalog";
    const CONSUMER: &'static str = "orders";
    const TABLE: &'static str = "product_copy";
    const KEY: &'static str = "id";
    const COLUMNS: &'static [Column] = &[
        Column { name: "id", kind: ColumnKind::Text },
        Column { name: "name", kind: ColumnKind::Text },
        Column { name: "price_cents", kind: ColumnKind::BigInt },
    ];
    const MAX_STALENESS: Option<Duration> = None;
    const WHEN_STALE: WhenStale = WhenStale::Fail;

    fn key(&self) -> &str {
        &self.id
    }

    fn values(&self) -> Vec<Value> {
        vec![Value::from(self.id.as_str()), Value::from(self.name.as_str()), Value::from(self.price_cents)]
    }

    fn from_row(row: &mut Row) -> Result<Self, StoreError> {
        Ok(Self { id: row.take("id")?, name: row.take("name")?, price_cents: row.take("price_cents")? })
    }
}

fn main() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(measure(folder.path()))
}

async fn measure(folder: &Path) -> Outcome<()> {
    let owner = open("catalog", folder).await?;
    let began = Instant::now();
    put_all(&owner, 1).await?;
    println!("owner, {PRODUCTS} puts in units of 100   {:.0} ms", began.elapsed().as_secs_f64() * 1e3);
    let (mesh, stop) = serve(&owner).await?;
    let shop = open("orders", folder).await?;
    let replica = Replica::<Product>::new(&shop, &mesh).await?;

    let began = Instant::now();
    let handle = Consumer::new(shop.clone(), mesh.clone()).subscribe(replica.subscription()).start();
    handle.caught_up(BUDGET).await?;
    per_second("snapshot into a copy", PRODUCTS, began.elapsed());
    following(&owner, &handle).await?;
    lag(&owner, &replica).await?;
    reads(folder, &shop, &replica, &mesh).await?;
    handle.stop().await;
    stop.cancel();
    Ok(())
}

async fn open(service: &str, folder: &Path) -> Outcome<Store> {
    let url = format!("sqlite:{}", folder.join(format!("{service}.db")).display());
    let options = Options::new(service, url);
    Ok(Store::open(
        options.migrations(&freehold_events::MIGRATIONS).migrations(&freehold_replica::MIGRATIONS),
    )
    .await?)
}

async fn serve(owner: &Store) -> Outcome<(Mesh, CancellationToken)> {
    let feed = FeedServiceServer::new(Feed::new(owner.clone(), &CONTRACT)?);
    let bound = Server::new("catalog", &CONTRACT).serve(feed).bind().await?;
    let mesh = Mesh::fixed("orders", [("catalog", format!("http://{}", bound.addr()))]);
    let stop = CancellationToken::new();
    tokio::spawn(bound.run(stop.clone()));
    Ok((mesh, stop))
}

fn product(key: i64, price_cents: i64) -> Product {
    Product { id: name(key), name: "a name of usual length".to_owned(), price_cents }
}

fn name(key: i64) -> String {
    format!("p{key:05}")
}

async fn put_all(owner: &Store, price_cents: i64) -> Outcome<()> {
    for first in (0..PRODUCTS).step_by(100) {
        let unit = async move |work: &mut Work| -> Result<(), StoreError> {
            for key in first..first + 100 {
                work.put(&product(key, price_cents)).await?;
            }
            Ok(())
        };
        owner.unit(&Context::new("catalog", BUDGET), unit).await?;
    }
    Ok(())
}

/// How many changes a second a copy takes in that was away meanwhile: it is told of all of them at once.
async fn following(owner: &Store, handle: &Handle) -> Outcome<()> {
    let began = Instant::now();
    put_all(owner, 2).await?;
    handle.caught_up(BUDGET).await?;
    per_second("changes, from put to copy", PRODUCTS, began.elapsed());
    Ok(())
}

/// From the reply of a commit to its row in the copy, while nothing else happens.
async fn lag(owner: &Store, replica: &Replica<Product>) -> Outcome<()> {
    let mut lags = Vec::new();
    for change in 0..CHANGES {
        let token = put(owner, change).await?;
        let committed = Instant::now();
        let achieved = replica.at(Level::Causal(&Session::of([token])), BUDGET).await?;
        lags.push(committed.elapsed());
        assert_eq!(achieved.source(), Source::Copy, "the copy itself is measured");
        // Idle: the next one finds everybody asleep.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    lags.sort_unstable();
    let at = |share: f64| lags[((lags.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!("lag of a copy, idle            p50 {:.1} ms, p99 {:.1} ms", at(0.5), at(0.99));
    Ok(())
}

async fn put(owner: &Store, change: i64) -> Outcome<Token> {
    let unit = async move |work: &mut Work| work.put(&product(change % 100, 1_000 + change)).await;
    Ok(owner.unit::<_, StoreError, _>(&Context::new("catalog", BUDGET), unit).await?.1)
}

/// A row by key: the bare query, the copy at its level, the call of the owner; in turns.
async fn reads(folder: &Path, shop: &Store, replica: &Replica<Product>, mesh: &Mesh) -> Outcome<()> {
    let connection = Connection::open(folder.join("orders.db"))?;
    let feed = FeedClient::new(mesh.channel("catalog")?);
    let (mut bare, mut copy, mut shared, mut owner) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let keys = (0..READS).map(|read| name(((round * READS + read) * 7919) as i64 % PRODUCTS));
        let keys: Vec<String> = keys.collect();
        bare.push(timed_bare(&connection, &keys)?);
        copy.push(timed_copy(replica, &keys).await?);
        shared.push(timed_shared(shop, replica, &keys).await?);
        owner.push(timed_owner(&feed, &keys[..200]).await?);
    }
    let bare = report("bare query", bare, None);
    report("copy, a level and a read each", copy, Some(bare));
    report("copy, a level and one read for all", shared, Some(bare));
    report("call of the owner", owner, Some(bare));
    Ok(())
}

fn timed_bare(connection: &Connection, keys: &[String]) -> Outcome<Duration> {
    const READ: &str = "SELECT id, name, price_cents, freehold_version FROM product_copy \
                        WHERE id = $1 AND NOT freehold_deleted";
    let began = Instant::now();
    let mut sum = 0;
    for key in keys {
        let row = connection.prepare_cached(READ)?.query_row([key], |row| {
            let product = Product { id: row.get(0)?, name: row.get(1)?, price_cents: row.get(2)? };
            Ok((product, row.get::<_, i64>(3)?))
        })?;
        sum += row.0.price_cents;
    }
    std::hint::black_box(sum);
    Ok(began.elapsed() / u32::try_from(keys.len())?)
}

async fn timed_copy(replica: &Replica<Product>, keys: &[String]) -> Outcome<Duration> {
    let began = Instant::now();
    for key in keys {
        let achieved = replica.at(Level::Eventual, BUDGET).await?;
        let row = replica.get_alone(key).await?;
        std::hint::black_box((row.is_some(), achieved.source() == Source::Copy));
    }
    Ok(began.elapsed() / u32::try_from(keys.len())?)
}

async fn timed_shared(shop: &Store, replica: &Replica<Product>, keys: &[String]) -> Outcome<Duration> {
    let began = Instant::now();
    for keys in keys.chunks(20) {
        let achieved = replica.at(Level::Eventual, BUDGET).await?;
        let mut read = shop.read().await?;
        for key in keys {
            std::hint::black_box(Replica::<Product>::get(&mut read, key).await?.is_some());
        }
        std::hint::black_box(achieved.source());
    }
    Ok(began.elapsed() / u32::try_from(keys.len())?)
}

async fn timed_owner(feed: &FeedClient, keys: &[String]) -> Outcome<Duration> {
    let began = Instant::now();
    for key in keys {
        let request = ReadRequest::default().with_entity("c.v1.Product").with_keys([key.as_str()]);
        std::hint::black_box(feed.read(request).await?.rows.len());
    }
    Ok(began.elapsed() / u32::try_from(keys.len())?)
}

fn per_second(what: &str, count: i64, took: Duration) {
    println!(
        "{what:<30} {:.0} /s ({count} in {:.0} ms)",
        count as f64 / took.as_secs_f64(),
        took.as_secs_f64() * 1e3
    );
}

/// The median of the rounds, and how it compares.
fn report(what: &str, mut times: Vec<Duration>, bare: Option<f64>) -> f64 {
    times.sort_unstable();
    let median = times[times.len() / 2].as_secs_f64();
    let ratio = bare.map_or(String::new(), |bare| format!(", {:.2} x", median / bare));
    println!("{what:<36} {:.2} us{ratio}", median * 1e6);
    median
}
