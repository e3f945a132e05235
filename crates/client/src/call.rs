//! One logical call: what is decided once, however often it is sent. Its deadline, its idempotency key, its trace.
//!
//! **Invariant:** what is sent never has more time than what is left; with too little left, nothing is sent.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use bytes::Bytes;
use freehold_wire::trace::Trace;
use freehold_wire::{Caller, Reason, Retry, Rules, Session, deadline, metadata, reason};
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderValue, Request};
use prost::Message;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};
use tracing::Span;

use crate::codec::{BASE64, encode};
use crate::decision::Decision;
use crate::error::Error;
use crate::explanation::Explanation;
use crate::meter::{CallRecord, MethodMeter};
use crate::options::CallOptions;
use crate::span;
use crate::transport::exchange;

/// A call on its way.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: &'static str,
    pub(crate) began: Instant,
    pub(crate) deadline: Instant,
    pub(crate) retry: Retry,
    /// It is made for a retry.
    pub(crate) nested: bool,
    path: PathAndQuery,
    least: Duration,
    headers: HeaderMap,
    session: Session,
    trace: Trace,
    meter: Arc<MethodMeter>,
    record: CallRecord,
}

/// What tells the attempts of a call apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Try {
    /// How many came before it.
    pub(crate) before: u32,
    /// Its own span.
    pub(crate) trace: Trace,
}

impl Call {
    /// Begins a call by `caller`, of which `meter` is told.
    ///
    /// # Errors
    /// DEADLINE_EXCEEDED where too little time is left, INVALID_ARGUMENT for a key that is not printable ASCII.
    pub(crate) fn begin(
        rules: &Rules,
        caller: &Caller,
        options: &CallOptions,
        meter: &Arc<MethodMeter>,
    ) -> Result<Self, Error> {
        let (began, trace) = (Instant::now(), options.trace());
        let span = span::of_call(rules.name(), meter.server(), trace, options.span());
        let mut call = Self {
            method: rules.name(),
            began,
            deadline: options.deadline(rules, began),
            retry: rules.retry,
            nested: options.is_retried(),
            path: PathAndQuery::from_static(rules.path),
            least: rules.min_deadline,
            headers: HeaderMap::with_capacity(12),
            session: options.session().clone(),
            trace: trace.recorded(!span.is_disabled()),
            meter: Arc::clone(meter),
            record: meter.call(began, span),
        };
        let headed = headers(&mut call.headers, rules, caller, options);
        match headed.and_then(|()| call.time_to_send(began)) {
            Ok(_) => Ok(call),
            Err(refused) => Err(call.refused(refused)),
        }
    }

    /// The request as it is sent, however often.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED for one over the limit.
    pub(crate) fn encoded(&mut self, request: &impl Message) -> Result<Bytes, Error> {
        encode(request).map_err(|refused| self.refused(refused))
    }

    /// The end: nothing was sent.
    fn refused(&mut self, status: Status) -> Error {
        let spent = status.code() == Code::DeadlineExceeded;
        let decision = if spent { Decision::DeadlineSpent } else { Decision::Request };
        let error = Error::explained(self.method, status, true, Explanation::unattempted(decision));
        self.record.failed(&error);
        error
    }

    /// The end, or the end of what can be said of it: its answer has come, or it failed.
    pub(crate) fn ended<Answer>(&mut self, outcome: &Result<Answer, Error>) {
        match outcome {
            Ok(_) => self.record.answered(),
            Err(error) => self.record.failed(error),
        }
    }

    /// What is counted of its method.
    pub(crate) fn meter(&self) -> &MethodMeter {
        &self.meter
    }

    /// Its own part of the trace.
    pub(crate) fn trace(&self) -> Trace {
        self.trace
    }

    /// What is recorded of it, where somebody does.
    pub(crate) fn span(&self) -> &Span {
        self.record.span()
    }

    /// The next attempt, after `before` others.
    pub(crate) fn attempt(&self, before: u32) -> Try {
        Try { before, trace: self.trace.child() }
    }

    /// What is left at `now`.
    pub(crate) fn left(&self, now: Instant) -> Duration {
        self.deadline.saturating_duration_since(now)
    }

    /// The head of an attempt: the call's metadata, with the session as it is now.
    ///
    /// # Errors
    /// DEADLINE_EXCEEDED where too little time is left.
    pub(crate) fn head(&self, authority: &Authority, attempt: Try) -> Result<Request<()>, Status> {
        let timeout = deadline::format(self.time_to_send(Instant::now())?);
        let mut headers = self.headers.clone();
        headers.insert(metadata::TIMEOUT, fresh(metadata::TIMEOUT, &timeout)?);
        headers.insert(metadata::TRACEPARENT, fresh(metadata::TRACEPARENT, &attempt.trace.to_string())?);
        if attempt.before > 0 {
            headers.insert(metadata::PREVIOUS_ATTEMPTS, HeaderValue::from(attempt.before));
        }
        if let Some(bytes) = self.session.encode() {
            let mut session = MetadataMap::from_headers(headers);
            let mut token = MetadataValue::from_bytes(&bytes);
            token.set_sensitive(true);
            session.insert_bin(metadata::TOKEN, token);
            headers = session.into_headers();
        }
        Ok(exchange::request(authority.clone(), self.path.clone(), headers))
    }

    /// Notes what an answer, or a refusal, says its callee has seen.
    pub(crate) fn saw(&self, answer: &HeaderMap) {
        let Some(value) = answer.get(metadata::TOKEN) else { return };
        // A reply that is fine but for its token is still the reply.
        if let Some(seen) = BASE64.decode(value).ok().and_then(|bytes| Session::decode(&bytes).ok()) {
            self.session.merge(&seen);
        }
    }

    fn time_to_send(&self, now: Instant) -> Result<Duration, Status> {
        let left = self.left(now);
        if left.is_zero() {
            return Err(
                Reason::DeadlineExceeded.because("DEADLINE_SPENT", "the deadline was spent before the call")
            );
        }
        if left < self.least {
            let message = format!("{left:?} are left, and the method wants at least {:?}", self.least);
            return Err(Reason::DeadlineExceeded.because("DEADLINE_TOO_SHORT", message));
        }
        Ok(left)
    }
}

/// What every attempt says.
fn headers(
    headers: &mut HeaderMap,
    rules: &Rules,
    caller: &Caller,
    options: &CallOptions,
) -> Result<(), Status> {
    if let Some(name) = caller.name() {
        headers.insert(metadata::CALLER, ascii(metadata::CALLER, name)?);
    }
    if let Some(id) = options.request_id() {
        headers.insert(metadata::REQUEST_ID, fresh(metadata::REQUEST_ID, id)?);
    }
    if rules.retry == Retry::Keyed {
        let key = options.key().map_or_else(|| uuid::Uuid::now_v7().to_string(), str::to_owned);
        headers.insert(metadata::IDEMPOTENCY_KEY, fresh(metadata::IDEMPOTENCY_KEY, &key)?);
    }
    if options.is_retried() {
        headers.insert(metadata::RETRIED, HeaderValue::from_static("1"));
    }
    if let Some(level) = options.criticality() {
        headers.insert(metadata::CRITICALITY, HeaderValue::from_static(level.name()));
    }
    Ok(())
}

/// The value of a header that no other call has. HPACK is told to keep it out of its table, where it would only push out
/// what the next call sends again.
fn fresh(name: &'static str, value: &str) -> Result<HeaderValue, Status> {
    let mut value = ascii(name, value)?;
    value.set_sensitive(true);
    Ok(value)
}

fn ascii(name: &'static str, value: &str) -> Result<HeaderValue, Status> {
    let plain = value.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    let parsed = plain.then(|| HeaderValue::from_str(value).ok()).flatten();
    parsed.ok_or_else(|| reason::bad_field(name, "must be printable ASCII"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use freehold_wire::pb::Token;
    use freehold_wire::{Access, Context, Criticality};

    use super::*;
    use crate::meter::Meter;

    /// Planted bug: one of them marked as any other header is.
    #[test]
    fn what_no_other_call_sends_is_kept_out_of_the_table_of_headers() {
        let (deadline, min_deadline) = (Duration::from_secs(5), Duration::ZERO);
        let (retry, access) = (Retry::Keyed, Access::Public);
        let rules = Rules {
            path: "/a.v1.A/Do",
            deadline,
            min_deadline,
            retry,
            access,
            cache: None,
            criticality: Criticality::Default,
            streams: false,
        };
        let context = Context::new("tester", deadline);
        context.session().saw(Token::default().with_owner("a").with_epoch(1).with_mark(1));
        let options = CallOptions::new().within(&context);
        let meter = Meter::new("tester", "a");
        let caller = Caller::Named("tester".into());
        let call = Call::begin(&rules, &caller, &options, meter.method(rules.name())).unwrap();
        let head = call.head(&Authority::from_static("a:1"), call.attempt(1)).unwrap();
        let kept_out = head.headers().iter().filter(|(_, value)| value.is_sensitive());
        let kept_out: BTreeSet<&str> = kept_out.map(|(name, _)| name.as_str()).collect();
        let fresh = [
            metadata::IDEMPOTENCY_KEY,
            metadata::REQUEST_ID,
            metadata::TIMEOUT,
            metadata::TOKEN,
            metadata::TRACEPARENT,
        ];
        assert_eq!(kept_out, fresh.into());
    }
}
