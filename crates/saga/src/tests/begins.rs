//! Who begins a saga, how often, over which definition; and who hears of its end.

use futures_util::future::join_all;

use super::world::{Order, Turn, World, context, ended};
use crate::{BeginError, Begun, DefinitionError, Executor, Outcome, Saga, State, WaitError};

/// E53: of 64 starters one begins the saga, all get its end, and it takes effect once. The naive variant, in which
/// every starter has a saga of its own, takes effect 64 times.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_starters_one_begins_and_all_get_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    begin_64_times(&world).await;
    world.close().await;
}

pub(crate) async fn begin_64_times(world: &World) {
    let handle = world.start();
    let starts = (0..64).map(async |_| {
        let begun = world.place("o-1").await;
        (begun, ended(&handle, "o-1").await)
    });
    let started = join_all(starts).await;
    assert_eq!(started.iter().filter(|(begun, _)| *begun == Begun::New).count(), 1);
    assert!(started.iter().all(|(_, end)| *end.outcome() == Outcome::Done));
    assert_eq!(world.owners.effects().await.len(), 3);
    assert_eq!(world.violations().await, Vec::<String>::new());

    let naive = (0..64).map(async |starter| {
        let id = format!("o-2-{starter}");
        world.place(&id).await;
        ended(&handle, &id).await
    });
    join_all(naive).await;
    assert_eq!(world.owners.effects().await.len(), 3 + 64 * 3, "the planted bug shows");
    handle.stop().await;
}

#[tokio::test]
async fn an_id_that_another_input_has_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    world.place("o-1").await;
    let (saga, other) = (world.saga(), Order { id: "o-1".to_owned(), done: vec!["x".to_owned()] });
    let unit = async move |work: &mut freehold_store::Work| saga.begin(work, "o-1", &other).await;
    let error = world.store.unit(&context(), unit).await.unwrap_err();
    assert!(matches!(error, BeginError::Conflict { .. }), "{error}");
    for id in ["", "a b", "a/b", "ä", &"x".repeat(65)] {
        let error = world.place_by(&world.saga(), id).await.unwrap_err();
        assert!(matches!(error, BeginError::BadId(_)), "{id}: {error}");
    }
    world.close().await;
}

#[tokio::test]
async fn a_definition_that_cannot_run_is_refused_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    let start = |sagas: &[Saga<Order>]| {
        let executor = Executor::new(world.store.clone(), world.options.clone());
        sagas.iter().fold(executor, Executor::saga).start().err()
    };
    let saga = |name| Saga::<Order>::new(name, 1);
    assert_eq!(start(&[saga("empty")]), Some(DefinitionError::NoSteps("empty")));
    let bad = saga("Bad name").step(world.take::<0>());
    assert_eq!(start(&[bad]), Some(DefinitionError::BadName("Bad name")));
    let twice = saga("twice").step(world.take::<0>()).step(world.take::<0>());
    assert_eq!(start(&[twice]), Some(DefinitionError::TwoSteps { saga: "twice", step: "reserve" }));
    let two = saga("two").step(world.take::<0>());
    assert_eq!(start(&[two.clone(), two]), Some(DefinitionError::TwoSagas { name: "two", version: 1 }));
    world.close().await;
}

/// E54: a saga keeps the version that it began with; where nobody knows it, it is left alone and reported.
#[tokio::test]
async fn a_saga_runs_the_version_that_it_began_with() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    world.place("o-1").await;
    let newer = Saga::new("place_order", 2).step(world.take::<0>());
    let executor = || Executor::new(world.store.clone(), world.options.clone()).saga(&newer);

    let handle = executor().start().unwrap();
    let error = handle.wait(&context(), "o-1").await.unwrap_err();
    assert!(matches!(error, WaitError::NoDefinition { version: 1, .. }), "{error}");
    let status = handle.status(10).await.unwrap();
    assert!(!status.unfinished[0].known && status.unfinished[0].attempts == 0);
    handle.stop().await;

    let handle = executor().saga(&world.saga()).start().unwrap();
    let end: Order = ended(&handle, "o-1").await.state().unwrap();
    assert_eq!(end.done, ["reserve", "authorise", "capture"], "the steps of version 1");
    handle.stop().await;
    world.close().await;
}

/// E54: a version whose step was renamed in place is left alone rather than run from the wrong step.
#[tokio::test]
async fn a_saga_at_a_step_that_its_definition_lost_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    world.place("o-1").await;
    let changed = Saga::new("place_order", 1).step(world.take::<1>());
    let handle = Executor::new(world.store.clone(), world.options.clone()).saga(&changed).start().unwrap();
    let error = handle.wait(&context(), "o-1").await.unwrap_err();
    assert!(matches!(error, WaitError::NoDefinition { .. }), "{error}");
    handle.stop().await;
    assert_eq!(world.owners.effects().await, []);
    world.close().await;
}

/// E55: whoever asks after the end, in this process or after a restart, gets the end.
#[tokio::test]
async fn an_end_is_told_also_to_those_who_come_late() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    world.plot.act("o-1", 1, &[Turn::Refuse]);
    world.place("o-1").await;
    let handle = world.start();
    let first = ended(&handle, "o-1").await;
    let Outcome::Compensated(why) = first.outcome() else { panic!("{first:?}") };
    assert_eq!((why.reason(), why.message()), ("NOT_ENOUGH", "the plot says so"));
    let late = ended(&handle, "o-1").await;
    handle.stop().await;
    let handle = world.start();
    let later = ended(&handle, "o-1").await;
    handle.stop().await;
    assert_eq!((late.outcome(), later.outcome()), (first.outcome(), first.outcome()));
    assert_eq!(later.state::<Order>().unwrap().done, ["reserve"]);
    world.close().await;
}

/// E55: the waiter is there before the saga is, and before anybody drives it.
#[tokio::test]
async fn a_saga_that_nobody_asks_for_is_found_by_its_row() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    let handle = world.start();
    assert!(matches!(handle.wait(&context(), "o-1").await, Err(WaitError::NotFound(_))));
    world.place("o-1").await;
    let over = async || handle.status(1).await.unwrap().count(State::Done) == 1;
    super::world::until(over).await;
    handle.stop().await;
    assert_eq!(world.violations().await, Vec::<String>::new());
    world.close().await;
}
