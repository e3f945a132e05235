//! What a service counts of others' calls.
//!
//! Source: OpenTelemetry's semantic conventions 1.45 for `rpc.server.call.duration`; what they have no name for is under
//! `freehold.server`.

use crate::catalogue::Catalogue;
use crate::{Counter, Gauge, Histogram, Table};

const METHOD: &str = "rpc_method";

/// Others' calls of a service.
#[derive(Debug)]
pub struct Server {
    /// `rpc.server.call.duration`: by system, method, status code and, where it failed, error type.
    pub calls: Table<Histogram, 4>,
    /// By method.
    pub in_flight: Table<Gauge, 1>,
    /// By method and reason.
    pub refusals: Table<Counter, 2>,
    /// All of them.
    pub connections: Table<Gauge, 0>,
    /// By reason.
    pub refused_connections: Table<Counter, 1>,
    /// By reason.
    pub dropped_connections: Table<Counter, 1>,
}

impl Server {
    pub(crate) fn new(all: &mut Catalogue) -> Self {
        Self {
            calls: all.seconds(
                "rpc_server_call_duration",
                "Calls, from their arrival to the end of their answer",
                ["rpc_system_name", METHOD, "rpc_status_code", "error_type"],
            ),
            in_flight: all.gauge("freehold_server_calls_in_flight", "Calls under way", [METHOD]),
            refusals: all.counter(
                "freehold_server_refusals",
                "Calls that the server itself ended, not their handler, by reason",
                [METHOD, "reason"],
            ),
            connections: all.gauge("freehold_server_connections", "Connections of clients", []),
            refused_connections: all.counter(
                "freehold_server_refused_connections",
                "Connections that there was no place for, by whose places were all taken",
                ["reason"],
            ),
            dropped_connections: all.counter(
                "freehold_server_dropped_connections",
                "Connections that were cut off for what their client did: flood, silence, overstay",
                ["reason"],
            ),
        }
    }
}
