//! A service `orders` as small as it gets: one entity with a private field, one event, two tables of its own.

use std::time::Duration;

use freehold_store::{Migration, Migrations, Options, Queries, Read, Store, StoreError, Work, outbox, vals};
use freehold_wire::pb::{Envelope, Position, Token};
use freehold_wire::{Context, Entity, Event};

/// An order.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Order {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
    #[prost(int64, tag = "2")]
    pub(crate) cents: i64,
    /// Private.
    #[prost(string, tag = "3")]
    pub(crate) note: String,
}

impl Order {
    pub(crate) fn new(id: &str, cents: i64) -> Self {
        Self { id: id.to_owned(), cents, note: "private".to_owned() }
    }
}

impl Entity for Order {
    const NAME: &'static str = "orders.v1.Order";
    const OWNER: &'static str = "orders";

    fn key(&self) -> &str {
        &self.id
    }

    fn shared(&self) -> Self {
        Self { note: String::new(), ..self.clone() }
    }
}

/// An order was paid.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Paid {
    #[prost(string, tag = "1")]
    pub(crate) order_id: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) receipt: Vec<u8>,
}

impl Paid {
    pub(crate) fn new(order_id: &str) -> Self {
        Self { order_id: order_id.to_owned(), receipt: vec![1, 2, 3] }
    }
}

impl Event for Paid {
    const NAME: &'static str = "orders.v1.Paid";
    const ENTITY: &'static str = "orders.v1.Order";
    const OWNER: &'static str = "orders";

    fn key(&self) -> &str {
        &self.order_id
    }

    fn shared(&self) -> Self {
        self.clone()
    }
}

/// `naive_log` is for planted bugs: a log as one writes it without thinking.
pub(crate) static MIGRATIONS: Migrations = Migrations {
    set: "orders",
    steps: &[Migration {
        version: 1,
        name: "orders",
        sql: "CREATE TABLE orders (id TEXT PRIMARY KEY, cents BIGINT NOT NULL CHECK (cents >= 0), note TEXT, \
              open BOOLEAN NOT NULL DEFAULT TRUE, weight DOUBLE PRECISION, raw BLOB) STRICT; \
              CREATE TABLE line (order_id TEXT NOT NULL REFERENCES orders (id), product TEXT NOT NULL) STRICT; \
              CREATE TABLE naive_log (mark BIGINT PRIMARY KEY, key TEXT, version BIGINT) STRICT;",
        postgres: None,
    }],
};

pub(crate) fn context() -> Context {
    Context::new("orders", Duration::from_secs(60))
}

pub(crate) fn options(url: &str) -> Options {
    Options::new("orders", url).migrations(&MIGRATIONS).readers(16).throwaway_server()
}

/// A statement that ends when it is cut.
pub(crate) const FOR_EVER: &str =
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 0 FROM n) SELECT count(*) AS n FROM n";

/// A caller that goes away when it hears that the work for it has begun.
pub(crate) fn cancelled_once_begun(context: &Context) -> std::sync::mpsc::Sender<()> {
    let (begins, begun) = std::sync::mpsc::channel();
    let cancellation = context.cancellation().clone();
    std::thread::spawn(move || {
        if begun.recv().is_ok() {
            cancellation.cancel();
        }
    });
    begins
}

/// Runs a unit with time enough.
pub(crate) async fn run<T, E, F>(store: &Store, handler: F) -> Result<(T, Token), E>
where
    F: AsyncFnOnce(&mut Work) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    store.unit(&context(), handler).await
}

/// Adds a row to `orders`, without an event.
pub(crate) async fn insert(work: &mut Work, id: &str, cents: i64) -> Result<u64, StoreError> {
    work.exec("INSERT INTO orders (id, cents) VALUES ($1, $2)", vals![id, cents]).await
}

/// How many rows a query counts as `n`.
pub(crate) async fn count(store: &Store, sql: &'static str) -> i64 {
    number(&mut store.read().await.unwrap(), sql).await
}

/// The number that a query answers as `n`.
pub(crate) async fn number(read: &mut Read, sql: &'static str) -> i64 {
    read.one(sql, vals![]).await.unwrap().unwrap().get("n").unwrap()
}

pub(crate) async fn orders(store: &Store) -> i64 {
    count(store, "SELECT count(*) AS n FROM orders").await
}

pub(crate) async fn events(store: &Store) -> Vec<Envelope> {
    let mut read = store.read().await.unwrap();
    outbox::after(store, &mut read, 0, 10_000).await.unwrap()
}

pub(crate) fn position(event: &Envelope) -> Position {
    event.position.unwrap()
}
