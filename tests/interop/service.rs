//! The suite's service on our kit: what comes is counted, what is asked for is sent.
//!
//! Handlers see neither metadata nor framing, as with every service of the kit; what the suite wants to have echoed of
//! them is added around the handler.

use std::convert::Infallible;
use std::task::Poll;

use freehold_wire::Reason;
use freehold_wire::dispatch::{self, Answer, Messages};
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::codegen::http::{HeaderMap, HeaderName, Request, Response};
use tonic::server::NamedService;
use tonic::{Code, Status};

use crate::contract::{DUPLEX, EMPTY, INPUT, OUTPUT, SERVICE, UNARY};
use crate::messages::{
    EchoStatus, Payload, SimpleRequest, SimpleResponse, StreamingInputCallRequest,
    StreamingInputCallResponse, StreamingOutputCallRequest, StreamingOutputCallResponse, size,
};

const INITIAL: HeaderName = HeaderName::from_static("x-grpc-test-echo-initial");
const TRAILING: HeaderName = HeaderName::from_static("x-grpc-test-echo-trailing-bin");

/// The service.
#[derive(Clone)]
pub(crate) struct Testing;

impl NamedService for Testing {
    const NAME: &'static str = SERVICE;
}

impl Service<Request<Body>> for Testing {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Answer {
        let sent = request.headers().clone();
        let compressed = sent.get("grpc-encoding").is_some_and(|encoding| encoding != "identity");
        let path = request.uri().path().to_owned();
        let answer = if path == EMPTY.rules().path {
            dispatch::read(&EMPTY, request, |_, nothing| async { Ok(nothing) })
        } else if path == UNARY.rules().path {
            dispatch::read(&UNARY, request, move |_, asked| async move { unary(&asked, compressed) })
        } else if path == INPUT.rules().path {
            dispatch::collect(&INPUT, request, |_, sent| input(sent))
        } else if path == OUTPUT.rules().path {
            dispatch::stream(&OUTPUT, request, |_, asked| async move {
                Ok(Messages::new(stream::iter(outputs(Ok(asked)))))
            })
        } else {
            dispatch::duplex(&DUPLEX, request, |_, asked: Messages<_>| async {
                Ok(Messages::new(asked.flat_map(|asked| stream::iter(outputs(asked)))))
            })
        };
        Box::pin(async move { answer.await.map(|response| echoed(&sent, response)) })
    }
}

fn unary(asked: &SimpleRequest, compressed: bool) -> Result<SimpleResponse, Status> {
    refused(asked.response_status.as_ref())?;
    match &asked.expect_compressed {
        Some(expected) if expected.value != compressed => {
            Err(Reason::InvalidArgument.status("the request is not compressed as it says"))
        }
        _ => Ok(SimpleResponse { payload: Payload::of(asked.response_size) }),
    }
}

async fn input(mut sent: Messages<StreamingInputCallRequest>) -> Result<StreamingInputCallResponse, Status> {
    let mut aggregated_payload_size = 0;
    while let Some(message) = sent.next().await {
        aggregated_payload_size += size(message?.payload.as_ref());
    }
    Ok(StreamingInputCallResponse { aggregated_payload_size })
}

fn outputs(
    asked: Result<StreamingOutputCallRequest, Status>,
) -> Vec<Result<StreamingOutputCallResponse, Status>> {
    let asked = match asked.and_then(|asked| refused(asked.response_status.as_ref()).map(|()| asked)) {
        Ok(asked) => asked,
        Err(status) => return vec![Err(status)],
    };
    let answer = |size| Ok(StreamingOutputCallResponse { payload: Payload::of(size) });
    asked.response_parameters.iter().map(|wanted| answer(wanted.size)).collect()
}

/// The status that was asked for.
fn refused(status: Option<&EchoStatus>) -> Result<(), Status> {
    match status {
        Some(status) if status.code != 0 => Err(Status::new(Code::from_i32(status.code), &status.message)),
        _ => Ok(()),
    }
}

/// An answer with what its request wants to see again, before and behind it.
fn echoed(sent: &HeaderMap, mut response: Response<Body>) -> Response<Body> {
    if let Some(value) = sent.get(INITIAL) {
        response.headers_mut().insert(INITIAL, value.clone());
    }
    let Some(value) = sent.get(TRAILING).cloned() else { return response };
    let trailers = HeaderMap::from_iter([(TRAILING, value)]);
    response.map(|body| Body::new(body.with_trailers(async { Some(Ok(trailers)) })))
}
