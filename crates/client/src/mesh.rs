//! A mesh as one consumer sees it: where each service is, and one channel to each that it calls.
//!
//! The addresses come from a fixed list, from the environment, or from the mesh's directory.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use freehold_wire::Reason;
use freehold_wire::pb::ListServicesRequest;

use crate::channel::Channel;
use crate::error::Error;
use crate::generated::DirectoryClient;

/// Where the services of a mesh are. Cloning is cheap and shares the channels.
#[derive(Clone)]
pub struct Mesh(Arc<Places>);

struct Places {
    consumer: String,
    addresses: BTreeMap<String, String>,
    channels: Mutex<HashMap<String, Channel>>,
}

impl Mesh {
    /// A mesh of the services and URLs listed, for the consumer that calls itself `consumer`.
    #[must_use]
    pub fn fixed<Name, Url>(consumer: &str, services: impl IntoIterator<Item = (Name, Url)>) -> Self
    where
        Name: Into<String>,
        Url: Into<String>,
    {
        let addresses = services.into_iter().map(|(name, url)| (name.into(), url.into())).collect();
        let consumer = consumer.to_owned();
        Self(Arc::new(Places { consumer, addresses, channels: Mutex::default() }))
    }

    /// The mesh whose directory answers at `url`.
    ///
    /// # Errors
    /// What the directory's `List` fails with.
    pub async fn directory(consumer: &str, url: &str) -> Result<Self, Error> {
        let directory = DirectoryClient::new(Channel::new(consumer, url)?);
        let listed = directory.list(ListServicesRequest::default()).await?;
        Ok(Self::fixed(consumer, listed.services.into_iter().map(|service| (service.name, service.url))))
    }

    /// The services listed, each at `FREEHOLD_<SERVICE>_URL`, or on this machine at its usual port where that is unset.
    #[must_use]
    pub fn from_env(consumer: &str, defaults: &[(&str, u16)]) -> Self {
        Self::from_variables(consumer, defaults, |variable| std::env::var(variable).ok())
    }

    fn from_variables(
        consumer: &str,
        defaults: &[(&str, u16)],
        read: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let services = defaults.iter().map(|(service, port)| {
            let said = read(&format!("FREEHOLD_{}_URL", service.to_uppercase().replace('-', "_")));
            (
                *service,
                said.filter(|url| !url.is_empty()).unwrap_or_else(|| format!("http://127.0.0.1:{port}")),
            )
        });
        Self::fixed(consumer, services)
    }

    /// The consumer that it calls for.
    #[must_use]
    pub fn consumer(&self) -> &str {
        &self.0.consumer
    }

    /// The services and their URLs, by name.
    pub fn services(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.addresses.iter().map(|(name, url)| (name.as_str(), url.as_str()))
    }

    /// The channel to a service: the same one each time. A Tokio runtime must be there.
    ///
    /// # Errors
    /// FAILED_PRECONDITION for a service that this mesh does not have, INVALID_ARGUMENT where its URL is none.
    pub fn channel(&self, service: &str) -> Result<Channel, Error> {
        let Some(address) = self.0.addresses.get(service) else { return Err(self.unknown(service)) };
        let mut channels = self.0.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = channels.get(service) {
            return Ok(channel.clone());
        }
        let channel = Channel::to_service(&self.0.consumer, service, address)?;
        channels.insert(service.to_owned(), channel.clone());
        Ok(channel)
    }

    fn unknown(&self, service: &str) -> Error {
        let known: Vec<&str> = self.0.addresses.keys().map(String::as_str).collect();
        let message = format!("the mesh has no service `{service}`; it has {}", known.join(", "));
        Error::from(Reason::FailedPrecondition.because("UNKNOWN_SERVICE", message))
    }
}

impl fmt::Debug for Mesh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = &mut f.debug_struct("Mesh");
        fields
            .field("consumer", &self.0.consumer)
            .field("addresses", &self.0.addresses)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_overrides_the_usual_port() {
        let variable =
            |name: &str| (name == "FREEHOLD_CATALOG_URL").then(|| "http://catalog:9000".to_owned());
        let mesh = Mesh::from_variables("demo", &[("catalog", 7402), ("orders", 7405)], variable);
        let services: Vec<_> = mesh.services().collect();
        assert_eq!(services, [("catalog", "http://catalog:9000"), ("orders", "http://127.0.0.1:7405")]);
    }

    #[tokio::test]
    async fn an_unknown_service_or_a_bad_address_is_named() {
        let mesh = Mesh::fixed("demo", [("catalog", "catalog:9000"), ("orders", "https://orders:1")]);
        let unknown = mesh.channel("catalogue").unwrap_err();
        assert_eq!(unknown.reason(), "UNKNOWN_SERVICE");
        assert_eq!(unknown.message(), "the mesh has no service `catalogue`; it has catalog, orders");
        for service in ["catalog", "orders"] {
            assert_eq!(mesh.channel(service).unwrap_err().reason(), "BAD_ADDRESS", "{service}");
        }
    }
}
