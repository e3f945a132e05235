//! The context of one line of work: who asks, until when, under which key, having seen what.
//!
//! A server makes one per call out of the metadata, a reaction out of its event, a program at its start. It is the
//! first parameter of every handler and of every unit of work, and the generated clients take what they send from it.
//! **Invariant:** a context made from a parent never has more time than the parent.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::HeaderMap;
use prost::Message;
use sha2::{Digest, Sha256};
use tonic::Status;

use crate::cancellation::Cancellation;
use crate::method::{Criticality, Rules};
use crate::pb::Envelope;
use crate::reason::{Reason, bad_field};
use crate::session::Session;
use crate::trace::Trace;
use crate::{deadline, metadata};

/// Who makes a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// It did not say.
    Anonymous,
    /// A consumer, by the name that its contract declares.
    Named(Arc<str>),
}

/// The context of one line of work. Cloning is cheap and shares the session.
#[derive(Debug, Clone)]
pub struct Context {
    caller: Caller,
    method: &'static str,
    deadline: Instant,
    key: Option<Arc<str>>,
    request_hash: [u8; 32],
    session: Session,
    trace: Trace,
    request_id: Arc<str>,
    cause: Arc<str>,
    retried: bool,
    criticality: Criticality,
    cancellation: Cancellation,
}

impl Context {
    /// A context that a program starts by itself, as the consumer `name`, for at most `budget`.
    #[must_use]
    pub fn new(name: &str, budget: Duration) -> Self {
        let trace = Trace::start();
        Self {
            caller: Caller::Named(name.into()),
            method: "",
            deadline: Instant::now() + budget,
            key: None,
            request_hash: [0; 32],
            session: Session::new(),
            trace,
            request_id: trace.id().into(),
            cause: "".into(),
            retried: false,
            criticality: Criticality::Critical,
            cancellation: Cancellation::default(),
        }
    }

    /// The context of a reaction to `event` by the consumer `name`, for at most `budget`: it has seen what the event's
    /// unit of work had seen, and it names the event as its cause.
    #[must_use]
    pub fn reacting(name: &str, event: &Envelope, budget: Duration) -> Self {
        let mut context = Self::new(name, budget);
        context.session = Session::of(event.tokens.iter().cloned());
        context.trace = Trace::parse(&event.traceparent).map_or(context.trace, Trace::child);
        context.request_id = event.id.as_str().into();
        context.cause = event.id.as_str().into();
        context
    }

    /// The context of a call that arrived at `now` with these headers.
    ///
    /// # Errors
    /// INVALID_ARGUMENT for metadata that is malformed or sent twice; DEADLINE_EXCEEDED where no time is left.
    pub fn of_call(rules: &'static Rules, headers: &HeaderMap, now: Instant) -> Result<Self, Status> {
        let trace = single(headers, metadata::TRACEPARENT)?.and_then(Trace::parse).map(Trace::child);
        let trace = trace.unwrap_or_else(Trace::start);
        let request_id = single(headers, metadata::REQUEST_ID)?.filter(|id| is_printable(id, 128));
        Ok(Self {
            caller: caller(headers)?,
            method: rules.path,
            deadline: now + budget(rules, headers)?,
            key: idempotency_key(headers)?,
            request_hash: [0; 32],
            session: session(headers)?,
            trace,
            request_id: request_id.map_or_else(|| trace.id().into(), Into::into),
            cause: "".into(),
            // What these say is of no account: there is nothing that a caller could gain by them.
            retried: headers.contains_key(metadata::PREVIOUS_ATTEMPTS)
                || headers.contains_key(metadata::RETRIED),
            criticality: criticality(rules, headers)?,
            cancellation: Cancellation::default(),
        })
    }

    /// The same context with a hash of the request, to tell two payloads under one idempotency key apart.
    #[must_use]
    pub fn with_request(mut self, request: &impl Message) -> Self {
        self.request_hash = Sha256::digest(request.encode_to_vec()).into();
        self
    }

    /// The same context under an idempotency key.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<Arc<str>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// The same context as a call of `method`; for programs that call a handler without a server.
    #[must_use]
    pub fn with_method(mut self, rules: &'static Rules) -> Self {
        self.method = rules.path;
        self
    }

    /// The same context with another session: for work that goes on where a record of it left off.
    #[must_use]
    pub fn with_session(mut self, session: Session) -> Self {
        self.session = session;
        self
    }

    /// The same context in another trace, which also names it: for work that goes on where a record of it left off.
    #[must_use]
    pub fn with_trace(mut self, trace: Trace) -> Self {
        self.trace = trace;
        self.request_id = trace.id().into();
        self
    }

    /// The same context with at most `budget` left.
    #[must_use]
    pub fn with_budget(mut self, budget: Duration) -> Self {
        self.deadline = self.deadline.min(Instant::now() + budget);
        self
    }

    /// The same context for work that matters `at_most` so much, such as filling something again by the way.
    #[must_use]
    pub fn with_criticality(mut self, at_most: Criticality) -> Self {
        self.criticality = self.criticality.min(at_most);
        self
    }

    /// Who asks.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The method that was called, "/package.Service/Method"; empty where none was.
    #[must_use]
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// When time is up.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// What is left; zero when time is up.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// The idempotency key, where the caller sent one.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// SHA-256 of the request, for keyed writes.
    #[must_use]
    pub fn request_hash(&self) -> &[u8; 32] {
        &self.request_hash
    }

    /// What this line of work has seen.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The trace that this line of work belongs to.
    #[must_use]
    pub fn trace(&self) -> Trace {
        self.trace
    }

    /// Names the call in logs and error details.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// Whether this line of work is done for a retry, here or further up, so that no call of it is retried again.
    #[must_use]
    pub fn is_retried(&self) -> bool {
        self.retried
    }

    /// How much this line of work matters under overload: as much as its method, and never more than its caller's. One
    /// that a program starts by itself puts no bound on what it calls.
    #[must_use]
    pub fn criticality(&self) -> Criticality {
        self.criticality
    }

    /// Says whether the caller has gone away: then the result is of no use, and nothing of it is committed. Shared by all
    /// clones of this context.
    #[must_use]
    pub fn cancellation(&self) -> &Cancellation {
        &self.cancellation
    }

    /// The event that this line of work reacts to; empty where it does not.
    #[must_use]
    pub fn cause(&self) -> &str {
        &self.cause
    }
}

impl Caller {
    /// The name; `None` for a caller that gave none.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Anonymous => None,
            Self::Named(name) => Some(name),
        }
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name().unwrap_or("anonymous"))
    }
}

fn caller(headers: &HeaderMap) -> Result<Caller, Status> {
    let Some(name) = single(headers, metadata::CALLER)? else { return Ok(Caller::Anonymous) };
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    if name.is_empty() || name.len() > 63 || !name.bytes().all(fits) {
        return Err(bad_field(metadata::CALLER, "must be 1 to 63 of the characters a-z 0-9 - _"));
    }
    Ok(Caller::Named(name.into()))
}

fn budget(rules: &Rules, headers: &HeaderMap) -> Result<Duration, Status> {
    let Some(text) = single(headers, metadata::TIMEOUT)? else { return Ok(rules.deadline) };
    let asked = deadline::parse(text).map_err(|error| bad_field(metadata::TIMEOUT, error.to_string()))?;
    if asked.is_zero() {
        return Err(Reason::DeadlineExceeded.because("DEADLINE_SPENT", "the deadline was spent on arrival"));
    }
    Ok(asked.min(rules.max_deadline()))
}

fn criticality(rules: &Rules, headers: &HeaderMap) -> Result<Criticality, Status> {
    let Some(name) = single(headers, metadata::CRITICALITY)? else { return Ok(rules.criticality) };
    let wanted = || bad_field(metadata::CRITICALITY, "must be sheddable, default or critical");
    Ok(Criticality::named(name).ok_or_else(wanted)?.min(rules.criticality))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<Arc<str>>, Status> {
    let Some(key) = single(headers, metadata::IDEMPOTENCY_KEY)? else { return Ok(None) };
    if !is_printable(key, metadata::MAX_IDEMPOTENCY_KEY) {
        return Err(bad_field(metadata::IDEMPOTENCY_KEY, "must be 1 to 128 printable ASCII characters"));
    }
    Ok(Some(key.into()))
}

fn session(headers: &HeaderMap) -> Result<Session, Status> {
    const BASE64: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let Some(text) = single(headers, metadata::TOKEN)? else { return Ok(Session::new()) };
    let bytes = BASE64.decode(text).map_err(|_| bad_field(metadata::TOKEN, "is not base64"))?;
    Session::decode(&bytes).map_err(|error| bad_field(metadata::TOKEN, error.to_string()))
}

/// The value of a reserved key; a second one would leave open which of them counts.
fn single<'a>(headers: &'a HeaderMap, key: &'static str) -> Result<Option<&'a str>, Status> {
    let mut values = headers.get_all(key).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(bad_field(key, "must be sent once"));
    }
    value.to_str().map(Some).map_err(|_| bad_field(key, "must be ASCII"))
}

fn is_printable(text: &str, most: usize) -> bool {
    !text.is_empty() && text.len() <= most && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::{Access, Retry};

    static RULES: Rules = Rules {
        cache: None,
        path: "/a.v1.A/B",
        deadline: Duration::from_secs(1),
        min_deadline: Duration::ZERO,
        retry: Retry::Keyed,
        access: Access::Declared,
        criticality: Criticality::Default,
        streams: false,
    };

    fn call(headers: &[(&'static str, &str)]) -> Result<Context, Status> {
        let mut map = HeaderMap::new();
        for (key, value) in headers {
            map.append(*key, value.parse().unwrap());
        }
        Context::of_call(&RULES, &map, Instant::now())
    }

    /// C4: without a deadline the contract's counts; an absurd one is clamped; a malformed one is refused.
    #[test]
    fn a_deadline_is_defaulted_clamped_or_refused() {
        assert!(call(&[]).unwrap().remaining() <= Duration::from_secs(1));
        assert!(call(&[("grpc-timeout", "99999999H")]).unwrap().remaining() <= Duration::from_secs(4));
        assert_eq!(call(&[("grpc-timeout", "abc")]).unwrap_err().code(), tonic::Code::InvalidArgument);
        assert_eq!(call(&[("grpc-timeout", "0S")]).unwrap_err().code(), tonic::Code::DeadlineExceeded);
    }

    /// C25: a reserved key that is sent twice, or garbage in one, is refused by name.
    #[test]
    fn garbage_metadata_is_refused_by_name() {
        let twice = call(&[("freehold-caller", "orders"), ("freehold-caller", "payments")]).unwrap_err();
        assert_eq!(twice.message(), "freehold-caller: must be sent once");
        for (key, value) in [
            ("freehold-caller", "Or ders"),
            ("freehold-caller", ""),
            ("freehold-token-bin", "!!!"),
            ("freehold-token-bin", "AAAA"),
            ("idempotency-key", "a b"),
            ("freehold-criticality", "utmost"),
        ] {
            let status = call(&[(key, value)]).unwrap_err();
            assert!(status.message().starts_with(key), "{key}: {status}");
        }
        assert!(call(&[("traceparent", "garbage")]).is_ok(), "a broken trace starts a new one");
    }

    /// C8: a retry is known as one, whether it is one itself or is made for one.
    #[test]
    fn a_retry_is_known_as_one() {
        assert!(!call(&[]).unwrap().is_retried());
        for key in [metadata::PREVIOUS_ATTEMPTS, metadata::RETRIED] {
            assert!(call(&[(key, "1")]).unwrap().is_retried(), "{key}");
        }
    }

    /// C27: a caller can make its call matter less, and never more. The planted bug is a call that is as critical as it says.
    #[test]
    fn a_call_matters_no_more_than_its_method_and_its_caller() {
        for (said, counts) in [
            ("sheddable", Criticality::Sheddable),
            ("default", Criticality::Default),
            ("critical", Criticality::Default),
        ] {
            assert_eq!(call(&[(metadata::CRITICALITY, said)]).unwrap().criticality(), counts, "{said}");
        }
        assert_eq!(call(&[]).unwrap().criticality(), Criticality::Default);
        let program = Context::new("a", Duration::from_secs(1));
        assert_eq!(program.criticality(), Criticality::Critical);
        let aside = program.with_criticality(Criticality::Sheddable).with_criticality(Criticality::Critical);
        assert_eq!(aside.criticality(), Criticality::Sheddable);
    }

    #[test]
    fn a_session_arrives_as_it_was_sent() {
        let token = crate::pb::Token::default().with_owner("orders").with_epoch(3).with_mark(4);
        let bytes = Session::of([token.clone()]).encode().unwrap();
        let text = base64::engine::general_purpose::STANDARD_NO_PAD.encode(bytes);
        assert_eq!(call(&[("freehold-token-bin", &text)]).unwrap().session().tokens(), vec![token]);
    }
}
