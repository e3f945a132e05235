//! An owner and a consumer with real databases, joined by a feed that a test can damage on the way.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use freehold_client::{CallOptions, Error, FeedClient, FeedStub, Mesh, Messages};
use freehold_store::{Migration, Migrations, Options, Queries, Store, StoreError, Work, vals};
use freehold_wire::contract::{Consumer as Declared, Owner as Declares, Purpose, SharedType};
use freehold_wire::feed::FeedService;
use freehold_wire::pb::subscribe_response::Item;
use freehold_wire::pb::{
    AckRequest, AckResponse, HeadRequest, HeadResponse, ReadRequest, ReadResponse, SnapshotRequest,
    SnapshotResponse, SubscribeRequest, SubscribeResponse,
};
use freehold_wire::{Context, Contract, Entitlement, Entity, Event, View};
use futures_util::{FutureExt, StreamExt, stream};
use prost::Message;
use tempfile::TempDir;

use crate::consumer::{Consumer, Options as ConsumerOptions};
use crate::feed::{Feed, Options as FeedOptions};
use crate::reaction::ReactionError;
use crate::subscription::Subscription;
use crate::{Changed, Delivered, Handle, RetryPolicy};

pub(crate) const SOON: Duration = Duration::from_secs(20);
pub(crate) const SUBSCRIPTION: &str = "mails/views/orders";
pub(crate) const ORDER: &str = "o.v1.Order";

pub(crate) static CONTRACT: Contract = Contract {
    owners: &[Declares {
        name: "orders",
        contact: "",
        services: &[],
        methods: &[],
        entities: &[
            SharedType { name: "o.v1.Order", entity: "o.v1.Order", shared: &[1, 2] },
            SharedType { name: "o.v1.Stock", entity: "o.v1.Stock", shared: &[1, 2] },
        ],
        events: &[
            SharedType { name: "o.v1.Placed", entity: "o.v1.Order", shared: &[1, 2, 3] },
            SharedType { name: "o.v1.Shipped", entity: "o.v1.Order", shared: &[1, 2] },
            SharedType { name: "o.v1.Noted", entity: "o.v1.Order", shared: &[1] },
        ],
    }],
    consumers: &[Declared {
        name: "mails",
        file: "mails/v1/needs.proto",
        calls: &[],
        entitlements: &[
            Entitlement { of: "o.v1.Placed", fields: &[1, 2], purpose: Purpose::View },
            Entitlement { of: "o.v1.Shipped", fields: &[1, 2], purpose: Purpose::View },
            Entitlement { of: "o.v1.Order", fields: &[1, 2], purpose: Purpose::View },
            Entitlement { of: "o.v1.Order", fields: &[1, 2], purpose: Purpose::Replica },
        ],
    }],
    descriptors: &[],
};

macro_rules! message {
    ($name:ident { $($field:ident: $tag:literal $kind:ident $type:ty),+ }) => {
        #[derive(Clone, PartialEq, Message)]
        pub(crate) struct $name { $(#[prost($kind, tag = $tag)] pub(crate) $field: $type),+ }
    };
}

message!(Order { id: "1" string String, state: "2" string String, secret: "3" string String });
message!(Stock { id: "1" string String, units: "2" int64 i64 });
message!(Placed { order_id: "1" string String, cents: "2" int64 i64, note: "3" string String });
message!(Shipped { order_id: "1" string String, parcel: "2" int64 i64 });
message!(Noted { order_id: "1" string String });
message!(PlacedView { order_id: "1" string String, cents: "2" int64 i64 });
// Of a future in which a parcel is named, not numbered: what is sent now does not decode as it.
message!(ShippedView { order_id: "1" string String, parcel: "2" string String });
message!(OrderView { id: "1" string String, state: "2" string String });

macro_rules! entity {
    ($name:ident, $of:literal) => {
        impl Entity for $name {
            const NAME: &'static str = $of;
            const OWNER: &'static str = "orders";

            fn key(&self) -> &str {
                &self.id
            }

            fn shared(&self) -> Self {
                let mut shared = self.clone();
                shared.hide();
                shared
            }
        }
    };
}

entity!(Order, "o.v1.Order");
entity!(Stock, "o.v1.Stock");

impl Order {
    fn hide(&mut self) {
        self.secret.clear();
    }
}

impl Stock {
    fn hide(&mut self) {}
}

macro_rules! event {
    ($name:ident, $of:literal) => {
        impl Event for $name {
            const NAME: &'static str = $of;
            const ENTITY: &'static str = "o.v1.Order";
            const OWNER: &'static str = "orders";

            fn key(&self) -> &str {
                &self.order_id
            }

            fn shared(&self) -> Self {
                self.clone()
            }
        }
    };
}

event!(Placed, "o.v1.Placed");
event!(Shipped, "o.v1.Shipped");
event!(Noted, "o.v1.Noted");

macro_rules! view {
    ($name:ident, $of:literal) => {
        impl View for $name {
            const OF: &'static str = $of;
            const ENTITY: &'static str = "o.v1.Order";
            const OWNER: &'static str = "orders";
            const CONSUMER: &'static str = "mails";
        }
    };
}

/// What the consumer emits itself.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Mailed {
    #[prost(string, tag = "1")]
    pub(crate) order_id: String,
}

impl Event for Mailed {
    const NAME: &'static str = "m.v1.Mailed";
    const ENTITY: &'static str = "m.v1.Mail";
    const OWNER: &'static str = "mails";

    fn key(&self) -> &str {
        &self.order_id
    }

    fn shared(&self) -> Self {
        self.clone()
    }
}

view!(PlacedView, "o.v1.Placed");
view!(ShippedView, "o.v1.Shipped");
view!(OrderView, "o.v1.Order");

pub(crate) fn context() -> Context {
    Context::new("mails", SOON)
}

/// An owner with its feed.
pub(crate) struct Owner {
    pub(crate) folder: TempDir,
    pub(crate) store: Store,
}

impl Owner {
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open_owner(&folder).await;
        Self { folder, store }
    }

    /// Ends the process and starts it again on the same database.
    pub(crate) async fn restart(self) -> Self {
        let Self { folder, store } = self;
        store.close().await;
        drop(store);
        let store = open_owner(&folder).await;
        Self { folder, store }
    }

    pub(crate) fn feed(&self) -> Feed {
        let heartbeat = Duration::from_millis(100);
        Feed::with_options(self.store.clone(), &CONTRACT, FeedOptions { heartbeat, batch: 16, chunk: 5 })
            .unwrap()
    }

    pub(crate) async fn emit<T: Event>(&self, event: T) -> i64 {
        let unit = async move |work: &mut Work| work.emit(&event).await;
        self.store.unit::<_, StoreError, _>(&context(), unit).await.unwrap().0
    }

    pub(crate) async fn put<T: Entity>(&self, entity: T) -> i64 {
        let unit = async move |work: &mut Work| work.put(&entity).await;
        self.store.unit::<_, StoreError, _>(&context(), unit).await.unwrap().0
    }

    /// `versions` events for each of `keys` keys, in turns.
    pub(crate) async fn place_all(&self, keys: i64, versions: i64) {
        for version in 1..=versions {
            for key in 0..keys {
                assert_eq!(self.emit(placed(&format!("k{key}"), version)).await, version);
            }
        }
    }
}

async fn open_owner(folder: &TempDir) -> Store {
    let url = format!("sqlite:{}", folder.path().join("orders.db").display());
    Store::open(Options::new("orders", url).migrations(&crate::MIGRATIONS)).await.unwrap()
}

pub(crate) fn placed(key: &str, cents: i64) -> Placed {
    Placed { order_id: key.to_owned(), cents, note: "undeclared".to_owned() }
}

static EFFECTS: Migrations = Migrations {
    set: "effects",
    steps: &[Migration {
        version: 1,
        name: "effects",
        sql: "CREATE TABLE effect (id BIGINT PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, version BIGINT NOT NULL, \
              value TEXT NOT NULL) STRICT;",
        postgres: None,
    }],
};

/// Which reactions fail, and how, while a test says so.
type Fails = Arc<Mutex<Box<dyn FnMut(&str, i64) -> Result<(), ReactionError> + Send>>>;

/// A consumer's database, and how its reactions behave.
#[derive(Clone)]
pub(crate) struct Mails {
    folder: Arc<TempDir>,
    pub(crate) store: Store,
    fails: Fails,
}

impl Mails {
    pub(crate) async fn open() -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let store = open_mails(&folder).await;
        Self { folder, store, fails: Arc::new(Mutex::new(Box::new(|_, _| Ok(())))) }
    }

    /// Ends the process and starts it again on the same database.
    pub(crate) async fn restart(self) -> Self {
        let Self { folder, store, fails } = self;
        store.close().await;
        drop(store);
        let store = open_mails(&folder).await;
        Self { folder, store, fails }
    }

    /// From now on, before each effect, `fails` says whether the reaction fails there.
    pub(crate) fn fail(&self, fails: impl FnMut(&str, i64) -> Result<(), ReactionError> + Send + 'static) {
        *self.fails.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(fails);
    }

    /// A subscription that writes a row for each event and each change.
    pub(crate) fn subscription(&self) -> Subscription {
        let (fails, changing) = (Arc::clone(&self.fails), Arc::clone(&self.fails));
        Subscription::views("mails", "orders")
            .on_event::<PlacedView, _>(move |work, event: Delivered<PlacedView>| {
                let fails = Arc::clone(&fails);
                async move {
                    let value = event.value.cents.to_string();
                    effect(work, event.key(), event.version(), value).await?;
                    (fails.lock().unwrap_or_else(PoisonError::into_inner))(event.key(), event.version())
                }
                .boxed_local()
            })
            .on_change::<OrderView, _>(move |work, change: Changed<OrderView>| {
                let fails = Arc::clone(&changing);
                async move {
                    let value =
                        change.value.as_ref().map_or("deleted".to_owned(), |order| order.state.clone());
                    effect(work, change.key(), change.version(), value).await?;
                    (fails.lock().unwrap_or_else(PoisonError::into_inner))(change.key(), change.version())
                }
                .boxed_local()
            })
    }

    /// A consumer of its subscription through this feed; retries are quick.
    pub(crate) fn consumer(&self, feed: FeedClient) -> Consumer {
        let retry = RetryPolicy {
            base: Duration::from_millis(2),
            cap: Duration::from_millis(10),
            ..RetryPolicy::default()
        };
        let nowhere = Mesh::fixed("mails", [("orders", "http://127.0.0.1:1")]);
        Consumer::new(self.store.clone(), nowhere)
            .subscribe(self.subscription())
            .options(ConsumerOptions { batch: 7, retry, budget: Duration::from_secs(2) })
            .feed("orders", feed)
    }

    pub(crate) fn start(&self, feed: FeedClient) -> Handle {
        self.consumer(feed).start()
    }

    /// The effects in the order in which they were taken: key, version.
    pub(crate) async fn effects(&self) -> Vec<(String, i64)> {
        let mut read = self.store.read().await.unwrap();
        let rows = read.all("SELECT key, version FROM effect ORDER BY id", vals![]).await.unwrap();
        rows.iter().map(|row| (row.get("key").unwrap(), row.get("version").unwrap())).collect()
    }

    pub(crate) async fn versions(&self, key: &str) -> Vec<i64> {
        self.effects().await.into_iter().filter(|effect| effect.0 == key).map(|effect| effect.1).collect()
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        self.store.read().await.unwrap().one(sql, vals![]).await.unwrap().unwrap().get("n").unwrap()
    }

    /// Every key has had each of its versions once, in order.
    pub(crate) async fn is_once_in_order(&self, keys: i64, versions: i64) -> bool {
        let effects = self.effects().await;
        let names: BTreeSet<_> = effects.iter().map(|effect| effect.0.clone()).collect();
        let in_order = |key: &String| {
            effects.iter().filter(|effect| effect.0 == *key).map(|effect| effect.1).eq(1..=versions)
        };
        names.len() == usize::try_from(keys).unwrap() && names.iter().all(in_order)
    }
}

async fn open_mails(folder: &TempDir) -> Store {
    let url = format!("sqlite:{}", folder.path().join("mails.db").display());
    let options = Options::new("mails", url).migrations(&crate::MIGRATIONS).migrations(&EFFECTS);
    Store::open(options).await.unwrap()
}

pub(crate) async fn effect(
    work: &mut Work,
    key: &str,
    version: i64,
    value: String,
) -> Result<(), StoreError> {
    const EFFECT: &str = "INSERT INTO effect (key, version, value) VALUES ($1, $2, $3)";
    work.exec(EFFECT, vals![key, version, value]).await.map(drop)
}

/// Waits for what must come true; panics when it has not within [`SOON`].
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let end = tokio::time::Instant::now() + SOON;
    while !holds().await {
        assert!(tokio::time::Instant::now() < end, "{what} did not come true in {SOON:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// What happens to an item on its way: how often it arrives; 0 loses it.
pub(crate) type Damage = Arc<dyn Fn(&Item) -> usize + Send + Sync>;

/// A feed in the same process, with damage on the way.
#[derive(Clone)]
pub(crate) struct Way {
    pub(crate) feed: Feed,
    pub(crate) caller: &'static str,
    pub(crate) damage: Damage,
}

impl Way {
    /// A way that delivers everything once.
    pub(crate) fn sound(feed: Feed) -> FeedClient {
        Self::damaged(feed, |_| 1)
    }

    pub(crate) fn damaged(feed: Feed, damage: impl Fn(&Item) -> usize + Send + Sync + 'static) -> FeedClient {
        FeedClient::from_stub(Self { feed, caller: "mails", damage: Arc::new(damage) })
    }

    fn context(&self) -> Context {
        Context::new(self.caller, Duration::from_secs(60))
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
        let damage = Arc::clone(&self.damage);
        let sent = self.feed.subscribe(self.context(), request).await?;
        let damaged = sent.flat_map(move |item| {
            let times = match &item {
                Ok(SubscribeResponse { item: Some(item), .. }) => damage(item),
                _ => 1,
            };
            stream::iter(std::iter::repeat_n(item.map_err(Error::from), times))
        });
        Ok(Messages::new(damaged))
    }

    async fn snapshot(
        &self,
        request: SnapshotRequest,
        _: &CallOptions,
    ) -> Result<Messages<SnapshotResponse>, Error> {
        let sent = self.feed.snapshot(self.context(), request).await?;
        Ok(Messages::new(StreamExt::map(sent, |item| item.map_err(Error::from))))
    }

    async fn read(&self, request: ReadRequest, _: &CallOptions) -> Result<ReadResponse, Error> {
        Ok(self.feed.read(self.context(), request).await?)
    }

    async fn head(&self, request: HeadRequest, _: &CallOptions) -> Result<HeadResponse, Error> {
        Ok(self.feed.head(self.context(), request).await?)
    }

    async fn ack(&self, request: AckRequest, _: &CallOptions) -> Result<AckResponse, Error> {
        Ok(self.feed.ack(self.context(), request).await?.into_parts().0)
    }
}
