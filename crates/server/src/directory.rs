//! The directory of a mesh that runs in one place: a fixed list of its services and where they answer.
//!
//! It answers on the mesh's first port, and is all that an outside program has to know of a mesh.

use freehold_wire::directory::DirectoryService;
use freehold_wire::pb::{ListServicesRequest, ListServicesResponse, ServiceAddress};
use freehold_wire::{Context, async_trait};
use tonic::Status;

/// A fixed list of services.
#[derive(Debug, Clone)]
pub struct Directory(ListServicesResponse);

impl Directory {
    /// A directory of services by name and url, in the order given.
    pub fn new<Name: Into<String>, Url: Into<String>>(
        services: impl IntoIterator<Item = (Name, Url)>,
    ) -> Self {
        let address = |(name, url)| ServiceAddress::default().with_name(name).with_url(url);
        Self(ListServicesResponse::default().with_services(services.into_iter().map(address)))
    }
}

#[async_trait]
impl DirectoryService for Directory {
    async fn list(
        &self,
        _context: Context,
        _request: ListServicesRequest,
    ) -> Result<ListServicesResponse, Status> {
        Ok(self.0.clone())
    }
}
