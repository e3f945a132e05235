//! The directory: the services of the mesh as the gateway sees it, in the order of their ports.

use freehold_sdk::{Mesh, PORTS};
use freehold_server::directory::Directory;

/// The directory of a mesh; services that have no usual port come last.
pub(crate) fn of(mesh: &Mesh) -> Directory {
    let place = |name: &str| PORTS.iter().position(|(known, _)| *known == name).unwrap_or(PORTS.len());
    let mut services: Vec<(&str, &str)> = mesh.services().collect();
    services.sort_by_key(|(name, _)| place(name));
    Directory::new(services)
}

#[cfg(test)]
mod tests {
    use freehold_wire::Context;
    use freehold_wire::directory::DirectoryService;
    use freehold_wire::pb::ListServicesRequest;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn the_services_are_listed_in_the_order_of_their_ports() {
        let services = ["own", "users", "gateway", "catalog"].map(|name| (name, format!("http://{name}")));
        let directory = of(&Mesh::fixed(crate::NAME, services));
        let context = Context::new("demo", Duration::from_secs(1));
        let listed = directory.list(context, ListServicesRequest::default()).await.unwrap().services;
        let names: Vec<&str> = listed.iter().map(|service| &*service.name).collect();
        assert_eq!(names, ["gateway", "users", "catalog", "own"]);
        assert_eq!(listed[1].url, "http://users");
    }
}
