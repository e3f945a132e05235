//! A callee on a thread of its own that answers every call of a benchmark with the same note, or begins to.

use bytes::Bytes;
use freehold_wire::pb::ListServicesResponse;
use h2::RecvStream;
use h2::server::SendResponse;
use http::{Request, Response};
use prost::Message;
use tokio::net::{TcpListener, TcpStream};

/// How a callee answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// At once.
    Prompt,
    /// With headers, and then nothing.
    Stalling,
}

/// Starts a callee on a thread of its own; its URL.
pub(crate) fn start(manner: Manner) -> String {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(format!("http://{}", listener.local_addr().unwrap())).unwrap();
            while let Ok((socket, _)) = listener.accept().await {
                socket.set_nodelay(true).unwrap();
                tokio::spawn(answer(socket, manner));
            }
        });
    });
    told.recv().unwrap()
}

async fn answer(socket: TcpStream, manner: Manner) {
    let message = ListServicesResponse::default().encode_to_vec();
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    let frame: Bytes = [&[0], &length[..], &message].concat().into();
    let mut connection = h2::server::handshake(socket).await.unwrap();
    while let Some(Ok((request, respond))) = connection.accept().await {
        let frame = frame.clone();
        // Whoever has gone away meanwhile wants no answer.
        tokio::spawn(async move { reply(request, respond, frame, manner).await.ok() });
    }
}

async fn reply(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    frame: Bytes,
    manner: Manner,
) -> Result<(), h2::Error> {
    // A callee that answers before it has heard all resets the rest, and is told to calm down.
    let mut body = request.into_body();
    while body.data().await.is_some() {}
    let head = Response::builder().header("content-type", "application/grpc").body(());
    let mut stream = respond.send_response(head.unwrap(), false)?;
    if manner == Manner::Stalling {
        return std::future::pending().await;
    }
    stream.send_data(frame, false)?;
    let trailers = [("grpc-status", "0")].map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap()));
    stream.send_trailers(trailers.into_iter().collect())
}
