//! Replicas by their names, which the system looks up every second while there are calls.
//!
//! **Invariant:** a name that cannot be looked up keeps the addresses that it had.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use tokio::net::lookup_host;
use tokio::time::sleep;

use super::{ResolveError, Resolver};

/// How long an answer is believed; the system tells no one how long it holds. With the time of a look-up, what is new is
/// known within a second.
const INTERVAL: Duration = Duration::from_millis(900);

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
    /// Each look-up is a question to a server that others ask too.
    fn rests(&self) -> bool {
        true
    }

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

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    /// C20: it was five seconds once.
    #[tokio::test(start_paused = true)]
    async fn a_name_is_looked_up_again_within_a_second() {
        let mut names = Names::new(vec!["127.0.0.1:1".to_owned()]);
        assert_eq!(names.next().await.unwrap().len(), 1);
        let began = Instant::now();
        assert_eq!(names.next().await.unwrap().len(), 1);
        let waited = began.elapsed();
        assert!(waited > Duration::from_millis(500) && waited < Duration::from_secs(1), "{waited:?}");
    }
}
