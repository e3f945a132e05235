//! What is NATS alone: its addresses, its settings on a real server, and how a batch is taken.

use async_nats::jetstream::stream::{Config, StorageType};

use super::harness::Server;
use super::*;
use crate::bus::tests::Harness;

#[test]
fn an_address_names_servers_a_prefix_and_a_monitor() {
    let whole = address("nats://ann:secret@a:4222,b/shop?monitor=a:8222").unwrap();
    let servers = vec!["nats://ann:secret@a:4222".to_owned(), "nats://b".to_owned()];
    assert_eq!(whole, Address { servers, prefix: "shop".to_owned(), monitor: Some("a:8222".to_owned()) });
    let plain = address("tls://a").unwrap();
    assert_eq!((plain.prefix.as_str(), plain.monitor), ("freehold", None));
    for bad in ["nats://", "nats://a/b.c", "nats://a/b/c", "nats://a?sync=no"] {
        assert!(matches!(address(bad), Err(BusError::Url(problem)) if !problem.contains("secret")), "{bad}");
    }
}

#[test]
fn a_batch_is_acknowledged_by_its_count_alone() {
    assert!(is_acknowledged(br#"{"stream":"s","seq":9,"batch":"b","count":3}"#, 3));
    assert!(!is_acknowledged(br#"{"stream":"s","seq":9,"batch":"b","count":2}"#, 3));
    assert!(!is_acknowledged(br#"{"error":{"code":400},"stream":"s","seq":0,"count":3}"#, 3));
    assert!(!is_acknowledged(b"", 3));
}

/// Against a `prepare` that does not look at a stream that is there.
#[tokio::test]
async fn a_stream_in_memory_is_refused_by_a_real_server() {
    let Some(server) = Server::open().await else { return };
    let made = Config {
        name: server.nats.stream("orders"),
        subjects: vec![format!("{}.orders.>", server.nats.prefix)],
        storage: StorageType::Memory,
        ..Config::default()
    };
    server.nats.context.create_stream(made).await.unwrap();
    let refused = server.nats.prepare("orders").await;
    let Err(BusError::Unsafe(finding)) = refused else { panic!("{refused:?}") };
    assert_eq!((finding.setting, finding.found.as_str()), ("storage", "memory"));
}

/// A batch of which the server has a part already is taken all the same.
#[tokio::test]
async fn a_batch_that_was_published_in_part_is_published_whole() {
    let Some(server) = Server::open().await else { return };
    server.nats.prepare("orders").await.unwrap();
    let packet = |id: usize| Packet {
        id: format!("e-{id}"),
        route: Some(("o.v1.Order".to_owned(), "o.v1.Placed".to_owned())),
        headers: vec![("ce-specversion", "1.0".to_owned()), ("ce-id", format!("e-{id}"))],
        body: vec![7],
    };
    let packets: Vec<_> = (0..40).map(packet).collect();
    server.nats.publish("orders", packets[..20].to_vec()).await.unwrap();
    server.nats.publish("orders", packets).await.unwrap();
    let wanted: Vec<_> = (0..40).map(|id| format!("e-{id}")).collect();
    assert_eq!(server.ids().await.unwrap(), wanted);
}

/// A server that is away is waited for: the address alone is not refused.
#[tokio::test]
async fn a_server_that_is_away_is_away_and_not_unsafe() {
    let nats = Nats::connect("nats://127.0.0.1:1").await.unwrap();
    assert!(matches!(nats.prepare("orders").await, Err(BusError::Away(..))));
}
