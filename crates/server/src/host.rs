//! The process around a service: where it listens, which database it owns, when it ends. All that a
//! thin `main.rs` needs.
//!
//! Settings come from `FREEHOLD_<SERVICE>_LISTEN`, `.._DATABASE_URL`, `.._KEEP`, `FREEHOLD_BUS_URL` and `--trust-metadata`;
//! what is unset has the value that fits one machine: the service's usual port on loopback, its database under
//! `freehold-data`. Where the other services are is a client's matter: `Mesh::from_env`.

use std::error::Error as StdError;
use std::fmt::Write;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use tokio::signal;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::databases::{Databases, DatabasesError, variable};
use crate::keep::keep;
use crate::listen::Listen;
use crate::probe::probe;
use crate::running::Running;

/// The folder of the databases where none is named.
pub const DATA: &str = "freehold-data";
const TRUST_METADATA: &str = "--trust-metadata";
/// Instead of running the service: asks the one that runs whether it serves.
const HEALTH: &str = "health";

/// Where a service runs.
#[derive(Debug)]
pub struct Host {
    /// Where it listens.
    pub listen: Listen,
    /// Its database: "sqlite:/path/orders.db" or "postgres://user@host/orders".
    pub database_url: String,
    /// The bus that it publishes to and reads from: "nats://host:port"; `None` where owners' feeds are.
    pub bus_url: Option<String>,
    /// Whether the name that a caller gives itself counts beyond this machine.
    pub trust_metadata: bool,
    /// How long it keeps its events at least; `None`: for ever.
    pub keep: Option<Duration>,
}

/// Why the settings of a process make no host.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// An argument that this program does not have.
    #[error("failed to understand the argument `{0}`; there are {TRUST_METADATA} and, alone, {HEALTH}")]
    Argument(String),
    /// A variable that is set to no address.
    #[error("failed to read {variable}: `{value}` is no address like 127.0.0.1:7401")]
    Address {
        /// The variable.
        variable: String,
        /// What it is set to.
        value: String,
    },
    /// A variable that is set to no time.
    #[error("failed to read {variable}: `{value}` is no time like 7d, and not `forever`")]
    Keep {
        /// The variable.
        variable: String,
        /// What it is set to.
        value: String,
    },
    /// The folder of the databases does not say where they are.
    #[error(transparent)]
    Databases(#[from] DatabasesError),
    /// A service without a usual port has to be told its address.
    #[error("failed to find the address of `{service}`: it has no usual port, and {variable} is not set")]
    NoAddress {
        /// The service.
        service: String,
        /// The variable that would say it.
        variable: String,
    },
}

impl Host {
    /// The host that this process's arguments and environment describe. `ports` are the usual ports of the mesh.
    ///
    /// # Errors
    /// [`HostError`] names the argument or variable at fault.
    pub fn from_env(service: &str, ports: &[(&str, u16)]) -> Result<Self, HostError> {
        Self::of(service, ports, std::env::args().skip(1), |variable| std::env::var(variable).ok())
    }

    fn of(
        service: &str,
        ports: &[(&str, u16)],
        arguments: impl Iterator<Item = String>,
        read: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, HostError> {
        let mut trust_metadata = false;
        for argument in arguments {
            match argument.as_str() {
                TRUST_METADATA => trust_metadata = true,
                _ => return Err(HostError::Argument(argument)),
            }
        }
        let variable = |setting: &str| variable(service, setting);
        let said = |setting: &str| read(&variable(setting)).filter(|value| !value.is_empty());
        let usual = ports.iter().find(|(name, _)| *name == service).map(|(_, port)| *port);
        let listen = address(service, said("LISTEN"), usual, variable("LISTEN"))?.into();
        let database_url = match said("DATABASE_URL") {
            Some(url) => url,
            None => Databases::of(Path::new(DATA))?.url(service),
        };
        let bus_url = bus_url_of(service, &read);
        let keep = keep(service, read)?;
        Ok(Self { listen, database_url, bus_url, trust_metadata, keep })
    }
}

/// The bus of a service: `FREEHOLD_<SERVICE>_BUS_URL`, or else `FREEHOLD_BUS_URL`. One that is set and empty is none.
#[must_use]
pub fn bus_url(service: &str) -> Option<String> {
    bus_url_of(service, &|variable| std::env::var(variable).ok())
}

fn bus_url_of(service: &str, read: &impl Fn(&str) -> Option<String>) -> Option<String> {
    let own = read(&format!("FREEHOLD_{}_BUS_URL", service.to_uppercase().replace('-', "_")));
    own.or_else(|| read("FREEHOLD_BUS_URL")).filter(|url| !url.is_empty())
}

/// Runs a service as a process of its own, until Ctrl-C or SIGTERM. Exit code 1 says that it did not start, or broke.
///
/// With the argument `health` it asks the one that runs where it would: exit code 0 says that it serves.
pub async fn main<Start, Starting, Failure>(service: &str, ports: &[(&str, u16)], start: Start) -> ExitCode
where
    Start: FnOnce(Host) -> Starting,
    Starting: Future<Output = Result<Running, Failure>>,
    Failure: StdError + Send + Sync + 'static,
{
    log_to_stderr();
    let outcome = match std::env::args().nth(1).as_deref() {
        Some(HEALTH) => health(service, ports).await,
        _ => run(service, ports, start).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{service}: {}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn run<Start, Starting, Failure>(
    service: &str,
    ports: &[(&str, u16)],
    start: Start,
) -> Result<(), Box<dyn StdError + Send + Sync>>
where
    Start: FnOnce(Host) -> Starting,
    Starting: Future<Output = Result<Running, Failure>>,
    Failure: StdError + Send + Sync + 'static,
{
    let shutdown = shutdown_signal();
    let running = start(Host::from_env(service, ports)?).await?;
    eprintln!("{service} answers at http://{}", running.addr());
    Ok(running.run(shutdown).await?)
}

async fn health(service: &str, ports: &[(&str, u16)]) -> Result<(), Box<dyn StdError + Send + Sync>> {
    let host = Host::of(service, ports, std::iter::empty(), |variable| std::env::var(variable).ok())?;
    Ok(probe(host.listen.address()?).await?)
}

/// Writes logs to standard error: warnings, or what `RUST_LOG` asks for. A second call changes nothing.
pub fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    // It fails where a program has set up logging of its own, which then stays.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}

/// A token that Ctrl-C or SIGTERM cancels; the second Ctrl-C ends the process where it is.
#[must_use]
pub fn shutdown_signal() -> CancellationToken {
    let shutdown = CancellationToken::new();
    let signalled = shutdown.clone();
    tokio::spawn(async move {
        asked_to_end().await;
        signalled.cancel();
        if signal::ctrl_c().await.is_ok() {
            std::process::exit(130);
        }
    });
    shutdown
}

#[cfg(unix)]
async fn asked_to_end() {
    let Ok(mut terminate) = signal::unix::signal(signal::unix::SignalKind::terminate()) else {
        return interrupted().await;
    };
    tokio::select! {
        () = interrupted() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn asked_to_end() {
    interrupted().await;
}

/// Comes with Ctrl-C; never where the system cannot tell.
async fn interrupted() {
    if signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn address(
    service: &str,
    said: Option<String>,
    usual: Option<u16>,
    variable: String,
) -> Result<SocketAddr, HostError> {
    match (said, usual) {
        (Some(value), _) => value.parse().map_err(|_| HostError::Address { variable, value }),
        (None, Some(port)) => Ok((IpAddr::from(Ipv4Addr::LOCALHOST), port).into()),
        (None, None) => Err(HostError::NoAddress { service: service.to_owned(), variable }),
    }
}

/// An error with its causes, on one line.
fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Host, HostError> {
        let read = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Host::of(
            "orders",
            &[("users", 7401), ("orders", 7405)],
            arguments.iter().map(|&a| a.to_owned()),
            read,
        )
    }

    #[test]
    fn an_unset_host_is_this_machine() {
        let host = host(&[], &[]).unwrap();
        assert_eq!(host.listen.address().unwrap().to_string(), "127.0.0.1:7405");
        assert!(host.database_url.starts_with("sqlite:/"), "{}", host.database_url);
        assert!(host.database_url.ends_with("/freehold-data/orders.db"), "{}", host.database_url);
        assert!(!host.trust_metadata);
    }

    #[test]
    fn the_environment_and_the_arguments_set_a_host() {
        let variables = [
            ("FREEHOLD_ORDERS_LISTEN", "0.0.0.0:80"),
            ("FREEHOLD_ORDERS_DATABASE_URL", "postgres://orders@db/orders"),
        ];
        let host = host(&["--trust-metadata"], &variables).unwrap();
        assert_eq!(host.listen.address().unwrap().to_string(), "0.0.0.0:80");
        assert_eq!(host.database_url, "postgres://orders@db/orders");
        assert!(host.trust_metadata);
    }

    #[test]
    fn a_wrong_setting_is_one_clear_line() {
        let line = |result: Result<Host, HostError>| chain(&result.unwrap_err());
        assert_eq!(
            line(host(&[], &[("FREEHOLD_ORDERS_LISTEN", "localhost")])),
            "failed to read FREEHOLD_ORDERS_LISTEN: `localhost` is no address like 127.0.0.1:7401",
        );
        assert_eq!(
            line(host(&["--port"], &[])),
            "failed to understand the argument `--port`; there are --trust-metadata and, alone, health",
        );
        let other = Host::of("demo", &[], std::iter::empty(), |_| None);
        assert!(line(other).contains("FREEHOLD_DEMO_LISTEN is not set"));
    }
}
