//! How a connection is made: every timeout and limit of it, and how long to wait between attempts.
//!
//! In: a URL. Out: a connection that is made when it is first needed, and again when it broke. A frozen peer is
//! believed for the keepalive's interval and timeout together; a call on it ends at its own deadline all the same.

use std::time::Duration;

use backoff::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use freehold_wire::Reason;
use tonic::transport::{Channel, Endpoint};

use crate::error::Error;

/// A peer that does not answer a SYN in this time is taken for unreachable.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How often a peer is asked for a sign of life; together with the timeout, how long a frozen one is believed.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// How long it may take to answer.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);
/// What a stream may have in flight: enough for a full message at the round-trip times of a data centre.
const STREAM_WINDOW: u32 = 1024 * 1024;
/// What all streams of a connection may have in flight together.
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;
/// The largest list of response headers, in bytes; error details travel in them.
const MAX_HEADERS: u32 = 64 * 1024;

/// A connection to `url` that is made when it is first needed, and again when it broke.
///
/// # Errors
/// INVALID_ARGUMENT for what is no URL.
pub(crate) fn lazily(url: &str) -> Result<Channel, Error> {
    let endpoint = Endpoint::from_shared(url.to_owned())
        .ok()
        .filter(|endpoint| {
            endpoint.uri().authority().is_some() && endpoint.uri().scheme_str() == Some("http")
        })
        .ok_or_else(|| {
            let message = format!("`{url}` is no address of a service: it wants http://host:port");
            Error::from(Reason::InvalidArgument.because("BAD_ADDRESS", message))
        })?;
    Ok(endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        // Without it, small messages wait for the acknowledgement of earlier ones.
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .http2_max_header_list_size(MAX_HEADERS)
        .connect_lazy())
}

/// The waits between attempts: from 10 ms, doubling to 1 s, each lengthened by chance up to twofold, without an end; the
/// deadline is the end.
pub(crate) fn waits() -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(10))
        .with_max_delay(Duration::from_secs(1))
        .with_jitter()
        .without_max_times()
        .build()
}
