//! The answers under every order of calls, changes and losses, against an owner that is one list of commits.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use freehold_wire::pb::{Epoch, Token};
use freehold_wire::{Reason, Watermark};
use proptest::prelude::*;

use super::answers::{Answers, Found, MOST_ANSWERS, MOST_BYTES, Outcome, Question, Ticket};
use crate::error::Error;

const TTL: Duration = Duration::from_secs(30);

fn question(key: &str) -> Arc<Question> {
    let request = Bytes::copy_from_slice(key.as_bytes());
    Arc::new(Question { scope: None, path: "/c.v1.Catalog/Get", request })
}

fn token(mark: i64) -> Token {
    Token::default().with_owner("c").with_epoch(1).with_mark(mark)
}

fn watermark(mark: i64) -> Watermark {
    Watermark::new("c", vec![Epoch::default().with_id(1).with_first(0)], mark)
}

/// A reply that tells the commit that it was read after.
fn reply(key: &str, mark: i64) -> Outcome {
    Outcome::Reply(Bytes::copy_from_slice(&mark.to_be_bytes()), Some(key.to_owned()))
}

fn mark_of(outcome: &Outcome) -> i64 {
    match outcome {
        Outcome::Reply(bytes, _) => i64::from_be_bytes(bytes[..].try_into().unwrap()),
        Outcome::Nothing(_) => 0,
    }
}

fn ticket(found: Found) -> Ticket {
    match found {
        Found::Ask(ticket) | Found::Soon(_, ticket) => ticket,
        other => panic!("no ticket: {other:?}"),
    }
}

/// The bug that a fill without a look at the changes of its time would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Planted {
    Nothing,
    /// Changes are told between the calls only, so none is seen by a call under way.
    BlindFill,
}

#[derive(Debug, Clone)]
enum Step {
    /// A reader that has seen the owner's last commit, or nothing, looks for a key.
    Look { key: usize, own: bool, chance: f64 },
    /// The owner reads what the oldest call of a key asks for.
    Read { key: usize },
    /// The reply of that call arrives.
    Arrive { key: usize },
    /// That call fails, or its caller goes away.
    Fail { key: usize },
    /// The owner commits a change.
    Commit { key: usize },
    /// The next change that the owner has committed is told.
    Tell,
    /// The watch is lost.
    Lose,
    /// It begins again.
    Watch,
    /// Time goes by.
    Wait { seconds: u64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = 0..3_usize;
    let step = prop_oneof![
        6 => (key.clone(), any::<bool>(), 0.0..1.0).prop_map(|(key, own, chance)| Step::Look { key, own, chance }),
        4 => key.clone().prop_map(|key| Step::Read { key }),
        4 => key.clone().prop_map(|key| Step::Arrive { key }),
        1 => key.clone().prop_map(|key| Step::Fail { key }),
        3 => key.prop_map(|key| Step::Commit { key }),
        3 => Just(Step::Tell),
        1 => Just(Step::Lose),
        1 => Just(Step::Watch),
        2 => (0..20_u64).prop_map(|seconds| Step::Wait { seconds }),
    ];
    prop::collection::vec(step, 1..120)
}

/// The owner, the calls under way and what the reader may rely on.
struct World {
    answers: Answers,
    now: Instant,
    planted: Planted,
    /// The key of every commit; its mark is its place, from 1.
    commits: Vec<usize>,
    /// How many of them have been told; `None` while nobody watches.
    told: Option<usize>,
    /// Per key the call under way, and the mark that the owner has read for it.
    calls: HashMap<usize, (Ticket, Option<i64>)>,
    /// When each commit was made.
    made: Vec<Instant>,
}

impl World {
    fn new(planted: Planted) -> Self {
        Self {
            answers: Answers::default(),
            now: Instant::now(),
            planted,
            commits: Vec::new(),
            told: None,
            calls: HashMap::new(),
            made: Vec::new(),
        }
    }

    fn head(&self) -> i64 {
        i64::try_from(self.commits.len()).unwrap()
    }

    /// The last commit of a key among the first so many.
    fn last(&self, key: usize, among: usize) -> i64 {
        let at = self.commits[..among].iter().rposition(|other| *other == key);
        at.map_or(0, |at| i64::try_from(at).unwrap() + 1)
    }

    fn take(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Look { key, own, chance } => return self.look(*key, *own, *chance),
            Step::Read { key } => {
                let head = self.head();
                if let Some((_, read @ None)) = self.calls.get_mut(key) {
                    *read = Some(head);
                }
            }
            Step::Arrive { key } => self.arrive(*key),
            Step::Fail { key } => {
                if let Some((ticket, _)) = self.calls.remove(key) {
                    self.answers.give_up(&ticket);
                }
            }
            Step::Commit { key } => {
                self.commits.push(*key);
                self.made.push(self.now);
            }
            Step::Tell => self.tell(),
            Step::Lose => {
                self.told = None;
                self.answers.unwatched();
            }
            Step::Watch => {
                self.told = Some(self.commits.len());
                self.answers.watched(watermark(self.head()));
            }
            Step::Wait { seconds } => self.now += Duration::from_secs(*seconds),
        }
        Ok(())
    }

    fn arrive(&mut self, key: usize) {
        let Some((ticket, Some(mark))) = self.calls.remove(&key) else { return };
        if self.planted == Planted::BlindFill {
            self.answers.give_up(&ticket);
            let again = ticket_of(self.answers.look(&ticket.question, Some(&token(i64::MAX)), self.now, 0.0));
            let Some(again) = again else { return };
            self.answers.bring(&again, reply(&key.to_string(), mark), TTL, self.now);
            return;
        }
        self.answers.bring(&ticket, reply(&key.to_string(), mark), TTL, self.now);
    }

    fn tell(&mut self) {
        let Some(told) = self.told.filter(|told| *told < self.commits.len()) else { return };
        self.told = Some(told + 1);
        let mark = i64::try_from(told).unwrap() + 1;
        self.answers.changed(&self.commits[told].to_string(), mark);
    }

    fn look(&mut self, key: usize, own: bool, chance: f64) -> Result<(), String> {
        let seen = own.then(|| token(self.head()));
        let found = self.answers.look(&question(&key.to_string()), seen.as_ref(), self.now, chance);
        let served = match found {
            Found::Answer(outcome) => outcome,
            Found::Soon(outcome, ticket) => {
                self.calls.insert(key, (ticket, None));
                outcome
            }
            Found::Ask(ticket) => {
                self.calls.insert(key, (ticket, None));
                return Ok(());
            }
            Found::Asked | Found::Alone => return Ok(()),
        };
        let holds = mark_of(&served);
        let due = self.last(key, self.told.unwrap_or_default()).max(if own {
            self.last(key, self.commits.len())
        } else {
            0
        });
        if holds < due {
            return Err(format!("key {key} is served as of {holds}, and commit {due} of it is known"));
        }
        let missed = self.commits.iter().enumerate().skip(usize::try_from(holds).unwrap());
        for (at, _) in missed.filter(|(_, other)| **other == key) {
            if self.now - self.made[at] >= TTL {
                return Err(format!("key {key} is served as of {holds}, {TTL:?} after commit {}", at + 1));
            }
        }
        Ok(())
    }
}

fn ticket_of(found: Found) -> Option<Ticket> {
    match found {
        Found::Ask(ticket) | Found::Soon(_, ticket) => Some(ticket),
        _ => None,
    }
}

fn run(steps: &[Step], planted: Planted) -> Result<(), String> {
    let mut world = World::new(planted);
    steps.iter().try_for_each(|step| world.take(step))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// C30: nothing is served that a change told here, a commit that the reader has seen, or the declared time has made
    /// stale, in whatever order calls, changes, losses and time come.
    #[test]
    fn no_stale_answer_is_served(steps in steps()) {
        prop_assert_eq!(run(&steps, Planted::Nothing), Ok(()));
    }
}

/// C30, red: a fill that does not look at what changed while it was under way brings a stale answer back.
#[test]
fn a_fill_that_is_blind_for_changes_is_caught() {
    let race = [
        Step::Watch,
        Step::Look { key: 0, own: false, chance: 0.0 },
        Step::Read { key: 0 },
        Step::Commit { key: 0 },
        Step::Tell,
        Step::Arrive { key: 0 },
        Step::Look { key: 0, own: false, chance: 0.0 },
    ];
    assert_eq!(run(&race, Planted::Nothing), Ok(()));
    assert!(run(&race, Planted::BlindFill).is_err());
}

#[test]
fn one_of_many_readers_asks_and_a_follower_takes_over_where_it_gives_up() {
    let (mut answers, now) = (Answers::default(), Instant::now());
    let leader = ticket(answers.look(&question("1"), None, now, 0.5));
    for _ in 0..999 {
        assert!(matches!(answers.look(&question("1"), None, now, 0.5), Found::Asked));
    }
    assert!(
        matches!(answers.look(&question("1"), Some(&token(7)), now, 0.5), Found::Alone),
        "it has seen more"
    );
    answers.give_up(&leader);
    let follower = ticket(answers.look(&question("1"), None, now, 0.5));
    answers.bring(&leader, reply("1", 1), TTL, now);
    assert!(matches!(answers.look(&question("1"), None, now, 0.5), Found::Asked), "a ticket counts once");
    answers.bring(&follower, reply("1", 1), TTL, now);
    assert!(matches!(answers.look(&question("1"), None, now, 0.5), Found::Answer(_)));
}

/// Vattani et al.: the chance to ask early is exp(-left / took), so of readers 3 calls' time before the end 5 % ask.
#[test]
fn readers_ask_early_the_likelier_the_nearer_the_end() {
    let start = Instant::now();
    let took = Duration::from_secs(1);
    let share = |left: Duration| {
        let asks = |chance: f64| {
            let mut answers = Answers::default();
            let ticket = ticket(answers.look(&question("1"), None, start, 0.0));
            answers.bring(&ticket, reply("1", 1), TTL, start + took);
            matches!(answers.look(&question("1"), None, start + TTL - left, chance), Found::Soon(..))
        };
        (0..1000).filter(|part| asks(f64::from(*part) / 1000.0)).count()
    };
    assert_eq!(share(Duration::from_secs(20)), 0);
    assert!((45..=55).contains(&share(Duration::from_secs(3))), "{}", share(Duration::from_secs(3)));
    assert!((360..=376).contains(&share(Duration::from_secs(1))));
}

#[test]
fn that_there_is_nothing_is_remembered_for_a_second_or_until_anything_changes() {
    let (mut answers, now) = (Answers::default(), Instant::now());
    let nothing = || Outcome::Nothing(Error::new(Reason::NotFound, "no such product"));
    answers.watched(watermark(4));
    let asked = ticket(answers.look(&question("1"), None, now, 0.0));
    answers.bring(&asked, nothing(), TTL, now);
    let later = now + Duration::from_millis(999);
    assert!(matches!(answers.look(&question("1"), None, later, 0.0), Found::Answer(Outcome::Nothing(_))));
    let again = ticket(answers.look(&question("1"), None, now + Duration::from_secs(1), 0.0));
    answers.bring(&again, nothing(), TTL, now + Duration::from_secs(1));
    answers.changed("2", 5);
    assert!(matches!(answers.look(&question("1"), None, now + Duration::from_secs(1), 0.0), Found::Ask(_)));
}

#[test]
fn memory_is_bounded_and_what_is_used_stays() {
    let (mut answers, now) = (Answers::default(), Instant::now());
    let used = question("used");
    for key in std::iter::once("used".to_owned()).chain((0..3 * MOST_ANSWERS).map(|key| key.to_string())) {
        let asked = ticket(answers.look(&question(&key), None, now, 0.0));
        answers.bring(&asked, reply(&key, 1), TTL, now);
        assert!(matches!(answers.look(&used, None, now, 0.0), Found::Answer(_)), "at {key}");
    }
    assert!(answers.len() <= MOST_ANSWERS);
    let large = Outcome::Reply(Bytes::from(vec![0; MOST_BYTES]), None);
    let asked = ticket(answers.look(&question("large"), None, now, 0.0));
    answers.bring(&asked, large, TTL, now);
    assert!(matches!(answers.look(&question("large"), None, now, 0.0), Found::Ask(_)), "it is not kept");
    assert!(matches!(answers.look(&used, None, now, 0.0), Found::Answer(_)), "and pushes nothing out");
}
