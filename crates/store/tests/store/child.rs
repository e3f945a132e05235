//! A process that owns a store and dies: this test binary, started again for one errand.

use std::process::{Child, Command, Stdio};

use freehold_store::{Engine, Queries, Store, StoreError, Work, inbox, vals};

use crate::engines::open;
use crate::sample::{self, Order, Paid, context, run};

const ERRAND: &str = "FREEHOLD_STORE_TEST_ERRAND";
const DATABASE: &str = "FREEHOLD_STORE_TEST_DATABASE";

/// Starts a process with an errand on a database.
pub(crate) fn start(errand: &str, url: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child::the_child_does_its_errand", "--nocapture", "--test-threads=1"])
        .env(ERRAND, errand)
        .env(DATABASE, url)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Runs an errand that ends by the death of its process.
pub(crate) fn die(errand: &str, url: &str) {
    assert!(!start(errand, url).wait().unwrap().success(), "{errand} was to die");
}

/// The child's side; in the parent's run there is no errand and nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_child_does_its_errand() {
    let Ok(errand) = std::env::var(ERRAND) else { return };
    let url = std::env::var(DATABASE).unwrap();
    let store = open(sample::options(&url)).await.unwrap();
    let (errand, point) = errand.split_once(':').unwrap_or((&errand, ""));
    match errand {
        "react" => react(&store, point.to_owned()).await,
        "react_in_two_units" => react_in_two_units(&store).await,
        "write" => write_and_die_before_the_reply(&store).await,
        "tokens" => print_tokens(&store).await,
        "snapshots" => take_snapshots(&store).await,
        "tokens_too_early" => print_a_token_before_the_commit(&store).await,
        other => panic!("no such errand: {other}"),
    }
}

/// A reaction that dies at `point`.
async fn react(store: &Store, point: String) {
    let dies_at = point.clone();
    let unit = run(store, async move |work: &mut Work| -> Result<(), StoreError> {
        let die_at = |here: &str| {
            if dies_at == here {
                std::process::abort()
            }
        };
        die_at("begin");
        inbox::lock(work, "orders/test", "users.v1.User", "u").await?;
        assert!(inbox::advance(work, "orders/test", "users.v1.User", "u", 1).await?);
        die_at("advanced");
        sample::insert(work, "effect", 1).await?;
        die_at("effective");
        work.emit(&Paid::new("effect")).await?;
        die_at("emitted");
        Ok(())
    });
    unit.await.unwrap();
    assert_eq!(point, "committed");
    std::process::abort();
}

/// The planted bug: the inbox in one unit, the effect in another.
async fn react_in_two_units(store: &Store) {
    let noted = run(store, async |work: &mut Work| {
        inbox::advance(work, "orders/test", "users.v1.User", "u", 1).await
    });
    noted.await.unwrap();
    let unit = run(store, async |work: &mut Work| -> Result<(), StoreError> {
        sample::insert(work, "effect", 1).await?;
        std::process::abort();
    });
    unit.await.unwrap();
}

/// C12: the commit has happened, the reply has not left.
async fn write_and_die_before_the_reply(store: &Store) {
    let request = Order::new("r", 1);
    let context = context().with_key("k").with_request(&request);
    let written = store.write(&context, async |work: &mut Work| -> Result<Order, StoreError> {
        sample::insert(work, "written", 1).await?;
        work.put(&Order::new("written", 1)).await?;
        Ok(Order::new("written", 1))
    });
    written.await.unwrap();
    std::process::abort();
}

/// Commits for ever and prints the mark of each token that it was given.
async fn print_tokens(store: &Store) {
    loop {
        let (_, token) = run(store, async |work: &mut Work| work.emit(&Paid::new("a")).await).await.unwrap();
        println!("token {} {}", token.epoch, token.mark);
    }
}

/// Commits for ever, as before, and after each commit takes a read of exactly one position.
async fn take_snapshots(store: &Store) {
    loop {
        let (_, token) = run(store, async |work: &mut Work| work.emit(&Paid::new("b")).await).await.unwrap();
        println!("token {} {}", token.epoch, token.mark);
        // One that was stopped in the middle of it is told that it is none.
        drop(store.exact_read().await);
    }
}

/// The planted bug: it tells its mark from inside the unit.
async fn print_a_token_before_the_commit(store: &Store) {
    let epoch = store.head().epochs()[0].id;
    let unit = run(store, async move |work: &mut Work| -> Result<(), StoreError> {
        work.emit(&Paid::new("a")).await?;
        let mark = match work.engine() {
            Engine::Sqlite => "SELECT max(mark) AS mark FROM freehold_outbox",
            Engine::Postgres => "SELECT max(last_mark) + 1 AS mark FROM freehold_tick",
        };
        let row = work.one(mark, vals![]).await?.unwrap();
        println!("token {epoch} {}", row.get::<i64>("mark")?);
        std::process::abort();
    });
    unit.await.unwrap();
}
