//! How a call is made: its session, its deadline, its key, and the line of work that it belongs to.
//!
//! A generated client holds one of these and hands it to its stub with each call. Setting an option makes a cheap copy;
//! the session stays shared, so that whoever uses a client reads what they wrote with it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use freehold_wire::trace::{SpanId, Trace};
use freehold_wire::{Context, Criticality, Rules, Session};

/// How a call is made. Cloning is cheap and shares the session.
#[derive(Debug, Clone, Default)]
pub struct CallOptions {
    session: Session,
    timeout: Option<Duration>,
    key: Option<Arc<str>>,
    parent: Option<Parent>,
}

/// What a call takes over from the line of work that makes it.
#[derive(Debug, Clone)]
struct Parent {
    deadline: Instant,
    trace: Trace,
    request_id: Arc<str>,
    retried: bool,
    criticality: Criticality,
}

impl CallOptions {
    /// The contract's own deadline, a key made per call, and a session that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same options as part of a line of work: never longer than it has left, in its session and its trace.
    #[must_use]
    pub fn within(&self, context: &Context) -> Self {
        let parent = Parent {
            deadline: context.deadline(),
            trace: context.trace(),
            request_id: context.request_id().into(),
            retried: context.is_retried(),
            criticality: context.criticality(),
        };
        Self { session: context.session().clone(), parent: Some(parent), ..self.clone() }
    }

    /// The same options with a deadline other than the contract's; one beyond four times the contract's is clamped.
    #[must_use]
    pub fn with_deadline(&self, deadline: Duration) -> Self {
        Self { timeout: Some(deadline), ..self.clone() }
    }

    /// The same options with an idempotency key: keyed writes under one key take effect once.
    #[must_use]
    pub fn with_key(&self, key: impl Into<Arc<str>>) -> Self {
        Self { key: Some(key.into()), ..self.clone() }
    }

    /// The same options in a session: calls see what it has seen, and it sees what they commit.
    #[must_use]
    pub fn with_session(&self, session: &Session) -> Self {
        Self { session: session.clone(), ..self.clone() }
    }

    /// The session that calls under these options share.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// When a call that begins at `now` must have ended.
    pub(crate) fn deadline(&self, rules: &Rules, now: Instant) -> Instant {
        let budget = self.timeout.unwrap_or(rules.deadline).min(rules.max_deadline());
        let own = now + budget;
        self.parent.as_ref().map_or(own, |parent| parent.deadline.min(own))
    }

    /// The idempotency key, where one was set.
    pub(crate) fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The trace that a call continues; one of its own outside a line of work.
    pub(crate) fn trace(&self) -> Trace {
        self.parent.as_ref().map_or_else(Trace::start, |parent| parent.trace.child())
    }

    /// The span that a call is made in; none outside a line of work.
    pub(crate) fn span(&self) -> SpanId {
        self.parent.as_ref().map_or_else(SpanId::default, |parent| parent.trace.span())
    }

    /// Whether the line of work is done for a retry.
    pub(crate) fn is_retried(&self) -> bool {
        self.parent.as_ref().is_some_and(|parent| parent.retried)
    }

    /// How much the line of work matters, where that is less than the most.
    pub(crate) fn criticality(&self) -> Option<Criticality> {
        self.parent.as_ref().map(|parent| parent.criticality).filter(|level| *level < Criticality::Critical)
    }

    /// The name of the call that the line of work began with.
    pub(crate) fn request_id(&self) -> Option<&str> {
        self.parent.as_ref().map(|parent| &*parent.request_id)
    }
}
