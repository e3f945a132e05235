//! A real process, aborted at random boundaries: nothing of it is cleaned up, and the next one opens the same files.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;

use super::world::{Turn, World, ended};
use crate::faults::Faults;

/// Tells the child which folder to work in, and at which boundary to abort.
const FOLDER: &str = "FREEHOLD_SAGA_TEST_FOLDER";
const BOUNDARY: &str = "FREEHOLD_SAGA_TEST_BOUNDARY";
const SAGAS: usize = 12;

/// E50, E56: twelve sagas at a time, whose process is aborted at a random boundary, again and again.
#[tokio::test]
async fn sagas_survive_a_process_that_aborts() {
    let folder = tempfile::tempdir().unwrap();
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut aborted = 0;
    for _ in 0..10 {
        aborted += u32::from(!run_child(folder.path(), random.usize(5..20)));
    }
    assert!(aborted >= 5, "{aborted} of 10 children aborted");
    assert!(run_child(folder.path(), usize::MAX), "the last child comes to its end");
    let world = World::open(folder.path()).await;
    assert_eq!(world.violations().await, Vec::<String>::new());
    world.close().await;
}

/// Runs the test below in a process of its own; answers whether that came to its end.
fn run_child(folder: &Path, boundary: usize) -> bool {
    let test = "tests::processes::the_process_of_the_test_above";
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(FOLDER, folder)
        .env(BOUNDARY, boundary.to_string())
        .output()
        .unwrap();
    output.status.success()
}

/// Without the variables that its parent sets there is nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_process_of_the_test_above() {
    let (Ok(folder), Ok(boundary)) = (std::env::var(FOLDER), std::env::var(BOUNDARY)) else { return };
    let (boundary, passed) = (boundary.parse::<usize>().unwrap(), AtomicUsize::new(0));
    let faults = Faults::new(move |_| {
        if passed.fetch_add(1, Ordering::SeqCst) >= boundary {
            std::process::abort();
        }
        false
    });
    let world = World::open(Path::new(&folder)).await;
    let ids: Vec<String> = (0..SAGAS).map(|n| format!("o-{n}")).collect();
    for (n, id) in ids.iter().enumerate() {
        match n % 3 {
            1 => world.plot.act(id, 2, &[Turn::Refuse; 9]),
            2 => world.plot.act(id, 1, &[Turn::Lose, Turn::Lose]),
            _ => {}
        }
        world.place(id).await;
    }
    let handle = world.executor().with_faults(faults).start().unwrap();
    join_all(ids.iter().map(|id| ended(&handle, id))).await;
    handle.stop().await;
    world.close().await;
}
