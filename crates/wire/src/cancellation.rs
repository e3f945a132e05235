//! Whether the caller of a line of work has gone away: a flag that the server sets and that long work looks at.
//!
//! A future that is dropped stops at its next await, and SQLite has none: its statements run where they are called, and ask
//! now and then whether anybody still waits for them. **Invariant:** once set it stays so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether a caller has gone away. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct Cancellation(Arc<AtomicBool>);

impl Cancellation {
    /// The caller has gone away; whoever made this for a call says so.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it has.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
