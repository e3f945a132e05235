//! `freehold demo`: what it adds once, what it does not add twice, and what it outlives.

use std::path::Path;

use freehold_testkit::{PATIENCE, Process, Scratch, eventually};
use serde_json::Value;

use crate::mesh::{Up, finish, freehold, is_sound, run};
use crate::ports;
use crate::records::Records;

#[tokio::test]
async fn a_demo_done_again_adds_nothing_and_another_seed_adds_its_own() {
    let scratch = Scratch::new("demo");
    let records = Records::of(&scratch.join("data"));
    let first = demo(scratch.path(), "1").await;
    assert_eq!(first["orders"], 60);
    assert_eq!(placed(&first) + sum(&first["refused"]), 60, "{first:#}");
    assert_eq!(first["confirmed"].as_i64().unwrap() + sum(&first["rejected"]), placed(&first), "{first:#}");
    assert!(first["confirmed"].as_i64() > Some(0) && first["compensated"].as_i64() > Some(0), "{first:#}");
    assert_eq!(orders(&records, "s1-"), placed(&first));
    everybody_rode(&records, &first);
    let sent = first["locations_sent"].as_i64();
    assert!(sent > Some(0) && first["locations_accepted"].as_i64() > Some(0), "{first:#}");
    is_sound(scratch.path()).await;

    let before = records.sums();
    let again = demo(scratch.path(), "1").await;
    assert_eq!(records.sums(), before);
    assert_eq!(again["events"], 0, "{again:#}");
    for outcome in OUTCOMES {
        assert_eq!(again[outcome], first[outcome], "{outcome}");
    }
    assert_eq!(again["locations_accepted"], 0, "where they were then is old news: {again:#}");

    let other = demo(scratch.path(), "2").await;
    assert!(placed(&other) > 0 && other["events"].as_i64() > Some(0), "{other:#}");
    assert_eq!((orders(&records, "s1-"), orders(&records, "s2-")), (placed(&first), placed(&other)));
    is_sound(scratch.path()).await;
}

/// What is the same however often a seed's run is done.
const OUTCOMES: [&str; 9] = [
    "placed",
    "confirmed",
    "rejected",
    "compensated",
    "shipped",
    "cancelled",
    "rides_finished",
    "rides_cancelled",
    "mails",
];

/// Whose order was shipped in the run of the first seed, and nobody else, has ridden, and the ride has ended as planned.
fn everybody_rode(records: &Records, report: &Value) {
    let listed = |service, sql| records.text(service, sql).unwrap_or_default();
    let shipped = listed(
        "orders",
        "SELECT group_concat(id || customer_id, ' ' ORDER BY id) FROM shop_order WHERE state = 5 AND id LIKE 's1-%'",
    );
    let rode = listed(
        "rides",
        "SELECT group_concat(id || rider_id, ' ' ORDER BY id) FROM ride WHERE id LIKE 's1-%'",
    );
    assert_eq!(rode, shipped, "{report:#}");
    let ended = |state: &str| {
        let sql = format!("SELECT COUNT(*) FROM ride WHERE state = '{state}' AND id LIKE 's1-%'");
        records.number("rides", &sql)
    };
    assert_eq!(ended("FINISHED"), report["rides_finished"].as_i64(), "{report:#}");
    assert_eq!(ended("CANCELLED"), report["rides_cancelled"].as_i64(), "{report:#}");
    let sum = report["rides_finished"].as_i64().zip(report["rides_cancelled"].as_i64());
    assert_eq!(sum.map(|(finished, cancelled)| finished + cancelled), report["shipped"].as_i64());
    let rated = records.number("drivers", "SELECT COUNT(*) FROM driver_rating WHERE rating_id LIKE 's1-%'");
    assert_eq!(rated, report["rides_finished"].as_i64());
}

/// Runs a small demo over a mesh of its own; its report.
async fn demo(folder: &Path, seed: &str) -> Value {
    let arguments =
        ["demo", "--data", "data", "--orders", "60", "--workers", "16", "--seed", seed, "-o", "json"];
    let ended = run(folder, &arguments).await;
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let [report] = &ended.json()[..] else { panic!("{ended:#?}") };
    report.clone()
}

fn placed(report: &Value) -> i64 {
    report["placed"].as_i64().unwrap()
}

fn sum(counts: &Value) -> i64 {
    counts.as_object().unwrap().values().map(|count| count.as_i64().unwrap()).sum()
}

fn orders(records: &Records, prefix: &str) -> i64 {
    records.number("orders", &format!("SELECT COUNT(*) FROM shop_order WHERE id LIKE '{prefix}%'")).unwrap()
}

/// Three endpoints for each service: one slow, one dead, one that resets connections, with this seed early ones of catalog
/// and payments.
#[tokio::test]
async fn a_demo_ends_well_in_a_network_that_fails() {
    let scratch = Scratch::new("faults");
    let arguments = ["demo", "--faults", "--data", "data", "--orders", "40", "--workers", "16", "-o", "json"];
    let ended = run(scratch.path(), &[&arguments[..], &["--seed", "1780"]].concat()).await;
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let [report] = &ended.json()[..] else { panic!("{ended:#?}") };
    assert_eq!(placed(report) + sum(&report["refused"]), 40, "{report:#}");
    assert!(report["confirmed"].as_i64() > Some(0), "{report:#}");
    for kind in ["slow", "dead", "flaky"] {
        assert!(report["network"][kind].as_i64() > Some(0), "{kind}: {report:#}");
    }
    is_sound(scratch.path()).await;
}

#[tokio::test]
async fn a_demo_that_was_killed_with_its_mesh_is_taken_up_again() {
    let scratch = Scratch::new("resumed");
    let records = Records::of(&scratch.join("data"));
    let arguments = ["demo", "--data", "data", "--orders", "60", "--workers", "16"];
    let mut killed = Process::start(&mut freehold(scratch.path(), &arguments));
    eventually("half of the orders", PATIENCE, async || {
        let count = records.number("orders", "SELECT COUNT(*) FROM shop_order");
        count.filter(|count| *count >= 25)
    })
    .await;
    killed.kill();
    let resumed = demo(scratch.path(), "1").await;
    assert_eq!(orders(&records, "s1-"), placed(&resumed));
    everybody_rode(&records, &resumed);
    is_sound(scratch.path()).await;
}

#[tokio::test]
async fn a_demo_that_comes_first_waits_for_its_mesh() {
    let scratch = Scratch::new("first");
    let port = ports::of_a_mesh();
    let directory = format!("http://127.0.0.1:{port}");
    let demo =
        Process::start(&mut freehold(scratch.path(), &["demo", "--mesh", &directory, "--orders", "3"]));
    eventually("the demo's line", PATIENCE, async || demo.stderr().contains("no mesh answers").then_some(()))
        .await;
    let _up = Up::at(scratch.path(), port).await;
    let ended = finish(demo).await;
    assert_eq!(ended.code, Some(0), "{ended:#?}");
}

#[tokio::test]
async fn a_demo_outlives_a_mesh_that_is_killed_and_comes_back() {
    let scratch = Scratch::new("outlives");
    let port = ports::of_a_mesh();
    let mut up = Up::at(scratch.path(), port).await;
    let arguments = ["demo", "--mesh", &up.directory, "--orders", "120", "--workers", "16", "-o", "json"];
    let mut demo = Process::start(&mut freehold(scratch.path(), &arguments));
    let records = Records::of(&scratch.join("data"));
    eventually("a third of the orders", PATIENCE, async || {
        let count = records.number("orders", "SELECT COUNT(*) FROM shop_order");
        count.filter(|count| *count >= 40)
    })
    .await;
    up.process.kill();
    assert_eq!(demo.has_ended(), None, "the mesh was killed in the middle");
    let _up = Up::at(scratch.path(), port).await;
    let ended = finish(demo).await;
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(orders(&records, "s1-"), placed(&ended.json()[0]));
    everybody_rode(&records, &ended.json()[0]);
    is_sound(scratch.path()).await;
}
