//! The queue of units before an engine: bounded, in order, closed once.

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};

use crate::error::StoreError;
use crate::unit::Job;

/// What an engine's thread is asked for.
pub(crate) enum Order {
    /// Run a unit.
    Run(Box<Job>),
    /// Finish what is queued and end.
    Close,
}

/// The callers' end.
pub(crate) struct Queue {
    orders: mpsc::Sender<Order>,
    /// Its sender is the thread's; it is gone when the thread is.
    ended: watch::Receiver<()>,
}

/// The thread's end.
pub(crate) struct Orders {
    pub(crate) orders: mpsc::Receiver<Order>,
    /// Dropped last: tells that the database is free for another owner.
    pub(crate) end: watch::Sender<()>,
}

/// A queue with that many places.
pub(crate) fn queue(places: usize) -> (Queue, Orders) {
    let (sender, receiver) = mpsc::channel(places);
    let (end, ended) = watch::channel(());
    (Queue { orders: sender, ended }, Orders { orders: receiver, end })
}

impl Queue {
    /// Queues a unit; where the queue is full it waits for a place until the unit's deadline.
    pub(crate) async fn submit(&self, job: Job) -> Result<(), StoreError> {
        let deadline = job.context.deadline();
        let order = match self.orders.try_send(Order::Run(Box::new(job))) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Closed(_)) => return Err(StoreError::Closed),
            Err(TrySendError::Full(order)) => order,
        };
        match tokio::time::timeout_at(deadline.into(), self.orders.send(order)).await {
            Ok(sent) => sent.map_err(|_| StoreError::Closed),
            Err(_) => Err(StoreError::Busy("the queue of units stayed full")),
        }
    }

    /// Ends the thread behind the queue and waits until it has.
    pub(crate) async fn close(&self) {
        // Where the thread is gone already there is nothing to ask.
        let _ = self.orders.send(Order::Close).await;
        self.ended().await;
    }

    /// Waits until the thread behind the queue has ended, for whatever reason.
    pub(crate) fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut ended = self.ended.clone();
        async move { while ended.changed().await.is_ok() {} }
    }
}
