//! `freehold doctor`: looks at what a mesh stands on (folder, disk, locks, SQLite, PostgreSQL, ports, clock, databases) and
//! at the mesh itself, and says in plain lines what is wrong and what to do.
//!
//! Looking is IO and changes nothing that stays; what is thought of it is decided by a pure function per check.

mod clock;
mod databases;
mod disk;
mod folder;
mod mesh;
mod ports;
mod postgres;
mod proto;
mod sqlite;
mod verdict;

use std::path::Path;

use freehold_server::databases::Databases;

use crate::cli::{DoctorArgs, Format};
use crate::config::Config;
use crate::contracts;
use crate::doctor::verdict::{State, Verdict};
use crate::exit::{Exit, Failure};
use crate::place::Place;
use crate::{status, up};

/// Looks, and says what it thinks. It fails where something keeps a mesh from running.
pub(crate) fn run(args: &DoctorArgs, config: &Config, format: Format) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::new(Exit::Failed, error))?;
    let data = up::data_folder(args.data.clone(), config);
    let port = config.port.unwrap_or(up::PORT);
    let verdicts = runtime.block_on(examine(&data, &args.mesh, port));
    for verdict in &verdicts {
        match format {
            Format::Text => println!("{}", verdict.lines()),
            Format::Json => println!("{}", serde_json::json!(verdict)),
        }
    }
    let wrong = verdicts.iter().any(|verdict| verdict.state == State::Wrong);
    if wrong { Err(Failure::silent(Exit::Unwell)) } else { Ok(()) }
}

async fn examine(data: &Path, place: &Place, port: u16) -> Vec<Verdict> {
    let mut verdicts = ground(data).await;
    verdicts.push(ports::check(&ports::look(port).await));
    let databases = databases::look(data).await;
    let newest = databases.iter().filter_map(|database| database.newest).max();
    verdicts.push(clock::check(&clock::look(newest)));
    verdicts.extend(databases::check(&databases));
    let named = Databases::of(data).unwrap_or_default();
    let named =
        |variable: &str| std::env::var(variable).ok().or_else(|| named.line(variable).map(Into::into));
    let on_servers = postgres::look(named).await;
    verdicts.extend(on_servers.iter().map(|(service, seen)| postgres::check(service, seen)));
    let owned = databases.iter().any(|database| database.owner.is_some());
    let rows = status::ask(place).await.map_err(|error| error.to_string());
    verdicts.push(mesh::check(place, &rows, owned));
    verdicts.push(proto::check(&proto::look(), contracts::EMBEDDED));
    verdicts
}

/// What databases stand on; where nothing can be written there, there is nothing more to try.
async fn ground(data: &Path) -> Vec<Verdict> {
    let (seen, scratch) = folder::look(data);
    let mut verdicts = vec![folder::check(&seen)];
    if let Some(scratch) = scratch {
        verdicts.push(folder::check_locks(folder::try_locks(scratch.path())));
        verdicts.push(disk::check(&disk::look(scratch.path())));
        verdicts.push(sqlite::check(&sqlite::look(scratch.path()).await));
    }
    verdicts
}
