//! What an owner says of the events that it keeps, once a minute.

use crate::catalogue::Catalogue;
use crate::{Gauge, Table};

/// The events of an owner that it keeps.
#[derive(Debug)]
pub struct Outbox {
    /// How many there are.
    pub events: Table<Gauge, 0>,
    /// About how many bytes they take.
    pub bytes: Table<Gauge, 0>,
    /// How old the oldest is, in seconds.
    pub oldest: Table<Gauge, 0>,
    /// 1 where a subscription holds up more than the owner would keep by itself.
    pub held: Table<Gauge, 1>,
}

impl Outbox {
    pub(crate) fn new(all: &mut Catalogue) -> Self {
        Self {
            events: all.gauge("freehold_outbox_events", "Events that are kept", []),
            bytes: all.gauge("freehold_outbox_bytes", "About how many bytes they take", []),
            oldest: all.gauge(
                "freehold_outbox_oldest_seconds",
                "How long ago the oldest of them was emitted",
                [],
            ),
            held: all.gauge(
                "freehold_outbox_held",
                "1 where events are kept longer than the owner keeps them by itself, or over a GiB: for this subscription",
                ["subscription"],
            ),
        }
    }
}
