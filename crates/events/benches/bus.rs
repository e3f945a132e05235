//! Events from a commit to their effect's commit, by the owner's feed or by a bus: how many a second, and how soon.
//!
//! Owner and consumer have a database each and speak gRPC over the loopback. `FREEHOLD_BUS_URL` names a bus, and
//! `FREEHOLD_TEST_POSTGRES_URL` a server for both databases, which are SQLite files otherwise:
//! `cargo bench -p freehold-events --features nats --bench bus`.

use std::error::Error;
use std::time::{Duration, Instant};

use freehold_client::{FeedClient, Mesh};
use freehold_events::bus::Choice;
use freehold_events::feed::Feed;
use freehold_events::{Consumer, MIGRATIONS, Subscription};
use freehold_server::Server;
use freehold_store::{Options, Store, StoreError, Work};
use freehold_testkit::engines::{self, Database};
use freehold_wire::contract::{Consumer as Declared, Owner as Declares, Purpose, SharedType};
use freehold_wire::feed::FeedServiceServer;
use freehold_wire::{Context, Contract, Entitlement, Event, View};
use futures_util::FutureExt;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const WRITERS: usize = 64;
const EVENTS: i64 = 20_000;
const IDLE: usize = 300;
const BUDGET: Duration = Duration::from_secs(60);

static CONTRACT: Contract = Contract {
    owners: &[
        owner("orders", &[shared("o.v1.Placed", "o.v1.Order")]),
        owner("mails", &[shared("m.v1.Mailed", "m.v1.Mail")]),
    ],
    consumers: &[Declared {
        name: "mails",
        file: "mails/v1/needs.proto",
        calls: &[],
        entitlements: &[Entitlement { of: "o.v1.Placed", fields: &[1, 2], purpose: Purpose::View }],
    }],
    descriptors: &[],
};

const fn owner(name: &'static str, events: &'static [SharedType]) -> Declares {
    Declares { name, contact: "", services: &[], methods: &[], entities: &[], events }
}

const fn shared(name: &'static str, entity: &'static str) -> SharedType {
    SharedType { name, entity, shared: &[1, 2], personal: false }
}

macro_rules! event {
    ($name:ident, $of:literal, $entity:literal, $owner:literal) => {
        #[derive(Clone, PartialEq, prost::Message)]
        struct $name {
            #[prost(string, tag = "1")]
            key: String,
            #[prost(bytes, tag = "2")]
            body: Vec<u8>,
        }

        impl Event for $name {
            const NAME: &'static str = $of;
            const ENTITY: &'static str = $entity;
            const OWNER: &'static str = $owner;

            fn key(&self) -> &str {
                &self.key
            }

            fn shared(&self) -> Self {
                self.clone()
            }
        }
    };
}

event!(Placed, "o.v1.Placed", "o.v1.Order", "orders");
event!(Mailed, "m.v1.Mailed", "m.v1.Mail", "mails");

impl View for Placed {
    const OF: &'static str = "o.v1.Placed";
    const ENTITY: &'static str = "o.v1.Order";
    const OWNER: &'static str = "orders";
    const CONSUMER: &'static str = "mails";
}

fn main() -> Outcome<()> {
    // Under `cargo test` there is nothing to compare.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    tokio::runtime::Runtime::new()?.block_on(measure())
}

async fn database() -> Database {
    match engines::postgres().await {
        Some(database) => database,
        None => engines::sqlite(),
    }
}

async fn open(name: &str, database: &Database) -> Outcome<Store> {
    Ok(Store::open(Options::new(name, database.url()).migrations(&MIGRATIONS)).await?)
}

async fn measure() -> Outcome<()> {
    let (ours, theirs) = (database().await, database().await);
    let (orders, mails) = (open("orders", &ours).await?, open("mails", &theirs).await?);
    let url = std::env::var("FREEHOLD_BUS_URL").ok();
    let bus = Choice::of(url.as_deref(), &CONTRACT).await?;
    let feed = FeedServiceServer::new(Feed::new(orders.clone(), &CONTRACT)?);
    let bound = Server::new("orders", &CONTRACT).serve(feed).bind().await?;
    let mesh = Mesh::fixed("mails", [("orders", format!("http://{}", bound.addr()))]);
    let serving = tokio::spawn(bound.run(tokio_util::sync::CancellationToken::new()));
    let relay = bus.relay(&orders).await?;
    let feed = FeedClient::new(mesh.channel("orders")?);
    let consumer = Consumer::new(mails.clone(), mesh).feed("orders", feed).over(&bus);
    let handle = consumer.subscribe(subscription()).start();
    handle.caught_up(BUDGET).await?;
    println!(
        "{ours}, {}",
        url.map_or("feed".to_owned(), |url| url.split(':').next().unwrap_or("").to_owned())
    );
    let (emitted, taken) = throughput(&orders, &mails).await?;
    println!("{WRITERS} writers: {emitted:.0} events/s emitted, {taken:.0} events/s until the last effect");
    let latencies = idle(&orders, &mails).await?;
    let at = |share: usize| latencies[latencies.len() * share / 100].as_secs_f64() * 1e3;
    println!("idle, commit to commit: p50 {:.2} ms, p99 {:.2} ms", at(50), at(99));
    handle.stop().await;
    relay.stop().await;
    serving.abort();
    Ok(())
}

/// Each event becomes one of the consumer's own, so that its commit is told.
fn subscription() -> Subscription {
    Subscription::views("mails", "orders").on_event::<Placed, _>(|work, event| {
        async move {
            let mailed = Mailed { key: event.key().to_owned(), body: Vec::new() };
            work.emit(&mailed).await?;
            Ok(())
        }
        .boxed_local()
    })
}

async fn place(orders: &Store, key: usize) -> Outcome<()> {
    let placed = Placed { key: format!("k{key}"), body: vec![7; 200] };
    let unit = async move |work: &mut Work| work.emit(&placed).await;
    orders.unit::<_, StoreError, _>(&Context::new("orders", BUDGET), unit).await?;
    Ok(())
}

async fn reached(store: &Store, mark: i64) -> Outcome<()> {
    let mut commits = store.commits();
    while store.head().mark() < mark {
        commits.changed().await?;
    }
    Ok(())
}

async fn throughput(orders: &Store, mails: &Store) -> Outcome<(f64, f64)> {
    let start = Instant::now();
    let writers = (0..WRITERS).map(|writer| {
        let orders = orders.clone();
        tokio::spawn(async move {
            let each = usize::try_from(EVENTS)? / WRITERS;
            for round in 0..each {
                place(&orders, writer * 16 + round % 16).await?;
            }
            Ok::<_, Box<dyn Error + Send + Sync>>(i64::try_from(each)?)
        })
    });
    let mut count = 0;
    for writer in writers.collect::<Vec<_>>() {
        count += writer.await??;
    }
    let emitted = start.elapsed();
    reached(mails, count).await?;
    let rate = |time: Duration| f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / time.as_secs_f64();
    Ok((rate(emitted), rate(start.elapsed())))
}

async fn idle(orders: &Store, mails: &Store) -> Outcome<Vec<Duration>> {
    let mut latencies = Vec::with_capacity(IDLE);
    for round in 0..IDLE {
        let next = mails.head().mark() + 1;
        place(orders, round % 16).await?;
        let committed = Instant::now();
        reached(mails, next).await?;
        latencies.push(committed.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    latencies.sort();
    Ok(latencies)
}
