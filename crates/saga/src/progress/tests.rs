//! Progress driven against a model of the owners, under every mix of answers, crashes and lateness.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

/// What happens when the saga acts: what the owner does, and what the saga hears of it.
#[derive(Debug, Clone, Copy)]
enum Event {
    Done,
    Refused,
    /// The effect takes place, the answer is lost.
    Lost,
    /// Nothing takes place, and nobody can tell.
    Failed,
    /// The effect takes place, and the process dies before it is written down.
    Crash,
    /// Nobody can tell, and the effect takes place when all else is over, unless an undo has left its mark.
    Late,
    /// The same, and the process dies.
    LateCrash,
}

#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Effect {
    tried: bool,
    applied: bool,
    undone: bool,
    /// It is on its way.
    late: bool,
}

/// The owners, and the order in which they were asked.
#[derive(Debug, Default)]
struct World {
    effects: Vec<Effect>,
    tries: Vec<usize>,
    undos: Vec<usize>,
}

fn plan(steps: usize, attempts: u32) -> Plan {
    let limits =
        Limits { timeout: Duration::from_millis(20), deadline: Duration::from_millis(200), attempts };
    let backoff = Backoff { first: Duration::from_millis(2), cap: Duration::from_millis(16) };
    Plan { steps: vec![limits; steps], backoff, stuck_after: 4 }
}

fn trouble() -> Failure {
    Failure::new("UNAVAILABLE", "gone")
}

/// What a row holds; all else starts afresh after a crash.
fn reloaded(progress: &Progress) -> Progress {
    Progress { doubt: true, ..progress.clone() }
}

impl World {
    /// Runs a saga to its end; faults stop after `events`, so it must come to one.
    fn run(&mut self, plan: &Plan, events: &[Event]) -> Progress {
        self.effects = vec![Effect::default(); plan.steps.len()];
        let (mut now, mut events) = (1_000, events.iter().copied());
        let mut progress = Progress::begin(plan, now);
        for _ in 0..10_000 {
            let action = progress.next(plan, now);
            match action {
                Action::Rest => {
                    for effect in &mut self.effects {
                        effect.applied |= effect.late && !effect.undone;
                    }
                    return progress;
                }
                Action::Wait { until_ms } => now = until_ms,
                Action::Expire { .. } => progress.take(Answer::Retry(trouble()), plan, now, 0.5),
                Action::Act { .. } | Action::Undo { .. } | Action::Finish(_) => {
                    now += 1;
                    match self.ask(action, events.next().unwrap_or(Event::Done)) {
                        Some(answer) => progress.take(answer, plan, now, 0.5),
                        None => progress = reloaded(&progress),
                    }
                }
            }
        }
        panic!("the saga does not end: {progress:?}");
    }

    fn ask(&mut self, action: Action, event: Event) -> Option<Answer> {
        let happens = matches!(event, Event::Done | Event::Lost | Event::Crash);
        match action {
            Action::Act { step, .. } => {
                self.tries.push(step);
                self.effects[step].tried = true;
                self.effects[step].applied |= happens;
                self.effects[step].late |= matches!(event, Event::Late | Event::LateCrash);
            }
            Action::Undo { step, .. } => {
                self.undos.push(step);
                self.effects[step].undone |= happens;
            }
            _ => {}
        }
        match event {
            Event::Done => Some(Answer::Done),
            Event::Refused => Some(Answer::Refused(Failure::new("NO", "no"))),
            Event::Lost | Event::Failed | Event::Late => Some(Answer::Retry(trouble())),
            Event::Crash | Event::LateCrash => None,
        }
    }
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        4 => Just(Event::Done),
        1 => Just(Event::Refused),
        2 => Just(Event::Lost),
        2 => Just(Event::Failed),
        1 => Just(Event::Crash),
        1 => Just(Event::Late),
        1 => Just(Event::LateCrash),
    ];
    prop::collection::vec(event, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Under finitely many faults every saga ends, with all effects or with none.
    #[test]
    fn a_saga_ends_with_every_effect_or_with_none(
        steps in 1_usize..6, attempts in 1_u32..6, events in events(),
    ) {
        let (plan, mut world) = (plan(steps, attempts), World::default());
        let end = world.run(&plan, &events);
        match end.phase {
            Phase::Done => {
                for effect in &world.effects {
                    prop_assert!(effect.applied && !effect.undone, "{world:?}");
                }
            }
            Phase::Compensated => {
                for effect in &world.effects {
                    prop_assert!(!effect.applied || effect.undone, "an effect is left: {world:?}");
                }
                prop_assert!(!end.failure.reason().is_empty(), "it says why");
            }
            other => prop_assert!(false, "not an end: {other:?}"),
        }
    }

    /// Steps are tried in order, undone in reverse order, and never tried again after an undo.
    #[test]
    fn begun_steps_are_undone_in_reverse_order(
        steps in 1_usize..6, attempts in 1_u32..6, events in events(),
    ) {
        let (plan, mut world) = (plan(steps, attempts), World::default());
        world.run(&plan, &events);
        prop_assert!(world.tries.windows(2).all(|pair| pair[1] == pair[0] || pair[1] == pair[0] + 1));
        prop_assert!(world.undos.windows(2).all(|pair| pair[1] == pair[0] || pair[1] + 1 == pair[0]));
        let first = world.undos.first().copied();
        prop_assert!(first.is_none_or(|first| world.tries.iter().all(|step| *step <= first + 1)));
        for (step, effect) in world.effects.iter().enumerate() {
            let undone = world.undos.contains(&step);
            prop_assert!(effect.tried || !undone, "a step that was never tried is not undone: {step} {world:?}");
        }
    }

    /// A step is tried at most as often as its limits say between crashes, however the answers fall.
    #[test]
    fn a_step_is_not_tried_beyond_its_limits(steps in 1_usize..4, attempts in 1_u32..6) {
        let (plan, mut world) = (plan(steps, attempts), World::default());
        world.run(&plan, &vec![Event::Failed; attempts as usize]);
        prop_assert!(world.tries.iter().filter(|step| **step == 0).count() <= attempts as usize);
    }
}

fn act(progress: &mut Progress, plan: &Plan, answers: &[Answer]) {
    for answer in answers {
        progress.take(answer.clone(), plan, progress.next_ms, 1.0);
    }
}

#[test]
fn a_step_refused_at_first_asking_is_not_undone_itself() {
    let plan = plan(2, 5);
    let mut progress = Progress::begin(&plan, 0);
    act(&mut progress, &plan, &[Answer::Done, Answer::Refused(trouble())]);
    assert_eq!(progress.phase, Phase::Compensating(1));
}

#[test]
fn a_first_step_refused_at_first_asking_leaves_nothing_to_undo() {
    let plan = plan(2, 5);
    let mut progress = Progress::begin(&plan, 0);
    act(&mut progress, &plan, &[Answer::Refused(trouble())]);
    assert_eq!(progress.next(&plan, 0), Action::Finish(End::Compensated));
}

/// E52: the first attempt may still be on its way.
#[test]
fn a_step_refused_after_an_unanswered_attempt_is_undone_too() {
    let plan = plan(2, 5);
    let mut progress = Progress::begin(&plan, 0);
    act(&mut progress, &plan, &[Answer::Done, Answer::Retry(trouble()), Answer::Refused(trouble())]);
    assert_eq!(progress.phase, Phase::Compensating(2));
}

/// E50: nobody knows how far the process came before it died.
#[test]
fn a_step_refused_after_a_restart_is_undone_too() {
    let plan = plan(2, 5);
    let mut progress = reloaded(&Progress::begin(&plan, 0));
    act(&mut progress, &plan, &[Answer::Refused(trouble())]);
    assert_eq!(progress.phase, Phase::Compensating(1));
}

/// E57: the time that a step had is over, also where nobody was there to see it.
#[test]
fn a_step_whose_time_is_up_is_given_up_and_undone() {
    let plan = plan(1, 100);
    let mut progress = reloaded(&Progress::begin(&plan, 0));
    assert_eq!(progress.next(&plan, 190), Action::Act { step: 0, budget_ms: 10 });
    assert_eq!(progress.next(&plan, 200), Action::Expire { step: 0 });
    progress.take(Answer::Retry(trouble()), &plan, 200, 0.0);
    assert_eq!(progress.phase, Phase::Compensating(1));
    assert_eq!(progress.failure, trouble());
}

/// E51: "stuck" is a word for people; the attempts go on.
#[test]
fn an_undo_that_keeps_failing_is_stuck_and_still_tried() {
    let plan = plan(2, 5);
    let mut progress = Progress::begin(&plan, 0);
    act(&mut progress, &plan, &[Answer::Done, Answer::Refused(trouble())]);
    for failed in 1..=50 {
        act(&mut progress, &plan, &[Answer::Refused(trouble())]);
        assert_eq!(progress.is_stuck(&plan), failed >= 4, "after {failed}");
        assert_eq!(progress.next(&plan, progress.next_ms), Action::Undo { step: 0, budget_ms: 20 });
    }
    act(&mut progress, &plan, &[Answer::Done]);
    assert_eq!(progress.next(&plan, progress.next_ms), Action::Finish(End::Compensated));
    assert!(!progress.is_stuck(&plan));
}

#[test]
fn an_end_that_is_refused_undoes_every_step() {
    let plan = plan(2, 5);
    let mut progress = Progress::begin(&plan, 0);
    act(&mut progress, &plan, &[Answer::Done, Answer::Done]);
    assert_eq!(progress.next(&plan, progress.next_ms), Action::Finish(End::Done));
    act(&mut progress, &plan, &[Answer::Refused(trouble())]);
    assert_eq!(progress.phase, Phase::Compensating(2));
}
