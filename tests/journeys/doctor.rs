//! `freehold doctor` beside a mesh, without one, and over what keeps one from running.

use std::fs;

use freehold_testkit::Scratch;
use serde_json::Value;

use crate::mesh::{Ended, Up, run};
use crate::ports;

/// Asks the doctor about the folder `data`, in the ports that nobody has.
async fn doctor(scratch: &Scratch, mesh: &str) -> Ended {
    let port = ports::in_a_row(16);
    fs::write(scratch.join("freehold.toml"), format!("port = {port}\n")).unwrap();
    run(scratch.path(), &["doctor", "--data", "data", "--mesh", mesh, "-o", "json"]).await
}

fn of<'a>(verdicts: &'a [Value], check: &str) -> Vec<&'a Value> {
    verdicts.iter().filter(|verdict| verdict["check"] == check).collect()
}

#[tokio::test]
async fn a_mesh_that_serves_is_well() {
    let scratch = Scratch::new("doctor");
    let up = Up::start(scratch.path()).await;
    let well = doctor(&scratch, &up.directory).await;
    assert_eq!(well.code, Some(0), "{well:#?}");
    let verdicts = well.json();
    for check in ["data", "locks", "disk", "sqlite", "ports", "clock", "mesh", "contracts"] {
        assert_eq!(of(&verdicts, check).len(), 1, "{check} in {well:#?}");
    }
    let databases = of(&verdicts, "databases");
    assert_eq!(databases.len(), up.services.len());
    let open = |found: &str| found.contains("open in process") || found.contains("open in some process");
    assert!(databases.iter().all(|verdict| open(verdict["found"].as_str().unwrap())), "{databases:#?}");
    assert!(verdicts.iter().all(|verdict| verdict["state"] != "wrong"));
}

#[tokio::test]
async fn a_machine_without_a_mesh_is_well_too() {
    let scratch = Scratch::new("doctor-none");
    let well = doctor(&scratch, "http://127.0.0.1:1").await;
    assert_eq!(well.code, Some(0), "{well:#?}");
    assert!(!scratch.join("data").exists(), "looking makes nothing");
}

#[tokio::test]
async fn a_file_in_place_of_a_database_is_told_and_ends_with_eight() {
    let scratch = Scratch::new("doctor-wrong");
    fs::create_dir(scratch.join("data")).unwrap();
    fs::write(scratch.join("data/orders.db"), [7; 5000]).unwrap();
    let ill = doctor(&scratch, "http://127.0.0.1:1").await;
    assert_eq!(ill.code, Some(8), "{ill:#?}");
    let verdicts = ill.json();
    let [database] = of(&verdicts, "databases")[..] else { panic!("{ill:#?}") };
    assert_eq!(database["state"], "wrong");
    assert!(database["found"].as_str().unwrap().starts_with("orders.db: "), "{database}");
    assert_ne!(database["advice"], "");
}
