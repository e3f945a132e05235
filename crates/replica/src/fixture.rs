//! An owner and a service that copies from it, with real databases, joined by a feed that a test can damage or hold.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use freehold_client::{CallOptions, Error, FeedClient, FeedStub, Mesh, Messages};
use freehold_events::feed::{Feed, Options as FeedOptions};
use freehold_events::{Consumer, Handle};
use freehold_store::{Options, Queries, Row, Store, StoreError, Value, Work, vals};
use freehold_wire::contract::{Consumer as Declared, Owner as Declares, Purpose, SharedType};
use freehold_wire::feed::FeedService;
use freehold_wire::pb::subscribe_response::Item;
use freehold_wire::pb::{
    AckRequest, AckResponse, HeadRequest, HeadResponse, ReadRequest, ReadResponse, SnapshotRequest,
    SnapshotResponse, SubscribeRequest, SubscribeResponse, Token,
};
use freehold_wire::{Context, Contract, Entitlement, Entity, Event, Reason};
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};
use prost::Message;
use tempfile::TempDir;
use tokio::sync::watch;

use crate::{Column, ColumnKind, Copied, Replica, WhenStale};

pub(crate) const SOON: Duration = Duration::from_secs(20);

pub(crate) static CONTRACT: Contract = Contract {
    owners: &[Declares {
        name: "catalog",
        contact: "",
        services: &[],
        methods: &[],
        entities: &[SharedType { name: "c.v1.Product", entity: "c.v1.Product", shared: &[1, 2, 3, 4] }],
        events: &[SharedType { name: "c.v1.Praised", entity: "c.v1.Product", shared: &[1] }],
    }],
    consumers: &[Declared {
        name: "orders",
        file: "orders/v1/needs.proto",
        calls: &[],
        entitlements: &[Entitlement { of: "c.v1.Product", fields: &[1, 2, 3, 4], purpose: Purpose::Replica }],
    }],
    descriptors: &[],
};

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Product {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
    #[prost(string, tag = "2")]
    pub(crate) name: String,
    #[prost(int64, tag = "3")]
    pub(crate) price_cents: i64,
    #[prost(int32, tag = "4")]
    pub(crate) state: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Praised {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
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

impl Event for Praised {
    const NAME: &'static str = "c.v1.Praised";
    const ENTITY: &'static str = "c.v1.Product";
    const OWNER: &'static str = "catalog";

    fn key(&self) -> &str {
        &self.id
    }

    fn shared(&self) -> Self {
        self.clone()
    }
}

const ID: Column = Column { name: "id", kind: ColumnKind::Text };
const NAME: Column = Column { name: "name", kind: ColumnKind::Text };
const PRICE: Column = Column { name: "price_cents", kind: ColumnKind::BigInt };
const STATE: Column = Column { name: "state", kind: ColumnKind::BigInt };

macro_rules! copy {
    ($type:ident, $name:literal, $when_stale:ident, [$($column:ident),+], { $($field:ident: $tag:literal $kind:ident $ty:ty),+ }) => {
        #[derive(Clone, PartialEq, Message)]
        pub(crate) struct $type { $(#[prost($kind, tag = $tag)] pub(crate) $field: $ty),+ }

        impl Copied for $type {
            const NAME: &'static str = $name;
            const OF: &'static str = "c.v1.Product";
            const OWNER: &'static str = "catalog";
            const CONSUMER: &'static str = "orders";
            const TABLE: &'static str = "product_copy";
            const KEY: &'static str = "id";
            const COLUMNS: &'static [Column] = &[$($column),+];
            const MAX_STALENESS: Option<Duration> = Some(Duration::from_secs(5));
            const WHEN_STALE: WhenStale = WhenStale::$when_stale;

            fn key(&self) -> &str {
                &self.id
            }

            fn values(&self) -> Vec<Value> {
                vec![$(Value::from(self.$field.clone())),+]
            }

            fn from_row(row: &Row) -> Result<Self, StoreError> {
                Ok(Self { $($field: row.get(stringify!($field))?),+ })
            }
        }
    };
}

copy!(ProductCopy, "orders.v1.ProductCopy", AskOwner, [ID, NAME, PRICE],
      { id: "1" string String, name: "2" string String, price_cents: "3" int64 i64 });
copy!(ServedStale, "orders.v1.ServedStale", ServeStale, [ID, NAME, PRICE],
      { id: "1" string String, name: "2" string String, price_cents: "3" int64 i64 });
copy!(Failing, "orders.v1.Failing", Fail, [ID, NAME, PRICE],
      { id: "1" string String, name: "2" string String, price_cents: "3" int64 i64 });
// The same declaration, one field later; and one whose name is a number, as of a future version.
copy!(WiderCopy, "orders.v1.ProductCopy", Fail, [ID, NAME, PRICE, STATE],
      { id: "1" string String, name: "2" string String, price_cents: "3" int64 i64, state: "4" int64 i64 });
copy!(FutureCopy, "orders.v1.FutureCopy", Fail, [ID, PRICE],
      { id: "1" string String, price_cents: "2" int64 i64 });

/// Reading a table as the oracle does: key, price, version of what is not deleted.
pub(crate) type Rows = Vec<(String, i64, i64)>;

/// The owner.
pub(crate) struct Catalog {
    folder: TempDir,
    pub(crate) store: Store,
}

impl Catalog {
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open_catalog(&folder).await;
        Self { folder, store }
    }

    pub(crate) async fn restart(self) -> Self {
        let Self { folder, store } = self;
        store.close().await;
        drop(store);
        let store = open_catalog(&folder).await;
        Self { folder, store }
    }

    pub(crate) fn feed(&self) -> Feed {
        let heartbeat = Duration::from_millis(100);
        Feed::with_options(self.store.clone(), &CONTRACT, FeedOptions { heartbeat, batch: 16, chunk: 5 })
            .unwrap()
    }

    pub(crate) async fn put(&self, key: i64, price_cents: i64) -> Token {
        put(&self.store, key, price_cents).await
    }

    pub(crate) async fn put_all(&self, keys: std::ops::Range<i64>, price_cents: i64) {
        for key in keys {
            self.put(key, price_cents).await;
        }
    }

    pub(crate) async fn delete(&self, key: i64) {
        delete(&self.store, key).await;
    }

    /// The rows as the owner has them.
    pub(crate) async fn rows(&self) -> Rows {
        const ALL: &str =
            "SELECT key, version, data FROM freehold_entity WHERE data IS NOT NULL ORDER BY key";
        let rows = self.store.read().await.unwrap().all(ALL, vals![]).await.unwrap();
        let row = |row: &Row| {
            let product = Product::decode(row.get::<Vec<u8>>("data").unwrap().as_slice()).unwrap();
            (product.id, product.price_cents, row.get("version").unwrap())
        };
        rows.iter().map(row).collect()
    }
}

pub(crate) async fn put(store: &Store, key: i64, price_cents: i64) -> Token {
    let product = Product { id: name(key), name: format!("product {key}"), price_cents, state: 99 };
    let unit = async move |work: &mut Work| work.put(&product).await;
    store.unit::<_, StoreError, _>(&context(), unit).await.unwrap().1
}

pub(crate) async fn delete(store: &Store, key: i64) {
    let unit = async move |work: &mut Work| work.delete::<Product>(&name(key)).await;
    store.unit::<_, StoreError, _>(&context(), unit).await.unwrap();
}

pub(crate) fn name(key: i64) -> String {
    format!("p{key:03}")
}

async fn open_catalog(folder: &TempDir) -> Store {
    let url = format!("sqlite:{}", folder.path().join("catalog.db").display());
    Store::open(Options::new("catalog", url).migrations(&freehold_events::MIGRATIONS)).await.unwrap()
}

pub(crate) fn context() -> Context {
    Context::new("orders", SOON)
}

/// The service that copies.
pub(crate) struct Shop {
    folder: TempDir,
    pub(crate) store: Store,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open_shop(&folder).await;
        Self { folder, store }
    }

    pub(crate) async fn restart(self) -> Self {
        let Self { folder, store } = self;
        store.close().await;
        drop(store);
        let store = open_shop(&folder).await;
        Self { folder, store }
    }

    pub(crate) async fn copy<T: Copied>(&self, way: &Way) -> Replica<T> {
        Replica::with_feed(&self.store, FeedClient::from_stub(way.clone())).await.unwrap()
    }

    pub(crate) fn start<T: Copied>(&self, replica: &Replica<T>, way: &Way) -> Handle {
        let nowhere = Mesh::fixed("orders", [("catalog", "http://127.0.0.1:1")]);
        Consumer::new(self.store.clone(), nowhere)
            .feed("catalog", FeedClient::from_stub(way.clone()))
            .subscribe(replica.subscription())
            .start()
    }

    /// A copy that has caught up.
    pub(crate) async fn copied<T: Copied>(&self, way: &Way) -> (Replica<T>, Handle) {
        let replica = self.copy(way).await;
        let handle = self.start(&replica, way);
        handle.caught_up(SOON).await.unwrap();
        (replica, handle)
    }

    /// The rows of the table that readers join.
    pub(crate) async fn rows(&self) -> Rows {
        const ALL: &str = "SELECT id, price_cents, freehold_version FROM product_copy \
                           WHERE NOT freehold_deleted ORDER BY id";
        let rows = self.store.read().await.unwrap().all(ALL, vals![]).await.unwrap();
        let row = |row: &Row| {
            (row.get("id").unwrap(), row.get("price_cents").unwrap(), row.get("freehold_version").unwrap())
        };
        rows.iter().map(row).collect()
    }

    pub(crate) async fn exec(&self, sql: &'static str) -> Result<u64, StoreError> {
        let unit = async move |work: &mut Work| work.exec(sql, vals![]).await;
        self.store.unit::<_, StoreError, _>(&context(), unit).await.map(|(changed, _)| changed)
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        self.store.read().await.unwrap().one(sql, vals![]).await.unwrap().unwrap().get("n").unwrap()
    }
}

async fn open_shop(folder: &TempDir) -> Store {
    let url = format!("sqlite:{}", folder.path().join("orders.db").display());
    let options =
        Options::new("orders", url).migrations(&freehold_events::MIGRATIONS).migrations(&crate::MIGRATIONS);
    Store::open(options).await.unwrap()
}

/// Waits for what must come true; panics when it has not within [`SOON`].
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let end = tokio::time::Instant::now() + SOON;
    while !holds().await {
        assert!(tokio::time::Instant::now() < end, "{what} did not come true in {SOON:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

type Damage = Arc<Mutex<Box<dyn FnMut(&Item) -> usize + Send>>>;
type Chunk = Arc<dyn Fn(usize) -> BoxFuture<'static, bool> + Send + Sync>;

/// A feed in the same process, with damage on the way.
#[derive(Clone)]
pub(crate) struct Way {
    feed: Feed,
    damage: Damage,
    chunk: Chunk,
    open: watch::Sender<bool>,
    up: watch::Sender<bool>,
    pub(crate) snapshots: Arc<Mutex<Vec<String>>>,
}

impl Way {
    /// A way that delivers everything once.
    pub(crate) fn sound(feed: Feed) -> Self {
        Self {
            feed,
            damage: Arc::new(Mutex::new(Box::new(|_| 1))),
            chunk: Arc::new(|_| Box::pin(std::future::ready(true))),
            open: watch::Sender::new(true),
            up: watch::Sender::new(true),
            snapshots: Arc::default(),
        }
    }

    /// How often an item of the stream arrives; 0 loses it.
    pub(crate) fn damage(self, damage: impl FnMut(&Item) -> usize + Send + 'static) -> Self {
        Self { damage: Arc::new(Mutex::new(Box::new(damage))), ..self }
    }

    /// What happens after the owner has read chunk n of a snapshot and before it arrives; `false` breaks it off.
    pub(crate) fn chunk(
        self,
        chunk: impl Fn(usize) -> BoxFuture<'static, bool> + Send + Sync + 'static,
    ) -> Self {
        Self { chunk: Arc::new(chunk), ..self }
    }

    /// Holds back what the stream sends, or lets it through again.
    pub(crate) fn hold(&self, held: bool) {
        self.open.send_replace(!held);
    }

    /// The owner can be reached, or not.
    pub(crate) fn up(&self, up: bool) {
        self.up.send_replace(up);
    }

    fn reached(&self) -> Result<(), Error> {
        if *self.up.borrow() { Ok(()) } else { Err(Error::new(Reason::Unavailable, "the owner is down")) }
    }
}

impl std::fmt::Debug for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Way")
    }
}

#[async_trait]
impl FeedStub for Way {
    async fn subscribe(
        &self,
        request: SubscribeRequest,
        _: &CallOptions,
    ) -> Result<Messages<SubscribeResponse>, Error> {
        self.reached()?;
        let sent = self.feed.subscribe(context(), request).await?;
        let (damage, open, mut up) = (Arc::clone(&self.damage), self.open.subscribe(), self.up.subscribe());
        let held = StreamExt::enumerate(sent).then(move |(at, item)| {
            let mut open = open.clone();
            async move {
                // The opening heartbeat always comes through, so that a stream opens.
                if at > 0 {
                    open.wait_for(|open| *open).await.unwrap();
                }
                item
            }
        });
        let damaged = held.flat_map(move |item| {
            let times = match &item {
                Ok(SubscribeResponse { item: Some(item), .. }) => {
                    (damage.lock().unwrap_or_else(PoisonError::into_inner))(item)
                }
                _ => 1,
            };
            stream::iter(std::iter::repeat_n(item.map_err(Error::from), times))
        });
        Ok(Messages::new(damaged.take_until(async move { drop(up.wait_for(|up| !up).await) })))
    }

    async fn snapshot(
        &self,
        request: SnapshotRequest,
        _: &CallOptions,
    ) -> Result<Messages<SnapshotResponse>, Error> {
        self.reached()?;
        self.snapshots.lock().unwrap().push(request.after_key.clone());
        let sent = self.feed.snapshot(context(), request).await?;
        let chunk = Arc::clone(&self.chunk);
        let arriving = StreamExt::enumerate(sent).then(move |(at, item)| {
            let arrives = chunk(at);
            async move {
                if arrives.await {
                    return item.map_err(Error::from);
                }
                Err(Error::new(Reason::Unavailable, "the snapshot was broken off"))
            }
        });
        Ok(Messages::new(arriving))
    }

    async fn read(&self, request: ReadRequest, _: &CallOptions) -> Result<ReadResponse, Error> {
        self.reached()?;
        Ok(self.feed.read(context(), request).await?)
    }

    async fn head(&self, request: HeadRequest, _: &CallOptions) -> Result<HeadResponse, Error> {
        self.reached()?;
        Ok(self.feed.head(context(), request).await?)
    }

    async fn ack(&self, request: AckRequest, _: &CallOptions) -> Result<AckResponse, Error> {
        self.reached()?;
        Ok(self.feed.ack(context(), request).await?.into_parts().0)
    }
}
