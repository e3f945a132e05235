//! The answers of one service about one entity: what may be served, who asks again, what a change makes worthless.
//!
//! A plain state machine: in go look-ups, what calls brought, and what the owner's watch tells; out comes what to do. It
//! knows no clock, no chance and no network; all three are arguments. **Invariant:** after a change has been told here,
//! no answer from before it is served, also where that answer was under way when the change was told.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use freehold_wire::pb::Token;
use freehold_wire::{Coverage, Watermark};

use crate::error::Error;

/// The most answers that are kept about one entity.
pub(crate) const MOST_ANSWERS: usize = 10_000;
/// The most bytes that their questions and replies have together.
pub(crate) const MOST_BYTES: usize = 16 * 1024 * 1024;
/// The most bytes of one question with its reply; a larger one would push out too many others.
const LARGEST: usize = MOST_BYTES / 16;
/// How long it is remembered that there is nothing, at most; a change of the entity ends it sooner.
pub(crate) const NOTHING_KEPT: Duration = Duration::from_secs(1);
/// The most keys that are remembered as changed during one call; of more, every key counts as changed.
const MOST_CHANGED: usize = 64;

/// What is asked: by whom, which method, with which request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    /// The caller in whose name it is asked; another one may get another answer.
    pub(crate) scope: Option<Arc<str>>,
    /// "/package.Service/Method".
    pub(crate) path: &'static str,
    /// The encoded request.
    pub(crate) request: Bytes,
}

/// What the owner answered.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// The encoded reply, and the key of the entity that it is; none where it is not one entity.
    Reply(Bytes, Option<String>),
    /// There is nothing under that id.
    Nothing(Error),
}

/// What a look-up finds.
#[derive(Debug)]
pub(crate) enum Found {
    /// This answer counts.
    Answer(Outcome),
    /// This answer counts, and soon will not: ask again beside it.
    Soon(Outcome, Ticket),
    /// Nothing counts: ask.
    Ask(Ticket),
    /// Somebody is asking already: wait for what they get.
    Asked,
    /// Ask for yourself: the one who is asking need not have seen what you have.
    Alone,
}

/// The right to bring the answer to a question.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) question: Arc<Question>,
    number: u64,
    asked: Instant,
}

/// The answers about one entity.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    kept: HashMap<Arc<Question>, Kept>,
    /// The questions whose answers a change of a key makes worthless.
    by_key: HashMap<String, Vec<Arc<Question>>>,
    /// Those whose answers any change makes worthless.
    by_any: HashSet<Arc<Question>>,
    /// The questions that have an answer, in the order in which they may have to give it up.
    queue: VecDeque<Arc<Question>>,
    asked: HashMap<Arc<Question>, Asked>,
    bytes: usize,
    tickets: u64,
    /// Up to where the owner's changes have been told here; `None` while nobody watches.
    told: Option<Watermark>,
}

#[derive(Debug)]
struct Kept {
    outcome: Outcome,
    /// What its asker had seen: the owner was asked for at least that.
    seen: Option<Token>,
    /// What the call took, which is how early it is asked again.
    took: Duration,
    until: Instant,
    used: bool,
}

/// A call under way.
#[derive(Debug)]
struct Asked {
    number: u64,
    seen: Option<Token>,
    changed: Changed,
}

/// The keys that changed since a call began.
#[derive(Debug)]
enum Changed {
    Keys(HashSet<String>),
    Any,
}

impl Answers {
    /// Looks for the answer to a question whose asker has seen that commit of the owner. `chance` is from 0 to below 1.
    ///
    /// An answer is asked for again before it ends, the likelier the nearer its end and the longer the call takes, so
    /// that one of many readers does it and the others never wait: XFetch of Vattani, Chierichetti and Lowenstein,
    /// "Optimal Probabilistic Cache Stampede Prevention", 2015.
    pub(crate) fn look(
        &mut self,
        question: &Arc<Question>,
        seen: Option<&Token>,
        now: Instant,
        chance: f64,
    ) -> Found {
        let told = self.told.as_ref();
        let kept = self.kept.get_mut(question).filter(|kept| now < kept.until);
        if let Some(kept) = kept.filter(|kept| is_in(seen, kept.seen.as_ref(), told)) {
            kept.used = true;
            let outcome = kept.outcome.clone();
            let early = kept.took.mul_f64(-(1.0 - chance.clamp(0.0, 0.999_999)).ln());
            if now + early < kept.until || self.asked.contains_key(question) {
                return Found::Answer(outcome);
            }
            return Found::Soon(outcome, self.ticket(question, seen, now));
        }
        match self.asked.get(question) {
            Some(asked) if is_in(seen, asked.seen.as_ref(), told) => Found::Asked,
            Some(_) => Found::Alone,
            None => Found::Ask(self.ticket(question, seen, now)),
        }
    }

    /// Takes the answer that a ticket was given out for; it counts for `ttl`, or for [`NOTHING_KEPT`]. Says whether it
    /// does: not where a change has come in between, or another ticket took this one's place.
    pub(crate) fn bring(&mut self, ticket: &Ticket, outcome: Outcome, ttl: Duration, now: Instant) -> bool {
        let Some(asked) = self.leave(ticket) else { return false };
        if asked.changed.touches(&outcome) {
            self.forget(&ticket.question);
            return false;
        }
        let ttl = match outcome {
            Outcome::Reply(..) => ttl,
            Outcome::Nothing(_) => ttl.min(NOTHING_KEPT),
        };
        let took = now.saturating_duration_since(ticket.asked);
        // Its age counts from the question: the owner may have read what it answers right then.
        let until = ticket.asked + ttl;
        self.keep(&ticket.question, Kept { outcome, seen: asked.seen, took, until, used: false });
        true
    }

    /// Gives a ticket back: the call failed, or its caller went away. What was kept stays. Says whether it still counted.
    pub(crate) fn give_up(&mut self, ticket: &Ticket) -> bool {
        self.leave(ticket).is_some()
    }

    /// The owner's watch has begun: every change after that point will be told. Answers from before it may have missed
    /// some.
    pub(crate) fn watched(&mut self, from: Watermark) {
        self.unwatched();
        self.told = Some(from);
    }

    /// The watch has ended: from now on changes are missed.
    pub(crate) fn unwatched(&mut self) {
        self.told = None;
        self.kept.clear();
        self.by_key.clear();
        self.by_any.clear();
        self.queue.clear();
        self.bytes = 0;
        self.asked.values_mut().for_each(|asked| asked.changed = Changed::Any);
    }

    /// An entity has changed.
    pub(crate) fn changed(&mut self, key: &str, mark: i64) {
        self.asked.values_mut().for_each(|asked| asked.changed.note(key));
        let stale: Vec<_> =
            self.by_key.remove(key).into_iter().flatten().chain(self.by_any.drain()).collect();
        stale.iter().for_each(|question| self.forget(question));
        self.reached(mark);
    }

    /// Everything up to `mark` has been told.
    pub(crate) fn reached(&mut self, mark: i64) {
        if let Some(told) = &mut self.told {
            told.advance(mark);
        }
    }

    /// How many answers are kept.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }

    fn ticket(&mut self, question: &Arc<Question>, seen: Option<&Token>, now: Instant) -> Ticket {
        self.tickets += 1;
        let changed = Changed::Keys(HashSet::new());
        let asked = Asked { number: self.tickets, seen: seen.cloned(), changed };
        self.asked.insert(question.clone(), asked);
        Ticket { question: question.clone(), number: self.tickets, asked: now }
    }

    fn leave(&mut self, ticket: &Ticket) -> Option<Asked> {
        let is_its = self.asked.get(&ticket.question).is_some_and(|asked| asked.number == ticket.number);
        if is_its { self.asked.remove(&ticket.question) } else { None }
    }

    fn keep(&mut self, question: &Arc<Question>, kept: Kept) {
        self.forget(question);
        let size = size(question, &kept.outcome);
        if size > LARGEST {
            return;
        }
        self.bytes += size;
        match kept.outcome.key() {
            Some(key) => self.by_key.entry(key.to_owned()).or_default().push(question.clone()),
            None => drop(self.by_any.insert(question.clone())),
        }
        self.kept.insert(question.clone(), kept);
        self.queue.push_back(question.clone());
        while self.kept.len() > MOST_ANSWERS || self.bytes > MOST_BYTES || self.queue.len() > 2 * MOST_ANSWERS
        {
            self.make_room();
        }
    }

    /// Takes the oldest out, unless it was used since it was looked at last: CLOCK, the second chance.
    fn make_room(&mut self) {
        let Some(question) = self.queue.pop_front() else { return };
        match self.kept.get_mut(&question) {
            Some(kept) if kept.used => {
                kept.used = false;
                self.queue.push_back(question);
            }
            _ => self.forget(&question),
        }
    }

    fn forget(&mut self, question: &Arc<Question>) {
        let Some(kept) = self.kept.remove(question) else { return };
        self.bytes -= size(question, &kept.outcome);
        let Some(key) = kept.outcome.key() else {
            self.by_any.remove(question);
            return;
        };
        if let Some(about) = self.by_key.get_mut(key) {
            about.retain(|other| other != question);
            if about.is_empty() {
                self.by_key.remove(key);
            }
        }
    }
}

impl Outcome {
    /// The key of the one entity that it tells of.
    fn key(&self) -> Option<&str> {
        match self {
            Self::Reply(_, key) => key.as_deref(),
            Self::Nothing(_) => None,
        }
    }
}

impl Changed {
    fn note(&mut self, key: &str) {
        match self {
            Self::Keys(keys) if keys.len() < MOST_CHANGED => drop(keys.insert(key.to_owned())),
            _ => *self = Self::Any,
        }
    }

    /// Whether an answer may be from before one of these changes.
    fn touches(&self, outcome: &Outcome) -> bool {
        match (self, outcome.key()) {
            (Self::Any, _) => true,
            (Self::Keys(keys), Some(key)) => keys.contains(key),
            (Self::Keys(keys), None) => !keys.is_empty(),
        }
    }
}

/// Whether a commit that a reader has seen is in what the owner was asked for, or in what it has told since: an answer
/// that no change has ended holds everything that was told.
fn is_in(seen: Option<&Token>, asked: Option<&Token>, told: Option<&Watermark>) -> bool {
    let Some(seen) = seen else { return true };
    asked == Some(seen) || told.is_some_and(|told| told.covers(seen) == Ok(Coverage::Covered))
}

fn size(question: &Question, outcome: &Outcome) -> usize {
    let reply = match outcome {
        Outcome::Reply(reply, key) => reply.len() + key.as_ref().map_or(0, String::len),
        Outcome::Nothing(error) => error.message().len(),
    };
    // What the tables take for an answer, about.
    const OVERHEAD: usize = 256;
    question.request.len() + reply + OVERHEAD
}
