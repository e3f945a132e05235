//! kill -9 at random moments, round after round over the same data: nothing acknowledged is lost, nothing is done twice.

use std::path::Path;

use fastrand::Rng;
use freehold_testkit::{Process, Scratch, eventually};

use crate::mesh::{LONG, Up, finish, freehold, is_sound};
use crate::ports;
use crate::records::Records;

/// How many events the demo of a round emits, about: where in it the mesh is killed is drawn from that.
const EVENTS: i64 = 2_000;
/// The first round loads customers and products too.
const FIRST_EVENTS: i64 = 2_600;
/// How often the mesh is killed in a round.
const KILLS: i64 = 2;

/// `cargo xtask test --rounds 20` makes it twenty. The moments are those of the demo's progress, not of a clock.
#[tokio::test]
async fn a_mesh_that_is_killed_again_and_again_loses_nothing_and_doubles_nothing() {
    let scratch = Scratch::new("kill");
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = Rng::with_seed(seed);
    let port = ports::of_a_mesh();
    let mut up = Up::at(scratch.path(), port).await;
    for round in 0..freehold_testkit::rounds(2) {
        up = go_round(scratch.path(), port, up, round, &mut random).await;
    }
    up.process.kill();
    is_sound(scratch.path()).await;
}

/// A demo with orders of its own, whose mesh is killed under it; at the end the mesh runs.
async fn go_round(folder: &Path, port: u16, mut up: Up, round: u32, random: &mut Rng) -> Up {
    let records = Records::of(&folder.join("data"));
    let seed = (round + 1).to_string();
    let arguments = ["demo", "--mesh", &up.directory, "--orders", "40", "--workers", "16", "--seed", &seed];
    let mut demo = Process::start(&mut freehold(folder, &arguments));
    let stretch = if round == 0 { FIRST_EVENTS } else { EVENTS } / KILLS;
    for _ in 0..KILLS {
        let moment = records.events() + random.i64(0..stretch);
        eventually("the moment, or the end of the demo", LONG, async || {
            (records.events() >= moment || demo.has_ended().is_some()).then_some(())
        })
        .await;
        up.process.kill();
        println!("round {round}: killed after {} events, wanted {moment}", records.events());
        up = Up::at(folder, port).await;
    }
    let ended = finish(demo).await;
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    is_sound(folder).await;
    up
}
