//! What a saga carries, what it costs, how many run at a time, and how the executor stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use freehold_store::{Queries, vals};
use freehold_wire::Witness;
use freehold_wire::pb::{ListRecordsResponse, SagaStep, SagaStepState, Token};

use super::world::{Order, Turn, World, context, ended, until};
use crate::{Executor, Handle, Outcome, Saga, Step, StepContext, StepError, WaitError};

/// What an operator is told of a saga.
async fn audit(handle: &Handle, saga: &str) -> Vec<(String, SagaStepState, i64)> {
    let mut told = ListRecordsResponse::default();
    handle.tell(&context(), saga, &mut told).await.unwrap();
    assert!(told.steps.iter().all(|step| step.saga == "place_order" && step.at.is_some()), "{told:?}");
    let line = |step: SagaStep| (step.step.clone(), step.state().unwrap(), step.failed_attempts);
    told.steps.into_iter().map(line).collect()
}

/// A saga of three steps costs its caller's unit of work and three more.
#[tokio::test]
async fn a_saga_of_n_steps_costs_n_plus_1_units_of_work() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    let handle = world.start();
    world.place("o-1").await;
    let end: Order = ended(&handle, "o-1").await.state().unwrap();
    handle.stop().await;
    assert_eq!(end.done, ["reserve", "authorise", "capture"], "the state is carried from step to step");
    let sql = "SELECT revision FROM freehold_saga WHERE id = $1";
    let row = world.store.read().await.unwrap().one(sql, vals!["o-1"]).await.unwrap().unwrap();
    assert_eq!(row.get::<i64>("revision").unwrap(), 4);
    world.close().await;
}

#[tokio::test]
async fn the_audit_says_what_became_of_each_step() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    read_the_audit(&world).await;
    world.close().await;
}

pub(crate) async fn read_the_audit(world: &World) {
    world.plot.act("o-1", 0, &[Turn::Fail]);
    world.plot.act("o-1", 1, &[Turn::Refuse]);
    world.plot.undo("o-1", 0, &[Turn::Fail]);
    let handle = world.start();
    world.place("o-1").await;
    world.place("o-2").await;
    ended(&handle, "o-1").await;
    ended(&handle, "o-2").await;
    handle.stop().await;
    let line = |step: &str, state, attempts| (step.to_owned(), state, attempts);
    let refused = [line("reserve", SagaStepState::Undone, 2), line("authorise", SagaStepState::Refused, 0)];
    assert_eq!(audit(&handle, "o-1").await, refused);
    let done = ["reserve", "authorise", "capture"].map(|step| line(step, SagaStepState::Done, 0));
    assert_eq!(audit(&handle, "o-2").await, done);
    assert_eq!(audit(&handle, "o-3").await, [], "nobody's");
}

/// A step that has seen a commit, or wants to have seen one.
struct Sees {
    first: bool,
    seen: Token,
}

/// The same step under the two names that it has in the saga.
struct SeesNext(Sees);

impl Sees {
    fn look(&self, step: &StepContext) -> Result<(), StepError> {
        let session = step.context().session();
        if self.first {
            session.saw(self.seen.clone());
        } else if session.token("inventory") != Some(self.seen.clone()) {
            return Err(StepError::refused("BLIND", "the session was lost"));
        }
        match session.token("orders").is_some() {
            true => Ok(()),
            false => Err(StepError::refused("BLIND", "its own commits are not in the session")),
        }
    }
}

impl Step for Sees {
    type State = Order;
    const NAME: &'static str = "sees";

    async fn act(&self, step: &StepContext, _: &mut Order) -> Result<(), StepError> {
        self.look(step)
    }

    async fn undo(&self, _: &StepContext, _: &Order) -> Result<(), StepError> {
        Ok(())
    }
}

impl Step for SeesNext {
    type State = Order;
    const NAME: &'static str = "sees_next";

    async fn act(&self, step: &StepContext, _: &mut Order) -> Result<(), StepError> {
        self.0.look(step)
    }

    async fn undo(&self, _: &StepContext, _: &Order) -> Result<(), StepError> {
        Ok(())
    }
}

/// What one step has seen, the next one has seen, a restart between them; and whoever waits for the end.
#[tokio::test]
async fn causality_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    let seen = Token::default().with_owner("inventory").with_epoch(7).with_mark(42);
    let first = Sees { first: true, seen: seen.clone() };
    let next = SeesNext(Sees { first: false, seen: seen.clone() });
    let saga = Saga::new("seeing", 1).step(first).step(world.take::<0>()).step(next);
    world.plot.act("o-1", 0, &[Turn::Hang]);
    world.place_by(&saga, "o-1").await.unwrap();
    let start = || Executor::new(world.store.clone(), world.options.clone()).saga(&saga).start().unwrap();

    let handle = start();
    until(async || world.plot.hanging() == 1).await;
    handle.stop().await;
    let handle = start();
    let context = context();
    let end = handle.wait(&context, "o-1").await.unwrap();
    handle.stop().await;
    assert_eq!(*end.outcome(), Outcome::Done);
    assert_eq!(context.session().token("inventory"), Some(seen));
    assert!(context.session().token("orders").is_some(), "the end itself");
    world.close().await;
}

/// The commit of the end is not in the saga's row, which was written by it; who reads the row has seen it all the same.
#[tokio::test]
async fn who_waits_after_a_restart_has_seen_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    world.place("o-1").await;
    let handle = world.start();
    ended(&handle, "o-1").await;
    handle.stop().await;
    world.close().await;

    let world = World::open(folder.path()).await;
    let handle = world.start();
    let context = context();
    handle.wait(&context, "o-1").await.unwrap();
    let (seen, head) = (context.session().token("orders").unwrap(), world.store.head());
    assert_eq!(Some(seen.epoch), head.epochs().last().map(|epoch| epoch.id));
    assert_eq!(seen.mark, head.mark());
    handle.stop().await;
    world.close().await;
}

/// Counts how many are in it at a time.
struct Crowded {
    inside: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Step for Crowded {
    type State = Order;
    const NAME: &'static str = "crowded";

    async fn act(&self, _: &StepContext, _: &mut Order) -> Result<(), StepError> {
        let now = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        self.inside.fetch_sub(1, Ordering::SeqCst);
        Ok(())
    }

    async fn undo(&self, _: &StepContext, _: &Order) -> Result<(), StepError> {
        Ok(())
    }
}

#[tokio::test]
async fn no_more_sagas_run_at_a_time_than_allowed_and_none_starves() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::open(folder.path()).await;
    world.options.concurrency = 3;
    let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let saga = Saga::new("crowd", 1).step(Crowded { inside, most: Arc::clone(&most) });
    for n in 0..40 {
        world.place_by(&saga, &format!("o-{n}")).await.unwrap();
    }
    let handle = Executor::new(world.store.clone(), world.options.clone()).saga(&saga).start().unwrap();
    let ids: Vec<String> = (0..40).map(|n| format!("o-{n}")).collect();
    futures_util::future::join_all(ids.iter().map(|id| ended(&handle, id))).await;
    assert_eq!(most.load(Ordering::SeqCst), 3);
    handle.stop().await;
    world.close().await;
}

/// A stop ends within its grace although a step hangs; who waits is told, and the saga goes on after a restart.
#[tokio::test]
async fn a_stop_ends_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    world.plot.act("o-1", 1, &[Turn::Hang]);
    world.place("o-1").await;
    let handle = world.start();
    let waiting = tokio::spawn({
        let handle = handle.clone();
        async move { handle.wait(&context(), "o-1").await }
    });
    until(async || world.plot.hanging() == 1).await;
    handle.stop().await;
    assert!(matches!(waiting.await.unwrap(), Err(WaitError::Stopped(_))));
    let handle = world.start();
    assert_eq!(*ended(&handle, "o-1").await.outcome(), Outcome::Done);
    handle.stop().await;
    assert_eq!(world.deliver_late().await, 1, "the key makes the late effect the same one");
    assert_eq!(world.violations().await, Vec::<String>::new());
    world.close().await;
}

#[tokio::test]
async fn a_wait_ends_at_its_deadline_and_the_saga_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    world.plot.act("o-1", 0, &[Turn::Hang]);
    world.place("o-1").await;
    let handle = world.start();
    let short = context().with_budget(Duration::from_millis(5));
    assert!(matches!(handle.wait(&short, "o-1").await, Err(WaitError::DeadlineExceeded(_))));
    assert_eq!(handle.status(1).await.unwrap().unfinished.len(), 1);
    handle.stop().await;
    world.close().await;
}
