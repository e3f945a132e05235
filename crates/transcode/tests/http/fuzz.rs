//! Requests that nobody would send on purpose: each is answered, and no answer is the word of a panic.

use std::time::Duration;

use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof};
use proptest::test_runner::{TestCaseError, TestRunner};
use proptest::{collection::vec, prop_assert};

use crate::world::World;

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9%:*{}=.~_-]{0,8}",
        prop_oneof![
            Just("v1"),
            Just("shelves"),
            Just("books"),
            Just("search"),
            Just("books:import"),
            Just("s1:watch"),
            Just("anywhere"),
            Just("library.v1.LibraryService"),
            Just("Search"),
            Just("Import"),
            Just("%2F"),
            Just("%ff"),
            Just("%"),
            Just(""),
        ]
        .prop_map(str::to_owned),
    ]
}

fn query() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("words"),
        Just("where.shelf"),
        Just("where.within.within"),
        Just("since"),
        Just("lent"),
        Just("tags"),
        Just("id"),
        Just("dry_run"),
        Just("..."),
        Just("%"),
        Just(""),
    ];
    vec((name, "[a-zA-Z0-9%+&=.-]{0,8}"), 0..4).prop_map(|pairs| {
        pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..64),
        r#"[{}\[\]:,"a-z0-9\\ \n-]{0,64}"#.prop_map(String::into_bytes),
        Just(br#"{"where": {"within": {"light": 1}}, "words": ["a"], "tags": {"a": "b"}}"#.to_vec()),
        (1..5000_usize).prop_map(|levels| r#"{"where":"#.repeat(levels).into_bytes()),
    ]
}

#[test]
fn every_request_is_answered_and_no_answer_is_of_a_panic() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let world = runtime.block_on(World::plain());
    let verb =
        prop_oneof![Just("GET"), Just("POST"), Just("PUT"), Just("PATCH"), Just("DELETE"), Just("REPORT")];
    let request = (verb, vec(piece(), 0..5), query(), body());
    let mut runner = TestRunner::new(ProptestConfig { cases: 512, ..ProptestConfig::default() });
    let outcome = runner.run(&request, |(verb, pieces, query, body)| {
        let path = format!("/{}?{query}", pieces.join("/"));
        if path.parse::<http::Uri>().is_err() {
            return Err(TestCaseError::reject("no client can say so"));
        }
        let headers = [("freehold-caller", "reader"), ("grpc-timeout", "5S")];
        let answer = world.ask_with(verb, &path, &headers, body);
        let answer = runtime.block_on(async { tokio::time::timeout(Duration::from_secs(20), answer).await });
        let answer = answer.map_err(|_| TestCaseError::fail("no answer"))?;
        prop_assert!(
            answer.status != 500 && !answer.body.is_empty() || answer.status == 200,
            "{path}: {answer:?}"
        );
        if answer.status != 200 {
            prop_assert!(!answer.refusal().0.is_empty(), "{path}: {answer:?}");
        }
        Ok(())
    });
    outcome.unwrap();
}
