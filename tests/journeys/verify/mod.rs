//! `freehold verify`: it finds what is wrong, says where, and does not take unfinished work for it.

mod corruptions;

use std::fs;
use std::path::Path;

use freehold_testkit::process::Signal;
use freehold_testkit::{PATIENCE, Process, Scratch, eventually};

use crate::mesh::{Ended, Up, finish, freehold, is_sound, run};
use crate::records::Records;
use corruptions::{CORRUPTIONS, Corruption};

/// Each corruption is planted in a copy of its own; the check that is named must find it, at the subject that is named.
#[tokio::test]
async fn every_planted_corruption_is_found_where_it_is() {
    let scratch = Scratch::new("corrupt");
    let demo = run(scratch.path(), &["demo", "--data", "data", "--orders", "60", "--workers", "16"]).await;
    assert_eq!(demo.code, Some(0), "{demo:#?}");
    copy(&scratch.join("data"), &scratch.join("whole/data"));
    is_sound(&scratch.join("whole")).await;
    let mut missed = Vec::new();
    for (at, corruption) in CORRUPTIONS.iter().enumerate() {
        let folder = scratch.join(at.to_string());
        copy(&scratch.join("data"), &folder.join("data"));
        let (verify, subject) = plant(&folder, corruption).await;
        let found = verify.code == Some(5) && says(&verify, corruption.check, &subject);
        if !found {
            missed.push(format!("{}: {} {subject}: {verify:#?}", corruption.what, corruption.check));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// Damages the copy in `folder` and verifies it; with the subject at which that has to be found.
async fn plant(folder: &Path, corruption: &Corruption) -> (Ended, String) {
    let records = Records::of(&folder.join("data"));
    let key = records.text(corruption.service, corruption.pick);
    let key = key.unwrap_or_else(|| panic!("{}: nothing to damage", corruption.what));
    records.change(corruption.service, &corruption.damage.replace("{key}", &key));
    let verify = run(folder, &["verify", "--data", "data", "-o", "json"]).await;
    (verify, corruption.subject.replace("{key}", &key))
}

fn says(verify: &Ended, check: &str, subject: &str) -> bool {
    let is_it = |finding: &serde_json::Value| {
        finding["check"] == check && finding["subject"] == subject && finding["lags"] == false
    };
    verify.json().iter().any(is_it)
}

/// Copies the databases of a stopped mesh.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[tokio::test]
async fn beside_a_mesh_that_works_it_waits_for_quiet() {
    let scratch = Scratch::new("quiet");
    let records = Records::of(&scratch.join("data"));
    let up = Up::start(scratch.path()).await;
    let arguments = ["demo", "--mesh", &up.directory, "--orders", "30", "--workers", "16"];
    let demo = Process::start(&mut freehold(scratch.path(), &arguments));
    eventually("an order", PATIENCE, async || records.text("orders", "SELECT id FROM shop_order LIMIT 1"))
        .await;
    is_sound(scratch.path()).await;
    let demo = finish(demo).await;
    assert_eq!(demo.code, Some(0), "{demo:#?}");
}

#[tokio::test]
async fn a_mesh_that_died_over_its_work_lags_and_is_not_wrong() {
    let scratch = Scratch::new("lags");
    let records = Records::of(&scratch.join("data"));
    let mut up = Up::start(scratch.path()).await;
    let arguments = ["demo", "--mesh", &up.directory, "--orders", "60", "--workers", "16"];
    let demo = Process::start(&mut freehold(scratch.path(), &arguments));
    eventually("an order in the middle of its saga", PATIENCE, async || {
        up.process.signal(Signal::Stop);
        let placed = records.number("orders", "SELECT COUNT(*) FROM shop_order WHERE state = 1");
        if placed > Some(0) {
            return Some(());
        }
        up.process.signal(Signal::Continue);
        None
    })
    .await;
    up.process.kill();
    drop(demo);

    let before = records.bytes("orders");
    let verify = run(scratch.path(), &["verify", "--data", "data", "-o", "json"]).await;
    assert_eq!(verify.code, Some(0), "{verify:#?}");
    assert!(verify.json().iter().all(|finding| finding["lags"] == true), "{verify:#?}");
    assert!(verify.json().iter().any(|finding| finding["check"] == "orders"), "{verify:#?}");
    assert_eq!(records.bytes("orders"), before, "it reads, and does nothing else");

    let _up = Up::start(scratch.path()).await;
    is_sound(scratch.path()).await;
}
