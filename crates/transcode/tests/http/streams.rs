//! Streams as lines of JSON, either way.

use std::sync::Mutex;

use bytes::Bytes;
use freehold_wire::Reason;
use futures_util::{StreamExt, stream};
use http::Request;
use http_body_util::{BodyExt, StreamBody};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;

use crate::client::{PATIENCE, send};
use crate::world::{World, decoded, encoded, replies};

fn shelf(id: &str) -> Vec<u8> {
    encoded("Shelf", json!({ "id": id }))
}

#[tokio::test]
async fn a_stream_is_a_line_per_message() {
    let world = World::answering(|_| replies([Ok(shelf("a")), Ok(shelf("b"))])).await;
    let answer = world.ask("GET", "/v1/shelves/s1:watch", "").await;
    assert_eq!(
        (answer.status.as_u16(), &answer.headers["content-type"]),
        (200, &"application/x-ndjson".parse().unwrap())
    );
    assert_eq!(answer.lines(), [json!({"id": "a"}), json!({"id": "b"})]);
    let nothing = World::answering(|_| replies([])).await.ask("GET", "/v1/shelves/s1:watch", "").await;
    assert_eq!((nothing.status.as_u16(), nothing.body.len()), (200, 0));
}

/// A message waits for no other: the client reads the first while the owner has no second.
#[tokio::test]
async fn a_message_is_on_its_way_as_soon_as_it_is_there() {
    let world = World::answering(|_| stream::iter([Ok(shelf("a"))]).chain(stream::pending()).boxed()).await;
    let request =
        Request::get("/v1/shelves/s1:watch").body(http_body_util::Full::<Bytes>::default()).unwrap();
    let mut body = send(world.at, request).await.into_body();
    let line = timeout(PATIENCE, body.frame()).await.expect("a line").unwrap().unwrap().into_data().unwrap();
    assert_eq!(line, "{\"id\":\"a\"}\n");
}

#[tokio::test]
async fn a_stream_that_fails_says_so_in_its_last_line() {
    let world = World::answering(|_| {
        replies([Ok(shelf("a")), Err(Reason::Unavailable.because("ENDING", "ends")), Ok(shelf("b"))])
    })
    .await;
    let lines = world.ask("GET", "/v1/shelves/s1:watch", "").await.lines();
    assert_eq!((lines.len(), &lines[0]), (2, &json!({"id": "a"})));
    assert_eq!(
        (&lines[1]["error"]["code"], &lines[1]["error"]["status"]),
        (&json!(503), &json!("UNAVAILABLE"))
    );
    assert_eq!(lines[1]["error"]["details"][0]["reason"], "ENDING");
}

#[tokio::test]
async fn a_stream_that_never_began_is_a_plain_error() {
    let world = World::plain().await;
    let answer = world.ask("GET", "/v1/shelves/s1:watch?colour=red", "").await;
    assert_eq!((answer.status.as_u16(), answer.refusal().1), (400, vec!["colour".to_owned()]));
}

/// A stream has an age at which it ends, and says so.
#[tokio::test]
async fn a_stream_ends_at_its_deadline() {
    let world = World::answering(|_| stream::iter([Ok(shelf("a"))]).chain(stream::pending()).boxed()).await;
    let lines = world.ask_with("GET", "/v1/shelves/s1:watch", &[("grpc-timeout", "200m")], "").await.lines();
    assert_eq!(lines[0], json!({"id": "a"}));
    assert_eq!(lines[1]["error"]["code"], 504);
}

#[tokio::test]
async fn lines_are_the_messages_of_a_stream_of_requests() {
    let reply = encoded("Books", json!({"total": 2}));
    let world = World::answering(move |_| replies([Ok(reply.clone())])).await;
    for body in ["{\"name\": \"a\"}\n\n  \n{\"pages\": 2}", "{\"name\": \"a\"}\r\n{\"pages\": 2}\r\n"] {
        let headers = [("content-type", "application/x-ndjson")];
        let answer = world.ask_with("POST", "/v1/books:import", &headers, body).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"total": 2})));
        let books: Vec<_> = world.call().requests.into_iter().map(|book| decoded("Book", book)).collect();
        assert_eq!(books, [json!({"name": "a"}), json!({"pages": "2"})]);
    }
}

/// The owner must not take what came before for the whole: the call is broken off.
#[tokio::test]
async fn a_line_that_is_wrong_breaks_the_call_off() {
    let world = World::plain().await;
    for (body, field) in [
        ("{\"name\": \"a\"}\n{\"title\": 1}\n{\"name\": \"c\"}\n".to_owned(), "title"),
        ("{\"name\": \"a\"}\n{\"name\": \"b".to_owned(), "name"),
        (format!("{{\"name\": \"{}\"}}\n", "x".repeat(5_000_000)), "name"),
    ] {
        let answer = world.ask("POST", "/v1/books:import", body).await;
        assert_eq!((answer.status.as_u16(), answer.refusal().1), (400, vec![field.to_owned()]));
    }
    assert!(world.library.calls.lock().unwrap().is_empty(), "no call came to its end");
}

/// Requests go out as they come in, and a client that breaks off breaks the call off.
#[tokio::test]
async fn a_client_that_goes_away_breaks_the_call_off() {
    let world = World::plain().await;
    let (lines, body) = mpsc::channel::<Result<http_body::Frame<Bytes>, std::io::Error>>(1);
    let request = Request::post("/v1/books:import").header("content-type", "application/x-ndjson");
    let request = request.body(StreamBody::new(ReceiverStream::new(body))).unwrap();
    let at = world.at;
    let asking = tokio::spawn(async move { send(at, request).await });
    lines.send(Ok(http_body::Frame::data(Bytes::from_static(b"{\"name\": \"a\"}\n")))).await.unwrap();
    // What breaks off before the owner has heard of it is no call there.
    counted(&world.library.begun).await;
    lines.send(Err(std::io::Error::other("gone"))).await.unwrap();
    let _ = timeout(PATIENCE, asking).await.expect("the connection ends");
    counted(&world.library.broken).await;
    assert!(world.library.calls.lock().unwrap().is_empty());
}

/// Waits until the owner has counted something.
async fn counted(count: &Mutex<usize>) {
    let counted = async {
        while *count.lock().unwrap() == 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, counted).await.expect("the owner hears of it");
}

#[tokio::test]
async fn what_streams_both_ways_is_501() {
    let world = World::plain().await;
    let answer = world.ask("POST", "/library.v1.LibraryService/Chat", "{}").await;
    assert_eq!((answer.status.as_u16(), answer.refusal().0.as_str()), (501, "UNIMPLEMENTED"));
}
