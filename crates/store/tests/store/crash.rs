//! Crashes: a process that owns a store dies between any two lines, and nothing is half done.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};

use freehold_store::{Store, StoreError, Work, inbox};
use freehold_wire::Coverage;
use freehold_wire::pb::Token;

use crate::child;
use crate::engines::Database;
use crate::sample::{self, Order, context};

on_each_engine! {
    a_reaction_that_dies_has_both_or_neither,
    a_write_that_died_before_its_reply_is_answered_again,
    a_token_exists_only_for_what_is_committed,
}

async fn inbox_and_effect(database: &Database) -> (i64, i64, i64) {
    let store = database.open().await;
    let mut read = store.read().await.unwrap();
    let noted = inbox::high_water(&mut read, "orders/test", "users.v1.User", "u").await.unwrap();
    drop(read);
    let found =
        (noted, sample::orders(&store).await, i64::try_from(sample::events(&store).await.len()).unwrap());
    store.close().await;
    found
}

/// E22. The planted bug keeps its inbox in a unit of its own.
async fn a_reaction_that_dies_has_both_or_neither(database: Database) {
    for point in ["begin", "advanced", "effective", "emitted"] {
        child::die(&format!("react:{point}"), &database.url);
        assert_eq!(inbox_and_effect(&database).await, (0, 0, 0), "died at {point}");
    }
    child::die("react:committed", &database.url);
    assert_eq!(inbox_and_effect(&database).await, (1, 1, 1));

    let planted =
        if database.is_postgres() { Database::postgres().await.unwrap() } else { Database::sqlite() };
    child::die("react_in_two_units", &planted.url);
    let (noted, effects, _) = inbox_and_effect(&planted).await;
    assert_ne!(noted, effects, "the planted bug must be found");
}

/// C12 over kill -9 between the commit and the reply.
async fn a_write_that_died_before_its_reply_is_answered_again(database: Database) {
    child::die("write", &database.url);
    let store = database.open().await;
    let again = context().with_key("k").with_request(&Order::new("r", 1));
    let reply =
        store.write(&again, async |_: &mut Work| -> Result<Order, StoreError> { panic!("it ran twice") });
    let reply = reply.await.unwrap();
    assert!(reply.replayed());
    assert_eq!(reply.reply(), &Order::new("written", 1));
    assert_eq!(sample::orders(&store).await, 1);
}

/// R15. The planted bug tells its mark before the commit.
async fn a_token_exists_only_for_what_is_committed(database: Database) {
    for enough in [1, 3, 10, 40] {
        let told = tokens_until_death(child::start("tokens", &database.url), enough);
        assert!(told.len() >= enough);
        let store = database.open().await;
        assert_eq!(without_event(&store, &told).await, Vec::<i64>::new());
        for token in told {
            assert_eq!(store.head().covers(&token), Ok(Coverage::Covered), "{token:?}");
        }
        store.close().await;
    }
    let planted =
        if database.is_postgres() { Database::postgres().await.unwrap() } else { Database::sqlite() };
    let told = tokens_until_death(child::start("tokens_too_early", &planted.url), usize::MAX);
    let store = planted.open().await;
    assert_eq!(without_event(&store, &told).await.len(), 1, "the planted bug must be found");
}

/// The marks of tokens whose event is not there.
async fn without_event(store: &Store, told: &[Token]) -> Vec<i64> {
    let events = sample::events(store).await;
    let kept: HashSet<i64> = events.iter().map(|event| sample::position(event).mark).collect();
    told.iter().map(|token| token.mark).filter(|mark| !kept.contains(mark)).collect()
}

/// The tokens that a process tells until it is killed, or dies by itself.
fn tokens_until_death(mut child: std::process::Child, enough: usize) -> Vec<Token> {
    let mut told = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
        let mut words = line.split_whitespace().skip_while(|word| *word != "token").skip(1);
        let (Some(epoch), Some(mark)) = (words.next(), words.next()) else { continue };
        told.push(
            Token::default()
                .with_owner("orders")
                .with_epoch(epoch.parse::<u64>().unwrap())
                .with_mark(mark.parse::<i64>().unwrap()),
        );
        if told.len() == enough {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    told
}
