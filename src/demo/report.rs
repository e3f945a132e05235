//! What a run came to: counted while it runs, printed as a table or as JSON at its end.

use std::collections::BTreeMap;
use std::time::Duration;

use comfy_table::{Table, presets};
use serde::Serialize;

use crate::cli::Format;
use crate::up::Traffic;

/// How an order ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Stock is held and money is taken.
    Confirmed,
    /// Its saga gave everything back, for this reason.
    Rejected(String),
    /// It was not taken at all, for this reason.
    Refused(String),
}

/// Counts of one or more workers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub(crate) confirmed: u64,
    pub(crate) rejected: BTreeMap<String, u64>,
    pub(crate) refused: BTreeMap<String, u64>,
    pub(crate) shipped: u64,
    pub(crate) cancelled: u64,
    /// How long each placing took, until its saga had ended.
    pub(crate) latencies: Vec<Duration>,
}

impl Tally {
    /// Counts an order.
    pub(crate) fn order(&mut self, ended: &Ended, took: Duration) {
        self.latencies.push(took);
        match ended {
            Ended::Confirmed => self.confirmed += 1,
            Ended::Rejected(reason) => *self.rejected.entry(reason.clone()).or_default() += 1,
            Ended::Refused(reason) => *self.refused.entry(reason.clone()).or_default() += 1,
        }
    }

    /// Both counts together.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.confirmed += other.confirmed;
        self.shipped += other.shipped;
        self.cancelled += other.cancelled;
        self.latencies.extend(other.latencies);
        for (sum, counts) in [(&mut self.rejected, other.rejected), (&mut self.refused, other.refused)] {
            for (reason, count) in counts {
                *sum.entry(reason).or_default() += count;
            }
        }
        self
    }

    /// How many orders were placed: taken on, however they ended.
    pub(crate) fn placed(&self) -> u64 {
        self.confirmed + self.compensated()
    }

    /// How many sagas gave everything back.
    pub(crate) fn compensated(&self) -> u64 {
        self.rejected.values().sum()
    }

    /// How many mails the orders of this run must lead to: one per thing a customer is told.
    pub(crate) fn mails(&self) -> u64 {
        self.placed() + self.shipped + self.cancelled
    }
}

/// Counts of one or more drivers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Driven {
    pub(crate) finished: u64,
    pub(crate) cancelled: u64,
    /// How often a rider who looked got what only the drivers' owner can tell.
    pub(crate) shown_live: u64,
    pub(crate) locations_sent: u64,
    /// How many of those the owner says that it has kept.
    pub(crate) locations_accepted: u64,
}

impl Driven {
    /// Both counts together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            finished: self.finished + other.finished,
            cancelled: self.cancelled + other.cancelled,
            shown_live: self.shown_live + other.shown_live,
            locations_sent: self.locations_sent + other.locations_sent,
            locations_accepted: self.locations_accepted + other.locations_accepted,
        }
    }
}

/// What a run came to.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) seed: u64,
    pub(crate) orders: u64,
    pub(crate) placed: u64,
    pub(crate) confirmed: u64,
    pub(crate) rejected: BTreeMap<String, u64>,
    pub(crate) refused: BTreeMap<String, u64>,
    pub(crate) compensated: u64,
    pub(crate) shipped: u64,
    pub(crate) cancelled: u64,
    pub(crate) rides_finished: u64,
    pub(crate) rides_cancelled: u64,
    pub(crate) rides_shown_live: u64,
    pub(crate) locations_sent: u64,
    pub(crate) locations_accepted: u64,
    pub(crate) mails: u64,
    pub(crate) place_p50_ms: f64,
    pub(crate) place_p99_ms: f64,
    pub(crate) orders_per_second: f64,
    pub(crate) events: u64,
    pub(crate) events_per_second: f64,
    pub(crate) replica_lag_p50_ms: f64,
    pub(crate) replica_lag_p99_ms: f64,
    pub(crate) seconds: f64,
    /// What came through a network that failed on purpose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) network: Option<Traffic>,
}

impl Report {
    /// Prints it to standard output.
    pub(crate) fn print(&self, format: Format) {
        match format {
            Format::Text => println!("{}", self.table()),
            Format::Json => println!("{}", serde_json::json!(self)),
        }
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_preset(presets::NOTHING);
        let mut row = |name: &str, value: String| {
            table.add_row([name.to_owned(), value]);
        };
        row("seed", self.seed.to_string());
        row("orders asked for", self.orders.to_string());
        row("placed", self.placed.to_string());
        row("confirmed", self.confirmed.to_string());
        reasons(&mut row, "rejected", &self.rejected);
        reasons(&mut row, "not taken", &self.refused);
        row("compensated", self.compensated.to_string());
        row("shipped", self.shipped.to_string());
        row("cancelled", self.cancelled.to_string());
        row("rides finished", self.rides_finished.to_string());
        row("rides cancelled", self.rides_cancelled.to_string());
        row("rides shown live", self.rides_shown_live.to_string());
        row("locations sent / kept", format!("{} / {}", self.locations_sent, self.locations_accepted));
        row("mails", self.mails.to_string());
        row("place p50 / p99", format!("{:.1} ms / {:.1} ms", self.place_p50_ms, self.place_p99_ms));
        row("orders/s", format!("{:.0}", self.orders_per_second));
        row("events", format!("{} ({:.0}/s)", self.events, self.events_per_second));
        let (p50, p99) = (self.replica_lag_p50_ms, self.replica_lag_p99_ms);
        row("replica lag p50 / p99", format!("{p50:.1} ms / {p99:.1} ms"));
        row("in all", format!("{:.1} s", self.seconds));
        if let Some(Traffic { slow, dead, flaky, reset }) = self.network {
            row("connections to slow / dead / flaky", format!("{slow} / {dead} / {flaky}, {reset} reset"));
        }
        table
    }
}

fn reasons(row: &mut impl FnMut(&str, String), name: &str, reasons: &BTreeMap<String, u64>) {
    row(name, reasons.values().sum::<u64>().to_string());
    for (reason, count) in reasons {
        row(&format!("  {}", reason.to_lowercase().replace('_', " ")), count.to_string());
    }
}

/// The value below which `percent` of the durations lie, in milliseconds; zero where there are none.
pub(crate) fn percentile_ms(durations: &mut [Duration], percent: usize) -> f64 {
    durations.sort_unstable();
    let place = (durations.len() * percent / 100).min(durations.len().saturating_sub(1));
    durations.get(place).map_or(0.0, |duration| duration.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_expects_a_mail_for_each_thing_a_customer_is_told() {
        let mut tally = Tally::default();
        tally.order(&Ended::Confirmed, Duration::from_millis(1));
        tally.order(&Ended::Rejected("INSUFFICIENT_STOCK".to_owned()), Duration::from_millis(2));
        tally.order(&Ended::Refused("PRODUCT_DISCONTINUED".to_owned()), Duration::from_millis(3));
        tally.shipped = 1;
        assert_eq!((tally.placed(), tally.compensated(), tally.mails()), (2, 1, 3));
        let both = tally.clone().and(tally);
        assert_eq!((both.confirmed, both.rejected["INSUFFICIENT_STOCK"], both.latencies.len()), (2, 2, 6));
    }

    #[test]
    fn a_percentile_of_nothing_is_zero() {
        assert!(percentile_ms(&mut [], 99).abs() < f64::EPSILON);
        let mut durations: Vec<Duration> = (1..=100).rev().map(Duration::from_millis).collect();
        assert!((percentile_ms(&mut durations, 50) - 51.0).abs() < 1e-9);
    }
}
