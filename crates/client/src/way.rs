//! The way of one call: attempt after attempt, until one is answered, a policy says stop, or time is up.
//!
//! In: a call and how one attempt of it is made. Out: its answer, or an error that says who decided. **Invariant:** it
//! ends at the call's deadline, and what it started by then is cancelled.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use freehold_wire::Reason;
use futures_util::future::{Either, select};
use http::uri::Authority;
use tokio::time::{sleep, timeout, timeout_at};
use tonic::Status;
use tracing::Instrument;

use crate::call::{Call, Try};
use crate::decision::Decision;
use crate::error::Error;
use crate::explanation::{Explanation, Stage, Story};
use crate::fault::Fault;
use crate::ledger::{Ledger, MOST_CALLS};
use crate::meter::Meter;
use crate::policy::balancer::{ReplicaId, Wish};
use crate::policy::retry::{Attempts, Next, Stop};
use crate::resolver::{Place, Resolver, Source, follow};
use crate::span;
use crate::transport::dial::Patience;
use crate::transport::{Lease, Pool};

/// How long a retry waits for a connection: a little longer than a replica is ever left undialled.
const RETRY_PATIENCE: Duration = Duration::from_secs(2);

/// The way to one service.
pub(crate) struct Way {
    consumer: String,
    address: String,
    authority: Authority,
    pool: Arc<Pool>,
    ledger: Ledger,
    meter: Meter,
}

/// An attempt that no other follows.
struct Last {
    fault: Fault,
    stop: Stop,
}

/// The attempts of one call, so far.
struct Course {
    attempts: Attempts,
    tried: Vec<ReplicaId>,
    story: Story,
    /// Where the last one went.
    at: Option<SocketAddr>,
    /// How the last one failed that another was to follow.
    last: Option<Status>,
    /// Another one follows; whether the callee cannot have seen the last one.
    again: Option<bool>,
    hedge_after: Option<Duration>,
}

impl Way {
    /// The way to the replicas that `url` names, of a `service` where the mesh knows which.
    ///
    /// # Errors
    /// INVALID_ARGUMENT for what is no URL.
    pub(crate) fn to(consumer: &str, url: &str, service: Option<&str>) -> Result<Self, Error> {
        let Place { authority, source } = Place::parse(url)?;
        let way = Self::new(consumer, url, authority, service);
        match source {
            Source::Fixed(addresses) => way.pool.replace(&addresses),
            Source::Changing(resolver) => way.follow(resolver),
        }
        Ok(way)
    }

    /// The way to the replicas that `resolver` names.
    ///
    /// # Errors
    /// INVALID_ARGUMENT for an address that is no URL.
    pub(crate) fn resolved_by(
        consumer: &str,
        address: &str,
        resolver: Box<dyn Resolver>,
    ) -> Result<Self, Error> {
        let way = Self::new(consumer, address, Place::parse(address)?.authority, None);
        way.follow(resolver);
        Ok(way)
    }

    fn new(consumer: &str, address: &str, authority: Authority, service: Option<&str>) -> Self {
        let meter = Meter::new(consumer, service.unwrap_or(authority.host()));
        let (pool, ledger) = (Arc::new(Pool::new(Patience::default(), meter.sights())), Ledger::default());
        Self { consumer: consumer.to_owned(), address: address.to_owned(), authority, pool, ledger, meter }
    }

    fn follow(&self, resolver: Box<dyn Resolver>) {
        tokio::spawn(follow(Arc::downgrade(&self.pool), resolver));
    }

    pub(crate) fn consumer(&self) -> &str {
        &self.consumer
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn meter(&self) -> &Meter {
        &self.meter
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// A read of `call`'s method was answered after `took`.
    pub(crate) fn took(&self, call: &Call, took: Duration) {
        if self.pool.has_several() {
            self.ledger.took(call.method, took);
        }
    }

    /// Runs a call. A second replica is asked beside a slow one where `hedged`; `repeatable` says whether another
    /// attempt would send the same.
    pub(crate) async fn run<Answer, Asked>(
        &self,
        call: &Call,
        hedged: bool,
        attempt: impl Fn(Lease, Try) -> Asked,
        repeatable: impl Fn() -> bool,
    ) -> Result<Answer, Error>
    where
        Asked: Future<Output = Result<Answer, Fault>>,
    {
        let Some(_admitted) = self.ledger.admit() else { return Err(self.too_many(call)) };
        let read = (hedged && self.pool.has_several()).then_some(call.method);
        let mut course = Course {
            attempts: Attempts::new(call.retry, call.nested),
            tried: Vec::new(),
            story: Story::begin(call.began),
            at: None,
            last: None,
            again: None,
            hedge_after: self.ledger.begin(read, call.began),
        };
        let attempts = self.attempts(call, &mut course, attempt, repeatable);
        let attempts = attempts.instrument(call.span().clone());
        match timeout_at(call.deadline.into(), attempts).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(last)) => Err(failed(call, course, last)),
            Err(_) => Err(self.late(call, course)),
        }
    }

    async fn attempts<Answer, Asked>(
        &self,
        call: &Call,
        course: &mut Course,
        attempt: impl Fn(Lease, Try) -> Asked,
        repeatable: impl Fn() -> bool,
    ) -> Result<Answer, Last>
    where
        Asked: Future<Output = Result<Answer, Fault>>,
    {
        loop {
            course.story.enter(Stage::Connecting);
            let lease = self.place(course).await?;
            course.went_to(&lease);
            course.again.take().into_iter().for_each(|unseen| call.meter().retried(unseen));
            let fault = match self.ask(call, course, lease, &attempt).await {
                Ok(answer) => return Ok(answer),
                Err(fault) => fault,
            };
            course.story.failed(fault.reason());
            if let Fault::Unsent(_) = fault {
                return Err(Last { fault, stop: Stop::Deadline });
            }
            let now = Instant::now();
            match self.ledger.after(&mut course.attempts, fault.failed(), call.left(now), now) {
                Next::Stop(stop) => return Err(Last { fault, stop }),
                Next::Again(_) if !repeatable() => return Err(Last { fault, stop: Stop::Taken }),
                Next::Again(wait) => {
                    course.again = Some(fault.is_unseen());
                    course.last = Some(fault.status(course.at));
                    course.story.enter(Stage::Pausing);
                    pause(wait).await;
                }
            }
        }
    }

    /// A place for the next attempt. A call that nobody has seen waits for one until its deadline; one that was seen and
    /// failed has something to say, so it does not.
    async fn place(&self, course: &mut Course) -> Result<Lease, Last> {
        let leased = self.pool.lease(course.wish());
        if course.attempts.before() == 0 {
            return Ok(leased.await);
        }
        match (timeout(RETRY_PATIENCE, leased).await, course.last.take()) {
            (Ok(lease), _) => Ok(lease),
            (Err(_), Some(failed)) => Err(Last { fault: Fault::Answer(failed), stop: Stop::NoPlace }),
            (Err(_), None) => Ok(self.pool.lease(course.wish()).await),
        }
    }

    /// One attempt, or two at once.
    async fn ask<Answer, Asked>(
        &self,
        call: &Call,
        course: &mut Course,
        lease: Lease,
        attempt: &impl Fn(Lease, Try) -> Asked,
    ) -> Result<Answer, Fault>
    where
        Asked: Future<Output = Result<Answer, Fault>>,
    {
        let before = course.attempts.before();
        let first = one(call, lease, before, attempt);
        let Some(wait) = course.hedge_after else { return first.await };
        let mut first = pin!(first);
        if let Ok(outcome) = timeout(wait, &mut first).await {
            return outcome;
        }
        let Some(second) = self.second(call, course) else { return first.await };
        let mut hedge = call.meter().hedge();
        let second = pin!(one(call, second, before + 1, attempt));
        // The first answer counts, also one that refuses; the other attempt is dropped, which cancels it.
        let (outcome, of_second) = match select(first, second).await {
            Either::Left((Err(fault), second)) if !fault.failed().is_answer() => (second.await, true),
            Either::Right((Err(fault), first)) if !fault.failed().is_answer() => (first.await, false),
            Either::Left((outcome, _)) => (outcome, false),
            Either::Right((outcome, _)) => (outcome, true),
        };
        if of_second {
            hedge.won();
        }
        outcome
    }

    /// A place on another replica for a hedge, where there is one and it may be asked.
    fn second(&self, call: &Call, course: &mut Course) -> Option<Lease> {
        let lease = self.pool.try_lease(Wish { repeatable: false, ..course.wish() })?;
        let another = !course.tried.contains(&lease.at().replica);
        if !another || !self.ledger.may_hedge(call.method, Instant::now()) {
            return None;
        }
        course.tried.push(lease.at().replica);
        Some(lease)
    }

    fn too_many(&self, call: &Call) -> Error {
        let message = format!("{MOST_CALLS} calls wait for {} already", self.address);
        let status = Reason::ResourceExhausted.because("BULKHEAD_FULL", message);
        Error::explained(call.method, status, true, Explanation::unattempted(Decision::Bulkhead))
    }

    /// Time is up.
    fn late(&self, call: &Call, course: Course) -> Error {
        let Course { attempts, story, last, .. } = course;
        let asking = matches!(story.stage(), Stage::Asking(..));
        let explanation = story.timed_out();
        let unseen = !asking && attempts.before() == 0;
        match last {
            _ if asking => Error::late(call.method, explanation),
            // What has failed says more than that there was no time for another attempt.
            Some(status) => Error::explained(call.method, status, unseen, explanation),
            None => {
                let status = self.pool.no_place().status(&self.address);
                Error::explained(call.method, status, unseen, explanation)
            }
        }
    }
}

/// One attempt, on record.
async fn one<Answer, Asked>(
    call: &Call,
    lease: Lease,
    before: u32,
    attempt: &impl Fn(Lease, Try) -> Asked,
) -> Result<Answer, Fault>
where
    Asked: Future<Output = Result<Answer, Fault>>,
{
    let this = call.attempt(before);
    let span = span::of_attempt(call, this, lease.address());
    let mut record = call.meter().attempt(span);
    let outcome = attempt(lease, this).instrument(record.span()).await;
    match &outcome {
        Ok(_) => record.answered(),
        Err(fault) => record.failed(fault),
    }
    outcome
}

/// A timer takes a millisecond even for no time at all.
async fn pause(wait: Duration) {
    if !wait.is_zero() {
        sleep(wait).await;
    }
}

impl Course {
    fn wish(&self) -> Wish<'_> {
        Wish { tried: &self.tried, repeatable: self.attempts.is_repeatable() }
    }

    fn went_to(&mut self, lease: &Lease) {
        self.story.enter(Stage::Asking(lease.address(), Instant::now()));
        self.tried.push(lease.at().replica);
        self.at = Some(lease.address());
    }
}

fn failed(call: &Call, course: Course, Last { fault, stop }: Last) -> Error {
    let unseen = fault.is_unseen() && course.attempts.before() == 0;
    let decision = match fault {
        Fault::TooLarge | Fault::Malformed(_) => Decision::Reply,
        _ => stop.into(),
    };
    let alone = decision == Decision::Callee && course.attempts.before() <= 1;
    let status = fault.status(course.at);
    match alone {
        // The callee has answered the one question that it was asked: that explains itself.
        true => Error::of(call.method, status),
        false => Error::explained(call.method, status, unseen, course.story.end(decision)),
    }
}
