//! The services that this command can run, and how each one starts. One table; its order is the order of the ports.

use std::error::Error;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;

use freehold_sdk::Mesh;
use freehold_server::Running;
use freehold_server::host::Host;
use freehold_store::Options;

type Starting = Pin<Box<dyn Future<Output = Result<Running, Box<dyn Error + Send + Sync>>> + Send>>;

/// What single services are told beyond their host.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The folder that mails are written into.
    pub(crate) mails: PathBuf,
    /// The mail server that they go to instead.
    pub(crate) smtp: Option<String>,
}

/// A service of this mesh.
pub(crate) struct Service {
    /// The owner's name in the contracts.
    pub(crate) name: &'static str,
    /// How its database is opened.
    pub(crate) options: fn(&str) -> Options,
    /// Opens its database, joins the mesh and binds its port.
    pub(crate) start: fn(Host, Mesh, Settings) -> Starting,
}

/// Makes a row of the table out of a service's crate, and of what it is started with.
macro_rules! service {
    ($service:ident) => {
        Service {
            name: $service::NAME,
            options: $service::options,
            start: |host, _, _| Box::pin(async move { Ok($service::start(host).await?) }),
        }
    };
    ($service:ident, mesh) => {
        Service {
            name: $service::NAME,
            options: $service::options,
            start: |host, mesh, _| Box::pin(async move { Ok($service::start(host, mesh).await?) }),
        }
    };
}

/// All services.
pub(crate) const SERVICES: [Service; 9] = [
    service!(gateway, mesh),
    service!(users),
    service!(catalog, mesh),
    service!(inventory, mesh),
    service!(payments, mesh),
    service!(orders, mesh),
    Service {
        name: notifications::NAME,
        options: notifications::options,
        start: |host, mesh, settings| {
            Box::pin(async move {
                let mails = notifications::Mails { folder: settings.mails, smtp: settings.smtp };
                Ok(notifications::start(host, mesh, mails).await?)
            })
        },
    },
    service!(drivers),
    service!(rides, mesh),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_owner_in_the_order_of_its_port() {
        let here: Vec<&str> = SERVICES.iter().map(|service| service.name).collect();
        let ports: Vec<&str> = freehold_sdk::PORTS.iter().map(|(name, _)| *name).collect();
        assert_eq!(here, ports);
    }
}
