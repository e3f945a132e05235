//! The service as its generated server answers, over real databases: every test runs on each engine of this run.

mod accounts;
mod books;
mod conservation;
mod paying;
mod reacting;

use std::time::Duration;

use freehold_events::ReactionError;
use freehold_sdk::payments::v1 as pb;
use freehold_sdk::payments::v1::PaymentsServiceServer;
use freehold_sdk::payments::v1::methods::payments as methods;
use freehold_store::{Store, Work};
use freehold_testkit::{Database, Mounted, engines};
use freehold_wire::Context;
use freehold_wire::pb::Envelope;
use tonic::{Code, Status};

use crate::generated::OrderCancelledView;
use crate::grpc::Grpc;
use crate::reactions::order_cancelled;

/// The service over an empty database.
struct Bench {
    store: Store,
    server: Mounted<PaymentsServiceServer<Grpc>>,
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
        let server = Mounted::new(PaymentsServiceServer::new(Grpc { store: store.clone() }), "orders");
        Self { store, server }
    }

    async fn open_account(&self, customer_id: &str, cents: i64) -> Result<pb::Account, Status> {
        let request =
            pb::OpenAccountRequest::default().with_customer_id(customer_id).with_opening_cents(cents);
        self.server.call(&methods::OPEN_ACCOUNT, request).await
    }

    async fn deposit(&self, id: &str, customer_id: &str, cents: i64) -> Result<pb::Account, Status> {
        self.server.call(&methods::DEPOSIT, deposit(id, customer_id, cents)).await
    }

    async fn account(&self, customer_id: &str) -> Result<pb::Account, Status> {
        let request = pb::GetAccountRequest::default().with_customer_id(customer_id);
        self.server.call(&methods::GET_ACCOUNT, request).await
    }

    /// What is on an account, and what of it is held.
    async fn cents(&self, customer_id: &str) -> (i64, i64) {
        let account = self.account(customer_id).await.unwrap();
        (account.balance_cents, account.held_cents)
    }

    async fn payment(&self, id: &str) -> Result<pb::Payment, Status> {
        self.server.call(&methods::GET_PAYMENT, pb::GetPaymentRequest::default().with_id(id)).await
    }

    async fn authorise(&self, id: &str, customer_id: &str, cents: i64) -> Result<pb::Payment, Status> {
        self.server.call(&methods::AUTHORISE, authorise(id, customer_id, cents)).await
    }

    async fn void(&self, id: &str) -> Result<pb::Payment, Status> {
        self.server.call(&methods::VOID, pb::VoidRequest::default().with_id(id)).await
    }

    async fn capture(&self, id: &str) -> Result<pb::Payment, Status> {
        self.server.call(&methods::CAPTURE, pb::CaptureRequest::default().with_id(id)).await
    }

    async fn refund(&self, id: &str) -> Result<pb::Payment, Status> {
        self.server.call(&methods::REFUND, pb::RefundRequest::default().with_id(id)).await
    }

    /// Reacts to an order that was cancelled.
    async fn order_cancelled(&self, id: &str) -> Result<(), ReactionError> {
        let event = OrderCancelledView::default().with_order_id(id);
        let unit = async move |work: &mut Work| order_cancelled::react(work, &event).await;
        self.store.unit(&reacting(), unit).await.map(|((), _)| ())
    }

    /// All events that are kept, oldest first.
    async fn events(&self) -> Vec<Envelope> {
        freehold_testkit::kept(&self.store).await
    }

    /// How often a type was told.
    async fn told(&self, kind: &str) -> usize {
        self.events().await.iter().filter(|event| event.r#type == kind).count()
    }
}

fn deposit(id: &str, customer_id: &str, cents: i64) -> pb::DepositRequest {
    pb::DepositRequest::default().with_deposit_id(id).with_customer_id(customer_id).with_amount_cents(cents)
}

fn authorise(id: &str, customer_id: &str, cents: i64) -> pb::AuthoriseRequest {
    pb::AuthoriseRequest::default().with_id(id).with_customer_id(customer_id).with_amount_cents(cents)
}

fn reacting() -> Context {
    Context::new(crate::NAME, Duration::from_secs(10))
}

/// How a state forbids what is asked.
fn refused(reason: &str) -> (Code, String) {
    (Code::FailedPrecondition, reason.to_owned())
}
