//! Answers that are served again, for the methods whose contract declares a cache.
//!
//! One reader of many asks; the others wait for what it gets. An answer ends with its time, or sooner with a change of
//! the entity that it is about, which the owner's feed tells (`watch`). `answers` decides, this is the shell around it.
//! **Invariant:** a kept answer is never from before what its reader has seen, and a follower outlives its leader.

pub(crate) mod answers;
mod topic;
mod watch;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use freehold_wire::Cache as Rules;
use freehold_wire::{Method, Reason};
use prost::Message;
use prost::encoding::{DecodeContext, WireType, decode_key, skip_field, string};
use tokio::task::JoinSet;
use tokio::time::timeout_at;
use tonic::{Response, Status};

use self::answers::{Outcome, Question};
use self::topic::{Seat, Seen, Topic};
use crate::channel::Channel;
use crate::codec::encode;
use crate::decision::Decision;
use crate::error::Error;
use crate::explanation::Explanation;
use crate::options::CallOptions;

/// The kept answers of a channel. With it end the watches that keep them fresh.
#[derive(Default)]
pub(crate) struct Cache {
    topics: Mutex<HashMap<&'static str, Arc<Topic>>>,
    watches: Mutex<JoinSet<()>>,
}

impl Cache {
    /// What is kept about an entity; the first to ask begins to watch it.
    fn topic(&self, rules: &Rules, channel: &Channel) -> Arc<Topic> {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = || {
            let topic = Arc::new(Topic::default());
            if !rules.entity.is_empty() {
                let follow = watch::follow(channel.uncached(), rules.owner, rules.entity, topic.clone());
                self.watches.lock().unwrap_or_else(PoisonError::into_inner).spawn(follow);
            }
            topic
        };
        topics.entry(rules.entity).or_insert_with(begin).clone()
    }
}

/// A call whose answer may be a kept one.
pub(crate) struct Asking<'a, Request, Reply> {
    pub(crate) channel: &'a Channel,
    pub(crate) method: &'a Method<Request, Reply>,
    pub(crate) rules: &'a Rules,
    pub(crate) options: &'a CallOptions,
}

impl<Request, Reply> Asking<'_, Request, Reply>
where
    Request: Message + 'static,
    Reply: Message + Default + 'static,
{
    /// The answer: a kept one, the one that somebody else is getting, or the owner's.
    pub(crate) async fn answer(self, cache: &Cache, request: Request) -> Result<Reply, Error> {
        let name = self.method.rules().name();
        let deadline = self.options.deadline(self.method.rules(), Instant::now());
        let question = Arc::new(Question {
            scope: self.channel.caller().name().map(Arc::from),
            path: self.method.rules().path,
            request: encode(&request).map_err(|refused| self.refused(refused))?,
        });
        let (topic, meter) = (cache.topic(self.rules, self.channel), self.channel.meter(name));
        loop {
            let seen = self.options.session().token(self.rules.owner);
            let now = Instant::now();
            let found = topic.look(&question, seen.as_ref(), now, fastrand::f64());
            meter.looked(found.name());
            match found {
                Seen::Answer(outcome) => return opened(name, outcome),
                Seen::Soon(outcome, seat) => {
                    self.ask_beside(seat, request);
                    return opened(name, outcome);
                }
                Seen::Ask(seat) => return self.ask(seat, request, deadline).await,
                Seen::Alone => return ask(self.channel, self.method, request, &self.left(deadline)).await,
                Seen::Asked(mut said) => {
                    match timeout_at(deadline.into(), said.wait_for(Option::is_some)).await {
                        Err(_) => {
                            meter.failed(JOINED);
                            return Err(Error::late(name, Explanation::unattempted(JOINED)));
                        }
                        Ok(Ok(said)) => {
                            if let Some(outcome) = said.clone() {
                                return opened(name, outcome?);
                            }
                        }
                        // Who asked went away, or got what a change has ended: look again.
                        Ok(Err(_)) => {}
                    }
                }
            }
        }
    }

    fn refused(&self, status: Status) -> Error {
        let name = self.method.rules().name();
        self.channel.meter(name).failed(Decision::Request);
        Error::explained(name, status, true, Explanation::unattempted(Decision::Request))
    }

    async fn ask(&self, seat: Seat, request: Request, deadline: Instant) -> Result<Reply, Error> {
        let answer = ask(self.channel, self.method, request, &self.left(deadline)).await;
        settle(seat, self.rules, &answer);
        answer
    }

    /// The options of a call that began with a wait for somebody else's.
    fn left(&self, deadline: Instant) -> CallOptions {
        self.options.with_deadline(deadline.saturating_duration_since(Instant::now()))
    }

    /// Asks again in a task of its own, for as long as the contract gives it.
    fn ask_beside(&self, seat: Seat, request: Request) {
        let (channel, method, rules) = (self.channel.clone(), Method::new(*self.method.rules()), *self.rules);
        let options = CallOptions::new().with_session(self.options.session());
        tokio::spawn(async move {
            let answer: Result<Reply, Error> = ask(&channel, &method, request, &options).await;
            settle(seat, &rules, &answer);
        });
    }
}

/// The owner's answer.
async fn ask<Request, Reply>(
    channel: &Channel,
    method: &Method<Request, Reply>,
    request: Request,
    options: &CallOptions,
) -> Result<Reply, Error>
where
    Request: Message + 'static,
    Reply: Message + Default + 'static,
{
    channel.unary_response(method, request, options).await.map(Response::into_inner)
}

/// Keeps what was answered and tells those who wait for it. A failure that may be the asker's alone, of its time or its
/// place, is not told: one of them asks.
fn settle<Reply: Message>(seat: Seat, rules: &Rules, answer: &Result<Reply, Error>) {
    match answer {
        Ok(reply) => {
            let bytes = Bytes::from(reply.encode_to_vec());
            let key = rules.key.and_then(|number| key(&bytes, number));
            seat.bring(Outcome::Reply(bytes, key), rules.ttl);
        }
        Err(error) if error.is_not_found() => seat.bring(Outcome::Nothing(error.clone()), rules.ttl),
        Err(error) if error.is_deadline_exceeded() => drop(seat),
        Err(error) => seat.fail(error.clone()),
    }
}

fn opened<Reply: Message + Default>(method: &'static str, outcome: Outcome) -> Result<Reply, Error> {
    match outcome {
        Outcome::Nothing(error) => Err(error),
        Outcome::Reply(bytes, _) => Reply::decode(bytes).map_err(|error| {
            let message = format!("the kept reply does not decode: {error}");
            Error::of(method, Reason::Internal.because("BAD_REPLY", message))
        }),
    }
}

/// The string under a number of an encoded message; of several the last one counts.
fn key(mut message: &[u8], number: u32) -> Option<String> {
    let mut found = None;
    while !message.is_empty() {
        let (tag, kind) = decode_key(&mut message).ok()?;
        if tag == number && kind == WireType::LengthDelimited {
            let mut value = String::new();
            string::merge(kind, &mut value, &mut message, DecodeContext::default()).ok()?;
            found = Some(value);
        } else {
            skip_field(kind, tag, &mut message, DecodeContext::default()).ok()?;
        }
    }
    found
}

/// Who ends a call that waits for the answer of another one.
const JOINED: Decision = Decision::DeadlineJoined;
/// How long a watch may be silent before it says how long it means to be.
const FIRST_WORD: Duration = Duration::from_secs(5);
