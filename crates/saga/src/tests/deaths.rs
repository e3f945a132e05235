//! The process dies between any two lines of the executor, and another goes on over the same database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio_util::sync::CancellationToken;

use super::world::{Plot, Turn, World, context, ended};
use crate::Outcome;
use crate::faults::Faults;

/// What goes wrong besides the deaths, and how the saga ends then.
struct Scene {
    name: &'static str,
    set: fn(&Plot, &str),
    done: bool,
}

const SCENES: [Scene; 8] = [
    Scene { name: "all-goes-well", set: |_, _| {}, done: true },
    Scene { name: "first-refused", set: |plot, id| plot.act(id, 0, &[Turn::Refuse; 9]), done: false },
    Scene { name: "second-refused", set: |plot, id| plot.act(id, 1, &[Turn::Refuse; 9]), done: false },
    Scene { name: "last-refused", set: |plot, id| plot.act(id, 2, &[Turn::Refuse; 9]), done: false },
    Scene { name: "answer-lost", set: |plot, id| plot.act(id, 1, &[Turn::Lose]), done: true },
    Scene { name: "answers-lost", set: |plot, id| plot.act(id, 1, &[Turn::Lose; 9]), done: false },
    Scene { name: "owner-away", set: |plot, id| plot.act(id, 2, &[Turn::Fail]), done: true },
    Scene {
        name: "undo-fails",
        set: |plot, id| {
            plot.act(id, 2, &[Turn::Refuse; 9]);
            plot.undo(id, 0, &[Turn::Fail, Turn::Refuse]);
            plot.undo(id, 1, &[Turn::Fail]);
        },
        done: false,
    },
];

/// A process that dies at the `at`-th boundary that it passes, and stays dead.
fn dying(at: usize) -> (Faults, CancellationToken) {
    let (passed, dead) = (AtomicUsize::new(0), CancellationToken::new());
    let died = dead.clone();
    let dies = move |_| {
        if passed.fetch_add(1, Ordering::SeqCst) >= at {
            died.cancel();
        }
        died.is_cancelled()
    };
    (Faults::new(dies), dead)
}

/// Drives the saga until it ends or its process dies; answers whether it died.
async fn run_until_death(world: &World, id: &str, at: usize) -> bool {
    let (faults, dead) = dying(at);
    let handle = world.executor().with_faults(faults).start().unwrap();
    let context = context();
    tokio::select! {
        ended = handle.wait(&context, id) => { ended.unwrap(); }
        () = dead.cancelled() => {}
    }
    handle.stop().await;
    if dead.is_cancelled() {
        world.unsent.forget();
    }
    dead.is_cancelled()
}

/// E50: whichever line the process dies after, the saga goes on to an end with all effects once or with none.
#[tokio::test]
async fn a_saga_survives_a_death_at_every_boundary() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    die_at_every_boundary(&world).await;
    world.close().await;
}

pub(crate) async fn die_at_every_boundary(world: &World) {
    for Scene { name, set, done } in SCENES {
        let mut died = true;
        let mut at = 0;
        while died {
            let id = format!("{name}-{at}");
            set(&world.plot, &id);
            world.place(&id).await;
            died = run_until_death(world, &id, at).await;
            let handle = world.start();
            let end = ended(&handle, &id).await;
            handle.stop().await;
            // A death may cost an attempt, so only a saga without losses has but one way to end.
            if !name.starts_with("answer") {
                assert_eq!(*end.outcome() == Outcome::Done, done, "{id}: {:?}", end.outcome());
            }
            at += 1;
        }
        // A saga that is refused at once has one call and one unit of work.
        let least = if name == "first-refused" { 7 } else { 10 };
        assert!(at >= least, "{name} has {at} boundaries");
    }
    assert_eq!(world.violations().await, Vec::<String>::new());
}

/// E50: a process that dies again and again while it goes on.
#[tokio::test]
async fn a_saga_survives_many_deaths() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    for round in 0..40 {
        let Scene { name, set, .. } = &SCENES[round % SCENES.len()];
        let id = format!("{name}-{round}");
        set(&world.plot, &id);
        world.place(&id).await;
        for _ in 0..random.usize(2..8) {
            run_until_death(&world, &id, random.usize(0..9)).await;
        }
        let handle = world.start();
        ended(&handle, &id).await;
        handle.stop().await;
    }
    assert_eq!(world.violations().await, Vec::<String>::new());
    world.close().await;
}

/// The planted bug of E50: a step that is not keyed takes effect again after a death, and the checker sees it.
#[tokio::test]
async fn the_checker_catches_a_step_that_is_not_keyed() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::open(folder.path()).await;
    world.unkeyed = true;
    for at in 0..16 {
        let id = format!("unkeyed-{at}");
        world.place(&id).await;
        run_until_death(&world, &id, at).await;
        let handle = world.start();
        ended(&handle, &id).await;
        handle.stop().await;
    }
    let wrong = world.violations().await;
    assert!(wrong.iter().any(|wrong| wrong.contains("with 2 effects at reserve")), "{wrong:?}");
    world.close().await;
}

/// Death before the beginning commits: neither the order nor its saga exists.
#[tokio::test]
async fn a_saga_begins_if_and_only_if_its_unit_commits() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    let (saga, state) = (world.saga(), super::world::Order { id: "o-1".to_owned(), done: Vec::new() });
    let unit = async move |work: &mut freehold_store::Work| {
        saga.begin(work, "o-1", &state).await?;
        Err::<(), _>(crate::BeginError::BadId("the unit fails after all".to_owned()))
    };
    world.store.unit(&context(), unit).await.unwrap_err();
    let handle = world.start();
    let error = handle.wait(&context(), "o-1").await.unwrap_err();
    assert!(matches!(error, crate::WaitError::NotFound(_)), "{error}");
    handle.stop().await;
    world.close().await;
}

/// A driver that was overtaken by another process writes nothing.
#[tokio::test]
async fn of_two_executors_over_one_database_one_records() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    let (first, second) = (world.start(), world.start());
    for n in 0..8 {
        let id = format!("two-{n}");
        if n % 2 == 0 {
            world.plot.act(&id, 2, &[Turn::Refuse; 9]);
        }
        world.place(&id).await;
        let (one, other) = tokio::join!(ended(&first, &id), ended(&second, &id));
        assert_eq!(one.outcome(), other.outcome());
    }
    first.stop().await;
    second.stop().await;
    assert_eq!(world.violations().await, Vec::<String>::new());
    world.close().await;
}

/// E56: the process dies at the moment at which a timer fires; the timer is a row, so it fires again.
#[tokio::test]
async fn a_timer_survives_a_death_at_the_moment_of_firing() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::open(folder.path()).await;
    world.options.backoff.first = std::time::Duration::from_secs(100);
    world.options.backoff.cap = world.options.backoff.first;
    world.plot.act("o-1", 1, &[Turn::Fail]);
    world.place("o-1").await;
    let handle = world.start();
    let due = async || handle.status(1).await.unwrap().unfinished[0].attempts == 1;
    super::world::until(due).await;
    let set = handle.status(1).await.unwrap().unfinished[0].next_ms;
    handle.stop().await;

    let fired = Arc::new(AtomicBool::new(false));
    let dead = CancellationToken::new();
    let (fires, dies) = (Arc::clone(&fired), dead.clone());
    let faults = Faults::new(move |_| {
        fires.store(true, Ordering::SeqCst);
        dies.cancel();
        true
    });
    let handle = world.executor().with_faults(faults).start().unwrap();
    let standing = handle.status(1).await.unwrap();
    assert_eq!(standing.unfinished[0].next_ms, set, "a restart leaves the timer as it was");
    assert!(!fired.load(Ordering::SeqCst), "it is not due");
    world.advance(std::time::Duration::from_secs(101));
    dead.cancelled().await;
    handle.stop().await;

    let handle = world.start();
    assert_eq!(*ended(&handle, "o-1").await.outcome(), Outcome::Done);
    handle.stop().await;
    assert_eq!(world.violations().await, Vec::<String>::new());
    world.close().await;
}
