//! Bytes that are no message, and more bytes than a message may have.

use freehold_testkit::mounted::refusal;
use freehold_wire::pb::SubscribeRequest;
use freehold_wire::prost::Message;
use prost_reflect::Kind;
use tonic::Code;

use super::{Services, feeds};
use crate::contract::{Rpc, rpcs};
use crate::mesh::shared;
use crate::messages::sound;
use crate::wire::{bounded, named};

/// More than a message may have, in bytes.
const TOO_LARGE: usize = 5 * 1024 * 1024;

#[tokio::test]
async fn what_is_no_message_is_the_callers_fault() {
    let mesh = shared().await;
    let services = Services::of(&mesh).await;
    for rpc in rpcs().into_iter().chain(feeds()) {
        for (what, bytes) in garbage(&rpc) {
            let (code, reason) = refusal(services.call(&rpc, bytes).await);
            let expected = (Code::InvalidArgument, "INVALID_ARGUMENT");
            assert_eq!((code, reason.as_str()), expected, "{}: {what}", rpc.full_name());
        }
    }
}

/// C23, over a whole mesh.
#[tokio::test]
async fn a_message_over_the_limit_is_refused_and_the_connection_lives() {
    let mesh = shared().await;
    let services = Services::of(&mesh).await;
    for rpc in rpcs().into_iter().chain(feeds()) {
        let (code, reason) = refusal(services.call(&rpc, vec![0; TOO_LARGE]).await);
        assert_eq!(
            (code, reason.as_str()),
            (Code::ResourceExhausted, "MESSAGE_TOO_LARGE"),
            "{}",
            rpc.full_name()
        );
    }
}

/// A stream that was open before goes on: what follows did not need a new connection.
#[tokio::test]
async fn a_stream_outlives_what_is_refused_beside_it() {
    let mesh = shared().await;
    let services = Services::of(&mesh).await;
    let catalog = &services.wires["catalog"];
    let orders = named(Some("orders"));
    let subscribe =
        SubscribeRequest::default().with_subscription("orders/tests").with_types(["catalog.v1.Product"]);
    let mut stream =
        catalog.open("freehold.v1.Feed/Subscribe", &orders, subscribe.encode_to_vec()).await.unwrap();
    for rpc in rpcs().into_iter().filter(|rpc| rpc.owner.name == "catalog") {
        refusal(services.call(&rpc, vec![0; TOO_LARGE]).await);
        refusal(services.call(&rpc, vec![0xff; 16]).await);
        let next = bounded("the stream", stream.message()).await;
        assert!(next.is_ok_and(|message| message.is_some()), "{} ended the stream", rpc.full_name());
    }
}

/// Bytes that no request of this RPC is encoded as.
fn garbage(rpc: &Rpc) -> Vec<(String, Vec<u8>)> {
    let mut garbage = vec![
        ("no field has that number".to_owned(), vec![0xff; 16]),
        ("field number 0".to_owned(), vec![0x00, 0x01]),
        ("a group that does not end".to_owned(), vec![0x0b]),
        ("a length beyond the end".to_owned(), vec![0xfa, 0x7f, 0x7f]),
    ];
    let sound = sound(&rpc.request(), "nobody").encode_to_vec();
    for field in rpc.request().fields() {
        let (tag, name) = (field.number() << 3, field.name());
        let mut add = |what: &str, bytes: &[u8]| {
            let mut message = sound.clone();
            freehold_wire::prost::encoding::encode_varint(u64::from(tag | u32::from(bytes[0])), &mut message);
            message.extend(&bytes[1..]);
            garbage.push((format!("{name} {what}"), message));
        };
        // The first byte of each is the wire type.
        if field.kind() == Kind::String {
            add("is no UTF-8", &[2, 2, 0xc3, 0x28]);
            add("is half of a surrogate pair", &[2, 3, 0xed, 0xa0, 0x80]);
            add("is cut off", &[2, 9, b'a']);
        }
        // A varint for what is none, and eight bytes for all else.
        let other: &[u8] = match field.kind() {
            Kind::String | Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => &[0, 1],
            _ => &[1, 0, 0, 0, 0, 0, 0, 0, 0],
        };
        add("has another wire type", other);
        add(
            "is a number without end",
            &[0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        );
    }
    garbage
}
