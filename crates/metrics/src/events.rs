//! What a consumer counts of the events that it takes from others.
//!
//! OpenTelemetry's conventions for messaging count messages of a broker; these count effects, under
//! `freehold.subscription`.

use crate::catalogue::Catalogue;
use crate::{Counter, Gauge, Histogram, Table};

const LABELS: [&str; 2] = ["subscription", "owner"];

/// The events that a consumer takes from others; all by subscription and owner.
#[derive(Debug)]
pub struct Events {
    /// The streams that are open.
    pub live: Table<Gauge, 2>,
    /// Events that arrived and were taken in, whatever that led to.
    pub taken: Table<Counter, 2>,
    /// Those of them that came again.
    pub redelivered: Table<Counter, 2>,
    /// Those of them that had an effect at once.
    pub delivered: Table<Counter, 2>,
    /// Events that were read from their owner, as the bus lacked them or was away.
    pub refilled: Table<Counter, 2>,
    /// Units of work that were refused, as another instance of the consumer held their keys by then.
    pub fenced: Table<Counter, 2>,
    /// The keys that wait.
    pub parked_keys: Table<Gauge, 2>,
    /// How long each event was on its way.
    pub lag: Table<Histogram, 2>,
}

impl Events {
    pub(crate) fn new(all: &mut Catalogue) -> Self {
        Self {
            live: all.gauge("freehold_subscription_streams", "Streams that are open", LABELS),
            taken: all.counter(
                "freehold_subscription_taken",
                "Events that were taken in, whatever that led to",
                LABELS,
            ),
            delivered: all.counter(
                "freehold_subscription_delivered",
                "Events that took effect as they came; of views only",
                LABELS,
            ),
            redelivered: all.counter(
                "freehold_subscription_redelivered",
                "Events that came again and were dropped; of views only",
                LABELS,
            ),
            refilled: all.counter(
                "freehold_subscription_refilled",
                "Events that were read from their owner's feed, as the bus lacked them or was away",
                LABELS,
            ),
            fenced: all.counter(
                "freehold_subscription_fenced",
                "Units of work that were refused, as another instance of the consumer held their keys",
                LABELS,
            ),
            parked_keys: all.gauge(
                "freehold_subscription_parked_keys",
                "Keys that wait for a retry, a missing version or a decision; of views only",
                LABELS,
            ),
            lag: all.seconds(
                "freehold_subscription_lag",
                "From the newest event of a batch at its owner to the commit of what it led to here",
                LABELS,
            ),
        }
    }
}
