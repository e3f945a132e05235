//! A mesh that keeps no event for longer than somebody wants it: it goes on, and what it has done stays right.

use freehold_testkit::{PATIENCE, Process, Scratch, eventually};

use crate::mesh::{Up, finish, freehold, is_sound};
use crate::records::Records;

/// The planted bug, a check that takes an event that was let go of for one that never was, finds mails of no event.
#[tokio::test]
async fn a_mesh_that_lets_go_of_its_events_is_sound() {
    let scratch = Scratch::new("retention");
    let records = Records::of(&scratch.join("data"));
    let mut up = Up::start(scratch.path()).await;
    demo(&scratch, &up, "1").await;
    up.process.kill();

    let mut command = freehold(scratch.path(), &["up", "--port", "0", "--data", "data"]);
    freehold_sdk::PORTS.iter().for_each(|(service, _)| {
        command.env(format!("FREEHOLD_{}_KEEP", service.to_uppercase()), "0s");
    });
    let mut up = Up::of(scratch.path(), command).await;
    let gone = "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM freehold_outbox WHERE mark = 1)";
    eventually("old events are gone", PATIENCE, async || records.number("orders", gone)).await;
    is_sound(scratch.path()).await;
    demo(&scratch, &up, "2").await;
    is_sound(scratch.path()).await;
    up.process.kill();
}

async fn demo(scratch: &Scratch, up: &Up, seed: &str) {
    let arguments = ["demo", "--mesh", &up.directory, "--orders", "20", "--workers", "4", "--seed", seed];
    let ended = finish(Process::start(&mut freehold(scratch.path(), &arguments))).await;
    assert_eq!(ended.code, Some(0), "{ended:#?}");
}
