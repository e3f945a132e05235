//! A saga as a service's author writes it: a name, a version, steps in order, and what to record at the end.
//!
//! `sagas/place_order.rs` has four titled parts: the input (a Protobuf message, which the steps carry as their state),
//! the steps (one type each, its undo beside it), the ends (what done and compensated mean in the owner's own rows),
//! and the definition (a [`Saga`] made of them). A running saga keeps the version that it began with: a changed
//! definition is a new version, and the old one stays registered until no saga of it is left.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use freehold_store::{StoreError, Work};
use freehold_wire::prost::Message;

use crate::begin::{self, BeginError, Begun};
use crate::erased::{AnyEnd, AnyStep, OnCompensated, OnDone};
use crate::failure::Failure;
use crate::progress::End;
use crate::step::{Limits, Step};
use crate::unsent::Unsent;

/// The longest name of a saga or a step, in bytes.
const MAX_NAME: usize = 48;

/// Why an end could not be recorded.
#[derive(Debug, thiserror::Error)]
pub enum EndError {
    /// The owner's own rules forbid it. A saga that must not be done is compensated; one that cannot be recorded as
    /// compensated is tried again, and counts as stuck.
    #[error("the end was refused: {0}")]
    Refused(Failure),
    /// The database failed; tried again.
    #[error("the end could not be written")]
    Store(#[from] StoreError),
}

/// Why a definition cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// A name that is empty, too long, or holds other characters.
    #[error("`{0}` is no name of a saga or a step: it wants 1 to 48 of the characters a-z 0-9 _")]
    BadName(&'static str),
    /// A saga without steps.
    #[error("saga `{0}` has no steps")]
    NoSteps(&'static str),
    /// Two steps of one name.
    #[error("saga `{saga}` has two steps named `{step}`")]
    TwoSteps {
        /// The saga.
        saga: &'static str,
        /// The name that both have.
        step: &'static str,
    },
    /// Two definitions of one name and version.
    #[error("saga `{name}` is defined twice in version {version}")]
    TwoSagas {
        /// The saga.
        name: &'static str,
        /// The version of both.
        version: u32,
    },
}

/// The definition of a saga that carries the state `S`. Cloning is cheap. Begin sagas by a clone of what the executor
/// runs: only those know of each other that a first step was never tried before.
pub struct Saga<S> {
    definition: Definition,
    state: PhantomData<fn(S)>,
}

/// A definition without the type of its state.
#[derive(Clone)]
pub(crate) struct Definition {
    pub(crate) name: &'static str,
    pub(crate) version: u32,
    pub(crate) steps: Vec<Arc<dyn AnyStep>>,
    /// Shared by all clones: by those that begin sagas and those that drive them.
    pub(crate) unsent: Unsent,
    on_done: Option<Arc<dyn AnyEnd>>,
    on_compensated: Option<Arc<dyn AnyEnd>>,
}

impl<S: Message + Default + 'static> Saga<S> {
    /// A saga without steps yet; `name` in at most 48 of the characters a-z 0-9 _.
    #[must_use]
    pub fn new(name: &'static str, version: u32) -> Self {
        let (steps, unsent) = (Vec::new(), Unsent::default());
        let definition = Definition { name, version, steps, unsent, on_done: None, on_compensated: None };
        Self { definition, state: PhantomData }
    }

    /// Adds a step after those it has.
    #[must_use]
    pub fn step(mut self, step: impl Step<State = S>) -> Self {
        self.definition.steps.push(Arc::new(step));
        self
    }

    /// What to write when all steps are done, in the unit of work that records it.
    #[must_use]
    pub fn on_done<H>(mut self, hook: H) -> Self
    where
        H: AsyncFn(&mut Work, &S) -> Result<(), EndError> + Send + Sync + 'static,
    {
        self.definition.on_done = Some(Arc::new(OnDone(hook, PhantomData)));
        self
    }

    /// What to write when a step failed, for the reason given, and all that was begun has been undone; in the unit of
    /// work that records it.
    #[must_use]
    pub fn on_compensated<H>(mut self, hook: H) -> Self
    where
        H: AsyncFn(&mut Work, &S, &Failure) -> Result<(), EndError> + Send + Sync + 'static,
    {
        self.definition.on_compensated = Some(Arc::new(OnCompensated(hook, PhantomData)));
        self
    }

    /// Begins the saga `id` over `input` in the caller's unit of work: it exists if and only if that commits, and the
    /// commit is the intent of its first step. `id` is 1 to 64 printable ASCII characters without "/". A saga that
    /// exists is left as it is.
    ///
    /// # Errors
    /// [`BeginError`]; [`BeginError::Conflict`] for an id that another saga or another input has.
    pub async fn begin(&self, work: &mut Work, id: &str, input: &S) -> Result<Begun, BeginError> {
        begin::begin(work, &self.definition, id, input.encode_to_vec()).await
    }
}

impl<S> Saga<S> {
    pub(crate) fn definition(&self) -> &Definition {
        &self.definition
    }
}

#[cfg(test)]
impl<S> Saga<S> {
    /// As if it were a clone of all others with this memory.
    pub(crate) fn remembering(mut self, unsent: &Unsent) -> Self {
        self.definition.unsent = unsent.clone();
        self
    }
}

impl<S> Clone for Saga<S> {
    fn clone(&self) -> Self {
        Self { definition: self.definition.clone(), state: PhantomData }
    }
}

impl<S> fmt::Debug for Saga<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Definition { name, version, steps, .. } = &self.definition;
        let steps: Vec<&str> = steps.iter().map(|step| step.name()).collect();
        f.debug_struct("Saga").field("name", name).field("version", version).field("steps", &steps).finish()
    }
}

impl Definition {
    pub(crate) fn step_name(&self, step: usize) -> Option<&'static str> {
        self.steps.get(step).map(|step| step.name())
    }

    pub(crate) fn limits(&self) -> Vec<Limits> {
        self.steps.iter().map(|step| step.limits()).collect()
    }

    /// Writes what the end means to the owner.
    pub(crate) async fn write_end(
        &self,
        work: &mut Work,
        end: End,
        data: &[u8],
        why: &Failure,
    ) -> Result<(), EndError> {
        let hook = match end {
            End::Done => &self.on_done,
            End::Compensated => &self.on_compensated,
        };
        match hook {
            Some(hook) => hook.write(work, data, why).await,
            None => Ok(()),
        }
    }

    pub(crate) fn check(&self) -> Result<(), DefinitionError> {
        let names: Vec<&'static str> = self.steps.iter().map(|step| step.name()).collect();
        if let Some(bad) = names.iter().chain([&self.name]).find(|name| !is_name(name)) {
            return Err(DefinitionError::BadName(bad));
        }
        if names.is_empty() {
            return Err(DefinitionError::NoSteps(self.name));
        }
        match names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
            Some((_, step)) => Err(DefinitionError::TwoSteps { saga: self.name, step }),
            None => Ok(()),
        }
    }
}

fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    !name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(fits)
}
