//! The planted bugs of E50: drivers that get the order of intent, call and record wrong, and what catches them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;
use crate::progress::Action;
use crate::tests::world::{Order, Turn, World, ended};
use crate::{Backoff, Step};

fn engine(world: &World, faults: Faults) -> Engine {
    let definition = world.saga().definition().clone();
    Engine {
        store: world.store.clone(),
        registry: Registry::new(vec![definition], Backoff::default(), 10),
        endings: Endings::default(),
        faults,
        stopping: CancellationToken::new(),
    }
}

/// Dies at the `at`-th boundary.
fn dying(at: usize) -> Faults {
    let passed = AtomicUsize::new(0);
    Faults::new(move |_| passed.fetch_add(1, Ordering::SeqCst) >= at)
}

/// Writes a step's result down, and then calls.
async fn record_before_the_call(engine: &Engine, id: &str) -> Result<(), DriveError> {
    let Some(mut saga) = engine.load(id).await? else { return Ok(()) };
    while let Action::Act { step, budget_ms } = saga.progress.next(&saga.known.plan, engine.store.now()) {
        let data = Some(saga.record.data.clone());
        engine.record(&mut saga, Attempt { answer: Answer::Done, data }).await?;
        engine.call(&saga, Way::Act, step, budget_ms).await?;
    }
    Ok(())
}

/// The saga as the checker finds it after a death at `at` and a restart.
async fn violations_of_record_before_the_call(at: usize) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    world.place("o-1").await;
    let died = record_before_the_call(&engine(&world, dying(at)), "o-1").await;
    assert!(died.is_ok() || matches!(died, Err(DriveError::Killed)), "{died:?}");
    let handle = world.start();
    ended(&handle, "o-1").await;
    handle.stop().await;
    let violations = world.violations().await;
    world.close().await;
    violations
}

/// A driver that writes a result before its call does well until it dies between the two.
#[tokio::test]
async fn the_checker_catches_a_result_that_is_recorded_before_its_call() {
    assert_eq!(violations_of_record_before_the_call(usize::MAX).await, Vec::<String>::new());
    // It passes a boundary before the commit, one after it, and then one before the call.
    assert_eq!(violations_of_record_before_the_call(2).await, ["o-1: done, with 0 effects at reserve"]);
}

/// Calls, and writes the saga down when that went well.
async fn call_before_the_intent(world: &World, faults: &Faults, id: &str) -> Result<(), Killed> {
    let context = Context::new("orders", Duration::from_secs(60));
    let context = StepContext::new(context, &id.into(), "reserve", Way::Act, 0);
    let mut order = Order { id: id.to_owned(), done: Vec::new() };
    world.take::<0>().act(&context, &mut order).await.unwrap();
    faults.pass(Boundary::AfterCall)?;
    world.place(id).await;
    Ok(())
}

/// A driver that calls before its intent is committed does well until it dies between the two.
#[tokio::test]
async fn the_checker_catches_a_call_before_its_intent() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    call_before_the_intent(&world, &Faults::default(), "o-1").await.unwrap();
    let handle = world.start();
    ended(&handle, "o-1").await;
    assert_eq!(world.violations().await, Vec::<String>::new());

    call_before_the_intent(&world, &dying(0), "o-2").await.unwrap_err();
    assert_eq!(world.violations().await, ["o-2: an effect without a saga"]);
    handle.stop().await;
    world.close().await;
}

/// A driver that keeps its timers in memory: the row says that nothing is due, ever.
#[tokio::test]
async fn a_timer_that_is_no_row_is_lost_with_its_process() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    for (id, kept_in_memory) in [("row", false), ("memory", true)] {
        world.place(id).await;
        let engine = engine(&world, Faults::default());
        let mut saga = engine.load(id).await.unwrap().unwrap();
        let answer = Answer::Retry(Failure::internal("not now"));
        engine.record(&mut saga, Attempt { answer, data: None }).await.unwrap();
        if kept_in_memory {
            let mut change = Change::none(&saga.progress);
            change.progress.next_ms = i64::MAX;
            engine.write(&mut saga, &change, None).await.unwrap();
        }
    }
    world.advance(Duration::from_secs(100));
    let engine = engine(&world, Faults::default());
    let next = async |id| {
        let saga = engine.load(id).await.unwrap().unwrap();
        saga.progress.next(&saga.known.plan, engine.store.now())
    };
    assert!(matches!(next("row").await, Action::Act { step: 0, .. }));
    assert_eq!(next("memory").await, Action::Wait { until_ms: i64::MAX }, "the planted bug shows");
    world.close().await;
}

/// A process that was thought dead and comes back late writes over nothing that happened since.
#[tokio::test]
async fn a_driver_that_was_overtaken_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    world.place("o-1").await;
    let engine = engine(&world, Faults::default());
    let mut saga = engine.load("o-1").await.unwrap().unwrap();
    let mut late = engine.load("o-1").await.unwrap().unwrap();
    let refused = Answer::Refused(Failure::new("NO", "no"));
    engine.record(&mut saga, Attempt { answer: refused, data: None }).await.unwrap();
    let done = Attempt { answer: Answer::Done, data: Some(late.record.data.clone()) };
    let error = engine.record(&mut late, done).await.unwrap_err();
    assert!(matches!(error, DriveError::Overtaken), "{error}");
    let found = engine.load("o-1").await.unwrap().unwrap();
    assert_eq!(found.progress.phase, saga.progress.phase);
    world.close().await;
}

/// Drives the saga to its end; the planted bug believes every refusal, whatever became of the attempts before it.
async fn drive_on(world: &World, id: &str, trusting: bool) {
    let engine = engine(world, Faults::default());
    let mut saga = engine.load(id).await.unwrap().unwrap();
    loop {
        let attempt = match saga.progress.next(&saga.known.plan, engine.store.now()) {
            Action::Rest => break,
            Action::Wait { until_ms } => {
                let left = until_ms - engine.store.now();
                world.advance(Duration::from_millis(left.max(0).unsigned_abs()));
                continue;
            }
            Action::Act { step, budget_ms } => engine.call(&saga, Way::Act, step, budget_ms).await.unwrap(),
            Action::Undo { step, budget_ms } => engine.call(&saga, Way::Undo, step, budget_ms).await.unwrap(),
            other => panic!("the plot leads to no {other:?}"),
        };
        saga.progress.doubt &= !trusting;
        engine.record(&mut saga, attempt).await.unwrap();
    }
}

/// Has the first attempt at the first step hang, and the second refused; then delivers the first.
async fn violations_of_a_late_first_attempt(trusting: bool) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::open(folder.path()).await;
    world.limits.timeout = Duration::from_millis(250);
    world.plot.act("o-1", 0, &[Turn::Hang, Turn::Refuse]);
    world.place("o-1").await;
    drive_on(&world, "o-1", trusting).await;
    world.deliver_late().await;
    let violations = world.violations().await;
    world.close().await;
    violations
}

/// E52: the owner has kept nothing of its refusal, so what comes after it takes effect unless an undo forbids it.
#[tokio::test]
async fn the_checker_catches_a_refusal_that_is_believed_after_an_unanswered_attempt() {
    assert_eq!(violations_of_a_late_first_attempt(false).await, Vec::<String>::new());
    let late = ["o-1: compensated, with 1 effects at reserve"];
    assert_eq!(violations_of_a_late_first_attempt(true).await, late, "the planted bug shows");
}
