//! What a service counts about its calls, connections and events, and how Prometheus reads it.
//!
//! Every name, unit and label of the mesh is here (`client`, `server`, `events`); docs/observing.md is held to it. What is
//! counted belongs to a name of the contract, [`of`]: in a process of many services each has its own. **Invariant:** to
//! count takes no lock and no allocation once a handle is there.

mod catalogue;
mod client;
mod counted;
mod events;
mod histogram;
mod kept;
mod outbox;
mod scraped;
mod server;
mod table;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use crate::catalogue::Catalogue;

pub use catalogue::Described;
pub use client::Client;
pub use counted::Counted;
pub use events::Events;
pub use histogram::Histogram;
pub use kept::ByName;
pub use outbox::Outbox;
pub use scraped::{Malformed, Scraped};
pub use server::Server;
pub use table::{Label, Table};

/// A number that only grows.
pub type Counter = prometheus_client::metrics::counter::Counter;
/// A number that goes up and down.
pub type Gauge = prometheus_client::metrics::gauge::Gauge;

/// The media type of [`Metrics::scrape`]: OpenMetrics 1.0, which Prometheus asks for.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What one service, or one other consumer, counts.
pub struct Metrics {
    registry: Registry,
    /// Its calls of others.
    pub client: Client,
    /// Others' calls of it.
    pub server: Server,
    /// The events that it takes from others.
    pub events: Events,
    /// Its own events, as far as it keeps them.
    pub outbox: Outbox,
}

/// What each name counts.
static ALL: LazyLock<Mutex<BTreeMap<String, Arc<Metrics>>>> = LazyLock::new(Mutex::default);

/// What `name` counts, a service or a consumer as the contract names it: the same each time.
#[must_use]
pub fn of(name: &str) -> Arc<Metrics> {
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = all.get(name) {
        return Arc::clone(known);
    }
    let new = Arc::new(Metrics::new().0);
    all.insert(name.to_owned(), Arc::clone(&new));
    new
}

/// Every metric that there is, in the order of the page that explains them.
#[must_use]
pub fn described() -> Vec<Described> {
    Metrics::new().1
}

impl Metrics {
    fn new() -> (Self, Vec<Described>) {
        let mut catalogue = Catalogue::default();
        let client = Client::new(&mut catalogue);
        let server = Server::new(&mut catalogue);
        let events = Events::new(&mut catalogue);
        let outbox = Outbox::new(&mut catalogue);
        let (registry, described) = catalogue.end();
        (Self { registry, client, server, events, outbox }, described)
    }

    /// All of it as text, of the type [`CONTENT_TYPE`].
    #[must_use]
    pub fn scrape(&self) -> String {
        let mut text = String::new();
        // A string takes whatever is written to it.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_name_counts_for_itself_and_the_same_each_time() {
        let (one, other) = (of("one"), of("other"));
        one.events.delivered.at(["a".into(), "b".into()]).inc();
        assert!(Arc::ptr_eq(&one, &of("one")));
        let read = |metrics: &Metrics| {
            let labels = [("subscription", "a"), ("owner", "b")];
            Scraped::read(&metrics.scrape()).unwrap().value("freehold_subscription_delivered_total", &labels)
        };
        assert_eq!((read(&one), read(&other)), (Some(1.0), None));
    }

    /// Every metric with a value in it is read back as what the list of them says that it is.
    #[test]
    fn what_is_described_is_what_is_served() {
        let (metrics, described) = Metrics::new();
        let odd = || Label::from("odd \\ \"one\"\n");
        let (client, server, events) = (&metrics.client, &metrics.server, &metrics.events);
        let took = Duration::from_millis(3);
        client.calls.at([odd(), odd(), odd(), odd(), odd()]).observe(took);
        client.attempts.at([odd(), odd(), odd()]).observe(took);
        for table in [&client.failures, &client.retries, &client.hedges, &client.lookups] {
            table.at([odd(), odd(), odd()]).inc();
        }
        client.dials.at([odd(), odd()]).inc();
        client.ejections.at([odd()]).inc();
        let _there = [&client.connections, &client.ejected].map(|table| Counted::on(&table.at([odd()])));
        server.calls.at([odd(), odd(), odd(), odd()]).observe(took);
        server.refusals.at([odd(), odd()]).inc();
        for table in [&server.refused_connections, &server.dropped_connections] {
            table.at([odd()]).inc();
        }
        let _too = [Counted::on(&server.in_flight.at([odd()])), Counted::on(&server.connections.at([]))];
        let counted =
            [&events.taken, &events.delivered, &events.redelivered, &events.refilled, &events.fenced];
        for table in counted {
            table.at([odd(), odd()]).inc();
        }
        for table in [&events.live, &events.parked_keys] {
            table.at([odd(), odd()]).set(3);
        }
        events.lag.at([odd(), odd()]).observe(took);
        for table in [&metrics.outbox.events, &metrics.outbox.bytes, &metrics.outbox.oldest] {
            table.at([]).set(3);
        }
        metrics.outbox.held.at([odd()]).set(1);
        let scraped = Scraped::read(&metrics.scrape()).unwrap();
        let served: BTreeMap<&str, &str> = scraped.families().collect();
        let expected: BTreeMap<&str, &str> = described
            .iter()
            .map(|it| (it.name.strip_suffix("_total").unwrap_or(&it.name), it.kind))
            .collect();
        assert_eq!(served, expected);
        for Described { name, kind, labels, .. } in &described {
            let sample = if *kind == "histogram" { format!("{name}_count") } else { name.clone() };
            let labels: Vec<(&str, &str)> = labels.iter().map(|label| (*label, "odd \\ \"one\"\n")).collect();
            assert!(scraped.value(&sample, &labels).is_some_and(|value| value >= 1.0), "{sample}");
        }
    }

    /// Planted bug: a metric, or a label, that the page does not have.
    #[test]
    fn the_page_lists_every_metric_in_this_order() {
        let page = include_str!("../../../docs/observing.md");
        let row = |it: &Described| {
            let labels: Vec<String> = it.labels.iter().map(|label| format!("`{label}`")).collect();
            format!("| `{}` | {} | {} | {} |", it.name, it.kind, labels.join(", "), it.help)
        };
        let expected: Vec<String> = described().iter().map(row).collect();
        let is_row = |line: &&str| {
            line.starts_with("| `rpc_c") || line.starts_with("| `rpc_se") || line.starts_with("| `freehold_")
        };
        let rows: Vec<&str> = page.lines().filter(is_row).collect();
        assert_eq!(rows, expected, "\n{}\n", expected.join("\n"));
    }
}
