//! Which RPC a request becomes, and with which message.

use serde_json::{Value, json};

use crate::world::{World, decoded, encoded, replies};

/// A request, the RPC that it is, the type of its message and what that says.
type Row = (&'static str, &'static str, Value, &'static str, &'static str, Value);

#[rustfmt::skip]
fn paths() -> Vec<Row> {
    let row = |verb, path, rpc, message, expected| (verb, path, Value::Null, rpc, message, expected);
    vec![
        row("GET", "/v1/shelves/s1", "GetShelf", "ById", json!({"id": "s1"})),
        row("HEAD", "/v1/shelves/s1", "GetShelf", "ById", json!({"id": "s1"})),
        row("GET", "/v1/shelves/a%2Fb%20%C3%A9+c", "GetShelf", "ById", json!({"id": "a/b é+c"})),
        row("GET", "/v1/shelves/a:b", "GetShelf", "ById", json!({"id": "a:b"})),
        row("GET", "/v1/shelves/default", "GetDefaultShelf", "ById", json!({})),
        row("GET", "/v1/shelves/default?id=x+y", "GetDefaultShelf", "ById", json!({"id": "x y"})),
        row("GET", "/v1/places/rooms/1/shelves/2", "GetShelf", "ById", json!({"id": "rooms/1/shelves/2"})),
        row("GET", "/v1/anywhere/a/b%2Fc/d", "GetShelf", "ById", json!({"id": "a/b%2Fc/d"})),
        row("GET", "/v1/anywhere", "GetShelf", "ById", json!({})),
        row("GET", "/v1/shelves/1/books/2", "GetBook", "ByName", json!({"name": "shelves/1/books/2"})),
        row("DELETE", "/v1/shelves/s1", "DeleteShelf", "ById", json!({"id": "s1"})),
        row("POST", "/v1/shelves/s:1:close", "CloseShelf", "ById", json!({"id": "s:1"})),
        row("REPORT", "/v1/books", "Count", "SearchRequest", json!({})),
        row("POST", "/library.v1.LibraryService/GetShelf", "GetShelf", "ById", json!({})),
        row(
            "GET",
            "/v1/search?words=a&words=b&where.shelf=s&where.within.light=LIGHT_DAY&mostPages=9&lights=1\
             &lights=LIGHT_LAMP&since=2024-01-02T03:04:05Z&within=1.5s&lent=false\
             &least_pages=18446744073709551615&right=&mark=_-8&score=NaN",
            "Search", "SearchRequest",
            json!({
                "words": ["a", "b"], "where": {"shelf": "s", "within": {"light": "LIGHT_DAY"}}, "mostPages": 9,
                "lights": ["LIGHT_DAY", "LIGHT_LAMP"], "since": "2024-01-02T03:04:05Z", "within": "1.500s",
                "lent": false, "leastPages": "18446744073709551615", "right": "", "mark": "/+8=", "score": "NaN",
            }),
        ),
    ]
}

#[rustfmt::skip]
fn bodies() -> Vec<Row> {
    vec![
        (
            "POST", "/v1/shelves?dry_run=true&reason=why%3F", json!({"id": "s1", "light": "LIGHT_LAMP"}),
            "CreateShelf", "WithShelf",
            json!({"shelf": {"id": "s1", "light": "LIGHT_LAMP"}, "dryRun": true, "reason": "why?"}),
        ),
        (
            "PUT", "/v1/shelves/s1", json!({"shelf": {"theme": "music"}, "dry_run": true}),
            "ReplaceShelf", "WithShelf", json!({"shelf": {"id": "s1", "theme": "music"}, "dryRun": true}),
        ),
        (
            "PUT", "/v1/shelves/s1", json!({"shelf": {"id": "s1"}}),
            "ReplaceShelf", "WithShelf", json!({"shelf": {"id": "s1"}}),
        ),
        (
            "PATCH", "/v1/shelves/s1?reason=so", json!({"books": [{"name": "b", "pages": "7"}]}),
            "ReplaceShelf", "WithShelf",
            json!({"shelf": {"id": "s1", "books": [{"name": "b", "pages": "7"}]}, "reason": "so"}),
        ),
        ("POST", "/v1/shelves/s1:close", json!({}), "CloseShelf", "ById", json!({"id": "s1"})),
        (
            "POST", "/library.v1.LibraryService/Search", json!({"tags": {"a": "b"}, "where": null}),
            "Search", "SearchRequest", json!({"tags": {"a": "b"}}),
        ),
    ]
}

#[tokio::test]
async fn a_request_is_the_rpc_and_the_message_that_its_option_says() {
    let world = World::plain().await;
    for (verb, path, body, rpc, message, expected) in paths().into_iter().chain(bodies()) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        // Whether a write may be made is another matter.
        let answer = world.ask_with(verb, path, &[("freehold-caller", "reader")], body).await;
        if rpc == "DeleteShelf" {
            assert_eq!(answer.status, 403, "{verb} {path}");
            assert!(
                answer.json()["error"]["message"].as_str().unwrap().contains("LibraryService/DeleteShelf")
            );
            continue;
        }
        assert_eq!(answer.status, 200, "{verb} {path}: {answer:?}");
        let mut call = world.call();
        assert_eq!(call.rpc, rpc, "{verb} {path}");
        assert_eq!(decoded(message, call.requests.remove(0)), expected, "{verb} {path}");
        assert_eq!(answer.body.is_empty(), verb == "HEAD");
    }
}

#[tokio::test]
async fn a_reply_is_json_as_protobuf_maps_it() {
    let shelf = json!({
        "id": "s1", "light": "LIGHT_LAMP", "books": [{"name": "b", "pages": "9007199254740993"}, {}],
    });
    let reply = encoded("Shelf", shelf.clone());
    let world = World::answering(move |_| replies([Ok(reply.clone())])).await;
    let answer = world.ask("GET", "/v1/shelves/s1", "").await;
    assert_eq!(answer.json(), shelf);
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["content-length"], answer.body.len().to_string().as_str());
}

#[tokio::test]
async fn one_field_of_a_reply_is_the_answer_where_the_option_says_so() {
    for (reply, books, total) in [
        (json!({"books": [{"name": "b"}], "total": 3}), json!([{"name": "b"}]), json!(3)),
        (json!({}), json!([]), json!(0)),
    ] {
        let reply = encoded("Books", reply);
        let world = World::answering(move |_| replies([Ok(reply.clone())])).await;
        assert_eq!(world.ask("REPORT", "/v1/books", "").await.json(), total);
        let searched = world.ask("GET", "/v1/search", "").await.json();
        // What else a book might say is its default, which is not written.
        assert_eq!(searched, books);
    }
}
