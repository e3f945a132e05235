//! Our client, their server: each case is a test of its own against a `server.py` of its own.

use std::process::Command;
use std::time::Duration;

use freehold_client::{CallOptions, Channel, Code, Error, Messages};
use freehold_testkit::{PATIENCE, Process, Scratch, eventually};
use futures_util::stream;
use tokio::sync::mpsc;

use crate::HERE;
use crate::contract::{DUPLEX, EMPTY, INPUT, NO_METHOD, NO_SERVICE, OUTPUT, UNARY};
use crate::messages::{
    EchoStatus, Empty, Payload, ResponseParameters, SimpleRequest, StreamingInputCallRequest,
    StreamingOutputCallRequest, StreamingOutputCallResponse, size,
};
use crate::tools::python;

const REQUESTS: [i32; 4] = [27182, 8, 1828, 45904];
const ANSWERS: [i32; 4] = [31415, 9, 2653, 58979];
const SPECIAL: &str = "\t\ntest with whitespace\r\nand Unicode BMP \u{263a} and non-BMP \u{1f608}\t\n";

/// Their server, and a channel of ours to it.
struct Theirs {
    process: Process,
    channel: Channel,
    _scratch: Scratch,
}

/// Starts their server; none where Python has no gRPC.
async fn theirs() -> Option<Theirs> {
    let (python, scratch) = (python()?, Scratch::new("interop"));
    let ready = scratch.join("ready");
    let mut command = Command::new(python);
    let mut process = Process::start(command.arg(format!("{HERE}/server.py")).arg(&ready));
    let url = process.ready(&ready, PATIENCE).await;
    Some(Theirs { process, channel: Channel::new("interop", &url).unwrap(), _scratch: scratch })
}

fn output(request: Option<i32>, answers: &[i32]) -> StreamingOutputCallRequest {
    let response_parameters = answers.iter().map(|&size| ResponseParameters { size }).collect();
    StreamingOutputCallRequest {
        response_parameters,
        payload: request.and_then(Payload::of),
        response_status: None,
    }
}

/// The sizes of all answers that are left.
async fn sizes(mut answers: Messages<StreamingOutputCallResponse>) -> Result<Vec<i32>, Error> {
    let mut sizes = Vec::new();
    while let Some(answer) = answers.next().await {
        sizes.push(size(answer?.payload.as_ref()));
    }
    Ok(sizes)
}

/// A stream that goes on as its sender says.
fn open<T: Send + 'static>()
-> (mpsc::UnboundedSender<T>, impl futures_util::Stream<Item = T> + Send + 'static) {
    let (send, receive) = mpsc::unbounded_channel();
    (send, stream::unfold(receive, async |mut receive| receive.recv().await.map(|sent| (sent, receive))))
}

/// Waits until their server has printed this.
async fn says(server: &Process, line: &str) {
    eventually(line, PATIENCE, async || server.stdout().contains(line).then_some(())).await;
}

#[tokio::test]
async fn empty_unary() {
    let Some(Theirs { channel, .. }) = &theirs().await else { return };
    assert_eq!(channel.unary(&EMPTY, Empty {}, &CallOptions::new()).await.unwrap(), Empty {});
}

#[tokio::test]
async fn large_unary() {
    let Some(Theirs { channel, .. }) = &theirs().await else { return };
    let request =
        SimpleRequest { response_size: 314_159, payload: Payload::of(271_828), ..SimpleRequest::default() };
    let answer = channel.unary(&UNARY, request, &CallOptions::new()).await.unwrap();
    assert_eq!(answer.payload, Payload::of(314_159));
}

#[tokio::test]
async fn client_streaming() {
    let Some(Theirs { channel, .. }) = &theirs().await else { return };
    let requests = REQUESTS.map(|size| StreamingInputCallRequest { payload: Payload::of(size) });
    let answer = channel.client_streaming(&INPUT, stream::iter(requests), &CallOptions::new()).await.unwrap();
    assert_eq!(answer.aggregated_payload_size, 74_922);
}

#[tokio::test]
async fn server_streaming() {
    let Some(Theirs { channel, .. }) = &theirs().await else { return };
    let answers =
        channel.server_streaming(&OUTPUT, output(None, &ANSWERS), &CallOptions::new()).await.unwrap();
    assert_eq!(sizes(answers).await.unwrap(), ANSWERS);
}

#[tokio::test]
async fn ping_pong() {
    let Some(Theirs { channel, .. }) = &theirs().await else { return };
    let (send, requests) = open();
    send.send(output(Some(REQUESTS[0]), &[ANSWERS[0]])).unwrap();
    let mut answers = channel.duplex(&DUPLEX, requests, &CallOptions::new()).await.unwrap();
    for at in 0..4 {
        let answer = answers.next().await.unwrap().unwrap();
        assert_eq!(size(answer.payload.as_ref()), ANSWERS[at]);
        if at < 3 {
            send.send(output(Some(REQUESTS[at + 1]), &[ANSWERS[at + 1]])).unwrap();
        }
    }
    drop(send);
    assert_eq!(sizes(answers).await.unwrap(), [0; 0]);
}

#[tokio::test]
async fn empty_stream() {
    let Some(Theirs { channel, .. }) = &theirs().await else { return };
    let answers = channel.duplex(&DUPLEX, stream::empty(), &CallOptions::new()).await.unwrap();
    assert_eq!(sizes(answers).await.unwrap(), [0; 0]);
}

/// Both statuses of the suite, each from a unary call and from a stream: "status_code_and_message" and
/// "special_status_message".
#[tokio::test]
async fn a_status_and_its_text_arrive() {
    let Some(Theirs { channel, .. }) = &theirs().await else { return };
    for text in ["test status message", SPECIAL] {
        let response_status = Some(EchoStatus { code: 2, message: text.to_owned() });
        let request = SimpleRequest { response_status: response_status.clone(), ..SimpleRequest::default() };
        let unary = channel.unary(&UNARY, request, &CallOptions::new()).await.unwrap_err();
        assert_eq!((unary.code(), unary.message()), (Code::Unknown, text));
        let requests = stream::iter([StreamingOutputCallRequest { response_status, ..output(None, &[]) }]);
        let streamed = match channel.duplex(&DUPLEX, requests, &CallOptions::new()).await {
            Ok(answers) => sizes(answers).await.unwrap_err(),
            Err(refused) => refused,
        };
        assert_eq!((streamed.code(), streamed.message()), (Code::Unknown, text));
    }
}

/// "unimplemented_method" and "unimplemented_service".
#[tokio::test]
async fn what_is_not_there_is_unimplemented() {
    let Some(Theirs { channel, .. }) = &theirs().await else { return };
    for method in [NO_METHOD, NO_SERVICE] {
        let refused = channel.unary(&method, Empty {}, &CallOptions::new()).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unimplemented, "{refused}");
    }
}

/// A call of ours is cancelled by dropping it. What their server saw is asked, because a caller that is gone sees nothing.
#[tokio::test]
async fn cancel_after_begin() {
    let Some(Theirs { channel, process, .. }) = &theirs().await else { return };
    let options = CallOptions::new();
    tokio::select! {
        answered = channel.client_streaming(&INPUT, stream::pending(), &options) => panic!("answered: {answered:?}"),
        () = says(process, "began StreamingInputCall") => {}
    }
    says(process, "cancelled StreamingInputCall").await;
}

#[tokio::test]
async fn cancel_after_first_response() {
    let Some(Theirs { channel, process, .. }) = &theirs().await else { return };
    let (send, requests) = open();
    send.send(output(Some(27_182), &[31_415])).unwrap();
    let mut answers = channel.duplex(&DUPLEX, requests, &CallOptions::new()).await.unwrap();
    assert_eq!(size(answers.next().await.unwrap().unwrap().payload.as_ref()), 31_415);
    drop(answers);
    says(process, "cancelled FullDuplexCall").await;
}

#[tokio::test]
async fn timeout_on_sleeping_server() {
    let Some(Theirs { channel, .. }) = &theirs().await else { return };
    // So that there is a connection: a deadline of a millisecond is spent on making one.
    channel.unary(&EMPTY, Empty {}, &CallOptions::new()).await.unwrap();
    let (send, requests) = open();
    send.send(output(Some(27_182), &[])).unwrap();
    let options = CallOptions::new().with_deadline(Duration::from_millis(1));
    let late = match channel.duplex(&DUPLEX, requests, &options).await {
        Ok(answers) => sizes(answers).await.unwrap_err(),
        Err(late) => late,
    };
    assert_eq!(late.code(), Code::DeadlineExceeded, "{late}");
}
