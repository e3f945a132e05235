//! The service as its generated server answers, over real databases: every test runs on each engine of this run.

use freehold_events::Handle;
use freehold_events::bus::Choice;
use freehold_sdk::widgets::v1 as pb;
use freehold_sdk::widgets::v1::WidgetsServiceServer;
use freehold_sdk::widgets::v1::methods::widgets as methods;
use freehold_sdk::{Mesh, PORTS};
use freehold_store::Store;
use freehold_testkit::mounted::{refusal, wrong_fields};
use freehold_testkit::{Mounted, engines};
use tonic::{Code, Status};

use crate::grpc::Grpc;

/// The service over an empty database.
struct Bench {
    store: Store,
    server: Mounted<WidgetsServiceServer<Grpc>>,
    learning: Handle,
}

/// Runs a test on an empty database of each engine.
async fn on_each_engine(test: impl AsyncFn(&Bench)) {
    for database in engines::each().await {
        eprintln!("on {database}");
        let bench = Bench::open(database.url()).await;
        test(&bench).await;
        bench.learning.stop().await;
        bench.store.close().await;
    }
}

impl Bench {
    async fn open(database_url: &str) -> Self {
        let options = crate::options(database_url).throwaway_server();
        let store = Store::open(options).await.unwrap();
        let nobody_answers = PORTS.iter().map(|(name, _)| (*name, "http://127.0.0.1:9"));
        let mesh = Mesh::fixed(crate::NAME, nobody_answers);
        let (grpc, learning) = crate::inside(&store, mesh, &Choice::default()).await.unwrap();
        let server = Mounted::new(WidgetsServiceServer::new(grpc), "tests");
        Self { store, server, learning }
    }

    async fn create(&self, request: pb::CreateWidgetRequest) -> Result<pb::Widget, Status> {
        self.server.call(&methods::CREATE_WIDGET, request).await
    }

    async fn get(&self, id: &str) -> Result<pb::Widget, Status> {
        let request = pb::GetWidgetRequest::default().with_id(id);
        self.server.call(&methods::GET_WIDGET, request).await
    }
}

fn first() -> pb::CreateWidgetRequest {
    pb::CreateWidgetRequest::default().with_id("1").with_name("First")
}

#[tokio::test]
async fn what_was_created_is_read() {
    on_each_engine(async |bench| {
        let created = bench.create(first()).await.unwrap();
        assert_eq!((created.id.as_str(), created.name.as_str()), ("1", "First"));
        assert_eq!(bench.get("1").await.unwrap(), created);
        let unknown = (Code::NotFound, "NOT_FOUND".to_owned());
        assert_eq!(refusal(bench.get("2").await), unknown);
    })
    .await;
}

#[tokio::test]
async fn an_id_is_given_away_once() {
    on_each_engine(async |bench| {
        bench.create(first()).await.unwrap();
        let taken = (Code::FailedPrecondition, "WIDGET_EXISTS".to_owned());
        assert_eq!(refusal(bench.create(first()).await), taken);
    })
    .await;
}

#[tokio::test]
async fn a_repeated_creation_takes_effect_once_and_has_the_same_answer() {
    on_each_engine(async |bench| {
        let create = async || {
            let keyed = bench.server.keyed(&methods::CREATE_WIDGET, "k1", first());
            keyed.await.unwrap()
        };
        let (created, replayed) = create().await;
        assert!(!replayed);
        assert_eq!(create().await, (created, true));
    })
    .await;
}

#[tokio::test]
async fn bad_input_is_refused_by_the_names_of_its_fields() {
    on_each_engine(async |bench| {
        let empty = bench.create(pb::CreateWidgetRequest::default()).await;
        assert_eq!(wrong_fields(empty), ["id", "name"]);
        assert_eq!(wrong_fields(bench.get("").await), ["id"]);
    })
    .await;
}
