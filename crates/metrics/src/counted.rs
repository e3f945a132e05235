//! One of so many, for as long as it is there.

use crate::Gauge;

/// One more on a gauge, and one less when it is dropped.
#[derive(Debug)]
pub struct Counted(Gauge);

impl Counted {
    /// One more on `gauge`.
    #[must_use]
    pub fn on(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}
