//! The spans of calls and of their attempts, in OpenTelemetry's words.
//!
//! Ids are fields (`trace_id`, `span_id`, `parent_span_id`), and those that travel: the callee's span names its attempt's as
//! the one above it. Where no subscriber takes spans at this level, none is made.
//! Source: OpenTelemetry's semantic conventions 1.45, "Semantic conventions for RPC spans".

use std::net::SocketAddr;

use freehold_wire::reason;
use freehold_wire::trace::{SpanId, Trace};
use tonic::Code;
use tracing::field::Empty;
use tracing::{Span, info_span};

use crate::call::{Call, Try};
use crate::decision::Decision;

/// The span of a call, retries and all.
pub(crate) fn of_call(method: &'static str, server: &str, trace: Trace, above: SpanId) -> Span {
    info_span!(
        "call",
        otel.name = method,
        otel.kind = "client",
        otel.status_code = Empty,
        rpc.system.name = "grpc",
        rpc.method = method,
        rpc.status_code = Empty,
        "error.type" = Empty,
        server.address = server,
        freehold.decision = Empty,
        trace_id = %trace.id(),
        span_id = %trace.span(),
        parent_span_id = %above,
    )
}

/// The span of one attempt of a call, which is above it.
pub(crate) fn of_attempt(call: &Call, this: Try, at: SocketAddr) -> Span {
    info_span!(
        parent: call.span(),
        "attempt",
        otel.name = call.method,
        otel.kind = "client",
        otel.status_code = Empty,
        rpc.system.name = "grpc",
        rpc.method = call.method,
        rpc.status_code = Empty,
        "error.type" = Empty,
        network.peer.address = %at.ip(),
        network.peer.port = at.port(),
        freehold.attempts_before = this.before,
        trace_id = %this.trace.id(),
        span_id = %this.trace.span(),
        parent_span_id = %call.trace().span(),
    )
}

/// A call or an attempt ended with this code; where it failed, `error` says what became of it.
pub(crate) fn ended(span: &Span, code: Code, error: &'static str) {
    if span.is_disabled() {
        return;
    }
    span.record("rpc.status_code", reason::spelled(code));
    if code != Code::Ok {
        span.record("error.type", error);
        span.record("otel.status_code", "ERROR");
    }
}

/// Who had the last word on a call that failed.
pub(crate) fn decided(span: &Span, decision: Decision) {
    span.record("freehold.decision", decision.name());
}
