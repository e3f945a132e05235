//! Replicas by their names, which the system looks up now and then.
//!
//! **Invariant:** a name that cannot be looked up keeps the addresses that it had.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use tokio::net::lookup_host;
use tokio::time::sleep;

use super::{ResolveError, Resolver};

/// How often names are looked up; the system tells no one how long an answer holds.
const INTERVAL: Duration = Duration::from_secs(5);

/// Replicas by their names.
#[derive(Debug)]
pub struct Names {
    names: Vec<String>,
    known: HashMap<String, Vec<SocketAddr>>,
    asked: bool,
}

impl Names {
    /// The replicas at `names`, each "host:port".
    #[must_use]
    pub fn new(names: Vec<String>) -> Self {
        Self { names, known: HashMap::new(), asked: false }
    }
}

#[async_trait]
impl Resolver for Names {
    async fn next(&mut self) -> Result<Vec<SocketAddr>, ResolveError> {
        if std::mem::replace(&mut self.asked, true) && !self.known.is_empty() {
            sleep(INTERVAL).await;
        }
        let mut failure = None;
        for name in &self.names {
            match lookup_host(name).await {
                Ok(found) => {
                    let found: Vec<SocketAddr> = found.collect();
                    if !found.is_empty() {
                        self.known.insert(name.clone(), found);
                    }
                }
                Err(error) => failure = Some(format!("failed to look up {name}: {error}")),
            }
        }
        let mut all: Vec<SocketAddr> = self.known.values().flatten().copied().collect();
        all.sort_unstable();
        all.dedup();
        match failure {
            Some(failure) if all.is_empty() => Err(failure.into()),
            _ => Ok(all),
        }
    }
}
