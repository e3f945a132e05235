//! One logical call: what is decided once, however often it is sent. Its deadline, its idempotency key, its trace.
//!
//! **Invariant:** what is sent never has more time than what is left; with too little left, nothing is sent.

use std::time::{Duration, Instant};

use freehold_wire::{Caller, Reason, Retry, Rules, Session, deadline, metadata};
use http::uri::PathAndQuery;
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};
use tonic::{Request, Status};

use crate::error::Error;
use crate::options::CallOptions;

/// A call on its way.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: &'static str,
    pub(crate) path: PathAndQuery,
    pub(crate) deadline: Instant,
    least: Duration,
    headers: MetadataMap,
    session: Session,
}

impl Call {
    /// Begins a call by `caller`.
    ///
    /// # Errors
    /// DEADLINE_EXCEEDED where too little time is left, INVALID_ARGUMENT for a key that is not printable ASCII.
    pub(crate) fn begin(rules: &Rules, caller: &Caller, options: &CallOptions) -> Result<Self, Error> {
        let failed = |status| Error::of_unprocessed(rules.name(), status);
        let call = Self {
            method: rules.name(),
            path: PathAndQuery::from_static(rules.path),
            deadline: options.deadline(rules, Instant::now()),
            least: rules.min_deadline,
            headers: headers(rules, caller, options).map_err(failed)?,
            session: options.session().clone(),
        };
        call.left().map_err(failed)?;
        Ok(call)
    }

    /// The request of one attempt: `message` under the call's metadata, with the session as it is now.
    ///
    /// # Errors
    /// DEADLINE_EXCEEDED where too little time is left.
    pub(crate) fn request<T>(&self, message: T) -> Result<Request<T>, Error> {
        let failed = |status| Error::of_unprocessed(self.method, status);
        let timeout = deadline::format(self.left().map_err(failed)?);
        let mut request = Request::new(message);
        *request.metadata_mut() = self.headers.clone();
        request.metadata_mut().insert(metadata::TIMEOUT, ascii(metadata::TIMEOUT, &timeout).map_err(failed)?);
        if let Some(bytes) = self.session.encode() {
            request.metadata_mut().insert_bin(metadata::TOKEN, MetadataValue::from_bytes(&bytes));
        }
        Ok(request)
    }

    /// Notes what an answer, or a refusal, says its callee has seen.
    pub(crate) fn saw(&self, answer: &MetadataMap) {
        let Some(value) = answer.get_bin(metadata::TOKEN) else { return };
        // A reply that is fine but for its token is still the reply.
        if let Some(seen) = value.to_bytes().ok().and_then(|bytes| Session::decode(&bytes).ok()) {
            self.session.merge(&seen);
        }
    }

    fn left(&self) -> Result<Duration, Status> {
        let left = self.deadline.saturating_duration_since(Instant::now());
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

fn headers(rules: &Rules, caller: &Caller, options: &CallOptions) -> Result<MetadataMap, Status> {
    let mut headers = MetadataMap::new();
    if let Some(name) = caller.name() {
        headers.insert(metadata::CALLER, ascii(metadata::CALLER, name)?);
    }
    headers.insert(metadata::TRACEPARENT, ascii(metadata::TRACEPARENT, &options.trace().to_string())?);
    if let Some(id) = options.request_id() {
        headers.insert(metadata::REQUEST_ID, ascii(metadata::REQUEST_ID, id)?);
    }
    if rules.retry == Retry::Keyed {
        let key = options.key().map_or_else(|| uuid::Uuid::now_v7().to_string(), str::to_owned);
        headers.insert(metadata::IDEMPOTENCY_KEY, ascii(metadata::IDEMPOTENCY_KEY, &key)?);
    }
    Ok(headers)
}

fn ascii(name: &'static str, value: &str) -> Result<MetadataValue<Ascii>, Status> {
    value.parse().map_err(|_| freehold_wire::reason::bad_field(name, "must be printable ASCII"))
}
