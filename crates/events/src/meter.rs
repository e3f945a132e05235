//! What a consumer counts of one subscription.
//!
//! In: what was taken in, after its commit. Out: the numbers of `freehold_metrics`, under the consumer's name.

use std::time::{Duration, SystemTime};

use freehold_metrics::{Counted, Counter, Gauge, Histogram, Label};
use freehold_wire::pb::Envelope;

use crate::subscription::Subscription;

/// What is counted of one subscription. Cloning is cheap and shares the numbers.
#[derive(Debug, Clone)]
pub(crate) struct Meter {
    live: Gauge,
    taken: Counter,
    delivered: Counter,
    redelivered: Counter,
    fenced: Counter,
    parked_keys: Gauge,
    lag: Histogram,
}

/// What a unit of work did with its events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// They took effect.
    pub(crate) delivered: u64,
    /// They came again.
    pub(crate) redelivered: u64,
}

impl Meter {
    pub(crate) fn of(subscription: &Subscription) -> Self {
        let metrics = freehold_metrics::of(subscription.consumer());
        let labels = || [subscription.name(), subscription.owner()].map(|said| Label::from(said.to_owned()));
        let events = &metrics.events;
        Self {
            live: events.live.at(labels()),
            taken: events.taken.at(labels()),
            delivered: events.delivered.at(labels()),
            redelivered: events.redelivered.at(labels()),
            fenced: events.fenced.at(labels()),
            parked_keys: events.parked_keys.at(labels()),
            lag: events.lag.at(labels()),
        }
    }

    /// A stream is open, until what this gives is dropped.
    pub(crate) fn opened(&self) -> Counted {
        Counted::on(&self.live)
    }

    /// So many events were taken in, of which this is the last; what they led to is committed.
    pub(crate) fn took(&self, events: u64, last: &Envelope) {
        self.taken.inc_by(events);
        let time = last.time.and_then(|time| SystemTime::try_from(time).ok());
        // The clocks of two machines differ: what is from the future has just happened.
        let lag = time.map(|time| time.elapsed().unwrap_or(Duration::ZERO));
        lag.into_iter().for_each(|lag| self.lag.observe(lag));
    }

    /// A unit of work is committed.
    pub(crate) fn committed(&self, counts: Counts) {
        self.delivered.inc_by(counts.delivered);
        self.redelivered.inc_by(counts.redelivered);
    }

    /// A unit of work was refused, as another instance holds its shares.
    pub(crate) fn fenced(&self) {
        self.fenced.inc_by(1);
    }

    /// So many keys wait.
    pub(crate) fn parked(&self, keys: i64) {
        self.parked_keys.set(keys);
    }
}
