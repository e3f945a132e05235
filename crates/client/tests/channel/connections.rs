//! A call is sent again where the callee provably has not seen it, and nowhere else.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use freehold_client::{CallOptions, Channel, Code, Requests};
use prost::Message;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

use crate::peer::{Call, ONCE, PATIENCE, Peer, READ, WRITE, frame, note};
use crate::raw;

/// C14: refused with REFUSED_STREAM, so never looked at.
#[tokio::test]
async fn a_refused_stream_is_sent_again_under_the_same_key() {
    let (arrived, mut keys) = mpsc::unbounded_channel();
    let peer = Peer::start(move |mut call: Call| {
        arrived.send(call.header("idempotency-key")).unwrap();
        async move {
            match call.earlier {
                0 => call.respond.send_reset(h2::Reason::REFUSED_STREAM),
                _ => call.answer("taken"),
            }
        }
    })
    .await;
    let answer =
        timeout(PATIENCE, peer.channel().unary(&WRITE, note("?"), &CallOptions::new())).await.unwrap();
    assert_eq!(answer.unwrap().text, "taken");
    let (first, second) = (keys.recv().await.unwrap(), keys.recv().await.unwrap());
    assert!(first.is_some() && first == second, "{first:?} {second:?}");
    assert_eq!(peer.calls(), 2);
}

/// C14, C21: above the last call that a GOAWAY names, so never looked at.
#[tokio::test]
async fn a_call_above_the_last_of_a_goaway_is_sent_again() {
    let (listener, channel) = listening().await;
    let call = tokio::spawn(async move { channel.unary(&WRITE, note("?"), &CallOptions::new()).await });
    for _ in 0..2 {
        let (mut socket, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
        raw::greet(&mut socket).await;
        raw::until_called(&mut socket).await;
        raw::go_away(&mut socket, 0).await;
    }
    call.abort();
}

/// C7, C14: a connection that breaks in mid-call proves nothing: a call that is not declared idempotent fails, and is
/// not sent again.
#[tokio::test]
async fn a_callee_that_dies_in_mid_call_is_unavailable() {
    let (listener, channel) = listening().await;
    let connections = Arc::new(AtomicUsize::new(0));
    let seen = connections.clone();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            seen.fetch_add(1, Ordering::SeqCst);
            raw::greet(&mut socket).await;
            raw::until_called(&mut socket).await;
        }
    });
    let error =
        timeout(PATIENCE, channel.unary(&ONCE, note("?"), &CallOptions::new())).await.unwrap().unwrap_err();
    assert_eq!((error.code(), error.reason()), (Code::Unavailable, "CONNECTION_LOST"));
    let explanation = error.explanation().unwrap();
    assert!(explanation.decided_by().starts_with("the contract"), "{explanation}");
    assert_eq!(explanation.attempts().len(), 1);
    assert!(!error.is_unprocessed() && error.is_retryable_with_same_key());
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

/// C7: a read is asked again, and where its callee stays away, the error says how it went, not that there was no time.
#[tokio::test]
async fn a_callee_that_dies_and_stays_away_is_unavailable() {
    let deadline = Duration::from_secs(1);
    let error = loop {
        let (listener, channel) = listening().await;
        let dying = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            raw::greet(&mut socket).await;
            raw::until_called(&mut socket).await;
            Instant::now()
        });
        let (options, began) = (CallOptions::new().with_deadline(deadline), Instant::now());
        let error = timeout(PATIENCE, channel.unary(&READ, note("?"), &options)).await.unwrap().unwrap_err();
        // On a machine that stands still the callee may not have died in time, which proves nothing.
        if timeout(PATIENCE, dying).await.unwrap().unwrap() < began + deadline / 2 {
            break error;
        }
    };
    assert_eq!((error.code(), error.reason()), (Code::Unavailable, "CONNECTION_LOST"));
    assert!(!error.is_unprocessed());
    let explanation = error.explanation().unwrap();
    assert_eq!(explanation.decided_by(), "the deadline, while waiting for a connection");
    assert_eq!(explanation.attempts().len(), 1);
}

/// C7: the same after the headers, and where the stream is reset with any reason that a broken callee gives.
#[tokio::test]
async fn an_answer_that_is_cut_off_is_unavailable() {
    for reason in
        [h2::Reason::CANCEL, h2::Reason::NO_ERROR, h2::Reason::INTERNAL_ERROR, h2::Reason::PROTOCOL_ERROR]
    {
        for headers_first in [true, false] {
            let peer = Peer::start(move |mut call: Call| async move {
                if headers_first {
                    call.open().send_reset(reason);
                } else {
                    call.respond.send_reset(reason);
                }
            })
            .await;
            let call = peer.channel();
            let error = call.unary(&ONCE, note("?"), &CallOptions::new()).await.unwrap_err();
            assert_eq!((error.code(), error.reason()), (Code::Unavailable, "CONNECTION_LOST"), "{reason:?}");
            assert_eq!(peer.calls(), 1, "{reason:?}");
        }
    }
}

/// C7: a stream that ends without a status has not ended. hyper makes a clean end of both of these resets.
#[tokio::test]
async fn a_stream_that_is_cut_off_is_unavailable() {
    for reason in [h2::Reason::CANCEL, h2::Reason::NO_ERROR, h2::Reason::INTERNAL_ERROR] {
        let has_read = Arc::new(Notify::new());
        let told = has_read.clone();
        let peer = Peer::start(move |mut call: Call| {
            let told = told.clone();
            async move {
                let mut stream = call.open();
                stream.send_data(frame(&note("first").encode_to_vec()), false).unwrap();
                told.notified().await;
                stream.send_reset(reason);
            }
        })
        .await;
        let channel = peer.channel();
        let mut messages = channel.server_streaming(&READ, note("?"), &CallOptions::new()).await.unwrap();
        assert_eq!(messages.next().await.unwrap().unwrap().text, "first");
        has_read.notify_one();
        let error = timeout(PATIENCE, messages.next()).await.unwrap().unwrap().unwrap_err();
        assert_eq!((error.code(), error.reason()), (Code::Unavailable, "CONNECTION_LOST"), "{reason:?}");
        assert!(messages.next().await.is_none());
    }
}

/// Nothing listens: the call says so when its time is up, and that it was not seen.
#[tokio::test]
async fn an_unreachable_callee_is_unavailable_and_has_seen_nothing() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let channel = Channel::new("tester", &format!("http://{}", socket.local_addr().unwrap())).unwrap();
    let options = CallOptions::new().with_deadline(Duration::from_secs(2));
    let tried = async {
        loop {
            let error = channel.unary(&WRITE, note("?"), &options).await.unwrap_err();
            // On a machine that stands still it may not be tried in time.
            if !error.is_deadline_exceeded() {
                return error;
            }
        }
    };
    let error = timeout(PATIENCE, tried).await.unwrap();
    assert_eq!((error.code(), error.reason()), (Code::Unavailable, "UNREACHABLE"));
    assert!(error.is_unprocessed());
    assert!(std::error::Error::source(&error).is_some(), "the system's own words are kept");
}

/// A callee that starts while the call waits is reached; one attempt alone would have failed.
#[tokio::test]
async fn a_callee_that_comes_up_before_the_deadline_is_reached() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let channel = Channel::new("tester", &format!("http://{}", socket.local_addr().unwrap())).unwrap();
    let requests = Requests::of([note("a"), note("b")]);
    let options = CallOptions::new();
    let mut call = Box::pin(channel.client_streaming(&READ, requests, &options));
    let early = timeout(Duration::from_millis(100), &mut call).await;
    assert!(early.is_err(), "the call gave up with time left");
    let listener = socket.listen(8).unwrap();
    let serve = async {
        let (socket, _) = listener.accept().await.unwrap();
        let mut connection = h2::server::handshake(socket).await.unwrap();
        let (request, respond) = connection.accept().await.unwrap().unwrap();
        let (head, body) = request.into_parts();
        let path = head.uri.path().to_owned();
        Call { path, headers: head.headers, body: Some(body), respond, earlier: 0 }.answer("reached");
        while connection.accept().await.is_some() {}
        pending().await
    };
    let answer = tokio::select! {
        answer = timeout(PATIENCE, call) => answer.unwrap().unwrap(),
        () = serve => unreachable!(),
    };
    assert_eq!(answer.text, "reached");
}

/// A stream that has begun cannot be sent again: what it said is gone.
#[tokio::test]
async fn a_stream_that_has_begun_is_not_sent_again() {
    let peer = Peer::start(|mut call: Call| async move {
        let first = call.body.as_mut().unwrap().data().await;
        assert!(first.is_some());
        call.respond.send_reset(h2::Reason::REFUSED_STREAM);
    })
    .await;
    let requests = Requests::of([note("a"), note("b")]);
    let call = peer.channel();
    let error = timeout(PATIENCE, call.client_streaming(&READ, requests, &CallOptions::new())).await.unwrap();
    assert_eq!(error.unwrap_err().reason(), "NOT_TAKEN");
    assert_eq!(peer.calls(), 1);
}

/// What is dropped leaves no connection behind.
#[tokio::test]
async fn a_channel_that_is_dropped_ends_its_connections() {
    let (listener, channel) = listening().await;
    let serve = async move {
        let (socket, _) = listener.accept().await.unwrap();
        let mut connection = h2::server::handshake(socket).await.unwrap();
        let (request, respond) = connection.accept().await.unwrap().unwrap();
        let (head, body) = request.into_parts();
        let path = head.uri.path().to_owned();
        Call { path, headers: head.headers, body: Some(body), respond, earlier: 0 }.answer("first");
        while connection.accept().await.is_some() {}
    };
    let served = tokio::spawn(serve);
    channel.unary(&READ, note("?"), &CallOptions::new()).await.unwrap();
    drop(channel);
    timeout(PATIENCE, served).await.expect("the connection is still there").unwrap();
}

async fn listening() -> (TcpListener, Channel) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let channel = Channel::new("tester", &format!("http://{}", listener.local_addr().unwrap())).unwrap();
    (listener, channel)
}
