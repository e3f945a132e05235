//! The service as its generated server answers, over real databases: every test runs on each engine of this run. What it
//! reacts to and copies comes from real owners over the wire; its mails go to a real folder, or to a small mail server.

mod dropping;
mod filing;
mod handing_over;
mod listing;
mod mail_server;
mod reacting;

use std::collections::BTreeMap;
use std::time::Duration;

use freehold_events::Handle;
use freehold_events::bus::Choice;
use freehold_events::feed::Feed;
use freehold_sdk::notifications::v1 as pb;
use freehold_sdk::notifications::v1::NotificationsServiceServer;
use freehold_sdk::notifications::v1::methods::notifications as methods;
use freehold_sdk::orders::v1::{OrderCancelled, OrderConfirmed, OrderRejected, OrderShipped};
use freehold_sdk::users::v1::User;
use freehold_sdk::{CONTRACT, Mesh};
use freehold_server::Server;
use freehold_store::{Queries, Store, Work, vals};
use freehold_testkit::{Database, Mounted, Owner, Scratch, Served, engines};
use freehold_wire::Context;
use freehold_wire::feed::FeedServiceServer;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::Inside;
use crate::grpc::Grpc;
use crate::outgoing::{Outgoing, OutgoingError};

/// How long a test waits for what must come true.
const SOON: Duration = Duration::from_secs(60);

/// Whom the service listens to.
struct World {
    orders: Served,
    users: Served,
}

/// The service, in a world with two customers; nobody hands its mails over but the test.
struct Bench {
    store: Store,
    server: Mounted<NotificationsServiceServer<Grpc>>,
    reacting: Handle,
    world: World,
    folder: Scratch,
}

/// Runs a test over an empty database of each engine.
async fn on_each_engine(test: impl AsyncFn(&Bench)) {
    for database in engines::each().await {
        eprintln!("on {database}");
        let bench = Bench::start(&database, World::open().await).await;
        test(&bench).await;
        bench.stop().await.end().await;
    }
}

impl World {
    async fn open() -> Self {
        let (orders, users) = (serve("orders").await, serve("users").await);
        users.put(customer("VINET", "Paul Henriot", "vinet@example.com")).await;
        users.put(customer("TOMSP", "Karin Josephs", "tomsp@example.com")).await;
        Self { orders, users }
    }

    async fn end(self) {
        self.orders.end().await;
        self.users.end().await;
    }
}

impl Bench {
    async fn start(database: &Database, world: World) -> Self {
        let store = freehold_testkit::open(crate::options(database.url())).await;
        let mesh = Mesh::fixed(crate::NAME, [world.orders.place(), world.users.place()]);
        let Inside { grpc, reacting } = Inside::start(&store, mesh, &Choice::default()).await.unwrap();
        let server = Mounted::new(NotificationsServiceServer::new(grpc), "demo");
        let bench = Self { store, server, reacting, world, folder: Scratch::new("mails") };
        bench.caught_up().await;
        bench
    }

    async fn stop(self) -> World {
        self.stop_and(&[]).await
    }

    /// Does this to its database once nobody reacts any more: an instance that lives begins again where its rows are gone.
    async fn stop_and(self, statements: &[&'static str]) -> World {
        let Self { store, reacting, world, .. } = self;
        reacting.stop().await;
        for sql in statements {
            execute(&store, sql).await;
        }
        store.close().await;
        world
    }

    /// Waits until everything that was told has been reacted to, or copied.
    async fn caught_up(&self) {
        self.reacting.caught_up(SOON).await.unwrap();
    }

    /// An order is shipped, which makes a mail; its id.
    async fn shipped(&self, order_id: &str, customer_id: &str) -> String {
        let event = OrderShipped::default().with_order_id(order_id).with_customer_id(customer_id);
        let id = self.world.orders.emit(event).await.id;
        self.caught_up().await;
        id
    }

    /// Hands over what can go, into the folder.
    async fn file(&self) -> Result<(), OutgoingError> {
        let folder = Outgoing::new(self.folder.join("mails"), None).unwrap();
        folder.pass(&self.store, &CancellationToken::new()).await
    }

    /// The files of the folder by their names.
    fn files(&self) -> BTreeMap<String, String> {
        let Ok(folder) = std::fs::read_dir(self.folder.join("mails")) else { return BTreeMap::new() };
        let file = |file: std::io::Result<std::fs::DirEntry>| {
            let file = file.unwrap();
            (file.file_name().into_string().unwrap(), std::fs::read_to_string(file.path()).unwrap())
        };
        folder.map(file).collect()
    }

    async fn list(&self, request: pb::ListMailsRequest) -> Result<pb::ListMailsResponse, Status> {
        self.server.call(&methods::LIST_MAILS, request).await
    }

    /// All mails, in the order of their writing.
    async fn mails(&self) -> Vec<pb::Mail> {
        self.list(pb::ListMailsRequest::default().with_page_size(1000)).await.unwrap().mails
    }

    /// The states of all mails.
    async fn states(&self) -> Vec<pb::MailState> {
        self.mails().await.iter().map(|mail| mail.state().unwrap()).collect()
    }

    /// The number that a statement finds as `n`.
    async fn count(&self, sql: &'static str) -> i64 {
        let row = self.store.read().await.unwrap().one(sql, vals![]).await.unwrap();
        row.unwrap().get("n").unwrap()
    }

    async fn execute(&self, sql: &'static str) {
        execute(&self.store, sql).await;
    }
}

async fn execute(store: &Store, sql: &'static str) {
    let unit = async move |work: &mut Work| work.exec(sql, vals![]).await;
    store.unit(&Context::new(crate::NAME, SOON), unit).await.unwrap();
}

/// An owner that the service reads from, served over the wire.
async fn serve(name: &'static str) -> Served {
    let served = Owner::open(name, &freehold_events::MIGRATIONS).await.serve(|store| {
        let feed = Feed::new(store, &CONTRACT).unwrap();
        Server::new(name, &CONTRACT).serve(FeedServiceServer::new(feed))
    });
    served.await
}

fn customer(id: &str, name: &str, email: &str) -> User {
    User::default().with_id(id).with_name(name).with_email(email)
}
