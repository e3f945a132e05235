//! C32: a `calls` line that is removed from a needs.proto is gone from what is generated, and a server that decides by
//! that refuses the call with an error that names the removed line.

use std::net::SocketAddr;

use freehold_codegen::{Layout, generate};
use freehold_contract::model::{Model, Place};
use freehold_sdk::notifications::v1::{
    CountMailsRequest, CountMailsResponse, ListMailsRequest, ListMailsResponse, NotificationsClient,
    NotificationsService, NotificationsServiceServer,
};
use freehold_sdk::{CONTRACT, Mesh, async_trait};
use freehold_server::Server;
use freehold_testkit::PATIENCE;
use freehold_wire::contract::Consumer;
use freehold_wire::{Context, Contract};
use tokio_util::sync::CancellationToken;
use tokio_util::sync::DropGuard;
use tonic::Status;

use crate::contract::{MODEL, consumer, model, texts};

const CALLED: &str = "notifications.v1.NotificationsService/CountMails";

#[tokio::test]
async fn a_call_whose_line_is_removed_is_refused_with_that_line() {
    let file = &consumer("demo").unwrap().file;
    let need = consumer("demo").unwrap().calls.iter().find(|need| need.method == CALLED).unwrap();
    let (line, without) = remove(&need.place);
    let calls = calls(&generated(&without), "demo");

    let (address, _running) = serve(&CONTRACT).await;
    let demo = client(address);
    assert!(demo.count_mails(CountMailsRequest::default()).await.is_ok(), "the line is there");

    let (address, _running) = serve(with_calls("demo", calls)).await;
    let demo = client(address);
    let refused = demo.count_mails(CountMailsRequest::default()).await.unwrap_err();
    assert!(refused.is_permission_denied() && refused.reason() == "UNDECLARED", "{refused}");
    assert!(refused.message().ends_with(&format!("add to {file}: {line}")), "{refused}");
    assert!(demo.list_mails(ListMailsRequest::default()).await.is_ok(), "the other lines are there");
}

#[test]
fn a_removed_line_takes_its_call_and_no_other_out_of_what_is_generated() {
    let whole = generated(&MODEL);
    let committed = include_str!("../../sdk/src/generated/contract.rs");
    assert_eq!(whole, committed, "the generated contract is stale");

    let demo = consumer("demo").unwrap();
    let need = demo.calls.iter().find(|need| need.method == CALLED).unwrap();
    let after = generated(&remove(&need.place).1);
    assert_eq!(calls(&after, "demo"), without(calls(&whole, "demo"), &[CALLED]));
    for other in MODEL.consumers.iter().filter(|other| other.name != "demo") {
        assert_eq!(calls(&after, &other.name), calls(&whole, &other.name));
    }
}

/// A step takes its compensation with it.
#[test]
fn a_removed_step_takes_its_undo_out_too() {
    let orders = consumer("orders").unwrap();
    let step = orders.steps.iter().find(|step| step.method.ends_with("/Capture")).unwrap();
    let after = generated(&remove(&step.place).1);
    let gone = ["payments.v1.PaymentsService/Capture", "payments.v1.PaymentsService/Refund"];
    assert_eq!(calls(&after, "orders"), without(calls(&generated(&MODEL), "orders"), &gone));
}

/// The line at a place, and the model of the contracts without it.
fn remove(place: &Place) -> (String, Model) {
    let mut texts = texts();
    let (_, text) = texts.iter_mut().find(|(path, _)| *path == place.file).unwrap();
    let line = text[place.start..place.end].to_owned();
    text.replace_range(place.start..place.end, "");
    (line, model(texts).unwrap_or_else(|findings| panic!("{findings}")))
}

/// The generated constant that servers decide by, as its source text.
fn generated(model: &Model) -> String {
    let layout = Layout { sdk: Some("sdk".to_owned()), ..Layout::default() };
    let files = generate(model, &layout).unwrap();
    let contract = files.into_iter().find(|file| file.path == "sdk/contract.rs").unwrap();
    String::from_utf8(contract.contents).unwrap()
}

/// The calls in a consumer's row of the generated constant.
fn calls(contract: &str, consumer: &str) -> Vec<String> {
    let (_, consumers) = contract.split_once("consumers: &[").unwrap();
    let name = format!("name: \"{consumer}\"");
    let row = consumers.split("Consumer {").find(|row| row.contains(&name)).unwrap();
    let (_, calls) = row.split_once("calls: &[").unwrap();
    let (calls, _) = calls.split_once(']').unwrap();
    calls.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

fn without(calls: Vec<String>, gone: &[&str]) -> Vec<String> {
    calls.into_iter().filter(|call| !gone.contains(&call.as_str())).collect()
}

/// The mesh's contract with other calls in one row, as if it had been generated so. It lives as long as the program.
fn with_calls(consumer: &str, calls: Vec<String>) -> &'static Contract {
    let calls = calls.into_iter().map(|call| &*call.leak()).collect::<Vec<&str>>().leak();
    let row = |known: &Consumer| {
        if known.name == consumer { Consumer { calls, ..*known } } else { *known }
    };
    let consumers = CONTRACT.consumers.iter().map(row).collect::<Vec<_>>().leak();
    Box::leak(Box::new(Contract { consumers, ..CONTRACT }))
}

/// A server of notifications under a contract, until the guard is dropped.
async fn serve(contract: &'static Contract) -> (SocketAddr, DropGuard) {
    let server = Server::new("notifications", contract).serve(NotificationsServiceServer::new(Empty));
    let bound = server.bind().await.unwrap();
    let (address, shutdown) = (bound.addr(), CancellationToken::new());
    tokio::spawn(bound.run(shutdown.clone()));
    (address, shutdown.drop_guard())
}

fn client(address: SocketAddr) -> NotificationsClient {
    let mesh = Mesh::fixed("demo", [("notifications", format!("http://{address}"))]);
    NotificationsClient::connect(&mesh).unwrap().with_deadline(PATIENCE)
}

/// Has no mails.
struct Empty;

#[async_trait]
impl NotificationsService for Empty {
    async fn list_mails(&self, _: Context, _: ListMailsRequest) -> Result<ListMailsResponse, Status> {
        Ok(ListMailsResponse::default())
    }

    async fn count_mails(&self, _: Context, _: CountMailsRequest) -> Result<CountMailsResponse, Status> {
        Ok(CountMailsResponse::default())
    }
}
