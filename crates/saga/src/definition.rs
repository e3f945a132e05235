//! A saga as a service's author writes it: a name, a version, steps in order, and what to record at the end.
//!
//! `sagas/place_order.rs` has four titled parts: the input (a Protobuf message, which the steps carry as their state),
//! the steps (one type each, its undo beside it), the ends (what done and compensated mean in the owner's own rows),
//! and the definition (a [`Saga`] made of them). A running saga keeps the version that it began with: a changed
//! definition is a new version, and the old one stays registered until no saga of it is left.

use std::fmt;
use std::sync::Arc;

use freehold_store::{StoreError, Work};
use freehold_wire::prost::Message;

use crate::begin::{self, BeginError, Begun};
use crate::failure::Failure;
use crate::script::{CompensatedHook, DoneHook, ErasedStep};
use crate::step::Step;

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

/// The definition of a saga that carries the state `S`. Cloning is cheap.
pub struct Saga<S> {
    pub(crate) name: &'static str,
    pub(crate) version: u32,
    pub(crate) steps: Vec<Arc<dyn ErasedStep<S>>>,
    pub(crate) done: Option<Arc<dyn DoneHook<S>>>,
    pub(crate) compensated: Option<Arc<dyn CompensatedHook<S>>>,
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

impl<S: Message + Default + Clone + 'static> Saga<S> {
    /// A saga without steps yet; `name` in at most 48 of the characters a-z 0-9 _.
    #[must_use]
    pub fn new(name: &'static str, version: u32) -> Self {
        Self { name, version, steps: Vec::new(), done: None, compensated: None }
    }

    /// Adds a step after those it has.
    #[must_use]
    pub fn step(mut self, step: impl Step<State = S>) -> Self {
        self.steps.push(Arc::new(step));
        self
    }

    /// What to write when all steps are done, in the unit of work that records it.
    #[must_use]
    pub fn on_done<H>(mut self, hook: H) -> Self
    where
        H: AsyncFn(&mut Work, &S) -> Result<(), EndError> + Send + Sync + 'static,
    {
        self.done = Some(Arc::new(hook));
        self
    }

    /// What to write when a step failed, for the reason given, and all that was begun has been undone; in the unit of
    /// work that records it.
    #[must_use]
    pub fn on_compensated<H>(mut self, hook: H) -> Self
    where
        H: AsyncFn(&mut Work, &S, &Failure) -> Result<(), EndError> + Send + Sync + 'static,
    {
        self.compensated = Some(Arc::new(hook));
        self
    }

    /// Begins the saga `id` over `input` in the caller's unit of work: it exists if and only if that commits, and the
    /// commit is the intent of its first step. `id` is 1 to 64 printable ASCII characters without "/". A saga that
    /// exists is left as it is.
    ///
    /// # Errors
    /// [`BeginError`]; [`BeginError::Conflict`] for an id that another saga or another input has.
    pub async fn begin(&self, work: &mut Work, id: &str, input: &S) -> Result<Begun, BeginError> {
        begin::begin(work, self, id, input.encode_to_vec()).await
    }
}

impl<S> Saga<S> {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
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

impl<S> Clone for Saga<S> {
    fn clone(&self) -> Self {
        Self {
            name: self.name,
            version: self.version,
            steps: self.steps.clone(),
            done: self.done.clone(),
            compensated: self.compensated.clone(),
        }
    }
}

impl<S> fmt::Debug for Saga<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: Vec<&str> = self.steps.iter().map(|step| step.name()).collect();
        let Self { name, version, .. } = self;
        f.debug_struct("Saga").field("name", name).field("version", version).field("steps", &steps).finish()
    }
}

fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    !name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(fits)
}
