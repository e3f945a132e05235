//! A mesh in this process: its ports, its services, its directory, and its end.

use std::fs;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::PathBuf;

use freehold_sdk::{CONTRACT, Mesh, PORTS};
use freehold_server::databases::Databases;
use freehold_server::directory::Directory;
use freehold_server::host::{Host, bus_url};
use freehold_server::keep::keep;
use freehold_server::{Listen, Running, Server};
use freehold_wire::directory::DirectoryServiceServer;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::exit::{Exit, Failure, chain};
use crate::up::faulty::{FaultyNetwork, Traffic};
use crate::up::services::{SERVICES, Service, Settings};

/// What to run, and where.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The folder of the databases.
    pub(crate) data: PathBuf,
    /// The address to listen on.
    pub(crate) host: IpAddr,
    /// The port of the gateway, which is the directory's; the services take the next ones; 0 picks free ones.
    pub(crate) port: u16,
    /// Only these services; all where it is empty.
    pub(crate) only: Vec<String>,
    /// Where mails go; into files where it is not set.
    pub(crate) smtp: Option<String>,
    /// Whether the name that a caller gives itself counts beyond this machine.
    pub(crate) trust_metadata: bool,
    /// The seed of a network that fails on purpose, for a mesh that is to have one before every service.
    pub(crate) faults: Option<u64>,
}

impl Plan {
    /// All services over a folder, on free ports of this machine.
    pub(crate) fn private(data: PathBuf) -> Self {
        let host = std::net::Ipv4Addr::LOCALHOST.into();
        Self { data, host, port: 0, only: Vec::new(), smtp: None, trust_metadata: false, faults: None }
    }
}

/// A mesh that serves.
pub(crate) struct RunningMesh {
    directory: String,
    services: Vec<(String, String)>,
    tasks: JoinSet<Result<(), Failure>>,
    shutdown: CancellationToken,
    network: Option<FaultyNetwork>,
}

/// The sockets of a service, and the URL that the others know it by.
type Place = (String, Vec<TcpListener>);

impl RunningMesh {
    /// Starts the services of the plan; when this returns, all of them serve. They end with `shutdown`.
    pub(crate) async fn start(plan: Plan, shutdown: CancellationToken) -> Result<Self, Failure> {
        let chosen = choose(&plan.only)?;
        fs::create_dir_all(&plan.data).map_err(|error| {
            Failure::new(Exit::InUse, format!("failed to make the folder {}: {error}", plan.data.display()))
        })?;
        let databases = Databases::of(&plan.data).map_err(|error| Failure::new(Exit::Usage, error))?;
        let (places, network) = places(&plan, &chosen).await?;
        let services = addresses(&chosen, &places);
        let gateway = services.iter().find(|(name, _)| name == gateway::NAME).map(|(_, url)| url.clone());
        // The gateway is the directory too; without one, the directory has the port to itself.
        let (directory, alone) = match gateway {
            Some(url) => (url, None),
            None => listen(&plan, 0).map(|(url, listeners)| (url, Some(listeners)))?,
        };
        let mut mesh = Self { directory, services, tasks: JoinSet::new(), shutdown, network };
        let settings = Settings { mails: plan.data.join("mails"), smtp: plan.smtp.clone() };
        let mut starting = JoinSet::new();
        for (service, (_, listeners)) in chosen.into_iter().zip(places) {
            let host = host(&plan, service.name, databases.url(service.name), listeners)?;
            let start = (service.start)(host, mesh.view(service.name), settings.clone());
            starting.spawn(async move { start.await.map_err(|error| not_started(service.name, &*error)) });
        }
        while let Some(started) = starting.join_next().await {
            let running = started.map_err(|error| Failure::new(Exit::Failed, error))??;
            mesh.run(running);
        }
        if let Some(listeners) = alone {
            mesh.serve_directory(listeners, plan.trust_metadata).await?;
        }
        Ok(mesh)
    }

    /// The address of the directory.
    pub(crate) fn directory(&self) -> &str {
        &self.directory
    }

    /// The services and their addresses, in the order of their ports.
    pub(crate) fn services(&self) -> &[(String, String)] {
        &self.services
    }

    /// What has come through the network that fails on purpose, where there is one.
    pub(crate) fn traffic(&self) -> Option<Traffic> {
        self.network.as_ref().map(FaultyNetwork::traffic)
    }

    /// Waits until the mesh has ended: told to, or because a service of it did.
    pub(crate) async fn ended(mut self) -> Result<(), Failure> {
        let mut result = Ok(());
        while let Some(ended) = self.tasks.join_next().await {
            self.shutdown.cancel();
            let ended = ended.unwrap_or_else(|error| Err(Failure::new(Exit::Failed, error)));
            result = result.and(ended);
        }
        result
    }

    fn view(&self, consumer: &str) -> Mesh {
        let elsewhere = PORTS.iter().filter(|(name, _)| !self.services.iter().any(|(here, _)| here == name));
        let elsewhere = Mesh::from_env(consumer, &elsewhere.copied().collect::<Vec<_>>());
        let elsewhere = elsewhere.services().map(|(name, url)| (name.to_owned(), url.to_owned()));
        Mesh::fixed(consumer, self.services.iter().cloned().chain(elsewhere))
    }

    fn run(&mut self, running: Running) {
        let shutdown = self.shutdown.clone();
        self.tasks.spawn(async move {
            running.run(shutdown).await.map_err(|error| Failure::new(Exit::Failed, error))
        });
    }

    async fn serve_directory(
        &mut self,
        listeners: Vec<TcpListener>,
        trust_metadata: bool,
    ) -> Result<(), Failure> {
        let bound = Server::new("directory", &CONTRACT)
            .serve(DirectoryServiceServer::new(Directory::new(self.services.iter().cloned())))
            .listen(Listen::On(listeners))
            .trust_metadata(trust_metadata)
            .bind()
            .await
            .map_err(|error| not_started("directory", &error))?;
        self.run(Running::new(bound));
        Ok(())
    }
}

/// The services that are named; all where none is.
fn choose(only: &[String]) -> Result<Vec<&'static Service>, Failure> {
    for name in only {
        if !SERVICES.iter().any(|service| service.name == name) {
            let names: Vec<&str> = SERVICES.iter().map(|service| service.name).collect();
            let problem = format!("there is no service `{name}`; there are {}", names.join(", "));
            return Err(Failure::new(Exit::Usage, problem));
        }
    }
    let chosen = |service: &&Service| only.is_empty() || only.iter().any(|name| name == service.name);
    Ok(SERVICES.iter().filter(chosen).collect())
}

/// How many ports above the first a service answers.
fn offset(name: &str) -> u16 {
    (0..).zip(SERVICES.iter()).find(|(_, service)| service.name == name).map_or(0, |(offset, _)| offset)
}

/// Where each service is; with faults, behind a network of its own.
async fn places(plan: &Plan, chosen: &[&Service]) -> Result<(Vec<Place>, Option<FaultyNetwork>), Failure> {
    let Some(seed) = plan.faults else {
        let places = chosen.iter().map(|service| listen(plan, offset(service.name)));
        return Ok((places.collect::<Result<_, _>>()?, None));
    };
    let (mut network, mut places) = (FaultyNetwork::new(seed), Vec::with_capacity(chosen.len()));
    for service in chosen {
        let endpoints = network.before(plan.host).await;
        places.push(endpoints.map_err(|error| not_started(service.name, &error))?);
    }
    Ok((places, Some(network)))
}

fn listen(plan: &Plan, offset: u16) -> Result<Place, Failure> {
    let port = if plan.port == 0 { 0 } else { plan.port.saturating_add(offset) };
    let address = SocketAddr::new(plan.host, port);
    let failed = |error| {
        let advice = "choose another with --port, or --port 0 for free ones";
        Failure::new(Exit::InUse, format!("failed to listen on {address}: {error}; {advice}"))
    };
    let listener = TcpListener::bind(address).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((format!("http://{address}"), vec![listener]))
}

fn addresses(chosen: &[&Service], places: &[Place]) -> Vec<(String, String)> {
    let address = |(service, (url, _)): (&&Service, &Place)| (service.name.to_owned(), url.clone());
    chosen.iter().zip(places).map(address).collect()
}

fn host(plan: &Plan, name: &str, database_url: String, listeners: Vec<TcpListener>) -> Result<Host, Failure> {
    let keep = keep(name, |variable| std::env::var(variable).ok());
    let keep = keep.map_err(|error| Failure::new(Exit::Usage, error))?;
    let (listen, bus_url) = (Listen::On(listeners), bus_url(name));
    Ok(Host { listen, database_url, bus_url, trust_metadata: plan.trust_metadata, keep })
}

fn not_started(name: &str, error: &(dyn std::error::Error + 'static)) -> Failure {
    Failure::new(Exit::InUse, format!("failed to start {name}: {}", chain(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_service_is_refused_with_those_there_are() {
        assert!(choose(&["orders".to_owned(), "order".to_owned()]).is_err());
        assert_eq!(choose(&["orders".to_owned()]).unwrap().len(), 1);
        assert_eq!(choose(&[]).unwrap().len(), SERVICES.len());
    }

    #[test]
    fn the_services_follow_the_gateway_port_by_port() {
        let offsets: Vec<u16> = SERVICES.iter().map(|service| offset(service.name)).collect();
        assert_eq!(offsets, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    }
}
