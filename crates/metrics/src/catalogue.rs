//! The list of all metrics: what is put into it is served, and told to those who write about it.

use std::fmt::Debug;

use prometheus_client::encoding::EncodeMetric;
use prometheus_client::metrics::TypedMetric;
use prometheus_client::metrics::family::MetricConstructor;
use prometheus_client::registry::{Registry, Unit};

use crate::table::Table;
use crate::{Counter, Gauge, Histogram};

/// A metric as Prometheus knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// The name, with unit and suffix: `freehold_client_retries_total`.
    pub name: String,
    /// "counter", "gauge" or "histogram".
    pub kind: &'static str,
    /// Its labels.
    pub labels: Vec<&'static str>,
    /// What it counts.
    pub help: &'static str,
}

/// All metrics, as they are put together.
#[derive(Default)]
pub(crate) struct Catalogue {
    registry: Registry,
    described: Vec<Described>,
}

impl Catalogue {
    /// Something that is counted.
    pub(crate) fn counter<const N: usize>(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
    ) -> Table<Counter, N> {
        self.describe(format!("{name}_total"), "counter", help, &labels);
        self.register(name, help, None, labels)
    }

    /// Something of which there are so many now.
    pub(crate) fn gauge<const N: usize>(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
    ) -> Table<Gauge, N> {
        self.describe(name.to_owned(), "gauge", help, &labels);
        self.register(name, help, None, labels)
    }

    /// Something that takes time; what is served has `_seconds` at its end.
    pub(crate) fn seconds<const N: usize>(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
    ) -> Table<Histogram, N> {
        self.describe(format!("{name}_seconds"), "histogram", help, &labels);
        self.register(name, help, Some(Unit::Seconds), labels)
    }

    pub(crate) fn end(self) -> (Registry, Vec<Described>) {
        (self.registry, self.described)
    }

    fn describe(&mut self, name: String, kind: &'static str, help: &'static str, labels: &[&'static str]) {
        self.described.push(Described { name, kind, labels: labels.to_vec(), help });
    }

    fn register<Metric, const N: usize>(
        &mut self,
        name: &'static str,
        help: &'static str,
        unit: Option<Unit>,
        labels: [&'static str; N],
    ) -> Table<Metric, N>
    where
        Metric: Clone + Debug + Default + EncodeMetric + TypedMetric + Send + Sync + 'static,
        fn() -> Metric: MetricConstructor<Metric>,
    {
        let table = Table::new(labels);
        // The library ends a help with a full stop of its own.
        match unit {
            None => self.registry.register(name, help, table.family()),
            Some(unit) => self.registry.register_with_unit(name, help, unit, table.family()),
        }
        table
    }
}
