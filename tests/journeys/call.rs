//! `freehold call` against a running mesh: what it answers, what it refuses, and how each ends.

use std::net::{Ipv4Addr, TcpListener};

use freehold_testkit::{Process, Scratch};
use serde_json::{Value, json};

use crate::mesh::{Ended, Up, finish, freehold, run};

const MARIA: &str = r#"{"id": "MARIA", "name": "Maria", "email": "maria@example.com"}"#;

/// Runs `call` in the mesh, with these further words.
async fn call(scratch: &Scratch, up: &Up, words: &[&str]) -> Ended {
    run(scratch.path(), &[&["call", "--mesh", &up.directory], words].concat()).await
}

fn answer(ended: &Ended) -> Value {
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    serde_json::from_str(&ended.stdout).unwrap()
}

#[tokio::test]
async fn a_method_is_called_by_part_of_its_name() {
    let scratch = Scratch::new("call");
    let up = Up::start(scratch.path()).await;
    let registered = answer(&call(&scratch, &up, &["RegisterUser", "-d", MARIA]).await);
    std::fs::write(scratch.join("maria.json"), r#"{"id": "MARIA"}"#).unwrap();
    for words in [
        &["Users/GetUser", "-d", "@maria.json"][..],
        &["users.v1.UsersService/GetUser", "-d", r#"{"id": "MARIA"}"#, "-o", "json"],
    ] {
        assert_eq!(answer(&call(&scratch, &up, words).await), registered);
    }
    assert_eq!(registered["name"], "Maria");
    let listed = answer(&call(&scratch, &up, &["Directory/List"]).await);
    assert_eq!(listed["services"].as_array().unwrap().len(), up.services.len());
}

#[tokio::test]
async fn a_server_that_describes_itself_is_called_without_its_contracts() {
    let scratch = Scratch::new("call-at");
    let up = Up::start(scratch.path()).await;
    let registered = answer(&call(&scratch, &up, &["RegisterUser", "-d", MARIA]).await);
    let at = ["call", "--at", &up.services["users"]];
    let got = run(scratch.path(), &[&at[..], &["GetUser", "-d", r#"{"id": "MARIA"}"#]].concat()).await;
    assert_eq!(answer(&got), registered);
    let health = run(scratch.path(), &[&at[..], &["Health/Check"]].concat()).await;
    assert_eq!(answer(&health), json!({ "status": "SERVING" }));

    // A stream: one document a line.
    let rows = ["Feed/Snapshot", "-d", r#"{"entity": "users.v1.User"}"#, "--as", "orders"];
    let rows = run(scratch.path(), &[&at[..], &rows].concat()).await;
    assert_eq!(rows.code, Some(0), "{rows:#?}");
    let keys: Vec<Value> =
        rows.json().iter().flat_map(|page| page["rows"].as_array().cloned()).flatten().collect();
    assert_eq!(keys.iter().map(|row| &row["key"]).collect::<Vec<_>>(), ["MARIA"], "{rows:#?}");
}

#[tokio::test]
async fn a_refusal_says_what_is_missing_and_ends_with_six() {
    let scratch = Scratch::new("call-refused");
    let up = Up::start(scratch.path()).await;
    let words = ["Catalog/ChangePrice", "-d", r#"{"id": "1", "price_cents": 5}"#];
    let undeclared = call(&scratch, &up, &[&words[..], &["--as", "orders"]].concat()).await;
    assert_eq!((undeclared.code, undeclared.stdout.as_str()), (Some(6), ""), "{undeclared:#?}");
    let line = "add to orders/v1/needs.proto: option (freehold.v1.calls) = { method: \
                \"catalog.v1.CatalogService/ChangePrice\" };";
    assert!(undeclared.stderr.contains(line), "{undeclared:#?}");

    let wrong = ["Catalog/ChangePrice", "-d", r#"{"id": "1", "price_cents": -5}"#, "-o", "json"];
    let wrong = call(&scratch, &up, &wrong).await;
    let said: Value = serde_json::from_str(&wrong.stderr).unwrap();
    assert_eq!((wrong.code, &said["code"]), (Some(6), &json!("INVALID_ARGUMENT")), "{wrong:#?}");
    assert_eq!(
        said["fields"],
        json!([{ "field": "price_cents", "description": "must be at least 0, is -5" }])
    );
}

/// Invariant 8: under one key a write takes effect once.
#[tokio::test]
async fn a_key_that_is_given_is_the_one_that_counts() {
    let scratch = Scratch::new("call-key");
    let up = Up::start(scratch.path()).await;
    let words = ["RegisterUser", "--key", "k-1", "-v", "-d"];
    let first = call(&scratch, &up, &[&words[..], &[MARIA]].concat()).await;
    let again = call(&scratch, &up, &[&words[..], &[MARIA]].concat()).await;
    assert_eq!(answer(&first), answer(&again));
    for said in [
        "> freehold-caller: demo\n",
        "> idempotency-key: k-1\n",
        "< seen of users: ",
        "< freehold-token-bin: ",
    ] {
        assert!(first.stderr.contains(said), "{said} in {first:#?}");
    }
    let other = r#"{"id": "ANA", "name": "Ana", "email": "ana@example.com"}"#;
    let other = call(&scratch, &up, &[&words[..], &[other]].concat()).await;
    assert_eq!(other.code, Some(6), "{other:#?}");
}

#[tokio::test]
async fn what_was_not_understood_is_one_line_and_two() {
    let scratch = Scratch::new("call-usage");
    for (words, said) in [
        (&["Catalog/GetProdct"][..], "did you mean `Catalog/GetProduct`?"),
        (&["GetProduct", "-d", r#"{"ids": 1}"#], "did you mean `id`?"),
        (&["GetProduct", "-d", "@nowhere.json"], "nowhere.json"),
        (&["Feed/Head"], "--at says which server is asked"),
        (&["Feed/Head", "--at", "nowhere"], "nowhere"),
    ] {
        let refused = run(scratch.path(), &[&["call"], words].concat()).await;
        let line = refused.refusal(2);
        assert!(line.contains(said), "{line}");
    }
}

#[tokio::test]
async fn a_service_that_does_not_answer_in_time_ends_with_seven_and_the_key() {
    let scratch = Scratch::new("call-late");
    // It takes connections and never answers.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let words = ["call", "RegisterUser", "--mesh", "env", "-d", MARIA, "--deadline", "100ms", "--key", "k-2"];
    let mut late = freehold(scratch.path(), &words);
    let late = finish(Process::start(late.env("FREEHOLD_USERS_URL", &url))).await;
    assert_eq!((late.code, late.stdout.as_str()), (Some(7), ""), "{late:#?}");
    assert!(late.stderr.contains("DEADLINE_EXCEEDED") && late.stderr.contains("--key k-2"), "{late:#?}");

    drop(silent);
    let gone = run(scratch.path(), &["call", "RegisterUser", "--mesh", &url]).await;
    assert!(gone.refusal(4).contains(&url), "{gone:#?}");
}

#[tokio::test]
async fn a_reader_that_leaves_ends_the_command_without_a_word() {
    let scratch = Scratch::new("call-pipe");
    let mut graph = freehold(scratch.path(), &["graph"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let said = graph.stdout(writer).stderr(std::process::Stdio::piped()).output().unwrap();
    assert_eq!((said.status.code(), said.stderr.as_slice()), (Some(1), &b""[..]), "{said:?}");
}
