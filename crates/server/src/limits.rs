//! Every limit that a connection is held to, in one place.
//!
//! HTTP/2 leaves most of these open or generous; a server that does not say them can be made to hold what it never
//! wanted. Sizes are in bytes.

use std::time::Duration;

use hyper::server::conn::{http1, http2::Builder};
use hyper_util::rt::TokioTimer;

use crate::calls::Calls;

/// Connections at once, where nobody sets another number; one peer gets half of them. Further ones are refused.
pub(crate) const MAX_CONNECTIONS: usize = 1024;
/// How long a new connection may take to say what it speaks.
pub(crate) const HANDSHAKE: Duration = Duration::from_secs(5);
/// How long it may take where many others have not said it either.
pub(crate) const HANDSHAKE_IN_A_CROWD: Duration = Duration::from_secs(1);
/// So many are a crowd.
pub(crate) const CROWD: usize = 32;
/// How long a connection is kept that no call comes on.
pub(crate) const IDLE: Duration = Duration::from_secs(15 * 60);
/// The same where three quarters of all places are taken; also how often it is looked.
pub(crate) const IDLE_WHERE_SCARCE: Duration = Duration::from_secs(10);
/// How long a connection that was told to go may take for it, beyond the longest call that may be under way on it: for the
/// word to arrive, which a sign of life takes as long for, and for the last answer to be read.
pub(crate) const LEAVING: Duration = Duration::from_secs(30);
/// Calls at once on one connection; the peer queues further ones.
const MAX_STREAMS: u32 = 512;
/// All headers of a request together. Beyond it the request is answered 431 before it is a call.
const MAX_HEADERS: u32 = 64 * 1024;
/// The metadata entries of a call.
pub(crate) const MAX_METADATA: usize = 128;
/// What a call may send ahead of being read.
const STREAM_WINDOW: u32 = 256 * 1024;
/// What all calls of a connection may send ahead of being read.
///
/// It also bounds how many small messages may wait unread: the library counts a frame that is kept as 256 bytes at least,
/// and ends the connection, and all calls on it, when what it has counted beyond the bytes themselves is more than half of
/// this window. So it is twice what [`UNREAD`] messages of every call come to, some 8,000 of the smallest.
const CONNECTION_WINDOW: u32 = 2 * MAX_STREAMS * UNREAD * 256;
/// Small messages of each call that may wait unread, where all calls of a connection have as many.
const UNREAD: u32 = 16;
/// One frame; HTTP/2's own least, so that calls of a connection take turns.
const FRAME: u32 = 16 * 1024;
/// What is kept for a peer that does not read its answers, per call.
const SEND_BUFFER: usize = 256 * 1024;
/// How long a connection may be silent before it is asked for a sign of life.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
/// How long it may take to give one.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// Calls that a peer may begin and reset before we have seen them (CVE-2023-44487, "rapid reset").
const PENDING_RESETS: usize = 20;
/// Calls that a peer may make us reset by its own errors.
const ERROR_RESETS: usize = 1024;

/// What serves a connection.
pub(crate) fn http2(calls: Calls) -> Builder<Calls> {
    let mut builder = Builder::new(calls);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEADERS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME)
        .max_send_buf_size(SEND_BUFFER)
        .keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .max_pending_accept_reset_streams(PENDING_RESETS)
        .max_local_error_reset_streams(ERROR_RESETS)
        // A gRPC answer needs none.
        .auto_date_header(false);
    builder
}

/// What serves a connection of HTTP/1.1.
pub(crate) fn http1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // It counts while a connection waits for its next request, too.
        .header_read_timeout(KEEPALIVE_INTERVAL + KEEPALIVE_TIMEOUT)
        .max_headers(MAX_METADATA)
        .max_buf_size(MAX_HEADERS as usize);
    builder
}
