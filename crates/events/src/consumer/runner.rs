//! One subscription's loop: open the stream, hand over what arrives, reconnect.
//!
//! A thin shell around a purpose. **Invariant:** it ends only when the owner's history turns out to be another one.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::sleep;

use crate::link::{self, Link, LinkError};
use crate::purpose::{Left, Purpose, Report, State};

/// Runs one subscription.
pub(crate) struct Runner {
    pub(crate) name: String,
    pub(crate) link: Link,
    pub(crate) batch: usize,
    pub(crate) purpose: Box<dyn Purpose>,
    pub(crate) report: Report,
}

impl Runner {
    /// Runs until it is dropped, or until the owner's history turns out to be another one.
    pub(crate) async fn run(mut self) {
        let mut waits = link::reconnects();
        loop {
            let before = self.report.position();
            let left = match self.stream().await {
                Ok(never) => match never {},
                Err(left) => left,
            };
            self.purpose.left(&left);
            if let Left::Link(LinkError::HistoryLost(problem)) = left {
                tracing::error!(
                    subscription = self.name,
                    problem,
                    "the owner's history is lost, the subscription ends"
                );
                return self.report.state(State::HistoryLost(problem));
            }
            if self.report.position() != before {
                waits = link::reconnects();
            }
            self.tell(&left);
            sleep(waits.next().unwrap_or(Duration::from_secs(5))).await;
        }
    }

    async fn stream(&mut self) -> Result<Infallible, Left> {
        let after = self.purpose.resume(&self.link).await?;
        let mut arrivals = self.link.open(after).await?;
        self.purpose.opened(arrivals.epochs()).await?;
        loop {
            let batch = arrivals.next(self.batch).await?;
            self.purpose.take(batch).await?;
        }
    }

    fn tell(&self, left: &Left) {
        match left {
            Left::Link(LinkError::Ended) => {
                tracing::debug!(subscription = self.name, "the stream is opened again")
            }
            Left::Again(reason) => {
                tracing::warn!(subscription = self.name, reason, "the stream is opened again")
            }
            Left::Link(_) | Left::Store(_) => {
                let problem = left.to_string();
                if left.is_absence() {
                    tracing::info!(subscription = self.name, problem, "the owner is away");
                } else {
                    tracing::warn!(subscription = self.name, problem, "the stream broke");
                }
                self.report.state(State::Disconnected(problem));
            }
        }
    }
}
