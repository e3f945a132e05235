//! What a failed attempt says about the call: did the callee refuse it, did the transport break, and if it did, can the
//! callee have seen the call?
//!
//! tonic answers a broken transport with CANCELLED, UNKNOWN or INTERNAL, depending on how it broke. Here it is always
//! UNAVAILABLE, with a reason. **Invariant:** a call counts as unprocessed only where the protocol proves it.

use std::error::Error as StdError;
use std::sync::Arc;

use freehold_wire::Reason;
use freehold_wire::codec::{is_malformed, is_over_limit};
use tonic::{ConnectError, Status, TimeoutExpired};

use crate::error::Error;

/// What became of an attempt.
#[derive(Debug, PartialEq, Eq)]
enum Fault {
    /// The callee answered so.
    Answer,
    /// Time was up.
    Deadline,
    /// There was no connection, so the callee cannot have seen the call.
    Unreachable,
    /// There was one, and it gave the call back unseen.
    Returned,
    /// It broke, whatever the callee has done by then.
    Broken,
}

/// The error of a failed attempt to call `method` at `address`.
pub(crate) fn error(method: &'static str, address: &str, status: Status) -> Error {
    let fault = fault(&status);
    let (reason, narrower, message) = match fault {
        Fault::Deadline => return deadline_exceeded(method),
        Fault::Answer if is_over_limit(&status) => {
            (Reason::ResourceExhausted, "MESSAGE_TOO_LARGE", "the reply is too large".to_owned())
        }
        Fault::Answer if is_malformed(&status) => {
            (Reason::Internal, "BAD_REPLY", format!("{address} sent what is no gRPC reply"))
        }
        Fault::Answer => return Error::of(method, status),
        Fault::Unreachable => (Reason::Unavailable, "UNREACHABLE", format!("{address} cannot be reached")),
        Fault::Returned => (Reason::Unavailable, "NOT_TAKEN", format!("{address} did not take the call")),
        Fault::Broken => {
            (Reason::Unavailable, "CONNECTION_LOST", format!("the connection to {address} broke"))
        }
    };
    let mut made = reason.because(narrower, message);
    made.set_source(Arc::new(status));
    match fault {
        Fault::Unreachable | Fault::Returned => Error::of_unprocessed(method, made),
        _ => Error::of(method, made),
    }
}

/// The error of a call whose time was up before its answer came.
pub(crate) fn deadline_exceeded(method: &'static str) -> Error {
    let message = "no answer came before the deadline";
    Error::of(method, Reason::DeadlineExceeded.status(message))
}

fn fault(status: &Status) -> Fault {
    let mut cause = status.source();
    let mut fault = Fault::Answer;
    while let Some(error) = cause {
        match of_cause(error) {
            Some(certain) => return certain,
            None => fault = Fault::Broken,
        }
        cause = error.source();
    }
    fault
}

fn of_cause(error: &(dyn StdError + 'static)) -> Option<Fault> {
    if error.is::<TimeoutExpired>() {
        return Some(Fault::Deadline);
    }
    if error.is::<ConnectError>() {
        return Some(Fault::Unreachable);
    }
    // hyper's word for a request that it had not begun to send when the connection closed.
    if error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_canceled) {
        return Some(Fault::Returned);
    }
    error.downcast_ref::<h2::Error>().filter(|error| is_unseen(error)).map(|_| Fault::Returned)
}

/// The stream was refused, or was above the last one that the peer's GOAWAY says it processed.
fn is_unseen(error: &h2::Error) -> bool {
    let refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
    let above_last = error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR);
    error.is_remote() && (refused || above_last)
}
