//! `freehold up`, from the ready file to the end: where it is, what it says, what stays and what does not.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use freehold_sdk::orders::v1::ListOrdersResponse;
use freehold_sdk::users::v1::{GetUserRequest, RegisterUserRequest, User, UsersClient};
use freehold_testkit::process::Signal;
use freehold_testkit::{PATIENCE, Scratch};
use freehold_wire::codec::Protobuf;
use freehold_wire::pb::ListServicesResponse;
use freehold_wire::prost::Message;
use tonic::client::Grpc;
use tonic::transport::Endpoint;

use crate::mesh::{Up, finish, freehold, run};
use crate::records::Records;

const ALL: [&str; 9] =
    ["catalog", "drivers", "gateway", "inventory", "notifications", "orders", "payments", "rides", "users"];

#[tokio::test]
async fn a_ready_mesh_serves_where_its_ready_file_says() {
    let scratch = Scratch::new("ready");
    let up = Up::start(scratch.path()).await;
    assert!(up.services.keys().eq(ALL), "{:?}", up.services);
    let status = run(scratch.path(), &["status", "--mesh", &up.directory, "-o", "json"]).await;
    assert_eq!(status.code, Some(0), "{status:#?}");
    for row in status.json() {
        let service = row["service"].as_str().unwrap();
        assert_eq!(
            (row["state"].as_str(), row["url"].as_str()),
            (Some("SERVING"), Some(&*up.services[service]))
        );
    }
    assert_eq!(status.json().len(), ALL.len());
    assert_eq!(up.process.stdout(), "", "data alone goes to standard output");
}

#[tokio::test]
async fn the_three_commands_of_the_banner_work() {
    let scratch = Scratch::new("banner");
    let up = Up::start(scratch.path()).await;
    let banner = up.process.stderr();
    let commands: Vec<&str> = banner
        .lines()
        .skip_while(|line| !line.starts_with("Try"))
        .skip(1)
        .take_while(|line| !line.is_empty())
        .collect();
    let [list, demo, orders] = commands[..] else { panic!("{banner}") };
    let listed: ListServicesResponse = call_as_grpcurl(list).await;
    assert!(listed.services.iter().all(|service| up.services[&service.name] == service.url), "{listed:?}");
    assert_eq!(listed.services.len(), ALL.len());
    let demo: Vec<&str> = demo.trim().strip_prefix("cargo run -- ").unwrap().split(' ').collect();
    let demo = run(scratch.path(), &[&demo[..], &["--orders", "3"]].concat()).await;
    assert_eq!(demo.code, Some(0), "{demo:#?}");
    let orders: ListOrdersResponse = call_as_grpcurl(orders).await;
    assert_eq!(orders.orders.len(), 3, "{orders:?}");
}

/// Does what `grpcurl -plaintext ADDRESS METHOD` does.
async fn call_as_grpcurl<Reply: Message + Default + 'static>(line: &str) -> Reply {
    let words: Vec<&str> = line.split_whitespace().collect();
    let ["grpcurl", "-plaintext", address, method] = words[..] else { panic!("{line}") };
    let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    let mut client = Grpc::new(channel);
    client.ready().await.unwrap();
    let path = format!("/{method}").parse().unwrap();
    let codec = Protobuf::<(), Reply>::default();
    client.unary(tonic::Request::new(()), path, codec).await.unwrap().into_inner()
}

#[tokio::test]
async fn an_interrupted_mesh_ends_though_a_client_stays_silent() {
    let scratch = Scratch::new("interrupted");
    let mut up = Up::start(scratch.path()).await;
    let silent: Vec<TcpStream> = up.services.values().map(|url| connect(url)).collect();
    up.process.signal(Signal::Interrupt);
    let ended = up.process.ended(Duration::from_secs(10)).await;
    assert_eq!(ended.code(), Some(0), "{}", up.process.report());
    drop(silent);
}

fn connect(url: &str) -> TcpStream {
    TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap()
}

/// Invariant 12: what was acknowledged survives an end and a kill -9.
#[tokio::test]
async fn a_mesh_that_starts_again_has_its_data() {
    let scratch = Scratch::new("again");
    let up = Up::start(scratch.path()).await;
    let maria = register(&up, "MARIA").await;
    up.process.signal(Signal::Terminate);
    assert_eq!(finish(up.process).await.code, Some(0));

    let mut up = Up::start(scratch.path()).await;
    assert_eq!(get(&up, "MARIA").await, maria);
    let ana = register(&up, "ANA").await;
    up.process.kill();

    let up = Up::start(scratch.path()).await;
    assert_eq!((get(&up, "MARIA").await, get(&up, "ANA").await), (maria, ana));
}

async fn register(up: &Up, id: &str) -> User {
    let users = UsersClient::connect(&up.mesh()).unwrap().with_deadline(PATIENCE);
    let user = RegisterUserRequest::default().with_id(id).with_name("Somebody").with_email("a@example.com");
    users.register_user(user).await.unwrap()
}

async fn get(up: &Up, id: &str) -> User {
    let users = UsersClient::connect(&up.mesh()).unwrap().with_deadline(PATIENCE);
    users.get_user(GetUserRequest::default().with_id(id)).await.unwrap()
}

#[tokio::test]
async fn only_the_named_services_run() {
    let scratch = Scratch::new("only");
    let only = ["--only", "users,catalog", "--port", "0", "--data", "data"];
    let up = Up::with(scratch.path(), &only).await;
    assert!(up.services.keys().eq(["catalog", "users"]), "{:?}", up.services);
    register(&up, "MARIA").await;
    assert_eq!(databases(&scratch.join("data")), ["catalog.db", "users.db"]);
}

fn databases(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".db")).collect();
    names.sort();
    names
}

#[tokio::test]
async fn an_ephemeral_mesh_leaves_nothing() {
    let scratch = Scratch::new("ephemeral");
    let (home, temporary) = (scratch.join("home"), scratch.join("temporary"));
    fs::create_dir(&home).unwrap();
    fs::create_dir(&temporary).unwrap();
    let mut command = freehold(&home, &["up", "--ephemeral", "--port", "0"]);
    command.env("TMPDIR", &temporary);
    let up = Up::of(&home, command).await;
    register(&up, "MARIA").await;
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 1, "its databases are there while it runs");
    up.process.signal(Signal::Interrupt);
    assert_eq!(finish(up.process).await.code, Some(0));
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
    assert!(!home.join("freehold-data").exists());
}

#[tokio::test]
async fn a_second_mesh_over_the_same_data_is_refused_and_the_first_goes_on() {
    let scratch = Scratch::new("second");
    let up = Up::start(scratch.path()).await;
    let maria = register(&up, "MARIA").await;
    // Whoever opens a database writes that down before all else.
    let records = Records::of(&scratch.join("data"));
    let opened = || records.number("users", "SELECT COUNT(*) FROM freehold_epoch");
    let before = opened();
    let second = run(scratch.path(), &["up", "--port", "0", "--data", "data"]).await;
    let line = second.refusal(3);
    assert!(line.contains("is open in another process"), "{line}");
    assert_eq!(opened(), before);
    assert_eq!(get(&up, "MARIA").await, maria);
}
