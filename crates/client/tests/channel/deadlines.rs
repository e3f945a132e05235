//! Whatever a peer does or leaves undone, the call ends at its deadline.

use std::future::pending;
use std::time::{Duration, Instant};

use bytes::Bytes;
use freehold_client::{CallOptions, Channel, Code, Error};
use freehold_wire::Context;
use prost::Message;
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::peer::{Call, LONG, Note, ONCE, PATIENCE, Peer, READ, frame, note};

const DEADLINE: Duration = Duration::from_millis(100);

fn options() -> CallOptions {
    CallOptions::new().with_deadline(DEADLINE)
}

/// The call must end, with DEADLINE_EXCEEDED, and not before its time. On a machine that stands still it may not even
/// be sent in time; then it is made again.
async fn ends_at_its_deadline<Reply: std::fmt::Debug>(call: impl AsyncFn() -> Result<Reply, Error>) {
    let sent = async {
        loop {
            let begun = Instant::now();
            let error = call().await.unwrap_err();
            if error.reason() != "DEADLINE_SPENT" {
                break (error, begun.elapsed());
            }
        }
    };
    let (error, took) = timeout(PATIENCE, sent).await.expect("the call hangs past its deadline");
    assert_eq!((error.code(), error.reason()), (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"));
    assert!(took >= DEADLINE, "too early");
}

/// What a call is with tonic alone: its deadline ends with the headers.
async fn naive(channel: &Channel) -> Result<(), tonic::Status> {
    let endpoint = tonic::transport::Endpoint::from_shared(channel.address().to_owned()).unwrap();
    let mut grpc = tonic::client::Grpc::new(endpoint.timeout(DEADLINE).connect_lazy());
    grpc.ready().await.unwrap();
    let codec = freehold_wire::codec::Protobuf::<Note, Note>::default();
    grpc.unary(tonic::Request::new(note("?")), "/peer.v1.Peer/Read".parse().unwrap(), codec).await.map(drop)
}

/// C1: the callee never answers. tonic alone says CANCELLED.
#[tokio::test]
async fn a_slow_callee_is_given_up_at_the_deadline() {
    let never = |call: Call| async {
        let _kept = call;
        pending().await
    };
    let channel = Peer::start(never).await.channel();
    assert_eq!(naive(&channel).await.unwrap_err().code(), Code::Cancelled);
    ends_at_its_deadline(async || channel.unary(&READ, note("?"), &options()).await).await;
}

/// C2: the callee stalls after the headers, half-way through a message, and before the trailers. tonic alone hangs.
#[tokio::test]
async fn a_callee_that_stalls_in_its_answer_is_given_up_at_the_deadline() {
    let message = frame(&note("never finished").encode_to_vec());
    for sent in [Bytes::new(), message.slice(..message.len() / 2), message] {
        let stalling = move |mut call: Call| {
            let sent = sent.clone();
            async move {
                let mut stream = call.open();
                stream.send_data(sent, false).unwrap();
                pending().await
            }
        };
        let channel = Peer::start(stalling).await.channel();
        let tries = async { while !hangs_without(&channel).await {} };
        timeout(PATIENCE, tries).await.expect("the naive call ends too, so this proves nothing");
    }
}

/// A call ends at its deadline; whether a naive one goes on beside it. On a machine that stands still it may not even
/// have its headers in time.
async fn hangs_without(channel: &Channel) -> bool {
    let naive = tokio::spawn({
        let channel = channel.clone();
        async move { naive(&channel).await }
    });
    ends_at_its_deadline(async || channel.unary(&READ, note("?"), &options()).await).await;
    // As long again as the same deadline: the naive call has had twice the time that it asked for.
    ends_at_its_deadline(async || channel.unary(&READ, note("?"), &options()).await).await;
    naive.abort();
    naive.await.is_err_and(|ended| ended.is_cancelled())
}

/// C3: the peer accepts and never speaks.
#[tokio::test]
async fn a_peer_that_never_speaks_is_given_up_at_the_deadline() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let channel = Channel::new("tester", &format!("http://{}", silent.local_addr().unwrap())).unwrap();
    ends_at_its_deadline(async || channel.unary(&READ, note("?"), &options()).await).await;
}

/// A stream's deadline is its greatest age, whether it is silent or never is.
#[tokio::test]
async fn a_stream_ends_at_its_greatest_age() {
    let silent = Peer::start(|mut call| async move {
        let _open = call.open();
        pending().await
    });
    let busy = Peer::start(|mut call| async move {
        let mut stream = call.open();
        let message = frame(&note("more").encode_to_vec());
        loop {
            stream.reserve_capacity(message.len());
            if !matches!(std::future::poll_fn(|context| stream.poll_capacity(context)).await, Some(Ok(_))) {
                return;
            }
            if stream.send_data(message.clone(), false).is_err() {
                return;
            }
        }
    });
    for peer in [silent.await, busy.await] {
        ends_at_its_deadline(async || {
            let mut messages = peer.channel().server_streaming(&READ, note("?"), &options()).await?;
            let mut last = None;
            while let Some(message) = messages.next().await {
                last = Some(message);
            }
            last.expect("a stream without an error")
        })
        .await;
    }
}

/// What has arrived and was not read in time is not handed out late: a timer alone would, as it is asked last.
#[tokio::test]
async fn a_stream_hands_out_nothing_after_its_deadline() {
    let peer = Peer::start(|mut call: Call| async move {
        let message = frame(&note("in time").encode_to_vec());
        let mut stream = call.open();
        if call.path == READ.rules().path {
            stream.send_data([message.clone(), message].concat().into(), false).unwrap();
        }
        pending().await
    })
    .await;
    let channel = peer.channel();
    let patient = CallOptions::new().with_deadline(DEADLINE * 10);
    let begin = async {
        loop {
            // A machine that stands still may let the time pass before there is a message.
            let Ok(mut messages) = channel.server_streaming(&READ, note("?"), &patient).await else {
                continue;
            };
            if let Some(Ok(first)) = messages.next().await {
                return (messages, first);
            }
        }
    };
    let (mut messages, first) = timeout(PATIENCE, begin).await.unwrap();
    assert_eq!(first.text, "in time");
    // A call of the same length that begins later ends later.
    assert!(channel.unary(&ONCE, note("?"), &patient).await.unwrap_err().is_deadline_exceeded());
    let late = messages.next().await.unwrap().unwrap_err();
    assert!(late.is_deadline_exceeded(), "{late}");
}

/// C5: what is sent is what is left, never more than the line of work has.
#[tokio::test]
async fn a_call_within_a_line_of_work_has_what_is_left_of_it() {
    let peer = Peer::start(|call| async {
        let timeout = call.header("grpc-timeout").unwrap();
        call.answer(&timeout);
    })
    .await;
    let context = Context::new("tester", Duration::from_secs(5));
    let options = CallOptions::new().with_deadline(Duration::from_secs(15)).within(&context);
    let answer = peer.channel().unary(&READ, note("?"), &options).await.unwrap();
    let sent = freehold_wire::deadline::parse(&answer.text).unwrap();
    assert!(sent <= Duration::from_secs(5) && sent > Duration::ZERO, "{sent:?}");
}

/// C5: with nothing left, or with less than the method wants, nothing is sent.
#[tokio::test]
async fn a_call_without_enough_time_is_not_sent() {
    let peer = Peer::start(|call| async { call.answer("") }).await;
    let channel = peer.channel();
    let spent = CallOptions::new().within(&Context::new("tester", Duration::ZERO));
    let error = channel.unary(&READ, note("?"), &spent).await.unwrap_err();
    assert_eq!((error.code(), error.reason()), (Code::DeadlineExceeded, "DEADLINE_SPENT"));
    let error = channel.unary(&LONG, note("?"), &options()).await.unwrap_err();
    assert_eq!((error.code(), error.reason()), (Code::DeadlineExceeded, "DEADLINE_TOO_SHORT"));
    assert!(error.is_unprocessed());
    assert_eq!(peer.calls(), 0);
}

/// C4: an absurd deadline is clamped.
#[tokio::test]
async fn an_absurd_deadline_is_clamped_to_four_times_the_contracts() {
    let peer = Peer::start(|call| async {
        let timeout = call.header("grpc-timeout").unwrap();
        call.answer(&timeout);
    })
    .await;
    let absurd = CallOptions::new().with_deadline(Duration::MAX);
    let answer = peer.channel().unary(&READ, note("?"), &absurd).await.unwrap();
    assert!(freehold_wire::deadline::parse(&answer.text).unwrap() <= READ.rules().max_deadline());
}

/// C6: a caller that goes away takes its call with it.
#[tokio::test]
async fn a_dropped_call_is_cancelled_at_the_callee() {
    let (given_up, mut told) = tokio::sync::mpsc::unbounded_channel();
    let peer = Peer::start(move |call| {
        let given_up = given_up.clone();
        async move { given_up.send(call.given_up().await).unwrap() }
    })
    .await;
    let channel = peer.channel();
    let call = tokio::spawn(async move { channel.unary(&READ, note("?"), &CallOptions::new()).await });
    timeout(PATIENCE, async {
        while peer.calls() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    call.abort();
    assert_eq!(timeout(PATIENCE, told.recv()).await.unwrap(), Some(h2::Reason::CANCEL));
}
