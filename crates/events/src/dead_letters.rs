//! Looking at parked keys and deciding about dead letters: redrive, or skip. Both are explicit and on record.
//!
//! Works on the consumer's database, whether or not its subscriptions run; those that run notice within a second.
//! **Invariant:** a key's tail is taken in order after either, and a version that was skipped never takes effect.

use std::fmt;
use std::time::Duration;

use freehold_store::{Queries, Row, Store, StoreError, Work, inbox, vals};
use freehold_wire::Context;
use freehold_wire::reason::Reason;
use tonic::Status;

use crate::parked::{self, First, Key, Parking, Stay};
use crate::position;

/// How long a decision may take.
const BUDGET: Duration = Duration::from_secs(5);

/// The parked keys of a consumer.
#[derive(Clone)]
pub struct DeadLetters {
    store: Store,
}

/// A parked key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedKey {
    /// The subscription.
    pub subscription: String,
    /// The entity, by full name.
    pub entity: String,
    /// The key.
    pub key: String,
    /// The version that the key waits at.
    pub version: i64,
    /// What it waits for.
    pub parking: Parking,
    /// How often it has been tried.
    pub attempts: i64,
    /// How the last attempt failed.
    pub reason: String,
}

/// Why a decision is refused.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DecisionError {
    /// The key waits for nobody, or at another version.
    #[error("no dead letter waits at version {version:?} of `{key}`")]
    NotWaiting {
        /// The key.
        key: String,
        /// The version that was named, if one was.
        version: Option<i64>,
    },
    /// The database failed it; nothing was changed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DecisionError> for Status {
    fn from(error: DecisionError) -> Self {
        match error {
            DecisionError::Store(error) => error.into(),
            waiting => Reason::FailedPrecondition.because("NO_SUCH_DEAD_LETTER", waiting.to_string()),
        }
    }
}

impl DeadLetters {
    /// The parked keys in a consumer's database.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// The parked keys, those that waited longest first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn list(&self, limit: i64) -> Result<Vec<ParkedKey>, StoreError> {
        const LIST: &str = "SELECT subscription, entity, key, version, state, attempts, reason FROM freehold_parked \
                            WHERE state <> 'behind' ORDER BY parked_ms, subscription, entity, key LIMIT $1";
        let rows = self.store.read().await?.all(LIST, vals![limit]).await?;
        rows.iter().map(ParkedKey::read).collect()
    }

    /// Tries a dead letter again, and then its tail in order. Answers the version that is tried.
    ///
    /// # Errors
    /// [`DecisionError`].
    pub async fn redrive(
        &self,
        subscription: &str,
        entity: &str,
        key: &str,
        who: &str,
    ) -> Result<i64, DecisionError> {
        let (owned, who) = (Owned::new(subscription, entity, key), who.to_owned());
        let unit = async move |work: &mut Work| redrive(work, &owned, &who).await;
        self.decide(unit).await
    }

    /// Gives up exactly this version: the dead letter's own, or the missing one that it waits for. It never takes effect,
    /// and its key goes on with the next.
    ///
    /// # Errors
    /// [`DecisionError`].
    pub async fn skip(
        &self,
        subscription: &str,
        entity: &str,
        key: &str,
        version: i64,
        who: &str,
    ) -> Result<(), DecisionError> {
        let (owned, who) = (Owned::new(subscription, entity, key), who.to_owned());
        let unit = async move |work: &mut Work| skip(work, &owned, version, &who).await;
        self.decide(unit).await
    }

    async fn decide<T, F>(&self, unit: F) -> Result<T, DecisionError>
    where
        F: AsyncFnOnce(&mut Work) -> Result<T, DecisionError> + Send + 'static,
        T: Send + 'static,
    {
        let context = Context::new(self.store.service(), BUDGET);
        self.store.unit(&context, unit).await.map(|(decided, _)| decided)
    }
}

/// Tries a dead letter again, and then its tail in order. Answers the version that is tried.
pub(crate) async fn redrive(work: &mut Work, owned: &Owned, who: &str) -> Result<i64, DecisionError> {
    let dead = owned.dead(work, None).await?;
    let version = dead.event.version;
    let now = work.now();
    parked::log(work, owned.key(), version, ("redriven", who, &dead.reason)).await?;
    let stay = Stay { next_ms: now, ..Stay::held(Parking::Waiting, &dead.reason) };
    parked::set(work, owned.key(), version, stay).await?;
    // A gap that somebody closed otherwise, or a version that was taken meanwhile.
    owned.arrange(work).await?;
    Ok(version)
}

/// Gives up exactly this version.
pub(crate) async fn skip(
    work: &mut Work,
    owned: &Owned,
    version: i64,
    who: &str,
) -> Result<(), DecisionError> {
    let dead = owned.dead(work, Some(version)).await?;
    parked::log(work, owned.key(), version, ("skipped", who, &dead.reason)).await?;
    if version < dead.event.version {
        // The missing one is given up: the event behind it is no dead letter of its own.
        parked::set(work, owned.key(), dead.event.version, Stay::held(Parking::Behind, "")).await?;
    }
    parked::remove(work, owned.key(), version).await?;
    inbox::advance(work, &owned.subscription, &owned.entity, &owned.key, version).await?;
    owned.arrange(work).await?;
    Ok(())
}

/// A key by owned names, for a unit of work.
pub(crate) struct Owned {
    subscription: String,
    entity: String,
    key: String,
}

impl Owned {
    pub(crate) fn new(subscription: &str, entity: &str, key: &str) -> Self {
        Self { subscription: subscription.to_owned(), entity: entity.to_owned(), key: key.to_owned() }
    }

    fn key(&self) -> Key<'_> {
        Key { subscription: &self.subscription, entity: &self.entity, key: &self.key }
    }

    async fn arrange(&self, work: &mut Work) -> Result<(), StoreError> {
        let origin = position::load(work, &self.subscription).await?.map_or(0, |standing| standing.origin);
        parked::arrange(work, self.key(), origin).await
    }

    async fn dead(&self, work: &mut Work, version: Option<i64>) -> Result<First, DecisionError> {
        let taken = inbox::lock(work, &self.subscription, &self.entity, &self.key).await?;
        let first = parked::first(work, self.key()).await?;
        let named = |first: &First| {
            let own = first.event.version;
            // The version before it is missing only where it has not taken effect.
            version.is_none_or(|given| given == own || (given == own - 1 && taken < given))
        };
        let dead = first.filter(|first| first.state == Parking::Dead && named(first));
        dead.ok_or_else(|| DecisionError::NotWaiting { key: self.key.clone(), version })
    }
}

impl ParkedKey {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            subscription: row.get("subscription")?,
            entity: row.get("entity")?,
            key: row.get("key")?,
            version: row.get("version")?,
            parking: Parking::of(&row.get::<String>("state")?)?,
            attempts: row.get("attempts")?,
            reason: row.get("reason")?,
        })
    }
}

impl fmt::Debug for DeadLetters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeadLetters")
    }
}
