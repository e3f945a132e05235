//! Telling owners how far their consumers have come: lazily, and never ahead of a commit.
//!
//! An owner keeps what its slowest subscription has not acknowledged. A lost acknowledgement is made up for by the next.

use std::time::Duration;

use freehold_wire::pb::Position;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::link::Link;
use crate::purpose::Progress;

/// How often a position that moved is acknowledged, at most.
const PERIOD: Duration = Duration::from_secs(1);

/// Acknowledges the positions that are committed, until nobody tells any more.
pub(crate) async fn acknowledge(link: Link, mut progress: watch::Receiver<Progress>) {
    let mut told: Option<Position> = None;
    while progress.changed().await.is_ok() {
        let position = progress.borrow_and_update().position;
        if position != told
            && let Some(position) = position
        {
            match link.ack(position).await {
                Ok(()) => told = Some(position),
                Err(error) => tracing::debug!(%error, "an acknowledgement was lost"),
            }
        }
        sleep(PERIOD).await;
    }
}
