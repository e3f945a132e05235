//! A service `orders` as small as it gets: one entity with a private field, one event, one table of its own.

use std::time::Duration;

use freehold_store::{Migration, Migrations, Options, Store};
use freehold_wire::{Context, Entity, Event};

/// An order.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Order {
    #[prost(string, tag = "1")]
    pub id: String,
    #[prost(int64, tag = "2")]
    pub cents: i64,
    /// Private.
    #[prost(string, tag = "3")]
    pub note: String,
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
    pub order_id: String,
    #[prost(bytes = "vec", tag = "2")]
    pub receipt: Vec<u8>,
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

pub(crate) static MIGRATIONS: Migrations = Migrations {
    set: "orders",
    steps: &[Migration {
        version: 1,
        name: "orders",
        sql: "CREATE TABLE orders (id TEXT PRIMARY KEY, cents BIGINT NOT NULL CHECK (cents >= 0), note TEXT, \
              open BOOLEAN NOT NULL DEFAULT TRUE, weight DOUBLE PRECISION, raw BLOB) STRICT;",
        postgres: None,
    }],
};

pub(crate) fn context() -> Context {
    Context::new("orders", Duration::from_secs(20))
}

pub(crate) fn options(url: &str) -> Options {
    Options::new("orders", url).migrations(&MIGRATIONS).throwaway_server()
}

pub(crate) async fn open(url: &str) -> Store {
    Store::open(options(url)).await.unwrap()
}
