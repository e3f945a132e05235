//! `freehold status`: finds out where the services are, and asks each one whether it serves.

use std::time::Duration;

use freehold_sdk::Error;
use serde::Serialize;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::cli::{Format, StatusArgs};
use crate::exit::{Exit, Failure};
use crate::place::Place;

const PATIENCE: Duration = Duration::from_secs(2);

/// A service and how it is.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) service: String,
    pub(crate) url: String,
    /// SERVING, NOT_SERVING or UNREACHABLE.
    pub(crate) state: &'static str,
}

/// Shows the services of the mesh. It fails where one of them does not serve.
pub(crate) fn run(args: &StatusArgs, format: Format) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::new(Exit::Failed, error))?;
    let unreachable =
        |error| Failure::new(Exit::Unreachable, format!("no mesh answers at {}: {error}", args.mesh));
    let rows = runtime.block_on(ask(&args.mesh)).map_err(unreachable)?;
    match format {
        Format::Text => {
            rows.iter().for_each(|row| println!("{:<14} {:<28} {}", row.service, row.url, row.state))
        }
        Format::Json => rows.iter().for_each(|row| println!("{}", serde_json::json!(row))),
    }
    if rows.iter().all(|row| row.state == "SERVING") { Ok(()) } else { Err(Failure::silent(Exit::Failed)) }
}

/// The services of the mesh and how they are; it fails where no directory answers.
pub(crate) async fn ask(place: &Place) -> Result<Vec<Row>, Error> {
    let mesh = place.mesh("freehold").await?;
    let mut rows = Vec::new();
    for (service, url) in mesh.services() {
        rows.push(Row { service: service.to_owned(), url: url.to_owned(), state: state(url).await });
    }
    Ok(rows)
}

/// Whether the service at an address serves: SERVING, NOT_SERVING or UNREACHABLE.
pub(crate) async fn state(url: &str) -> &'static str {
    let asked = tokio::time::timeout(PATIENCE, health(url)).await;
    match asked {
        Ok(Some(ServingStatus::Serving)) => "SERVING",
        Ok(Some(_)) => "NOT_SERVING",
        Ok(None) | Err(_) => "UNREACHABLE",
    }
}

async fn health(url: &str) -> Option<ServingStatus> {
    let channel = Endpoint::from_shared(url.to_owned()).ok()?.connect().await.ok()?;
    let reply = HealthClient::new(channel).check(HealthCheckRequest::default()).await.ok()?;
    ServingStatus::try_from(reply.into_inner().status).ok()
}
