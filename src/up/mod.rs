//! `freehold up`: all services in one process, each on its own port and over its own database.
//!
//! The ports are bound before anything starts, so that every service knows where the others will answer. Ctrl-C, or the
//! end of one service, ends them all.

mod banner;
mod faulty;
mod mesh;
mod ready;
mod services;

use std::path::PathBuf;

use freehold_server::databases::Databases;
use freehold_server::host;

use crate::cli::UpArgs;
use crate::config::Config;
use crate::exit::{Exit, Failure};

pub(crate) use faulty::Traffic;
pub(crate) use mesh::{Plan, RunningMesh};
pub(crate) use services::{SERVICES, Service};

/// The folder of the databases where none is named.
pub(crate) const DATA: &str = "freehold-data";
/// The port of the directory where none is named.
pub(crate) const PORT: u16 = 7400;

/// Runs the mesh until it is told to end.
pub(crate) fn run(args: &UpArgs, config: &Config) -> Result<(), Failure> {
    host::log_to_stderr();
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::new(Exit::Failed, error))?;
    runtime.block_on(serve(args, config))
}

async fn serve(args: &UpArgs, config: &Config) -> Result<(), Failure> {
    let temporary = if args.ephemeral { Some(temporary_folder()?) } else { None };
    let data = match &temporary {
        Some(folder) => folder.path().to_owned(),
        None => data_folder(args.data.clone(), config),
    };
    let shutdown = host::shutdown_signal();
    let mesh = RunningMesh::start(plan(args, config, data.clone()), shutdown.clone()).await?;
    eprint!("{}", banner::banner(mesh.directory(), mesh.services(), &data, !args.ephemeral));
    if let Some(file) = &args.ready_file {
        ready::write(file, mesh.directory(), mesh.services()).map_err(|error| {
            Failure::new(Exit::Failed, format!("failed to write {}: {error}", file.display()))
        })?;
    }
    mesh.ended().await
}

fn plan(args: &UpArgs, config: &Config, data: PathBuf) -> Plan {
    Plan {
        data,
        host: args.host.unwrap_or(std::net::Ipv4Addr::LOCALHOST.into()),
        port: args.port.or(config.port).unwrap_or(PORT),
        only: if args.only.is_empty() { config.only.clone().unwrap_or_default() } else { args.only.clone() },
        smtp: config.smtp.clone(),
        trust_metadata: args.trust_metadata,
        faults: None,
    }
}

/// The folder that was named, or set, or the usual one.
pub(crate) fn data_folder(named: Option<PathBuf>, config: &Config) -> PathBuf {
    named.or_else(|| config.data.clone()).unwrap_or_else(|| DATA.into())
}

fn temporary_folder() -> Result<tempfile::TempDir, Failure> {
    tempfile::Builder::new()
        .prefix("freehold-")
        .tempdir()
        .map_err(|error| Failure::new(Exit::Failed, format!("failed to make a temporary folder: {error}")))
}

/// Whether some process has a database in the folder open as its owner. Of those on a server, the server has to be asked.
pub(crate) fn is_running(folder: &std::path::Path) -> bool {
    let Ok(databases) = Databases::of(folder) else { return false };
    freehold_sdk::PORTS.iter().any(|(name, _)| freehold_store::is_owned(&databases.url(name)))
}
