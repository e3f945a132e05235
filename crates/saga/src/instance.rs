//! A saga in memory while it is driven: its row, the definition it is pinned to, and what it has seen.

use std::sync::Arc;

use freehold_wire::Session;
use freehold_wire::trace::Trace;

use crate::backoff::Backoff;
use crate::definition::Definition;
use crate::progress::{Plan, Progress};
use crate::record::Record;

/// A definition and how its sagas are driven.
pub(crate) struct Known {
    pub(crate) definition: Definition,
    pub(crate) plan: Plan,
}

/// The definitions that an executor runs.
pub(crate) struct Registry {
    known: Vec<Arc<Known>>,
}

/// A saga that is driven.
pub(crate) struct Instance {
    pub(crate) known: Arc<Known>,
    pub(crate) record: Record,
    pub(crate) progress: Progress,
    pub(crate) session: Session,
    pub(crate) trace: Trace,
}

impl Registry {
    pub(crate) fn new(definitions: Vec<Definition>, backoff: Backoff, stuck_after: u32) -> Self {
        let known = |definition: Definition| {
            let plan = Plan { steps: definition.limits(), backoff, stuck_after };
            Arc::new(Known { definition, plan })
        };
        Self { known: definitions.into_iter().map(known).collect() }
    }

    pub(crate) fn all(&self) -> &[Arc<Known>] {
        &self.known
    }

    /// Whether there is a definition of that name and version.
    pub(crate) fn has(&self, name: &str, version: i64) -> bool {
        self.find(name, version).is_some()
    }

    /// The saga of a row; `None` where its definition, or the step it stands at, is not known here.
    pub(crate) fn instance(&self, record: Record) -> Option<Instance> {
        let known = Arc::clone(self.find(&record.name, record.version)?);
        let progress = record.progress(&known.definition)?;
        let (session, trace) = (record.session(), record.trace());
        Some(Instance { known, record, progress, session, trace })
    }

    fn find(&self, name: &str, version: i64) -> Option<&Arc<Known>> {
        let is = |known: &&Arc<Known>| {
            known.definition.name == name && i64::from(known.definition.version) == version
        };
        self.known.iter().find(is)
    }
}
