//! What a server counts of its calls and connections, and the spans of calls in OpenTelemetry's words.
//!
//! In: what became of each. Out: the numbers of `freehold_metrics`, under the owner's name. **Invariant:** a call that has
//! arrived is counted once when it ends, however it ends; what its handler streams belongs to it.
//! Source: OpenTelemetry's semantic conventions 1.45, for RPC spans and metrics.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use freehold_metrics::{ByName, Counted, Counter, Gauge, Histogram, Metrics};
use freehold_wire::trace::{SpanId, Trace};
use freehold_wire::{Context, metadata, reason};
use http::HeaderMap;
use tonic::{Code, Status};
use tracing::Span;
use tracing::field::Empty;

use crate::places::Full;

/// What a method is called that nobody has heard of.
const OTHER: &str = "_OTHER";

/// What one server counts.
#[derive(Debug)]
pub(crate) struct Meter {
    metrics: Arc<Metrics>,
    others: Arc<MethodMeter>,
    connections: Gauge,
}

/// What a client did to be cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offence {
    /// It sent more control frames than it may.
    Flood,
    /// It never said what it speaks.
    Silence,
    /// It did not go when it was told to.
    Overstay,
}

/// The same of one method.
#[derive(Debug)]
pub(crate) struct MethodMeter {
    metrics: Arc<Metrics>,
    method: &'static str,
    in_flight: Gauge,
    calls: ByName<Histogram>,
}

/// A call under way; one that is dropped without a word was cancelled.
#[derive(Debug)]
pub(crate) struct CallRecord {
    meter: Arc<MethodMeter>,
    arrived: Instant,
    span: Span,
    ended: bool,
    _in_flight: Counted,
}

impl Meter {
    /// What `owner` counts.
    pub(crate) fn new(owner: &str) -> Self {
        let metrics = freehold_metrics::of(owner);
        let (others, connections) = (MethodMeter::new(&metrics, OTHER), metrics.server.connections.at([]));
        Self { others: Arc::new(others), connections, metrics }
    }

    pub(crate) fn method(&self, method: &'static str) -> Arc<MethodMeter> {
        Arc::new(MethodMeter::new(&self.metrics, method))
    }

    /// What is counted of calls of no method.
    pub(crate) fn others(&self) -> &Arc<MethodMeter> {
        &self.others
    }

    /// A connection has its place.
    pub(crate) fn connected(&self) -> Counted {
        Counted::on(&self.connections)
    }

    /// A connection found no place.
    pub(crate) fn refused(&self, full: Full) {
        let whose = match full {
            Full::All => "all",
            Full::Peer => "peer",
        };
        self.metrics.server.refused_connections.at([whose.into()]).inc();
    }

    /// Counts the connections that are cut off for this.
    pub(crate) fn dropped(&self, offence: Offence) -> Counter {
        let reason = match offence {
            Offence::Flood => "flood",
            Offence::Silence => "silence",
            Offence::Overstay => "overstay",
        };
        self.metrics.server.dropped_connections.at([reason.into()])
    }

    /// All of it as text.
    pub(crate) fn scrape(&self) -> String {
        self.metrics.scrape()
    }
}

impl MethodMeter {
    fn new(metrics: &Arc<Metrics>, method: &'static str) -> Self {
        let in_flight = metrics.server.in_flight.at([method.into()]);
        Self { metrics: Arc::clone(metrics), method, in_flight, calls: ByName::default() }
    }

    /// A call has arrived.
    pub(crate) fn call(self: &Arc<Self>, arrived: Instant) -> CallRecord {
        let (meter, in_flight) = (Arc::clone(self), Counted::on(&self.in_flight));
        CallRecord { meter, arrived, span: Span::none(), ended: false, _in_flight: in_flight }
    }
}

impl CallRecord {
    /// The call is in order: from here on what happens is logged under its names. The span above it is in `headers`.
    pub(crate) fn enter(&mut self, context: &Context, headers: &HeaderMap) -> Span {
        let (method, trace) = (self.meter.method, context.trace());
        self.span = tracing::info_span!(
            "call",
            otel.name = method,
            otel.kind = "server",
            otel.status_code = Empty,
            rpc.system.name = "grpc",
            rpc.method = method,
            rpc.status_code = Empty,
            "error.type" = Empty,
            freehold.caller = %context.caller(),
            freehold.request_id = context.request_id(),
            trace_id = %trace.id(),
            span_id = %trace.span(),
            parent_span_id = %above(headers),
        );
        self.span.clone()
    }

    /// The server itself ends the call, not its handler; the reasons are words of ours.
    pub(crate) fn refused(&mut self, status: &Status) {
        if !self.ended {
            let reason = reason::of(status);
            let reason = if reason.is_empty() { reason::spelled(status.code()).to_owned() } else { reason };
            let labels = [self.meter.method.into(), Cow::Owned(reason)];
            self.meter.metrics.server.refusals.at(labels).inc();
        }
        self.end(status.code());
    }

    /// The handler has ended it, where these headers or trailers say so.
    pub(crate) fn answered(&mut self, said: &HeaderMap) {
        if let Some(code) = said.get(Status::GRPC_STATUS) {
            self.end(Code::from_bytes(code.as_bytes()));
        }
    }

    fn end(&mut self, code: Code) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let (name, meter, took) = (reason::spelled(code), &self.meter, self.arrived.elapsed());
        self.tell(code, name);
        let error = if code == Code::Ok { "" } else { name };
        let labels = || ["grpc".into(), meter.method.into(), name.into(), error.into()];
        meter.calls.get(name, || meter.metrics.server.calls.at(labels())).observe(took);
    }

    fn tell(&self, code: Code, name: &'static str) {
        if self.span.is_disabled() {
            return;
        }
        self.span.record("rpc.status_code", name);
        if code != Code::Ok {
            self.span.record("error.type", name);
        }
        if is_of_the_server(code) {
            self.span.record("otel.status_code", "ERROR");
        }
        self.span.in_scope(|| tracing::debug!(code = name, took = ?self.arrived.elapsed(), "answered"));
    }
}

/// The span that a caller names as its own.
fn above(headers: &HeaderMap) -> SpanId {
    let said = headers.get(metadata::TRACEPARENT).and_then(|said| said.to_str().ok());
    said.and_then(Trace::parse).map_or_else(SpanId::default, Trace::span)
}

/// What the caller has brought on itself is no error of the server, says the convention.
fn is_of_the_server(code: Code) -> bool {
    use Code::{DataLoss, DeadlineExceeded, Internal, Unavailable, Unimplemented, Unknown};
    matches!(code, Unknown | DeadlineExceeded | Unimplemented | Internal | Unavailable | DataLoss)
}

impl Drop for CallRecord {
    fn drop(&mut self) {
        self.end(Code::Cancelled);
    }
}
