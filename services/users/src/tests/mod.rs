//! The service as its generated server answers, over real databases: every test runs on each engine of this run.

mod erasing;
mod keys;
mod listing;
mod registering;

use freehold_sdk::users::v1 as pb;
use freehold_sdk::users::v1::UsersServiceServer;
use freehold_sdk::users::v1::methods::users as methods;
use freehold_store::Store;
use freehold_testkit::{Database, Mounted, engines};
use freehold_wire::pb::Envelope;
use tonic::Status;

use crate::grpc::Grpc;

/// The service over an empty database.
struct Bench {
    store: Store,
    server: Mounted<UsersServiceServer<Grpc>>,
}

/// Runs a test on an empty database of each engine.
async fn on_each_engine(test: impl AsyncFn(&Bench)) {
    for database in engines::each().await {
        eprintln!("on {database}");
        let bench = Bench::open(&database).await;
        test(&bench).await;
        bench.store.close().await;
    }
}

impl Bench {
    async fn open(database: &Database) -> Self {
        let store = Store::open(crate::options(database.url()).throwaway_server()).await.unwrap();
        let server = Mounted::new(UsersServiceServer::new(Grpc { store: store.clone() }), "demo");
        Self { store, server }
    }

    async fn register(&self, request: pb::RegisterUserRequest) -> Result<pb::User, Status> {
        self.server.call(&methods::REGISTER_USER, request).await
    }

    async fn get(&self, id: &str) -> Result<pb::User, Status> {
        self.server.call(&methods::GET_USER, pb::GetUserRequest::default().with_id(id)).await
    }

    async fn update(&self, request: pb::UpdateUserRequest) -> Result<pb::User, Status> {
        self.server.call(&methods::UPDATE_USER, request).await
    }

    async fn erase(&self, id: &str) -> Result<pb::EraseUserResponse, Status> {
        self.server.call(&methods::ERASE_USER, pb::EraseUserRequest::default().with_id(id)).await
    }

    /// All events that are kept, oldest first.
    async fn events(&self) -> Vec<Envelope> {
        freehold_testkit::kept(&self.store).await
    }
}

/// Somebody who can be registered.
fn maria() -> pb::RegisterUserRequest {
    pb::RegisterUserRequest::default()
        .with_id("ALFKI")
        .with_name("Maria Anders")
        .with_email("maria@example.com")
        .with_address(pb::Address::default().with_street("Obere Str. 57").with_city("Berlin"))
        .with_note("pays late")
}
