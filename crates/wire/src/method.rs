//! A method of a contract as a constant: where it is and how it may be called. The generator writes these.

use std::marker::PhantomData;
use std::time::Duration;

/// Who may call a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Only consumers whose needs name the method.
    Declared,
    /// Everybody, also without an identity.
    Public,
}

/// How much a call matters to a server that has more calls than it can answer: what matters least is refused first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Criticality {
    /// Refused first.
    Sheddable,
    /// Refused after what is sheddable.
    Default,
    /// Refused last.
    Critical,
}

/// When a call that may or may not have reached its callee is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// A read: always, and a second replica is asked where the first one takes long.
    Safe,
    /// A write declared idempotent: always.
    Idempotent,
    /// A keyed write: under its idempotency key.
    Keyed,
    /// Only where it provably was not processed.
    Never,
}

/// For how long a client may serve an answer again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cache {
    /// At most so long after it was asked for.
    pub ttl: Duration,
    /// And until this entity changes; empty where nothing but time ends it.
    pub entity: &'static str,
    /// Whose entity that is, and whose answer.
    pub owner: &'static str,
    /// The number of that entity's key, where the reply is one such entity and only its own changes count.
    pub key: Option<u32>,
}

/// How a method may be called: what the contract says, with its defaults filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// "/package.Service/Method".
    pub path: &'static str,
    /// The deadline of a caller that sets none; a longer one than four times this is clamped.
    pub deadline: Duration,
    /// With less than this left the call is refused before it is sent.
    pub min_deadline: Duration,
    /// When it is sent again.
    pub retry: Retry,
    /// Who may call.
    pub access: Access,
    /// For how long an answer may be served again; none where each call is asked.
    pub cache: Option<Cache>,
    /// How much it matters under overload.
    pub criticality: Criticality,
    /// Whether either side sends a stream, which lasts as long as it lasts.
    pub streams: bool,
}

impl Criticality {
    /// As metadata and logs say it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sheddable => "sheddable",
            Self::Default => "default",
            Self::Critical => "critical",
        }
    }

    /// What a [`Criticality::name`] names.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Sheddable, Self::Default, Self::Critical].into_iter().find(|level| level.name() == name)
    }
}

impl Rules {
    /// The method without its leading slash: "package.Service/Method", as contracts and errors name it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.path.strip_prefix('/').unwrap_or(self.path)
    }

    /// The longest deadline that a caller gets.
    #[must_use]
    pub fn max_deadline(&self) -> Duration {
        self.deadline * 4
    }
}

/// A method with the types that it takes and gives.
#[derive(Debug)]
pub struct Method<Request, Reply> {
    rules: Rules,
    types: PhantomData<fn(Request) -> Reply>,
}

impl<Request, Reply> Method<Request, Reply> {
    /// A method; written by the generator alone.
    #[must_use]
    pub const fn new(rules: Rules) -> Self {
        Self { rules, types: PhantomData }
    }

    /// How it may be called.
    #[must_use]
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }
}
