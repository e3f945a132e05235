//! Replies that are lost and an owner that is killed, again and again: every keyed write takes effect once.
//!
//! The calls go through a relay that loses the replies of a share of them: the owner has done what it was asked, and its
//! caller is told nothing.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use fastrand::Rng;
use freehold_sdk::Mesh;
use freehold_sdk::users::v1::{RegisterUserRequest, UsersClient};
use freehold_testkit::{PATIENCE, Scratch, eventually, rounds};
use futures_util::future::join_all;
use h2::client::SendRequest;
use h2::server::SendResponse;
use http::{HeaderMap, Request, Response};
use tokio::net::{TcpListener, TcpStream};

use crate::mesh::Up;
use crate::ports;
use crate::records::Records;

/// So many writes between two kills.
const WRITES: u64 = 500;
const WRITERS: u64 = 32;
/// The share of replies that are lost.
const LOST: f64 = 0.3;

/// What came back to the relay, and how much of that it has lost.
#[derive(Default)]
struct Replies {
    came: AtomicU64,
    lost: AtomicU64,
}

/// C12: `cargo xtask soak calls` makes it 10,000 writes and twenty kills.
#[tokio::test]
async fn writes_whose_replies_are_lost_and_whose_owner_is_killed_take_effect_once() {
    let scratch = Scratch::new("once");
    let (seed, kills) = (fastrand::u64(..), u64::from(rounds(2)));
    println!("seed {seed}");
    let (port, replies, done) = (ports::of_a_mesh(), Arc::new(Replies::default()), AtomicU64::new(0));
    let mut up = owner(scratch.path(), port).await;
    let relay = relay(&up.services["users"], seed, replies.clone()).await;
    let users = UsersClient::connect(&Mesh::fixed("demo", [("users", relay)])).unwrap();
    let writing = join_all((0..WRITERS).map(|writer| write(&users, writer, kills * WRITES, &done)));
    let killing = async {
        let mut random = Rng::with_seed(seed);
        for round in 0..kills {
            let moment = round * WRITES + random.u64(0..WRITES / 2);
            eventually("the moment", PATIENCE, async || {
                (done.load(Ordering::Relaxed) >= moment).then_some(())
            })
            .await;
            up.process.kill();
            up = owner(scratch.path(), port).await;
        }
    };
    tokio::join!(writing, killing);
    let records = Records::of(&scratch.join("data"));
    let count = |sql| records.number("users", sql).map(|count| u64::try_from(count).unwrap());
    assert_eq!(count("SELECT COUNT(*) FROM app_user"), Some(kills * WRITES));
    assert_eq!(count("SELECT COUNT(*) FROM freehold_outbox"), Some(kills * WRITES), "an event for each");
    let (came, lost) = (replies.came.load(Ordering::Relaxed), replies.lost.load(Ordering::Relaxed));
    println!("{lost} of {came} replies were lost");
    assert!(lost as f64 > came as f64 * (LOST - 0.1), "{lost} of {came} replies were lost");
}

async fn owner(folder: &Path, port: u16) -> Up {
    Up::with(folder, &["--only", "users", "--port", &port.to_string(), "--data", "data"]).await
}

/// Every so many of the writes, each under its key until it is answered.
async fn write(users: &UsersClient, writer: u64, writes: u64, done: &AtomicU64) {
    for write in (writer..writes).step_by(WRITERS as usize) {
        let id = format!("U{write}");
        let user = RegisterUserRequest::default().with_id(&id).with_name("Once").with_email("o@example.com");
        let users = users.with_key(id.as_str());
        while let Err(error) = users.register_user(user.clone()).await {
            assert!(error.is_retryable_with_same_key(), "{id}: {error}");
        }
        done.fetch_add(1, Ordering::Relaxed);
    }
}

/// The address of a relay to the service at `url`.
async fn relay(url: &str, seed: u64, replies: Arc<Replies>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let owner = url.strip_prefix("http://").unwrap().to_owned();
    tokio::spawn(async move {
        let mut random = Rng::with_seed(seed);
        while let Ok((caller, _)) = listener.accept().await {
            tokio::spawn(between(caller, owner.clone(), random.fork(), replies.clone()));
        }
    });
    format!("http://{address}")
}

/// Passes calls on until the caller or the owner goes.
async fn between(
    caller: TcpStream,
    owner: String,
    mut random: Rng,
    replies: Arc<Replies>,
) -> Result<(), h2::Error> {
    let Ok(owner) = TcpStream::connect(owner).await else { return Ok(()) };
    let (send, to_owner) = h2::client::handshake(owner).await?;
    let serving = async {
        let mut from_caller = h2::server::handshake(caller).await?;
        while let Some(call) = from_caller.accept().await {
            let (request, mut respond) = call?;
            let (send, replies, lost) = (send.clone(), replies.clone(), random.f64() < LOST);
            tokio::spawn(async move {
                if let Err(_broken) = pass(request, &mut respond, send, lost, &replies).await {
                    respond.send_reset(h2::Reason::INTERNAL_ERROR);
                }
            });
        }
        Ok(())
    };
    tokio::select! {
        ended = serving => ended,
        ended = to_owner => ended,
    }
}

/// Passes one call on, and its reply unless that is to be lost.
async fn pass(
    request: Request<h2::RecvStream>,
    respond: &mut SendResponse<Bytes>,
    send: SendRequest<Bytes>,
    lost: bool,
    replies: &Replies,
) -> Result<(), h2::Error> {
    let (head, body) = request.into_parts();
    let (asked, _) = all(body).await?;
    let (response, mut stream) = send.ready().await?.send_request(Request::from_parts(head, ()), false)?;
    stream.send_data(asked, true)?;
    let (head, body) = response.await?.into_parts();
    let (answer, trailers) = all(body).await?;
    replies.came.fetch_add(1, Ordering::Relaxed);
    if lost {
        replies.lost.fetch_add(1, Ordering::Relaxed);
        respond.send_reset(h2::Reason::INTERNAL_ERROR);
        return Ok(());
    }
    let Some(trailers) = trailers else {
        return respond.send_response(Response::from_parts(head, ()), true).map(drop);
    };
    let mut stream = respond.send_response(Response::from_parts(head, ()), false)?;
    stream.send_data(answer, false)?;
    stream.send_trailers(trailers)
}

async fn all(mut body: h2::RecvStream) -> Result<(Bytes, Option<HeaderMap>), h2::Error> {
    let mut data = Vec::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk?;
        data.extend_from_slice(&chunk);
        body.flow_control().release_capacity(chunk.len())?;
    }
    Ok((data.into(), body.trailers().await?))
}
