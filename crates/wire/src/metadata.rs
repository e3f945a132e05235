//! The metadata keys of the mesh; no other crate spells one.

/// Who calls: the consumer's name as its contract declares it.
pub const CALLER: &str = "freehold-caller";
/// Who calls where an operator does: the only caller that `freehold.v1.Operations` answers.
pub const OPERATOR: &str = "operator";
/// The session: what the callee must be able to see, and in replies what the caller has seen. Binary.
pub const TOKEN: &str = "freehold-token-bin";
/// Makes a write take effect once, however often it is sent.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// What is left of the caller's deadline, in gRPC's notation.
pub const TIMEOUT: &str = "grpc-timeout";
/// W3C Trace Context.
pub const TRACEPARENT: &str = "traceparent";
/// Names one call in logs and error details; made by the first server that sees the call.
pub const REQUEST_ID: &str = "x-request-id";
/// Set on a reply that was recorded by an earlier attempt under the same idempotency key.
pub const REPLAYED: &str = "freehold-replayed";

/// How many attempts of the same call came before this one; gRPC's own.
pub const PREVIOUS_ATTEMPTS: &str = "grpc-previous-rpc-attempts";
/// Set on a call that is made for a retry, however far up that was: such a call is not retried again.
pub const RETRIED: &str = "freehold-retried";
/// In a refusal: after how many milliseconds to retry; a negative number forbids it. gRPC's own.
pub const PUSHBACK: &str = "grpc-retry-pushback-ms";

/// How much the line of work matters that a call is made for, where that is less than the most; no call of it matters more.
pub const CRITICALITY: &str = "freehold-criticality";

/// The longest idempotency key that is accepted, in bytes.
pub const MAX_IDEMPOTENCY_KEY: usize = 128;
