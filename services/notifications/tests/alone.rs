//! The service by itself: it starts on a free port, answers over the wire, and ends when it is told to.

use std::net::{Ipv4Addr, SocketAddr};

use freehold_sdk::Mesh;
use freehold_sdk::notifications::v1::{CountMailsRequest, ListMailsRequest, NotificationsClient};
use freehold_server::host::Host;
use freehold_testkit::{PATIENCE, Scratch, engines};
use notifications::{Mails, StartError};
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn notifications_starts_alone_and_answers_who_is_declared() {
    let (database, folder) = (engines::sqlite(), Scratch::new("mails"));
    let mails = Mails { folder: folder.join("mails"), smtp: None };
    let running = notifications::start(host(database.url()), lonely(), mails).await.unwrap();
    let url = format!("http://{}", running.addr());
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(running.run(shutdown.clone()));
    let of = |consumer| {
        let mesh = Mesh::fixed(consumer, [("notifications", url.clone())]);
        NotificationsClient::connect(&mesh).unwrap().with_deadline(PATIENCE)
    };
    let counted = of("demo").count_mails(CountMailsRequest::default()).await.unwrap();
    assert_eq!((counted.pending, counted.sent, counted.dropped), (0, 0, 0));
    assert!(of("demo").list_mails(ListMailsRequest::default()).await.unwrap().mails.is_empty());
    let refused = of("orders").list_mails(ListMailsRequest::default()).await.unwrap_err();
    assert!(refused.message().contains("notifications.v1.NotificationsService/ListMails"), "{refused}");
    shutdown.cancel();
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn notifications_does_not_start_with_an_address_that_is_no_mail_server() {
    let (database, folder) = (engines::sqlite(), Scratch::new("mails"));
    let mails = Mails { folder: folder.join("mails"), smtp: Some("mail.example".to_owned()) };
    let refused = notifications::start(host(database.url()), lonely(), mails).await.unwrap_err();
    assert!(matches!(refused, StartError::Smtp(_)), "{refused}");
}

fn host(database_url: &str) -> Host {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into();
    Host { listen, database_url: database_url.to_owned(), bus_url: None, trust_metadata: false, keep: None }
}

/// A mesh whose other services cannot be reached.
fn lonely() -> Mesh {
    Mesh::fixed(notifications::NAME, ["orders", "users"].map(|name| (name, "http://127.0.0.1:9")))
}
