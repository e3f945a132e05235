//! `freehold lag`, `dlq` and `events`: a dead letter made by hand is found, mended and redriven beside a mesh that works.

use freehold_testkit::{PATIENCE, Process, Scratch, eventually};
use serde_json::Value;

use crate::mesh::{Ended, Up, finish, freehold, is_sound, run};
use crate::records::Records;

/// What refuses every sale, as a column that a release forgot would.
const BREAK: &str =
    "CREATE TRIGGER broken BEFORE INSERT ON sale BEGIN SELECT RAISE(ABORT, 'no such shelf'); END";
const MEND: &str = "DROP TRIGGER broken";

#[tokio::test]
async fn a_dead_letter_made_by_hand_is_found_mended_and_redriven() {
    let scratch = Scratch::new("operate");
    let records = Records::of(&scratch.join("data"));
    let up = Up::start(scratch.path()).await;
    let operate = async |arguments: &[&str]| {
        run(scratch.path(), &[arguments, &["--mesh", &up.directory, "-o", "json"]].concat()).await
    };
    records.change_running("catalog", BREAK);
    // Accounts hold less than what is ordered, so of few orders all may be refused, and nothing sold.
    let demo = ["demo", "--mesh", &up.directory, "--orders", "60", "--workers", "8", "-o", "json"];
    let demo = finish(Process::start(&mut freehold(scratch.path(), &demo))).await;
    assert_eq!(demo.code, Some(0), "{demo:#?}");
    assert!(demo.json()[0]["confirmed"].as_i64() > Some(0), "nothing was sold: {demo:#?}");

    let dead = eventually("dead letters", PATIENCE, async || {
        let listed = operate(&["dlq", "ls", "--reason", "no such shelf"]).await.json();
        (!listed.is_empty()).then_some(listed)
    })
    .await;
    let key = text(&dead[0], "key");
    assert!(text(&dead[0], "subscription").starts_with("catalog/"), "{dead:#?}");
    let shown = operate(&["dlq", "show", "--key", &key]).await.json();
    assert_eq!(text(&shown[0]["events"][0], "key"), key, "{shown:#?}");
    assert!(shown[0]["events"][0]["data"].is_object() && shown[0]["decisions"][0]["action"] == "dead");
    let lag = operate(&["lag"]).await.json();
    let sales = lag.iter().find(|row| row["subscription"] == dead[0]["subscription"]).unwrap();
    assert!(sales["dead_letters"].as_i64() > Some(0) && sales["oldest"]["waiting"] == "dead", "{sales:#}");

    operate(&["dlq", "redrive"]).await.refusal_of("say which");
    operate(&["dlq", "ls", "--subscription", "nobody/sales"])
        .await
        .refusal_of("there is no service `nobody`");
    operate(&["dlq", "ls", "--subscription", "sales"]).await.refusal_of("CONSUMER/PURPOSE");
    records.change_running("catalog", MEND);
    let planned = operate(&["dlq", "redrive", "--all", "--dry-run"]).await.json();
    assert!(planned.iter().all(|row| row["outcome"] == "would be redriven"), "{planned:#?}");
    assert_eq!(operate(&["dlq", "ls"]).await.json().len(), planned.len(), "a dry run does nothing");
    let redriven = operate(&["dlq", "redrive", "--all", "--who", "ann"]).await;
    assert_eq!(redriven.code, Some(0), "{redriven:#?}");
    eventually("nothing waits", PATIENCE, async || {
        operate(&["dlq", "ls", "--waiting"]).await.json().is_empty().then_some(())
    })
    .await;
    let by_ann = "SELECT COUNT(*) FROM freehold_parked_log WHERE who = 'ann' AND action = 'redriven'";
    assert_eq!(records.number("catalog", by_ann), Some(planned.len() as i64));
    is_sound(scratch.path()).await;

    let events = operate(&["events", "show", &key]).await.json();
    let versions: Vec<i64> = events.iter().filter(|event| event["owner"] == "orders").map(version).collect();
    assert_eq!(versions, (1..=versions.len() as i64).collect::<Vec<_>>(), "{events:#?}");
    let flow = operate(&["flow", &key]).await.json();
    let of = |kind: &'static str, owner: &'static str| {
        flow.iter().filter(move |stop| stop["kind"] == kind && stop["owner"] == owner)
    };
    assert_eq!(of("event", "orders").count(), versions.len(), "{flow:#?}");
    let elsewhere = ["inventory", "payments"].map(|owner| of("event", owner).count());
    assert!(!elsewhere.contains(&0), "what its saga did is of its way: {flow:#?}");
    let steps: Vec<_> = of("step", "orders").map(|step| step["state"].as_str().unwrap()).collect();
    assert!(!steps.is_empty() && steps.iter().all(|state| *state == "is done"), "{flow:#?}");
    assert_eq!(
        of("call", "orders").next().unwrap()["method"],
        "/orders.v1.OrdersService/PlaceOrder",
        "{flow:#?}"
    );
    let takers: Vec<_> =
        of("event", "orders").flat_map(|event| event["taken_by"].as_array().unwrap()).collect();
    assert!(takers.iter().any(|taker| *taker == "notifications/views/orders"), "{flow:#?}");
    assert!(operate(&["flow", "nothing"]).await.refusal(1).contains("no event of `nothing` is kept"));
    let all = operate(&["events", "tail", "--all", "--no-follow"]).await.json();
    assert_eq!(all.len() as i64, records.events());
}

/// What nobody has declared is no subscription, and one that is forgotten is gone at its owner.
#[tokio::test]
async fn a_subscriber_that_will_not_come_back_is_forgotten() {
    let scratch = Scratch::new("forget");
    let up = Up::start(scratch.path()).await;
    let operate = async |arguments: &[&str]| {
        run(scratch.path(), &[arguments, &["--mesh", &up.directory, "-o", "json"]].concat()).await
    };
    let registered = eventually("a subscription that is registered", PATIENCE, async || {
        let rows = operate(&["lag"]).await.json();
        let is_known = |row: &Value| row["behind"].is_i64() && row["parked_keys"].is_i64();
        rows.into_iter().find(|row| row["owner"] == "users" && is_known(row))
    })
    .await;
    let subscription = text(&registered, "subscription");
    let forgotten = operate(&["events", "forget", "users", &subscription, "--who", "ann"]).await;
    assert_eq!(forgotten.code, Some(0), "{forgotten:#?}");
    let rows = operate(&["lag"]).await.json();
    let row = rows.iter().find(|row| text(row, "subscription") == subscription).unwrap();
    assert_eq!(row["forgotten"]["who"], "ann", "{row:#}");
    let unknown = operate(&["events", "forget", "users", "nobody/copies"]).await;
    assert!(unknown.refusal(1).contains("no subscriber `nobody/copies`"), "{unknown:#?}");
}

/// E42: what a consumer reads again it does not do again, and a view that is built anew is read when it is there.
#[tokio::test]
async fn a_consumer_reads_again_and_nothing_takes_effect_twice() {
    const MAILS: &str = "SELECT COUNT(*) FROM mail";
    const ASKED: &str = "SELECT COUNT(*) FROM freehold_replay WHERE who = 'ann'";
    const READ: &str = "SELECT generation FROM freehold_projection WHERE state = 'read'";
    let scratch = Scratch::new("replay");
    let records = Records::of(&scratch.join("data"));
    let up = Up::start(scratch.path()).await;
    let operate = async |arguments: &[&str]| {
        run(scratch.path(), &[arguments, &["--mesh", &up.directory, "-o", "json"]].concat()).await
    };
    let demo = ["demo", "--mesh", &up.directory, "--orders", "10", "--workers", "4"];
    let demo = finish(Process::start(&mut freehold(scratch.path(), &demo))).await;
    assert_eq!(demo.code, Some(0), "{demo:#?}");
    is_sound(scratch.path()).await;
    let mails = records.number("notifications", MAILS);
    assert!(mails > Some(0));

    let all = ["replay", "notifications", "--from", "beginning", "--who", "ann"];
    let planned = operate(&[all.as_slice(), &["--dry-run"]].concat()).await.json();
    assert!(!planned.is_empty() && planned.iter().all(|row| row["dry_run"] == true), "{planned:#?}");
    assert_eq!(records.number("notifications", ASKED), Some(0), "a dry run does nothing");
    let went = operate(&all).await.json();
    assert!(went.iter().all(|row| row["after"].is_null() && row["until"].is_i64()), "{went:#?}");
    assert_eq!(records.number("notifications", ASKED), Some(planned.len() as i64));
    eventually("the end of each", PATIENCE, async || {
        let lag = operate(&["lag"]).await.json();
        let done = lag.iter().filter(|row| row["replay"]["outcome"] == "done").count();
        (done == planned.len()).then_some(())
    })
    .await;
    let view = ["replay", "catalog", "--view", "sales", "--from", "beginning", "--who", "ann"];
    assert_eq!(operate(&view).await.json()[0]["generation"], 2);
    eventually("the view that was built", PATIENCE, async || {
        (records.number("catalog", READ) == Some(2)).then_some(())
    })
    .await;
    is_sound(scratch.path()).await;
    assert_eq!(records.number("notifications", MAILS), mails);

    let never = operate(&["replay", "notifications", "--from", "yesterday"]).await;
    assert!(never.code == Some(2) && never.stderr.contains("or `beginning`"), "{never:#?}");
    operate(&["replay", "nobody", "--from", "0"]).await.refusal_of("there is no service `nobody`");
}

fn text(document: &Value, name: &str) -> String {
    document[name].as_str().unwrap_or_else(|| panic!("{name} of {document:#}")).to_owned()
}

fn version(event: &Value) -> i64 {
    event["version"].as_i64().unwrap()
}

impl Ended {
    /// Asserts that the command line was refused for that reason.
    fn refusal_of(&self, reason: &str) {
        assert!(self.refusal(2).contains(reason), "{self:#?}");
    }
}
