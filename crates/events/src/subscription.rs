//! A subscription: one consumer, one owner, one purpose, and what it does with each type that it asks for.
//!
//! The generator writes one per owner that a consumer has views of; a reaction is a function over a unit of work, so it
//! can write here and nowhere else.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use freehold_store::{StoreError, Work};
use freehold_wire::View;
use freehold_wire::pb::Envelope;
use futures_util::future::{FutureExt, LocalBoxFuture};

use crate::causes::Causes;
use crate::delivered::{Changed, Delivered};
use crate::projection::generations::Fence;
use crate::purpose::{Purpose, Report};
use crate::reaction::ReactionError;

/// What a reaction answers.
pub type Reacted<'a> = LocalBoxFuture<'a, Result<(), ReactionError>>;

/// Makes the purpose of a subscription that has one of its own.
type Make = Arc<dyn Fn(Report) -> Box<dyn Purpose> + Send + Sync>;

type Handler = Arc<dyn for<'a> Fn(&'a mut Work, &Envelope) -> Reacted<'a> + Send + Sync>;

/// A subscription and its reactions. Cloning is cheap.
#[derive(Clone)]
pub struct Subscription {
    name: Arc<str>,
    consumer: Arc<str>,
    owner: Arc<str>,
    types: BTreeSet<&'static str>,
    handlers: BTreeMap<&'static str, Vec<Handler>>,
    make: Option<Make>,
    foreign: Option<&'static str>,
    fence: Option<Fence>,
    causes: Causes,
}

impl Subscription {
    /// The views of `consumer` on `owner`: the subscription "consumer/views/owner".
    #[must_use]
    pub fn views(consumer: &str, owner: &str) -> Self {
        Self {
            name: format!("{consumer}/views/{owner}").into(),
            consumer: consumer.into(),
            owner: owner.into(),
            types: BTreeSet::new(),
            handlers: BTreeMap::new(),
            make: None,
            foreign: None,
            fence: None,
            causes: Causes::default(),
        }
    }

    /// A subscription with a purpose of its own, which reads these types: "consumer/purpose". The purpose is made when
    /// the subscription starts.
    #[must_use]
    pub fn of_purpose(
        consumer: &str,
        purpose: &str,
        owner: &str,
        types: impl IntoIterator<Item = &'static str>,
        make: impl Fn(Report) -> Box<dyn Purpose> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: format!("{consumer}/{purpose}").into(),
            types: types.into_iter().collect(),
            make: Some(Arc::new(make)),
            ..Self::views(consumer, owner)
        }
    }

    /// The same subscription with a reaction to an event.
    #[must_use]
    pub fn on_event<V: View, H>(self, handler: H) -> Self
    where
        H: for<'a> Fn(&'a mut Work, Delivered<V>) -> Reacted<'a> + Send + Sync + 'static,
    {
        self.on::<V>(Arc::new(move |work, envelope| match Delivered::read(envelope) {
            Ok(Some(event)) => handler(work, event),
            Ok(None) => std::future::ready(Ok(())).boxed_local(),
            Err(error) => std::future::ready(Err(error)).boxed_local(),
        }))
    }

    /// The same subscription with a reaction to the changes of an entity.
    #[must_use]
    pub fn on_change<V: View, H>(self, handler: H) -> Self
    where
        H: for<'a> Fn(&'a mut Work, Changed<V>) -> Reacted<'a> + Send + Sync + 'static,
    {
        self.on::<V>(Arc::new(move |work, envelope| match Changed::read(envelope) {
            Ok(Some(change)) => handler(work, change),
            Ok(None) => std::future::ready(Ok(())).boxed_local(),
            Err(error) => std::future::ready(Err(error)).boxed_local(),
        }))
    }

    /// The same subscription, with events that wait for those of another owner: what an event's emitter had seen of that
    /// owner must have arrived at this consumer's views of it before the event takes effect, or `at_most` so long have been
    /// waited for. The event's key parks meanwhile.
    #[must_use]
    pub fn waits_for(mut self, owner: &str, at_most: Duration) -> Self {
        self.causes.add(owner, at_most);
        self
    }

    /// Which cause of an event, that has waited so long, has not arrived.
    pub(crate) async fn missing_cause(
        &self,
        work: &mut Work,
        event: &Envelope,
        waited: Duration,
    ) -> Result<Option<String>, StoreError> {
        self.causes.missing(work, &self.consumer, event, waited).await
    }

    /// Its name at its owner and in the consumer's tables: "consumer/purpose".
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who reads.
    #[must_use]
    pub fn consumer(&self) -> &str {
        &self.consumer
    }

    /// Whose feed it is.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The types that it asks for, by full name.
    pub fn types(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.types.iter().copied()
    }

    /// The same subscription as a generation of a projection, under that name.
    pub(crate) fn of_generation(self, name: &str, fence: Fence) -> Self {
        Self { name: name.into(), fence: Some(fence), ..self }
    }

    /// Asked at the start of each unit of work that takes something in: a generation that was left takes in nothing, and
    /// none tells anybody anything.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`] where it was left.
    pub(crate) async fn enter(&self, work: &mut Work) -> Result<(), StoreError> {
        let Some(fence) = &self.fence else { return Ok(()) };
        work.be_silent("a view tells nothing, as every rebuild of it would tell it again");
        fence.pass(work).await
    }

    /// The purpose of its own, if it has one.
    pub(crate) fn purpose(&self, report: Report) -> Option<Box<dyn Purpose>> {
        self.make.as_ref().map(|make| make(report))
    }

    /// Whether it is there to react, so that instances can divide its keys.
    pub(crate) fn has_reactions(&self) -> bool {
        self.make.is_none()
    }

    /// A view in it that is of another owner or consumer.
    pub(crate) fn foreign(&self) -> Option<&'static str> {
        self.foreign
    }

    /// Runs the reactions to an event, one for each view of it.
    pub(crate) async fn react(&self, work: &mut Work, envelope: &Envelope) -> Result<(), ReactionError> {
        for handler in self.handlers.get(envelope.r#type.as_str()).into_iter().flatten() {
            handler(work, envelope).await?;
        }
        Ok(())
    }

    /// Whether there is a reaction to the event: none to headers alone, whose data was erased.
    pub(crate) fn wants(&self, envelope: &Envelope) -> bool {
        let told = envelope.deleted || envelope.data.is_some();
        told && self.handlers.contains_key(envelope.r#type.as_str())
    }

    fn on<V: View>(mut self, handler: Handler) -> Self {
        if V::OWNER != &*self.owner || V::CONSUMER != &*self.consumer {
            self.foreign = Some(V::OF);
        }
        self.types.insert(V::OF);
        self.handlers.entry(V::OF).or_default().push(handler);
        self
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let types: Vec<_> = self.types().collect();
        f.debug_struct("Subscription")
            .field("name", &self.name)
            .field("owner", &self.owner)
            .field("types", &types)
            .finish()
    }
}
