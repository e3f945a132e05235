//! One metric by its labels: each combination of values is a number of its own.
//!
//! A table is asked once per combination; what it gives is kept by whoever counts.

use std::borrow::Cow;

use prometheus_client::metrics::family::Family;

/// The value of a label: a word of the contract or of the code, never of a request.
pub type Label = Cow<'static, str>;

/// The labels of one number.
pub(crate) type Labels<const N: usize> = [(&'static str, Label); N];

/// A metric with `N` labels.
#[derive(Debug)]
pub struct Table<Metric, const N: usize> {
    labels: [&'static str; N],
    numbers: Family<Labels<N>, Metric>,
}

impl<Metric: Clone + Default, const N: usize> Table<Metric, N> {
    pub(crate) fn new(labels: [&'static str; N]) -> Self {
        Self { labels, numbers: Family::default() }
    }

    pub(crate) fn family(&self) -> Family<Labels<N>, Metric> {
        self.numbers.clone()
    }

    /// The number under these values, in the order of the labels. It takes a lock: keep what it gives.
    #[must_use]
    pub fn at(&self, values: [Label; N]) -> Metric {
        let mut values = values.into_iter();
        let labels = self.labels.map(|name| (name, values.next().unwrap_or_default()));
        self.numbers.get_or_create_owned(&labels)
    }
}
