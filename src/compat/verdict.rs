//! The comparison itself: states compiled, held against each other by `freehold_contract::compat`, and what came out with
//! the texts that it lies in.
//!
//! **Invariant:** what does not compile, on either side, is told with all its findings, and nothing is compared then.

use freehold_contract::compat::waivers::{Waived, apply};
use freehold_contract::compat::{Baseline, Category, Outcome, mesh, plain};
use freehold_contract::{Finding, Sources, Texts, Verdict, render_consumers};
use jiff::civil::Date;

use super::baseline::Named;
use super::state::{NoDescriptors, State, StateError};
use super::waivers::Waivers;
use crate::exit::Exit;

/// What a comparison says.
#[derive(Debug)]
pub(crate) struct Compared {
    /// What it found.
    pub(crate) findings: Vec<Finding>,
    /// What becomes of each consumer; none where the mesh was not asked.
    pub(crate) consumers: Vec<Outcome>,
    /// What a finding that is an error ends the command with.
    pub(crate) exit: Exit,
    /// What it would have found as well, were it not waived.
    pub(crate) waived: Vec<Waived>,
    current: Sources,
    baselines: Vec<(String, Sources)>,
}

impl Compared {
    /// The texts that the findings lie in.
    pub(crate) fn texts(&self) -> Texts<'_> {
        let baselines = self.baselines.iter().map(|(name, sources)| (name.as_str(), sources));
        Texts::new(&self.current, baselines)
    }

    /// What becomes of each consumer, for people; empty where nothing was found.
    pub(crate) fn summary(&self) -> String {
        if self.findings.is_empty() { String::new() } else { render_consumers(&self.consumers) }
    }

    /// The same without what is waived on that day. Nobody waives texts that do not compile.
    pub(super) fn without(mut self, waivers: Waivers, today: Date) -> Self {
        if self.exit != Exit::Broken {
            return self;
        }
        let applied = apply(self.findings, &waivers.waivers, today);
        (self.findings, self.waived) = (applied.findings, applied.waived);
        for outcome in &mut self.consumers {
            let hits = self.findings.iter().flat_map(|finding| &finding.affected);
            let left = hits.filter(|hit| hit.consumer == outcome.consumer).map(|hit| hit.verdict).max();
            outcome.verdict = left.unwrap_or(Verdict::Unaffected);
        }
        // Whom a waiver is for is told with it, and is not unaffected.
        let waived = |name: &str| self.waived.iter().any(|it| it.waiver.consumer.as_deref() == Some(name));
        self.consumers.retain(|it| it.verdict > Verdict::Unaffected || !waived(&it.consumer));
        let known = self.current.paths().filter_map(|path| Some((path, self.current.text(path)?)));
        let known = known.map(|(path, text)| (path.to_owned(), text.to_owned()));
        self.current = known.chain(waivers.text).collect();
        self
    }

    /// Texts that do not compile, of a baseline where it has a name.
    fn not_compiled(findings: Vec<Finding>, sources: Sources, name: Option<String>) -> Self {
        let (current, baselines) = match name {
            None => (sources, Vec::new()),
            Some(name) => (Sources::default(), vec![(name, sources)]),
        };
        Self {
            findings,
            exit: Exit::NotCompiled,
            waived: Vec::new(),
            current,
            baselines,
            consumers: Vec::new(),
        }
    }
}

/// What breaks in the mesh, and for whom.
pub(crate) fn of_the_mesh(baselines: Vec<Named>, current: State) -> Result<Compared, NoDescriptors> {
    let current = match current.contract(None) {
        Ok(contract) => contract,
        Err(error) => return refused(error, None),
    };
    let mut compiled = Vec::with_capacity(baselines.len());
    for Named { name, life, state } in baselines {
        match state.contract(Some(&name)) {
            Ok(contract) => compiled.push(Baseline { name, contract, life }),
            Err(error) => return refused(error, Some(name)),
        }
    }
    let report = mesh(&compiled, &current);
    let baselines = compiled.into_iter().map(|baseline| (baseline.name, baseline.contract.sources));
    Ok(Compared {
        findings: report.findings,
        consumers: report.consumers,
        exit: Exit::Broken,
        waived: Vec::new(),
        current: current.sources,
        baselines: baselines.collect(),
    })
}

/// What of plain Protobuf breaks in a category; of several baselines in their order.
pub(crate) fn of_a_category(
    baselines: Vec<Named>,
    current: State,
    category: Category,
) -> Result<Compared, NoDescriptors> {
    let (schema, current) = match current.schema(None) {
        Ok(current) => current,
        Err(error) => return refused(error, None),
    };
    let (findings, consumers, texts) = (Vec::new(), Vec::new(), Vec::new());
    let mut compared =
        Compared { findings, consumers, exit: Exit::Broken, waived: Vec::new(), current, baselines: texts };
    for Named { name, state, .. } in baselines {
        let (previous, sources) = match state.schema(Some(&name)) {
            Ok(baseline) => baseline,
            Err(error) => return refused(error, Some(name)),
        };
        compared.findings.extend(plain::compare(&previous, &schema, category, &name));
        compared.baselines.push((name, sources));
    }
    Ok(compared)
}

fn refused(error: StateError, name: Option<String>) -> Result<Compared, NoDescriptors> {
    match error {
        StateError::NotCompiled(findings, sources) => Ok(Compared::not_compiled(findings, sources, name)),
        StateError::Descriptors(error) => Err(error),
    }
}
