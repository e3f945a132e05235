//! Messages that are too large, that do not decode, and answers that are none.

use bytes::Bytes;
use freehold_client::{CallOptions, Code, Error};
use prost::Message;

use crate::peer::{Call, Peer, READ, frame, note, trailers};

async fn answered_with(sent: Bytes) -> (Peer, Error) {
    let peer = Peer::start(move |mut call: Call| {
        let sent = sent.clone();
        async move {
            if call.earlier > 0 {
                return call.answer("well again");
            }
            let mut stream = call.open();
            stream.send_data(sent, false).unwrap();
            // The caller may have given up by now.
            let _ = stream.send_trailers(trailers(&[("grpc-status", "0")]));
        }
    })
    .await;
    let channel = peer.channel();
    let error = channel.unary(&READ, note("?"), &CallOptions::new()).await.unwrap_err();
    let next = channel.unary(&READ, note("?"), &CallOptions::new()).await.unwrap();
    assert_eq!(next.text, "well again");
    assert_eq!(peer.connections(), 1, "the connection lives");
    (peer, error)
}

/// C23: a reply whose length prefix says 4 GiB.
#[tokio::test]
async fn a_reply_over_the_limit_is_refused_and_the_connection_lives() {
    let (_peer, error) = answered_with(Bytes::from_static(&[0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3])).await;
    assert_eq!((error.code(), error.reason()), (Code::ResourceExhausted, "MESSAGE_TOO_LARGE"));
}

/// C23: a request over the limit is not sent.
#[tokio::test]
async fn a_request_over_the_limit_is_not_sent() {
    let peer = Peer::start(|call| async { call.answer("") }).await;
    let large = note(&"x".repeat(5 * 1024 * 1024));
    let error = peer.channel().unary(&READ, large, &CallOptions::new()).await.unwrap_err();
    assert_eq!((error.code(), error.reason()), (Code::ResourceExhausted, "MESSAGE_TOO_LARGE"));
    assert!(error.is_unprocessed());
    assert_eq!(peer.calls(), 0);
}

/// A reply that is no message is the callee's fault, not the request's.
#[tokio::test]
async fn a_reply_that_does_not_decode_is_a_fault_of_the_callee() {
    let garbage = frame(&[0xff, 0xff, 0xff]);
    let compressed = Bytes::from_static(&[1, 0, 0, 0, 1, 7]);
    for sent in [garbage, compressed, Bytes::new()] {
        let (_peer, error) = answered_with(sent).await;
        assert_eq!((error.code(), error.reason()), (Code::Internal, "BAD_REPLY"), "{error}");
    }
}

/// Details that are no base64 lose nothing but themselves; tonic alone panics on them.
#[tokio::test]
async fn damaged_error_details_do_not_hurt() {
    let damaged = [("grpc-status", "5"), ("grpc-message", "nothing"), ("grpc-status-details-bin", "!")];
    let naive = std::panic::catch_unwind(|| tonic::Status::from_header_map(&trailers(&damaged)));
    assert!(naive.is_err(), "tonic has learned it; the guard can go");
    for in_headers in [true, false] {
        let peer = Peer::start(move |mut call: Call| async move {
            if in_headers {
                return call.refuse(&damaged);
            }
            let mut stream = call.open();
            stream.send_data(frame(&note("").encode_to_vec()), false).unwrap();
            stream.send_trailers(trailers(&damaged)).unwrap();
        })
        .await;
        let error = peer.channel().unary(&READ, note("?"), &CallOptions::new()).await.unwrap_err();
        assert_eq!((error.code(), error.message(), error.reason()), (Code::NotFound, "nothing", ""));
    }
}
