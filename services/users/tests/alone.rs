//! The service by itself: it starts on a free port, answers over the wire, and ends when it is told to.

use std::net::{Ipv4Addr, SocketAddr};

use freehold_sdk::Mesh;
use freehold_sdk::users::v1::{EraseUserRequest, GetUserRequest, RegisterUserRequest, UsersClient};
use freehold_server::host::Host;
use freehold_testkit::{PATIENCE, engines};
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn users_starts_alone_and_answers_who_is_declared() {
    let database = engines::sqlite();
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into();
    let host = Host {
        listen,
        database_url: database.url().to_owned(),
        bus_url: None,
        trust_metadata: false,
        keep: None,
    };
    let running = users::start(host).await.unwrap();
    let mesh = Mesh::fixed("demo", [("users", format!("http://{}", running.addr()))]);
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(running.run(shutdown.clone()));
    let users = UsersClient::connect(&mesh).unwrap().with_deadline(PATIENCE);
    let maria = RegisterUserRequest::default().with_id("ALFKI").with_name("Maria").with_email("a@b");
    let registered = users.register_user(maria).await.unwrap();
    let found = users.get_user(GetUserRequest::default().with_id("ALFKI")).await.unwrap();
    assert_eq!(registered, found);
    let refused = users.erase_user(EraseUserRequest::default().with_id("ALFKI")).await.unwrap_err();
    assert!(refused.message().contains("users.v1.UsersService/EraseUser"), "{refused}");
    shutdown.cancel();
    serving.await.unwrap().unwrap();
}
