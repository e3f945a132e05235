//! Health v1 of each service that is served, and of the server as a whole under the empty name.
//!
//! A service is NOT_SERVING while it is bound and does not run, SERVING while it does, and NOT_SERVING again from the
//! moment it is told to end. Whoever watches hears of each change.

use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

/// Says of every service whether it takes calls; watchers hear of it at once.
#[derive(Debug, Clone)]
pub(crate) struct Health {
    reporter: HealthReporter,
    services: Vec<&'static str>,
}

impl Health {
    pub(crate) fn new(reporter: HealthReporter, mut services: Vec<&'static str>) -> Self {
        services.push("");
        Self { reporter, services }
    }

    /// All services take calls.
    pub(crate) async fn serving(&self) {
        self.set(ServingStatus::Serving).await;
    }

    /// No service takes calls any more.
    pub(crate) async fn not_serving(&self) {
        self.set(ServingStatus::NotServing).await;
    }

    async fn set(&self, status: ServingStatus) {
        for service in &self.services {
            self.reporter.set_service_status(service, status).await;
        }
    }
}
