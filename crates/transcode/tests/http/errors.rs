//! What is wrong with a request, and what an owner says of it.

use freehold_client::Mesh;
use freehold_wire::{Reason, reason};
use http::StatusCode;
use serde_json::json;
use std::time::Duration;
use tonic::{Code, Status};

use crate::client::ask;
use crate::world::{World, gateway, replies, run};

/// Five megabytes of one field, after another one.
fn large() -> String {
    format!(r#"{{"id": "s1", "theme": "{}"}}"#, "x".repeat(5_000_000))
}

fn deep(levels: usize) -> String {
    format!("{}{}{}", r#"{"within": "#.repeat(levels), "{}", "}".repeat(levels))
}

/// A request, and the field that is wrong with it.
#[rustfmt::skip]
fn bad() -> Vec<(&'static str, &'static str, Vec<u8>, &'static str)> {
    let search = "/library.v1.LibraryService/Search";
    let row = |verb, path, body: &str, field| (verb, path, body.as_bytes().to_vec(), field);
    vec![
        row("POST", "/v1/shelves", r#"{"id": "s1", "colour": 1}"#, "shelf.colour"),
        row("POST", "/v1/shelves", r#"{"id": 7}"#, "shelf.id"),
        row("POST", "/v1/shelves", r#"{"books": {"name": 1}}"#, "shelf.books"),
        row("POST", "/v1/shelves", r#"{"books": [{}, {"pages": 1.5}]}"#, "shelf.books[1].pages"),
        row("POST", "/v1/shelves", r#"{"books": [{}, null]}"#, "shelf.books[1]"),
        row("POST", "/v1/shelves", r#"{"light": "LIGHT_MOON"}"#, "shelf.light"),
        row("POST", "/v1/shelves", r#"{"light": 4294967296}"#, "shelf.light"),
        row("POST", "/v1/shelves", r#"{"id": "a", "id": "b"}"#, "shelf.id"),
        row("POST", "/v1/shelves", r#"{"id": "a""#, "shelf"),
        row("POST", "/v1/shelves", r#"{"id": "\udead"}"#, "shelf.id"),
        row("POST", "/v1/shelves", "[]", "shelf"),
        row("POST", "/v1/shelves?shelf.id=x", "{}", "shelf.id"),
        row("POST", "/v1/shelves?dry_run=yes", "{}", "dry_run"),
        row("POST", "/v1/shelves?dry_run=true&dryRun=true", "{}", "dryRun"),
        row("POST", "/v1/shelves?nothing=1", "{}", "nothing"),
        row("POST", "/v1/shelves?reason=%ff", "{}", "reason"),
        row("POST", "/v1/shelves?%zz=1", "{}", "query"),
        ("POST", "/v1/shelves", b"{\"theme\": \"\xff\"}".to_vec(), "shelf.theme"),
        ("POST", "/v1/shelves", large().into_bytes(), "theme"),
        row("POST", search, &format!(r#"{{"where": {}}}"#, deep(200)), "where"),
        row("POST", search, r#"{"mostPages": 2147483648}"#, "mostPages"),
        row("POST", search, r#"{"leastPages": -1}"#, "leastPages"),
        row("POST", search, r#"{"mostPages": 1, "most_pages": 1}"#, "most_pages"),
        row("POST", search, r#"{"left": "a", "right": "b"}"#, "right"),
        row("POST", search, r#"{"tags": {"a": "b", "a": "c"}}"#, "tags.a"),
        row("POST", search, r#"{"tags": {"a": 1}}"#, "tags[a]"),
        row("POST", search, r#"{"mark": "no base64"}"#, "mark"),
        row("POST", search, r#"{"since": "yesterday"}"#, "since"),
        row("POST", search, r#"{"within": 1}"#, "within"),
        row("POST", search, r#"{"score": "high"}"#, "score"),
        row("POST", search, "no json", "body"),
        row("POST", search, "", ""),
        row("PUT", "/v1/shelves/s1", r#"{"shelf": {"id": "s2"}}"#, "shelf.id"),
        row("PUT", "/v1/shelves/s1?reason=x", r#"{}"#, "reason"),
        row("GET", "/v1/shelves/%ff", "", "id"),
        row("GET", "/v1/shelves/s1?id=s2", "", "id"),
        row("GET", "/v1/shelves/s1", "{}", "body"),
        row("GET", "/v1/search?where=s", "", "where"),
        row("GET", "/v1/search?tags=s", "", "tags"),
        row("GET", "/v1/search?words.x=s", "", "words.x"),
        row("GET", "/v1/search?left=a&right=b", "", "right"),
        row("GET", "/v1/search?lent=maybe", "", "lent"),
    ]
}

/// K-rows of bad input: each is 400 with the field, and no owner hears of it.
#[tokio::test]
async fn bad_input_is_400_with_the_field() {
    let world = World::plain().await;
    for (verb, path, body, field) in bad() {
        let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        let answer = world.ask_with(verb, path, &[("freehold-caller", "reader")], body).await;
        if field.is_empty() {
            assert_eq!(answer.status, 200, "{verb} {path} {shown}");
            world.call();
            continue;
        }
        assert_eq!(answer.status, 400, "{verb} {path} {shown}: {answer:?}");
        let (reason, fields) = answer.refusal();
        assert_eq!(reason, "INVALID_ARGUMENT");
        assert_eq!(fields.len(), 1, "{verb} {path} {shown}: {fields:?}");
        let named = fields[0] == field || (field == "where" && fields[0].starts_with("where.within."));
        assert!(named, "{verb} {path} {shown}: {fields:?}");
    }
    assert!(world.library.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once() {
    let world = World::plain().await;
    let body = r#"{"where": {"light": "LIGHT_DYA", "x": 1}, "wrods": [], "lights": [1, true]}"#;
    let answer = world.ask("POST", "/library.v1.LibraryService/Search", body).await;
    assert_eq!(answer.refusal().1, ["where.light", "where.x", "wrods", "lights[1]"]);
    let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("did you mean LIGHT_DAY?"), "{message}");
    assert!(
        message.contains("wrods: is no field of library.v1.SearchRequest; did you mean words?"),
        "{message}"
    );
}

#[tokio::test]
async fn a_body_that_does_not_say_that_it_is_json_is_refused() {
    let world = World::plain().await;
    for said in ["text/plain", "application/x-www-form-urlencoded", "application/grpc", "multipart/form-data"]
    {
        let headers = [("content-type", said)];
        let answer = world.ask_with("POST", "/library.v1.LibraryService/GetShelf", &headers, "{}").await;
        assert_eq!(
            (answer.status, answer.refusal().1),
            (StatusCode::BAD_REQUEST, vec!["content-type".to_owned()])
        );
    }
    let headers = [("content-type", "Application/JSON; charset=utf-8")];
    let answer = world.ask_with("POST", "/library.v1.LibraryService/GetShelf", &headers, "{}").await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn an_unknown_route_is_404_and_a_wrong_verb_405() {
    let world = World::plain().await;
    for (verb, path, status, reason, said) in [
        ("GET", "/", 404, "UNKNOWN_ROUTE", "there is nothing at /"),
        ("GET", "/v1/shelfs/s1", 404, "UNKNOWN_ROUTE", "did you mean /v1/shelves/{id}?"),
        ("POST", "/v1/shelfs/s1:close", 404, "UNKNOWN_ROUTE", "did you mean /v1/shelves/{id}:close?"),
        ("GET", "/v1/shelves/", 404, "UNKNOWN_ROUTE", "there is nothing at /v1/shelves/"),
        ("GET", "/v1/shelves/s1/", 404, "UNKNOWN_ROUTE", "there is nothing"),
        ("POST", "/library.v1.LibraryService/GetShlef", 404, "UNKNOWN_ROUTE", "Service/GetShelf?"),
        ("POST", "/freehold.v1.Feed/Read", 404, "UNKNOWN_ROUTE", "there is nothing"),
        ("GET", "/library.v1.LibraryService/GetShelf", 405, "WRONG_VERB", "GET is not among POST here"),
        ("POST", "/v1/shelves/s1", 405, "WRONG_VERB", "POST is not among DELETE, GET, HEAD, PATCH, PUT here"),
        ("GET", "/v1/books", 405, "WRONG_VERB", "GET is not among REPORT here"),
        ("OPTIONS", "/v1/search", 405, "WRONG_VERB", "OPTIONS is not among GET, HEAD here"),
    ] {
        let answer = world.ask(verb, path, "").await;
        assert_eq!(answer.status, status, "{verb} {path}: {answer:?}");
        assert_eq!(answer.refusal().0, reason);
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(said), "{verb} {path}: {message}");
        let allow = answer.headers.get("allow").map(|allow| allow.to_str().unwrap());
        assert_eq!(allow.is_some(), status == 405);
        assert!(allow.is_none_or(|allow| message.contains(&format!("among {allow} here"))));
    }
}

#[tokio::test]
async fn every_code_has_its_http_status() {
    for (code, status) in [
        (Code::Cancelled, 499),
        (Code::Unknown, 500),
        (Code::InvalidArgument, 400),
        (Code::DeadlineExceeded, 504),
        (Code::NotFound, 404),
        (Code::AlreadyExists, 409),
        (Code::PermissionDenied, 403),
        (Code::ResourceExhausted, 429),
        (Code::FailedPrecondition, 400),
        (Code::Aborted, 409),
        (Code::OutOfRange, 400),
        (Code::Unimplemented, 501),
        (Code::Internal, 500),
        (Code::Unavailable, 503),
        (Code::DataLoss, 500),
        (Code::Unauthenticated, 401),
    ] {
        let world = World::answering(move |_| replies([Err(Status::new(code, "so it is"))])).await;
        let answer = world.ask("GET", "/v1/shelves/s1", "").await;
        assert_eq!(answer.status, status, "{code:?}");
        let error = &answer.json()["error"];
        assert_eq!((&error["code"], &error["message"]), (&json!(status), &json!("so it is")));
        let spelled = error["status"].as_str().unwrap().replace('_', "").to_lowercase();
        assert_eq!(spelled, format!("{code:?}").to_lowercase());
    }
}

#[tokio::test]
async fn what_an_owner_says_of_an_error_arrives_whole() {
    let world = World::answering(|call| {
        replies([Err(match call.rpc.as_str() {
            "GetShelf" => reason::not_found("shelf", "s1"),
            "GetBook" => reason::bad_fields(vec![tonic_types::FieldViolation::new("name", "is no name")]),
            "Search" => {
                Reason::ResourceExhausted.retry_after("BUSY", "too much", Duration::from_millis(1500))
            }
            _ => Reason::FailedPrecondition.because_of("FULL", "is full", [("places", "0".to_owned())]),
        })])
    })
    .await;
    let shelf = world.ask("GET", "/v1/shelves/s1", "").await.json();
    let resource = json!({
        "@type": "type.googleapis.com/google.rpc.ResourceInfo", "resourceType": "shelf", "resourceName": "s1",
        "owner": "", "description": "",
    });
    assert!(shelf["error"]["details"].as_array().unwrap().contains(&resource), "{shelf}");
    assert_eq!(world.ask("GET", "/v1/shelves/1/books/2", "").await.refusal().1, ["name"]);
    let busy = world.ask("GET", "/v1/search", "").await;
    assert_eq!((busy.status.as_u16(), &busy.headers["retry-after"]), (429, &"2".parse().unwrap()));
    assert_eq!(busy.json()["error"]["details"][0]["retryDelay"], "1.500000000s");
    let full = world.ask("GET", "/v1/shelves/default", "").await.json();
    let info = json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "FULL", "domain": "freehold",
        "metadata": {"places": "0"},
    });
    assert_eq!(full["error"]["details"], json!([info]));
}

#[tokio::test]
async fn an_owner_that_is_away_or_unknown_is_a_typed_error() {
    // Until the deadline the owner may still come; whether the last look was before or after it is a matter of luck.
    let away: &[_] = &[(503, "UNREACHABLE"), (504, "DEADLINE_SPENT"), (504, "DEADLINE_EXCEEDED")];
    for (owner, url, expected) in [
        ("library", "http://127.0.0.1:1", away),
        ("other", "http://127.0.0.1:1", &[(503, "UNKNOWN_SERVICE")]),
        ("library", "nowhere", &[(503, "BAD_ADDRESS")]),
    ] {
        let gateway = gateway(Mesh::fixed("gateway", [(owner, url)])).await;
        let at = gateway.addr();
        let _end = run(gateway);
        let request = http::Request::get("/v1/shelves/s1").header("grpc-timeout", "100m");
        let answer = ask(at, request.body(http_body_util::Full::default()).unwrap()).await;
        let (reason, _) = answer.refusal();
        assert!(expected.contains(&(answer.status.as_u16(), reason.as_str())), "{answer:?}");
    }
}

/// A reply that is no message of its type is the owner's fault, not the client's.
#[tokio::test]
async fn a_reply_that_does_not_decode_is_500() {
    let world = World::answering(|_| replies([Ok(vec![0xff, 0xff])])).await;
    let answer = world.ask("GET", "/v1/shelves/s1", "").await;
    assert_eq!((answer.status.as_u16(), answer.refusal().0.as_str()), (500, "BAD_REPLY"));
}
