//! Why a server does not start, or ends by itself.
//!
//! Each one is a line that says what to do about it: another port, `--trust-metadata`, the contract.

use std::io;
use std::net::SocketAddr;

/// Why a server does not start, or ends by itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The port is taken.
    #[error("failed to listen on {address}: another process has this port")]
    Busy {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// The system refused the address.
    #[error("failed to listen on {address}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The system stopped giving out connections.
    #[error("failed to accept connections on {address}")]
    Accept {
        /// Where it listened.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A part that the service cannot do without has ended by itself.
    #[error(
        "failed to go on: the {part} has ended; the log says why, and a new start begins where it stands"
    )]
    Gone {
        /// What it is.
        part: &'static str,
    },
    /// The address can be reached from other machines, and nobody has said that callers there may be believed.
    #[error(
        "failed to listen on {address}: callers name themselves, and beyond loopback nothing vouches for that name; \
         --trust-metadata says that whoever reaches this address may be believed"
    )]
    Untrusted {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// The contract gives this service to another owner, or to none.
    #[error("failed to serve {service}: the contract does not give it to `{owner}`")]
    Foreign {
        /// The gRPC service.
        service: &'static str,
        /// Who wanted to serve it.
        owner: String,
    },
    /// The same service twice.
    #[error("failed to serve {service}: it is served twice")]
    Twice {
        /// The gRPC service.
        service: &'static str,
    },
    /// The contract's descriptors are damaged.
    #[error("failed to serve the contract's descriptors")]
    Descriptors(#[source] tonic_reflection::server::Error),
}
