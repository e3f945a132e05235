//! What all connections of a server share: the stack that answers, the tasks they run in, and how many there may be.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::limits::{CROWD, HANDSHAKE, HANDSHAKE_IN_A_CROWD};
use crate::places::Places;
use crate::stack::Stack;
use crate::tasks::Tasks;

/// What all connections of a server share.
pub(crate) struct Door {
    pub(crate) stack: Arc<Stack>,
    pub(crate) tasks: Tasks,
    pub(crate) places: Arc<Places>,
    /// How old a connection gets before its client is asked to make another one.
    pub(crate) max_age: Option<Duration>,
    /// The connections that have not said yet what they speak.
    unsaid: AtomicUsize,
}

/// A connection that has not said yet what it speaks.
pub(crate) struct Unsaid<'a> {
    door: &'a Door,
    /// How long it may take.
    pub(crate) patience: Duration,
}

impl Door {
    pub(crate) fn new(
        stack: Arc<Stack>,
        tasks: Tasks,
        max_connections: usize,
        max_age: Option<Duration>,
    ) -> Self {
        Self { stack, tasks, places: Places::new(max_connections), max_age, unsaid: AtomicUsize::new(0) }
    }

    /// Notes a connection that has yet to say what it speaks. A slow network is given time, a crowd of silent ones is not.
    pub(crate) fn unsaid(&self) -> Unsaid<'_> {
        let before = self.unsaid.fetch_add(1, Ordering::Relaxed);
        Unsaid { door: self, patience: if before < CROWD { HANDSHAKE } else { HANDSHAKE_IN_A_CROWD } }
    }
}

impl Drop for Unsaid<'_> {
    fn drop(&mut self) {
        self.door.unsaid.fetch_sub(1, Ordering::Relaxed);
    }
}
