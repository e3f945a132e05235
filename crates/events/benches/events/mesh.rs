//! The mesh that is measured: an owner whose unary write emits one event, a consumer whose reaction writes one row.
//!
//! Both are what a generator would write, mounted on the server kit, with a database each and gRPC on the loopback
//! between caller, owner and consumer. Nothing is left out for speed: access, deadlines, shedding, retries, parking.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use freehold_client::{CallOptions, Channel, FeedClient, Mesh};
use freehold_events::bus::Choice;
use freehold_events::feed::Feed;
use freehold_events::relay::Handle as Relay;
use freehold_events::{Consumer, Handle, MIGRATIONS, Subscription};
use freehold_server::Server;
use freehold_store::{Migration, Migrations, Options, Queries, Store, StoreError, Work, vals};
use freehold_testkit::engines::Database;
use freehold_wire::contract::{Consumer as Declared, Owner as Declares, Purpose, SharedType};
use freehold_wire::dispatch::{self, Answer};
use freehold_wire::feed::FeedServiceServer;
use freehold_wire::{
    Access, Check, Context, Contract, Criticality, Entitlement, Event, Method, Retry, Rules, View, Violations,
};
use futures_util::FutureExt;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::server::NamedService;

pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How long anything may take that is not measured.
pub(crate) const BUDGET: Duration = Duration::from_secs(120);
/// The bytes that an event carries.
pub(crate) const PAYLOAD: usize = 200;

/// A request, and the event that comes of it.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Placed {
    #[prost(string, tag = "1")]
    pub(crate) key: String,
    #[prost(bytes, tag = "2")]
    pub(crate) body: Vec<u8>,
    /// The ordinal of a probe: an event whose effect's commit is told.
    #[prost(int64, optional, tag = "3")]
    pub(crate) probe: Option<i64>,
}

impl Placed {
    pub(crate) fn new(key: String, probe: Option<i64>) -> Self {
        Self { key, body: vec![7; PAYLOAD], probe }
    }
}

impl Check for Placed {
    fn check(&self, violations: &mut Violations) {
        violations.max_chars("key", &self.key, 100);
    }
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Reply {
    #[prost(int64, tag = "1")]
    version: i64,
}

/// What the consumer emits at a probe: its store tells each commit that has an event in it.
#[derive(Clone, PartialEq, prost::Message)]
struct Seen {
    #[prost(string, tag = "1")]
    key: String,
}

macro_rules! event {
    ($message:ident, $name:literal, $entity:literal, $owner:literal) => {
        impl Event for $message {
            const NAME: &'static str = $name;
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
event!(Seen, "m.v1.Seen", "m.v1.Mail", "mails");

impl View for Placed {
    const OF: &'static str = "o.v1.Placed";
    const ENTITY: &'static str = "o.v1.Order";
    const OWNER: &'static str = "orders";
    const CONSUMER: &'static str = "mails";
}

const fn rules(path: &'static str, retry: Retry) -> Rules {
    Rules {
        path,
        deadline: Duration::from_secs(20),
        min_deadline: Duration::ZERO,
        retry,
        access: Access::Declared,
        cache: None,
        criticality: Criticality::Default,
        streams: false,
    }
}

/// A write that is sent again only where it was not processed.
pub(crate) const PLACE: Method<Placed, Reply> = Method::new(rules("/bench.Orders/Place", Retry::Never));
/// The same write under an idempotency key, which its unit of work keeps with the reply.
pub(crate) const PLACE_ONCE: Method<Placed, Reply> =
    Method::new(rules("/bench.Orders/PlaceOnce", Retry::Keyed));

static METHODS: [Rules; 2] = [*PLACE.rules(), *PLACE_ONCE.rules()];

const fn shared(name: &'static str, entity: &'static str) -> SharedType {
    SharedType { name, entity, shared: &[1, 2, 3], personal: false }
}

pub(crate) static CONTRACT: Contract = Contract {
    owners: &[
        Declares {
            name: "orders",
            contact: "",
            services: &["bench.Orders"],
            methods: &METHODS,
            entities: &[],
            events: &[shared("o.v1.Placed", "o.v1.Order")],
        },
        Declares {
            name: "mails",
            contact: "",
            services: &[],
            methods: &[],
            entities: &[],
            events: &[shared("m.v1.Seen", "m.v1.Mail")],
        },
    ],
    consumers: &[
        Declared {
            name: "mails",
            file: "mails/v1/needs.proto",
            calls: &[],
            entitlements: &[Entitlement { of: "o.v1.Placed", fields: &[1, 2, 3], purpose: Purpose::View }],
        },
        Declared {
            name: "shop",
            file: "shop/v1/needs.proto",
            calls: &["bench.Orders/Place", "bench.Orders/PlaceOnce"],
            entitlements: &[],
        },
    ],
    descriptors: &[],
};

/// The owner's service.
#[derive(Clone)]
struct Orders(Store);

impl NamedService for Orders {
    const NAME: &'static str = "bench.Orders";
}

impl Service<http::Request<Body>> for Orders {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Answer {
        let method = if request.uri().path() == PLACE.rules().path { &PLACE } else { &PLACE_ONCE };
        let store = self.0.clone();
        dispatch::write(method, request, move |context, placed| async move {
            let unit = async move |work: &mut Work| {
                let version = work.emit(&placed).await?;
                Ok::<_, StoreError>(Reply { version })
            };
            Ok(store.write(&context, unit).await?)
        })
    }
}

static EFFECTS: Migrations = Migrations {
    set: "effects",
    steps: &[Migration {
        version: 1,
        name: "effects",
        sql: "CREATE TABLE effect (ordinal BIGINT PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, \
              version BIGINT NOT NULL) STRICT;",
        postgres: None,
    }],
};

/// The probes whose reactions have run, in the order of their commits.
#[derive(Clone, Default)]
pub(crate) struct Probes(Arc<Mutex<Vec<i64>>>);

impl Probes {
    /// The probe that was seen as the `at`-th one.
    pub(crate) fn at(&self, at: usize) -> Option<i64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(at).copied()
    }

    fn saw(&self, probe: i64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(probe);
    }
}

/// A running owner.
pub(crate) struct Owner {
    pub(crate) store: Store,
    url: String,
    serving: JoinHandle<()>,
    _database: Database,
}

impl Owner {
    pub(crate) async fn start(database: Database) -> Outcome<Self> {
        let store = open("orders", &database).await?;
        let feed = FeedServiceServer::new(Feed::new(store.clone(), &CONTRACT)?);
        let server = Server::new("orders", &CONTRACT).serve(feed).serve(Orders(store.clone()));
        let bound = server.bind().await?;
        let url = format!("http://{}", bound.addr());
        let serving = bound.run(CancellationToken::new());
        let serving = tokio::spawn(async move { drop(serving.await) });
        Ok(Self { store, url, serving, _database: database })
    }

    /// Ends it.
    pub(crate) fn stop(self) {
        self.serving.abort();
    }
}

/// A running consumer.
pub(crate) struct Taker {
    pub(crate) store: Store,
    pub(crate) handle: Handle,
    _database: Database,
}

impl Taker {
    /// Starts it; it catches up from then on.
    pub(crate) async fn start(
        database: Database,
        owner: &Owner,
        bus: &Choice,
        probes: Probes,
    ) -> Outcome<Self> {
        let store = open("mails", &database).await?;
        let mesh = Mesh::fixed("mails", [("orders", owner.url.as_str())]);
        let feed = FeedClient::new(mesh.channel("orders")?);
        let consumer = Consumer::new(store.clone(), mesh).feed("orders", feed).over(bus);
        let handle = consumer.subscribe(subscription(probes)).start();
        Ok(Self { store, handle, _database: database })
    }

    /// How many effects there are. Fails where one key's are not its versions in order from the first, each once.
    pub(crate) async fn check(&self) -> Outcome<i64> {
        const COUNT: &str = "SELECT count(*) AS effects FROM effect";
        const DISORDER: &str = "SELECT key, version FROM (SELECT key, version, row_number() OVER \
                                (PARTITION BY key ORDER BY ordinal) AS place FROM effect) AS placed \
                                WHERE version <> place LIMIT 1";
        let mut read = self.store.read().await?;
        if let Some(row) = read.one(DISORDER, vals![]).await? {
            let (key, version): (String, i64) = (row.get("key")?, row.get("version")?);
            return Err(format!("version {version} of {key} took effect out of its order").into());
        }
        let row = read.one(COUNT, vals![]).await?.ok_or("no count")?;
        Ok(row.get("effects")?)
    }
}

async fn open(name: &str, database: &Database) -> Outcome<Store> {
    let mut url = database.url().to_owned();
    if database.is_postgres() {
        // A unit of work has a connection, and as many callers as ours want more than the few that a service has unless
        // its url says otherwise.
        url.push_str("&connections=32");
    }
    let options = Options::new(name, url).migrations(&MIGRATIONS).migrations(&EFFECTS);
    Ok(Store::open(options.read_budget(BUDGET)).await?)
}

/// An owner, a consumer, and somebody who calls the owner.
pub(crate) struct Running {
    pub(crate) owner: Owner,
    pub(crate) taker: Taker,
    pub(crate) probes: Probes,
    shop: Channel,
    relay: Relay,
}

impl Running {
    /// Starts it over two databases, and over a bus where a URL names one.
    pub(crate) async fn start(databases: [Database; 2], bus: Option<&str>) -> Outcome<Self> {
        let [ours, theirs] = databases;
        let bus = Choice::of(bus, &CONTRACT).await?;
        let owner = Owner::start(ours).await?;
        let relay = bus.relay(&owner.store).await?;
        let probes = Probes::default();
        let taker = Taker::start(theirs, &owner, &bus, probes.clone()).await?;
        taker.handle.caught_up(BUDGET).await?;
        let shop = Mesh::fixed("shop", [("orders", owner.url.as_str())]).channel("orders")?;
        Ok(Self { owner, taker, probes, shop, relay })
    }

    /// Writes by a call.
    pub(crate) async fn place(&self, placed: Placed, method: &'static Method<Placed, Reply>) -> Outcome<()> {
        self.shop.unary(method, placed, &CallOptions::new()).await?;
        Ok(())
    }

    /// Writes without a call; when that is committed, this returns.
    pub(crate) async fn commit(&self, placed: Placed) -> Outcome<Instant> {
        let unit = async move |work: &mut Work| work.emit(&placed).await;
        self.owner.store.unit::<_, StoreError, _>(&Context::new("orders", BUDGET), unit).await?;
        Ok(Instant::now())
    }

    /// Waits until so many probes have been committed by the consumer.
    pub(crate) async fn probed(&self, probes: i64) -> Outcome<Instant> {
        let mut commits = self.taker.store.commits();
        while *commits.borrow_and_update() < probes {
            commits.changed().await?;
        }
        Ok(Instant::now())
    }

    /// Ends it.
    pub(crate) async fn stop(self) {
        self.taker.handle.stop().await;
        self.relay.stop().await;
        self.owner.stop();
    }
}

fn subscription(probes: Probes) -> Subscription {
    const EFFECT: &str = "INSERT INTO effect (key, version) VALUES ($1, $2)";
    Subscription::views("mails", "orders").on_event::<Placed, _>(move |work, event| {
        let probes = probes.clone();
        async move {
            work.exec_later(EFFECT, vals![event.key(), event.version()]).await?;
            if let Some(probe) = event.value.probe {
                probes.saw(probe);
                work.emit(&Seen { key: event.key().to_owned() }).await?;
            }
            Ok(())
        }
        .boxed_local()
    })
}
