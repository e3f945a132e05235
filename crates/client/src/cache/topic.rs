//! The answers about one entity, shared by everybody who asks: the state machine under a lock, and a way on which the
//! one who asks tells those who wait.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use freehold_wire::Watermark;
use freehold_wire::pb::Token;
use tokio::sync::watch;

use super::answers::{Answers, Found, Outcome, Question, Ticket};
use crate::error::Error;

/// What the one who asks says: nothing yet, an answer, or why there is none.
type Said = Option<Result<Outcome, Error>>;

/// What is kept about one entity.
#[derive(Default)]
pub(super) struct Topic(Mutex<Shared>);

#[derive(Default)]
struct Shared {
    answers: Answers,
    waiting: HashMap<Arc<Question>, watch::Receiver<Said>>,
}

/// What a look-up finds.
pub(super) enum Seen {
    /// This answer counts.
    Answer(Outcome),
    /// This answer counts, and is to be asked for again beside it.
    Soon(Outcome, Seat),
    /// Nothing counts: ask.
    Ask(Seat),
    /// Somebody asks; here they say what they got.
    Asked(watch::Receiver<Said>),
    /// Ask, and keep it to yourself.
    Alone,
}

impl Seen {
    /// In one word.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Answer(_) => "hit",
            Self::Soon(..) => "refresh",
            Self::Ask(_) => "miss",
            Self::Asked(_) => "join",
            Self::Alone => "alone",
        }
    }
}

/// The place of the one who asks. Dropped without an answer it is free again, and those who wait look for themselves.
pub(super) struct Seat {
    topic: Arc<Topic>,
    ticket: Ticket,
    said: watch::Sender<Said>,
}

impl Topic {
    pub(super) fn look(
        self: &Arc<Self>,
        question: &Arc<Question>,
        seen: Option<&Token>,
        now: Instant,
        chance: f64,
    ) -> Seen {
        let mut shared = self.lock();
        match shared.answers.look(question, seen, now, chance) {
            Found::Answer(outcome) => Seen::Answer(outcome),
            Found::Soon(outcome, ticket) => Seen::Soon(outcome, self.seat(&mut shared, ticket)),
            Found::Ask(ticket) => Seen::Ask(self.seat(&mut shared, ticket)),
            Found::Asked => shared.waiting.get(question).cloned().map_or(Seen::Alone, Seen::Asked),
            Found::Alone => Seen::Alone,
        }
    }

    pub(super) fn watched(&self, from: Watermark) {
        self.lock().answers.watched(from);
    }

    pub(super) fn unwatched(&self) {
        self.lock().answers.unwatched();
    }

    pub(super) fn changed(&self, key: &str, mark: i64) {
        self.lock().answers.changed(key, mark);
    }

    pub(super) fn reached(&self, mark: i64) {
        self.lock().answers.reached(mark);
    }

    fn seat(self: &Arc<Self>, shared: &mut Shared, ticket: Ticket) -> Seat {
        let (said, waiting) = watch::channel(None);
        shared.waiting.insert(ticket.question.clone(), waiting);
        Seat { topic: self.clone(), ticket, said }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Keeps an answer for so long, and tells those who wait; they look for themselves where a change has ended it.
    pub(super) fn bring(self, outcome: Outcome, ttl: Duration) {
        let mut shared = self.topic.lock();
        if shared.answers.bring(&self.ticket, outcome.clone(), ttl, Instant::now()) {
            self.said.send_replace(Some(Ok(outcome)));
        }
        // Under the same lock: from here on the question is free, and the next one who asks waits under it.
        shared.waiting.remove(&self.ticket.question);
    }

    /// Tells those who wait why there is no answer.
    pub(super) fn fail(self, error: Error) {
        self.said.send_replace(Some(Err(error)));
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut shared = self.topic.lock();
        if shared.answers.give_up(&self.ticket) {
            shared.waiting.remove(&self.ticket.question);
        }
    }
}
