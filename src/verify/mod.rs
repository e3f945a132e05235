//! `freehold verify`: checks the databases of a mesh against each other and against the contracts, read-only.
//!
//! It imports no service: what must hold is written here a second time, from the outside. Beside a running mesh it
//! waits for quiet first; of a stopped one it reports what lags, and fails only on what is wrong.

mod databases;
mod entities;
mod events;
mod finding;
mod money;
mod orders;
mod positions;
mod replacements;
mod replicas;
mod rides;
mod sales;
mod stock;

use std::path::Path;
use std::time::{Duration, Instant};

use freehold_contract::Model;

use crate::cli::{Format, VerifyArgs};
use crate::config::Config;
use crate::contracts;
use crate::exit::{Exit, Failure};
use crate::output;
use crate::up;
use crate::verify::databases::{Databases, ReadError};
use crate::verify::finding::Findings;
use crate::verify::positions::Positions;

/// How long a running mesh may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(200);

/// Checks the databases in the folder.
pub(crate) fn run(args: &VerifyArgs, config: &Config, format: Format) -> Result<(), Failure> {
    let folder = up::data_folder(args.data.clone(), config);
    let model = contracts::embedded()?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::new(Exit::Failed, error))?;
    let findings = runtime.block_on(verify(&folder, &model))?;
    print(&findings, format);
    if findings.is_violated() { Err(Failure::silent(Exit::Violated)) } else { Ok(()) }
}

async fn verify(folder: &Path, model: &Model) -> Result<Findings, Failure> {
    let databases = Databases::open(folder).await.map_err(not_read)?;
    if databases.names().is_empty() {
        let problem = format!("there is no database in {}; --data names another folder", folder.display());
        return Err(Failure::new(Exit::Usage, problem));
    }
    let until = Instant::now() + PATIENCE;
    let mut before = None;
    loop {
        // Asked first: a mesh that ends while it is looked at is looked at as one that runs.
        let running = up::is_running(folder) || databases.are_owned().await.map_err(not_read)?;
        let findings = look(&databases, model).await.map_err(not_read)?;
        if findings.is_quiet() || !running {
            return Ok(findings);
        }
        if Instant::now() > until {
            return Ok(findings.that_stayed(before.as_ref()));
        }
        before = Some(findings);
        tokio::time::sleep(PAUSE).await;
    }
}

/// Waits until nothing lags in the folder of a running mesh, or for as long as a mesh may take to come to rest.
pub(crate) async fn at_rest(folder: &Path) -> Result<(), Failure> {
    verify(folder, &contracts::embedded()?).await.map(drop)
}

fn not_read(error: ReadError) -> Failure {
    Failure::new(Exit::InUse, error)
}

async fn look(databases: &Databases, model: &Model) -> Result<Findings, ReadError> {
    let mut findings = Findings::default();
    let mut moment = databases.moment().await?;
    let positions = Positions::read(databases, &mut moment).await?;
    money::check(&mut moment, &mut findings).await?;
    stock::check(&mut moment, &mut findings).await?;
    orders::check(&mut moment, &positions, &mut findings).await?;
    replacements::check(&mut moment, &mut findings).await?;
    rides::check(&mut moment, &mut findings).await?;
    sales::check(&mut moment, &positions, &mut findings).await?;
    entities::check(&mut moment, &mut findings).await?;
    replicas::check(&mut moment, model, &positions, &mut findings).await?;
    events::check(&mut moment, model, &positions, &mut findings).await?;
    Ok(findings)
}

fn print(findings: &Findings, format: Format) {
    let (violated, lagging): (Vec<_>, Vec<_>) = findings.all().iter().partition(|finding| !finding.lags);
    match format {
        Format::Json => findings.all().iter().for_each(|finding| println!("{}", serde_json::json!(finding))),
        Format::Text => {
            for finding in violated.iter().chain(&lagging) {
                let kind = if finding.lags { "lags" } else { "VIOLATED" };
                let found =
                    format!("{kind:<9} {:<9} {}: {}", finding.check, finding.subject, finding.problem);
                println!("{}", output::on_one_line(&found));
            }
            let compared = findings.comparisons();
            println!("{compared} comparisons, {} violated, {} lagging", violated.len(), lagging.len());
        }
    }
}
