//! What a channel counts, and where it keeps the handles for it.
//!
//! In: what became of calls, attempts and connections. Out: the numbers of `freehold_metrics`, under the consumer's name.
//! **Invariant:** every call that begins is counted once when it ends, however it ends.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use freehold_metrics::{ByName, Counted, Counter, Gauge, Histogram, Label, Metrics};
use freehold_wire::reason;
use tonic::Code;
use tracing::Span;

use crate::decision::Decision;
use crate::error::Error;
use crate::fault::Fault;
use crate::span;

/// What an attempt came to whose answer nobody waited for any more.
const ABANDONED: &str = "ABANDONED";

/// What one channel counts.
#[derive(Debug)]
pub(crate) struct Meter {
    metrics: Arc<Metrics>,
    server: Label,
    methods: ByName<Arc<MethodMeter>>,
}

/// The same of one method.
#[derive(Debug)]
pub(crate) struct MethodMeter {
    metrics: Arc<Metrics>,
    method: &'static str,
    server: Label,
    calls: ByName<Histogram>,
    failures: ByName<Counter>,
    attempts: ByName<Histogram>,
    retries: ByName<Counter>,
    hedges: ByName<Counter>,
    lookups: ByName<Counter>,
}

/// What a pool sees of its connections and replicas.
#[derive(Debug, Default)]
pub(crate) struct Sights {
    connections: Gauge,
    connected: Counter,
    failed: Counter,
    ejections: Counter,
    ejected: Gauge,
}

/// A call on its way; one that is dropped without a word was cancelled.
#[derive(Debug)]
pub(crate) struct CallRecord {
    meter: Arc<MethodMeter>,
    began: Instant,
    span: Span,
    ended: bool,
}

/// An attempt on its way.
#[derive(Debug)]
pub(crate) struct AttemptRecord<'a> {
    meter: &'a MethodMeter,
    began: Instant,
    span: Span,
    outcome: &'static str,
    code: Code,
}

/// A second question on its way.
#[derive(Debug)]
pub(crate) struct HedgeRecord<'a> {
    meter: &'a MethodMeter,
    outcome: &'static str,
}

impl Meter {
    /// What `consumer` counts of its calls of `server`, a service or what stands for its replicas.
    pub(crate) fn new(consumer: &str, server: &str) -> Self {
        let (metrics, server) = (freehold_metrics::of(consumer), Cow::Owned(server.to_owned()));
        Self { metrics, server, methods: ByName::default() }
    }

    pub(crate) fn method(&self, method: &'static str) -> &Arc<MethodMeter> {
        self.methods.get(method, || Arc::new(MethodMeter::new(&self.metrics, method, &self.server)))
    }

    pub(crate) fn sights(&self) -> Sights {
        let (client, server) = (&self.metrics.client, || self.server.clone());
        Sights {
            connections: client.connections.at([server()]),
            connected: client.dials.at([server(), "connected".into()]),
            failed: client.dials.at([server(), "failed".into()]),
            ejections: client.ejections.at([server()]),
            ejected: client.ejected.at([server()]),
        }
    }

    /// All that the consumer has counted.
    pub(crate) fn scrape(&self) -> String {
        self.metrics.scrape()
    }
}

impl MethodMeter {
    fn new(metrics: &Arc<Metrics>, method: &'static str, server: &Label) -> Self {
        Self {
            metrics: Arc::clone(metrics),
            method,
            server: server.clone(),
            calls: ByName::default(),
            failures: ByName::default(),
            attempts: ByName::default(),
            retries: ByName::default(),
            hedges: ByName::default(),
            lookups: ByName::default(),
        }
    }

    /// The service, or what stands for its replicas.
    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    /// A call begins.
    pub(crate) fn call(self: &Arc<Self>, began: Instant, span: Span) -> CallRecord {
        CallRecord { meter: Arc::clone(self), began, span, ended: false }
    }

    /// An attempt begins.
    pub(crate) fn attempt(&self, span: Span) -> AttemptRecord<'_> {
        AttemptRecord { meter: self, began: Instant::now(), span, outcome: ABANDONED, code: Code::Cancelled }
    }

    /// A second replica is asked.
    pub(crate) fn hedge(&self) -> HedgeRecord<'_> {
        HedgeRecord { meter: self, outcome: "lost" }
    }

    /// An attempt follows one that failed; `unseen` where the callee cannot have seen that one.
    pub(crate) fn retried(&self, unseen: bool) {
        let after = if unseen { "unseen" } else { "failed" };
        let make = || self.metrics.client.retries.at(self.labels(after));
        self.retries.get(after, make).inc();
    }

    /// A call failed, and this is why.
    pub(crate) fn failed(&self, decision: Decision) {
        let make = || self.metrics.client.failures.at(self.labels(decision.name()));
        self.failures.get(decision.name(), make).inc();
    }

    /// A kept answer was looked for.
    pub(crate) fn looked(&self, result: &'static str) {
        let make = || self.metrics.client.lookups.at(self.labels(result));
        self.lookups.get(result, make).inc();
    }

    fn ended(&self, code: Code, took: Duration) {
        let code = reason::spelled(code);
        let error = if code == "OK" { "" } else { code };
        let make = || {
            let server = self.server.clone();
            let labels = ["grpc".into(), self.method.into(), server, code.into(), error.into()];
            self.metrics.client.calls.at(labels)
        };
        self.calls.get(code, make).observe(took);
    }

    fn labels(&self, third: &'static str) -> [Label; 3] {
        [self.method.into(), self.server.clone(), third.into()]
    }
}

impl Sights {
    pub(crate) fn connected(&self) -> Counted {
        self.connected.inc();
        Counted::on(&self.connections)
    }

    pub(crate) fn dial_failed(&self) {
        self.failed.inc();
    }

    pub(crate) fn ejected(&self) -> Counted {
        self.ejections.inc();
        Counted::on(&self.ejected)
    }
}

impl CallRecord {
    /// It has its answer, to the last message.
    pub(crate) fn answered(&mut self) {
        self.end(Code::Ok);
    }

    /// It failed.
    pub(crate) fn failed(&mut self, error: &Error) {
        let decision = error.explanation().map_or(Decision::Callee, |why| why.decision());
        self.meter.failed(decision);
        span::decided(&self.span, decision);
        self.end(error.code());
    }

    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    fn end(&mut self, code: Code) {
        if !std::mem::replace(&mut self.ended, true) {
            span::ended(&self.span, code, reason::spelled(code));
            self.meter.ended(code, self.began.elapsed());
        }
    }
}

impl Drop for CallRecord {
    fn drop(&mut self) {
        self.end(Code::Cancelled);
    }
}

impl AttemptRecord<'_> {
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    /// It has its answer.
    pub(crate) fn answered(&mut self) {
        (self.outcome, self.code) = (reason::spelled(Code::Ok), Code::Ok);
    }

    /// It failed.
    pub(crate) fn failed(&mut self, fault: &Fault) {
        (self.outcome, self.code) = (fault.outcome(), fault.failed().code);
    }
}

impl Drop for AttemptRecord<'_> {
    fn drop(&mut self) {
        let meter = self.meter;
        let make = || meter.metrics.client.attempts.at(meter.labels(self.outcome));
        span::ended(&self.span, self.code, self.outcome);
        meter.attempts.get(self.outcome, make).observe(self.began.elapsed());
    }
}

impl HedgeRecord<'_> {
    /// Its answer counts.
    pub(crate) fn won(&mut self) {
        self.outcome = "won";
    }
}

impl Drop for HedgeRecord<'_> {
    fn drop(&mut self) {
        let meter = self.meter;
        meter.hedges.get(self.outcome, || meter.metrics.client.hedges.at(meter.labels(self.outcome))).inc();
    }
}

#[cfg(test)]
mod tests {
    use freehold_metrics::Scraped;
    use freehold_wire::Reason;

    use super::*;
    use crate::explanation::Explanation;

    /// Whatever an error says that decided is counted under that word, once.
    #[test]
    fn every_decision_has_a_counter() {
        let meter = Meter::new("counts-every-decision", "peer");
        let method = meter.method("peer.v1.Peer/Read");
        for decision in Decision::ALL {
            let status = Reason::Unavailable.status("");
            let why = Explanation::unattempted(decision);
            let error = Error::explained("peer.v1.Peer/Read", status, false, why);
            method.call(Instant::now(), Span::none()).failed(&error);
        }
        let scraped = Scraped::read(&meter.scrape()).unwrap();
        let failures = scraped.of("freehold_client_failures_total");
        let counted: Vec<(&str, f64)> =
            failures.map(|(labels, count)| (labels["decision"].as_str(), count)).collect();
        let mut expected = Decision::ALL.map(|decision| (decision.name(), 1.0));
        expected.sort_unstable_by_key(|(name, _)| *name);
        assert_eq!(counted, expected);
    }
}
