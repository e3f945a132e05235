//! The writer: the one thread that writes the database, batch after batch, until the store is closed.
//!
//! **Invariant:** it never waits for more units than are queued, and the lock file is given free after its connection
//! is closed.

use std::fs::File;

use tokio::sync::mpsc;

use super::batch::Batch;
use super::checkpoint::Checkpoints;
use super::lane::Lane;
use crate::ledger::Ledger;
use crate::queue::Order;
use crate::unit::Job;

/// The state of the writer's thread; its fields are dropped in this order.
pub(super) struct Writer {
    /// Lent to the batch that runs.
    pub(super) lane: Option<Lane>,
    pub(super) checkpoints: Checkpoints,
    pub(super) lock: File,
    pub(super) orders: mpsc::Receiver<Order>,
    pub(super) ledger: Ledger,
}

impl Writer {
    /// Runs until the store is closed or its last handle is dropped.
    pub(super) fn run(mut self) {
        while let Some(order) = self.orders.blocking_recv() {
            match order {
                Order::Run(job) => self.batch(*job),
                Order::Close => self.orders.close(),
            }
        }
        // Checkpoints hold a connection of their own; the last one to close tidies the WAL away.
        drop(self.checkpoints);
        drop(self.lane);
        drop(self.lock);
    }

    fn batch(&mut self, first: Job) {
        let batch = Batch::new(self.lane.take(), &self.ledger);
        let orders = &mut self.orders;
        let mut close = false;
        self.lane = batch.run(first, || match orders.try_recv().ok()? {
            Order::Run(job) => Some(*job),
            Order::Close => {
                close = true;
                None
            }
        });
        if close {
            self.orders.close();
        }
        self.checkpoints.committed();
    }
}
