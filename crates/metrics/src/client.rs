//! What a consumer counts of its calls of others.
//!
//! Sources: OpenTelemetry's semantic conventions 1.45 for `rpc.client.call.duration`; what they have no name for follows
//! gRPC's own proposals A66 (attempts), A94 (connections) and A96 (retries and hedges), under `freehold.client`.

use crate::catalogue::Catalogue;
use crate::{Counter, Gauge, Histogram, Table};

const METHOD: &str = "rpc_method";
const SERVER: &str = "server_address";

/// A consumer's calls of others.
#[derive(Debug)]
pub struct Client {
    /// `rpc.client.call.duration`: by system, method, server, status code and, where it failed, error type.
    pub calls: Table<Histogram, 5>,
    /// By method, server and the deciding policy.
    pub failures: Table<Counter, 3>,
    /// By method, server and outcome.
    pub attempts: Table<Histogram, 3>,
    /// By method, server and kind.
    pub retries: Table<Counter, 3>,
    /// By method, server and outcome.
    pub hedges: Table<Counter, 3>,
    /// By method, server and result.
    pub lookups: Table<Counter, 3>,
    /// By server.
    pub connections: Table<Gauge, 1>,
    /// By server and outcome.
    pub dials: Table<Counter, 2>,
    /// By server.
    pub ejections: Table<Counter, 1>,
    /// By server.
    pub ejected: Table<Gauge, 1>,
}

impl Client {
    pub(crate) fn new(all: &mut Catalogue) -> Self {
        Self {
            calls: all.seconds(
                "rpc_client_call_duration",
                "Calls, from the caller's question to its answer, retries and hedges included",
                ["rpc_system_name", METHOD, SERVER, "rpc_status_code", "error_type"],
            ),
            failures: all.counter(
                "freehold_client_failures",
                "Calls that failed, by who had the last word",
                [METHOD, SERVER, "decision"],
            ),
            attempts: all.seconds(
                "freehold_client_attempt_duration",
                "Attempts of calls, by what each came to",
                [METHOD, SERVER, "outcome"],
            ),
            retries: all.counter(
                "freehold_client_retries",
                "Attempts that followed a failed one, by whether the callee can have seen that",
                [METHOD, SERVER, "after"],
            ),
            hedges: all.counter(
                "freehold_client_hedges",
                "Reads that a second replica was asked for as well, by whether its answer came first",
                [METHOD, SERVER, "outcome"],
            ),
            lookups: all.counter(
                "freehold_client_cache_lookups",
                "Looks for a kept answer, by what was found",
                [METHOD, SERVER, "result"],
            ),
            connections: all.gauge("freehold_client_connections", "Connections that take calls", [SERVER]),
            dials: all.counter("freehold_client_dials", "Connections that were tried", [SERVER, "outcome"]),
            ejections: all.counter(
                "freehold_client_ejections",
                "Replicas that were taken out for their failures",
                [SERVER],
            ),
            ejected: all.gauge("freehold_client_ejected_replicas", "Replicas that are out", [SERVER]),
        }
    }
}
