//! How a copy stands at this moment, told by its applier to whoever reads.

use std::sync::Arc;
use std::time::{Duration, Instant};

use freehold_wire::Watermark;
use tokio::sync::watch;

/// How a copy stands.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    /// It is complete.
    pub(crate) ready: bool,
    /// Its owner is connected.
    pub(crate) connected: bool,
    /// How far it has come.
    pub(crate) watermark: Arc<Watermark>,
    /// When its owner stood there; `None` where that was never heard.
    pub(crate) as_of: Option<Instant>,
    /// The owner's history is another one.
    pub(crate) lost: Option<Arc<str>>,
}

impl Standing {
    /// Nothing has been copied yet.
    pub(crate) fn nothing(owner: &str) -> Self {
        let watermark = Arc::new(Watermark::new(owner, Vec::new(), 0));
        Self { ready: false, connected: false, watermark, as_of: None, lost: None }
    }

    /// How old the copy is at most.
    pub(crate) fn age(&self, now: Instant) -> Option<Duration> {
        self.as_of.map(|as_of| now.saturating_duration_since(as_of))
    }
}

/// Where an applier tells and readers hear.
#[derive(Debug, Clone)]
pub(crate) struct Board(watch::Sender<Standing>);

impl Board {
    pub(crate) fn new(standing: Standing) -> Self {
        Self(watch::Sender::new(standing))
    }

    pub(crate) fn read(&self) -> Standing {
        self.0.borrow().clone()
    }

    pub(crate) fn look<R>(&self, look: impl FnOnce(&Standing) -> R) -> R {
        look(&self.0.borrow())
    }

    pub(crate) fn hear(&self) -> watch::Receiver<Standing> {
        self.0.subscribe()
    }

    pub(crate) fn tell(&self, change: impl FnOnce(&mut Standing)) {
        self.0.send_modify(change);
    }
}
