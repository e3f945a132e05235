//! Owners that hang, answer late, refuse to undo, or make a step panic.

use std::time::Duration;

use freehold_store::{Queries, Work, vals};

use super::world::{Order, Turn, World, context, ended, until};
use crate::{EndError, Failure, Outcome, Saga, State};

/// E51: a compensation fails 50 times: it is tried on, shown as stuck, and those before it come after it heals.
#[tokio::test]
async fn a_compensation_that_fails_50_times_is_stuck_and_then_heals() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    fail_50_compensations(&world).await;
    world.close().await;
}

pub(crate) async fn fail_50_compensations(world: &World) {
    world.plot.act("o-1", 2, &[Turn::Refuse]);
    world.plot.undo("o-1", 1, &[Turn::Fail; 100_000]);
    world.place("o-1").await;
    let handle = world.start();
    let stuck = async || {
        let status = handle.status(1).await.unwrap();
        let standing = &status.unfinished[0];
        standing.attempts >= 50 && standing.state == State::Stuck && standing.step == "authorise"
    };
    until(stuck).await;
    assert!(world.plot.undos_left("o-1", 1) <= 100_000 - 50);
    assert_eq!(handle.status(1).await.unwrap().unfinished[0].trouble, "UNAVAILABLE: the owner is away");

    world.plot.undo("o-1", 1, &[]);
    let end = ended(&handle, "o-1").await;
    assert!(matches!(end.outcome(), Outcome::Compensated(why) if why.reason() == "NOT_ENOUGH"), "{end:?}");
    handle.stop().await;
    assert_eq!(world.violations().await, Vec::<String>::new());
}

/// E51: a person who mended the owner need not wait for the timer.
#[tokio::test]
async fn a_stuck_saga_can_be_hurried() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::open(folder.path()).await;
    hurry_a_stuck_one(&mut world).await;
    world.close().await;
}

pub(crate) async fn hurry_a_stuck_one(world: &mut World) {
    world.options.backoff.first = Duration::from_secs(3600);
    world.options.backoff.cap = world.options.backoff.first;
    world.options.stuck_after = 1;
    world.plot.act("o-1", 1, &[Turn::Refuse]);
    world.plot.undo("o-1", 0, &[Turn::Fail]);
    world.place("o-1").await;
    let handle = world.start();
    until(async || handle.status(1).await.unwrap().count(State::Stuck) == 1).await;
    assert!(handle.hurry("o-1").await.unwrap());
    ended(&handle, "o-1").await;
    assert!(!handle.hurry("o-1").await.unwrap(), "it has ended");
    handle.stop().await;
    assert_eq!(world.violations().await, Vec::<String>::new());
}

/// Has the first step hang beyond its limits, and delivers it after its compensation.
async fn deliver_after_the_compensation(world: &mut World) -> usize {
    world.limits.timeout = Duration::from_millis(250);
    world.limits.attempts = 1;
    world.plot.act("o-1", 0, &[Turn::Hang]);
    world.place("o-1").await;
    let handle = world.start();
    let end = ended(&handle, "o-1").await;
    let Outcome::Compensated(why) = end.outcome() else { panic!("{end:?}") };
    assert_eq!(why.reason(), "DEADLINE_EXCEEDED");
    handle.stop().await;
    world.deliver_late().await
}

/// E52: the effect comes after the compensation, and the owner's mark refuses it.
#[tokio::test]
async fn an_effect_that_comes_after_its_compensation_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::open(folder.path()).await;
    assert_eq!(deliver_after_the_compensation(&mut world).await, 0);
    assert_eq!(world.violations().await, Vec::<String>::new());
    world.close().await;
}

/// The planted bug of E52: an owner whose undo leaves no mark takes the late effect, and the checker sees it.
#[tokio::test]
async fn the_checker_catches_an_owner_that_leaves_no_mark() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::open(folder.path()).await;
    world.owners = world.owners.clone().without_marks();
    assert_eq!(deliver_after_the_compensation(&mut world).await, 1);
    assert_eq!(world.violations().await, ["o-1: compensated, with 1 effects at reserve"]);
    world.close().await;
}

/// E57: the last step never answers; its deadline fires, and the saga goes on to compensate.
#[tokio::test]
async fn a_step_that_hangs_is_given_up_and_undone() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::open(folder.path()).await;
    world.limits.deadline = Duration::from_millis(50);
    world.limits.attempts = u32::MAX;
    world.plot.act("o-1", 2, &[Turn::Hang; 100]);
    world.place("o-1").await;
    let handle = world.start();
    let end = ended(&handle, "o-1").await;
    handle.stop().await;
    assert!(matches!(end.outcome(), Outcome::Compensated(why) if why.reason() == "DEADLINE_EXCEEDED"));
    assert_eq!(world.deliver_late().await, 0, "what hung is refused");
    assert_eq!(world.violations().await, Vec::<String>::new());
    world.close().await;
}

/// E57: the time of a step passes while no process runs.
#[tokio::test]
async fn the_time_of_a_step_goes_on_while_nobody_runs() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    world.place("o-1").await;
    world.advance(world.limits.deadline);
    let handle = world.start();
    let end = ended(&handle, "o-1").await;
    handle.stop().await;
    assert!(
        matches!(end.outcome(), Outcome::Compensated(why) if why.message().contains("reserve")),
        "{end:?}"
    );
    assert_eq!(world.violations().await, Vec::<String>::new());
    world.close().await;
}

#[tokio::test]
async fn a_step_that_panics_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    world.plot.act("o-1", 1, &[Turn::Panic]);
    world.plot.act("o-2", 1, &[Turn::Panic; 3]);
    world.place("o-1").await;
    world.place("o-2").await;
    let handle = world.start();
    assert_eq!(*ended(&handle, "o-1").await.outcome(), Outcome::Done);
    assert!(matches!(ended(&handle, "o-2").await.outcome(), Outcome::Compensated(_)));
    handle.stop().await;
    assert_eq!(world.violations().await, Vec::<String>::new());
    world.close().await;
}

/// The owner of the saga has the last word: what it may not confirm is undone.
#[tokio::test]
async fn an_end_that_the_owner_refuses_compensates_the_saga() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    let refuse = async |_: &mut Work, _: &Order| {
        Err(EndError::Refused(Failure::new("CANCELLED", "the order was cancelled meanwhile")))
    };
    let saga = world.saga().on_done(refuse);
    world.place_by(&saga, "o-1").await.unwrap();
    let handle =
        crate::Executor::new(world.store.clone(), world.options.clone()).saga(&saga).start().unwrap();
    let end = ended(&handle, "o-1").await;
    assert!(matches!(end.outcome(), Outcome::Compensated(why) if why.reason() == "CANCELLED"), "{end:?}");
    handle.stop().await;
    assert_eq!(world.violations().await, Vec::<String>::new());
    world.close().await;
}

/// A hook whose statement fails holds the end up, and shows; it does not lose what the steps did.
#[tokio::test]
async fn an_end_that_cannot_be_written_is_stuck_until_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    let write = async |work: &mut Work, order: &Order| {
        work.exec("INSERT INTO orders (id, state, ends) VALUES ('blocker', 'x', 0)", vals![]).await?;
        work.exec("UPDATE orders SET state = 'confirmed', ends = 1 WHERE id = $1", vals![&order.id]).await?;
        Ok(())
    };
    let block = async |work: &mut Work| -> Result<(), freehold_store::StoreError> {
        work.exec("INSERT INTO orders (id, state, ends) VALUES ('blocker', 'x', 0)", vals![]).await.map(drop)
    };
    world.store.unit(&context(), block).await.unwrap();
    let saga: Saga<Order> = world.saga().on_done(write);
    world.place_by(&saga, "o-1").await.unwrap();
    let handle =
        crate::Executor::new(world.store.clone(), world.options.clone()).saga(&saga).start().unwrap();
    until(async || handle.status(1).await.unwrap().count(State::Stuck) == 1).await;
    let unblock = async |work: &mut Work| -> Result<(), freehold_store::StoreError> {
        work.exec("DELETE FROM orders WHERE id = 'blocker'", vals![]).await.map(drop)
    };
    world.store.unit(&context(), unblock).await.unwrap();
    assert_eq!(*ended(&handle, "o-1").await.outcome(), Outcome::Done);
    handle.stop().await;
    assert_eq!(world.violations().await, Vec::<String>::new());
    world.close().await;
}

/// A hook that panics is not run again and again at full speed: it backs off, and shows.
#[tokio::test]
async fn an_end_that_panics_is_stuck() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    let panic = async |_: &mut Work, _: &Order| -> Result<(), EndError> { panic!("the hook has a bug") };
    let saga = world.saga().on_done(panic);
    world.place_by(&saga, "o-1").await.unwrap();
    let handle =
        crate::Executor::new(world.store.clone(), world.options.clone()).saga(&saga).start().unwrap();
    until(async || handle.status(1).await.unwrap().count(State::Stuck) == 1).await;
    handle.stop().await;
    let handle = world.start();
    assert_eq!(*ended(&handle, "o-1").await.outcome(), Outcome::Done, "the mended definition ends it");
    handle.stop().await;
    assert_eq!(world.violations().await, Vec::<String>::new());
    world.close().await;
}

/// A step that is refused at its only attempt has done nothing, the first of a saga like all others.
#[tokio::test]
async fn a_step_whose_only_attempt_is_refused_is_not_undone() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    let handle = world.start();
    for (id, step) in [("o-0", 0), ("o-1", 1), ("o-2", 2)] {
        world.plot.act(id, step, &[Turn::Refuse]);
        world.plot.undo(id, step, &[Turn::Fail]);
        world.place(id).await;
        assert!(matches!(ended(&handle, id).await.outcome(), Outcome::Compensated(_)));
        assert_eq!(world.plot.undos_left(id, step), 1, "{id}: nobody asked for its undo");
    }
    handle.stop().await;
    assert_eq!((world.owners.marks().await, world.violations().await), (0, Vec::new()));
    world.close().await;
}

/// Has the first attempt at the first step hang while its process ends, and the second refused by the process after it;
/// then delivers the first. Answers how many effects it had.
async fn deliver_after_the_refusal(world: &World, restart: impl FnOnce(&World)) -> usize {
    world.plot.act("o-1", 0, &[Turn::Hang, Turn::Refuse]);
    world.place("o-1").await;
    let handle = world.start();
    until(async || world.plot.hanging() == 1).await;
    handle.stop().await;
    restart(world);
    let handle = world.start();
    let end = ended(&handle, "o-1").await;
    assert!(matches!(end.outcome(), Outcome::Compensated(why) if why.reason() == "NOT_ENOUGH"), "{end:?}");
    handle.stop().await;
    world.deliver_late().await
}

/// E52: the first attempt of a process that died comes after the refusal of the second; an undo has left its mark.
#[tokio::test]
async fn an_attempt_of_a_dead_process_that_comes_after_a_refusal_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    assert_eq!(deliver_after_the_refusal(&world, |world| world.unsent.forget()).await, 0);
    assert_eq!(world.violations().await, Vec::<String>::new());
    world.close().await;
}

/// The planted bug: whoever takes it from the row that a saga was never driven believes the refusal.
#[tokio::test]
async fn the_checker_catches_a_refusal_that_is_believed_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    assert_eq!(deliver_after_the_refusal(&world, |world| world.unsent.began("o-1")).await, 1);
    assert_eq!(world.violations().await, ["o-1: compensated, with 1 effects at reserve"]);
    world.close().await;
}
