//! One connection: from its first byte to its end.
//!
//! In: an accepted socket. It is served call by call, each in a task of its own, until the client ends it or the server
//! does; then HTTP/2's GOAWAY says which calls were taken, and those are finished. HTTP/1.1 is spoken where something
//! other than gRPC is served; there the answer under way is finished.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tonic::body::Body;

use crate::preface::Protocol;
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
    let ended = match preface::awaited(stream).await {
        Ok((Protocol::Http2, io)) => http2(TokioIo::new(io), stack, tasks).await,
        Ok((Protocol::Http1, io)) if stack.has_web() => http1(TokioIo::new(io), stack, tasks).await,
        Ok((Protocol::Http1, _)) => return tracing::debug!("no client: it does not speak HTTP/2"),
        Err(error) => return tracing::debug!(%error, "no client"),
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "the connection broke");
    }
}

async fn http2<Io>(io: TokioIo<Io>, stack: Arc<Stack>, tasks: Tasks) -> hyper::Result<()>
where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    let service = service_fn(move |request| answered(stack.clone(), request));
    let mut connection = pin!(limits::http2(tasks.clone()).serve_connection(io, service));
    tokio::select! {
        ended = connection.as_mut() => ended,
        () = tasks.finishing() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    }
}

async fn http1<Io>(io: TokioIo<Io>, stack: Arc<Stack>, tasks: Tasks) -> hyper::Result<()>
where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    let service = service_fn(move |request| answered(stack.clone(), request));
    let mut connection = pin!(limits::http1().serve_connection(io, service));
    tokio::select! {
        ended = connection.as_mut() => ended,
        () = tasks.finishing() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    }
}

async fn answered(stack: Arc<Stack>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    Ok(stack.answer(request.map(Body::new)).await)
}
