//! One connection: from its first byte to its end.
//!
//! In: an accepted socket. It is served call by call, each in a task of its own, until the client ends it or the server
//! does; then HTTP/2's GOAWAY says which calls were taken, and those are finished.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tonic::body::Body;

use crate::stack::Stack;
use crate::tasks::Tasks;
use crate::{limits, preface};

/// Serves a connection until its client ends it, or until it is told to finish: then it takes no new calls.
pub(crate) async fn serve(stream: TcpStream, stack: Arc<Stack>, tasks: Tasks) {
    // Without it, small answers wait for the acknowledgement of earlier ones.
    if let Err(error) = stream.set_nodelay(true) {
        return tracing::debug!(%error, "the connection was gone before it began");
    }
    // Not cut short by the end: a client whose call is on its way is owed the word that it was not taken.
    let io = match preface::awaited(stream).await {
        Ok(io) => TokioIo::new(io),
        Err(error) => return tracing::debug!(%error, "no client"),
    };
    let service = service_fn(move |request: http::Request<Incoming>| {
        let stack = stack.clone();
        async move { Ok::<_, Infallible>(stack.answer(request.map(Body::new)).await) }
    });
    let mut connection = pin!(limits::http2(tasks.clone()).serve_connection(io, service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = tasks.finishing() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "the connection broke");
    }
}
