//! Who waits for which saga to end, in this process.
//!
//! A waiter registers before it reads the saga's row, so an end between the two reaches it. Nothing rests on a
//! notification: a waiter that gets none finds the end in the row.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::handle::Ended;

type Waiters = HashMap<Arc<str>, watch::Sender<Option<Ended>>>;

/// The waiters of all sagas.
#[derive(Debug, Default)]
pub(crate) struct Endings {
    waiters: Mutex<Waiters>,
}

/// One waiter; leaves when it is dropped.
pub(crate) struct Waiter<'a> {
    endings: &'a Endings,
    id: Arc<str>,
    ended: watch::Receiver<Option<Ended>>,
}

impl Endings {
    /// Registers a waiter for the saga `id`.
    pub(crate) fn wait(&self, id: &Arc<str>) -> Waiter<'_> {
        let mut waiters = self.lock();
        let sender = waiters.entry(Arc::clone(id)).or_insert_with(|| watch::Sender::new(None));
        Waiter { endings: self, id: Arc::clone(id), ended: sender.subscribe() }
    }

    /// Tells all waiters of the saga `id` that it has ended.
    pub(crate) fn announce(&self, id: &str, ended: Ended) {
        if let Some(sender) = self.lock().remove(id) {
            sender.send_replace(Some(ended));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiters> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiter<'_> {
    /// The end, once it is announced; `None` where the announcement is over and this waiter has missed it.
    pub(crate) async fn ended(&mut self) -> Option<Ended> {
        let announced = self.ended.wait_for(Option::is_some).await;
        announced.ok().and_then(|ended| ended.clone())
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut waiters = self.endings.lock();
        // This waiter's own receiver still counts.
        if waiters.get(&self.id).is_some_and(|sender| sender.receiver_count() <= 1) {
            waiters.remove(&self.id);
        }
    }
}
