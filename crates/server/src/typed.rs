//! Every refusal leaves typed: with an `ErrorInfo`, with a code of ours where tonic has another one for our own limits,
//! and never larger than the headers that carry it.
//!
//! In: the status of a handler, or of tonic itself. Out: one that a program can match on. The original code survives,
//! unless it was tonic's own word for a limit that is ours.

use std::collections::HashMap;

use freehold_wire::codec::{is_malformed, is_over_limit};
use freehold_wire::reason::DOMAIN;
use freehold_wire::{Reason, reason};
use http::{HeaderMap, Response};
use tonic::Status;
use tonic::body::Body;
use tonic_types::{ErrorDetails, StatusExt};

/// The longest text, in bytes, which percent-encoding may triple. With the largest details that is 9 KiB; clients of others
/// take 16 KiB of headers.
const MAX_TEXT: usize = 1024;
/// The largest details, in bytes.
const MAX_DETAILS: usize = 4096;

/// The answer of a refused call.
pub(crate) fn response(status: Status) -> Response<Body> {
    refused(status).into_http()
}

/// Retypes the refusal in the headers, or in the trailers, of an answer; leaves all else as it is.
pub(crate) fn retype(headers: &mut HeaderMap) {
    let Some(code) = headers.get(Status::GRPC_STATUS) else { return };
    if code == "0" {
        return;
    }
    let Some(status) = Status::from_header_map(headers) else { return };
    // Adding a header fails only for bytes that percent-encoding and base64 do not make.
    let mut typed = HeaderMap::new();
    if refused(status).add_header(&mut typed).is_ok() {
        for name in [Status::GRPC_STATUS, Status::GRPC_MESSAGE, Status::GRPC_STATUS_DETAILS] {
            headers.remove(&name);
        }
        headers.extend(typed);
    }
}

fn refused(status: Status) -> Status {
    if is_over_limit(&status) {
        return with_metadata(
            Reason::ResourceExhausted.because("MESSAGE_TOO_LARGE", status.message()),
            status,
        );
    }
    if is_malformed(&status) {
        return with_metadata(Reason::InvalidArgument.because("MALFORMED_MESSAGE", status.message()), status);
    }
    let fits = status.message().len() <= MAX_TEXT && status.details().len() <= MAX_DETAILS;
    if fits && !status.details().is_empty() {
        return status;
    }
    let text = &status.message()[..status.message().floor_char_boundary(MAX_TEXT)];
    let said = reason::of(&status);
    let said = if said.is_empty() { reason::spelled(status.code()).to_owned() } else { said };
    let info = ErrorDetails::with_error_info(said, DOMAIN, HashMap::new());
    with_metadata(Status::with_error_details(status.code(), text, info), status)
}

fn with_metadata(mut typed: Status, original: Status) -> Status {
    *typed.metadata_mut() = original.metadata().clone();
    typed
}
