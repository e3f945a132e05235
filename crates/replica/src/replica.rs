//! A copy as its consumer uses it: meet a level, then read by key here or join the table in SQL.
//!
//! Levels are met before a unit of work begins; inside one a copy is read as it stands. **Invariant:** a read never
//! returns less than the level that its answer names.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

use freehold_client::{FeedClient, Mesh};
use freehold_events::feed::READ_TOO_LARGE;
use freehold_events::{Subscription, position};
use freehold_store::{Queries, Row, Store, StoreError, Work, vals};
use freehold_wire::pb::{EntityRow, HeadRequest, ReadRequest, Token};
use freehold_wire::{Context, Coverage, TokenError, Watermark};
use tokio::time::timeout_at;

use crate::applier::Applier;
use crate::copied::{Copied, WhenStale};
use crate::error::ReplicaError;
use crate::fault::Faults;
use crate::level::{Achieved, Level, LevelName, Met, Need, Source};
use crate::record;
use crate::shape::{Place, statements};
use crate::standing::{Board, Standing};

/// How long making or widening the table may take.
const PREPARING: Duration = Duration::from_secs(30);
/// How long an owner may take to tell its head.
const HEAD: Duration = Duration::from_secs(1);
/// The same while it is known to be away: just long enough to see that it is back.
const HEAD_AWAY: Duration = Duration::from_millis(100);
/// The most keys that are fetched by one call.
const FETCH: usize = 500;

/// A read-only copy of another owner's entity. Cloning is cheap.
#[derive(Clone)]
pub struct Replica<T> {
    store: Store,
    feed: FeedClient,
    board: Board,
    faults: Faults,
    copies: PhantomData<fn() -> T>,
}

/// A row of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replicated<T> {
    /// The declared fields.
    pub value: T,
    /// The version of the key's stream that they are of.
    pub version: i64,
}

impl<T: Copied> Replica<T> {
    /// A copy in the store, of an owner in the mesh. Makes its table; the rows come once its
    /// [`subscription`](Self::subscription) runs.
    ///
    /// # Errors
    /// [`ReplicaError::Owner`] where the mesh does not know the owner, [`ReplicaError::Store`].
    pub async fn new(store: &Store, mesh: &Mesh) -> Result<Self, ReplicaError> {
        Self::with_feed(store, FeedClient::new(mesh.channel(T::OWNER)?)).await
    }

    /// The same with a feed of one's own.
    ///
    /// # Errors
    /// [`ReplicaError::Store`].
    pub async fn with_feed(store: &Store, feed: FeedClient) -> Result<Self, ReplicaError> {
        let context = Context::new(T::CONSUMER, PREPARING);
        let unit = async |work: &mut Work| record::prepare::<T>(work).await;
        let (record, _) = store.unit::<_, StoreError, _>(&context, unit).await?;
        let board = Board::new(Standing { ready: record.ready, ..Standing::nothing(T::OWNER) });
        let replica =
            Self { store: store.clone(), feed, board, faults: Faults::default(), copies: PhantomData };
        replica.applier().recall().await?;
        Ok(replica)
    }

    /// Kills its applier where a test says.
    #[cfg(test)]
    pub(crate) fn faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// What keeps the copy: give it to the service's [`Consumer`](freehold_events::Consumer).
    #[must_use]
    pub fn subscription(&self) -> Subscription {
        let replica = self.clone();
        let make = move |report| -> Box<dyn freehold_events::purpose::Purpose> {
            Box::new(replica.applier().reporting(report))
        };
        Subscription::of_purpose(T::CONSUMER, &record::purpose::<T>(), T::OWNER, [T::OF], make)
    }

    fn applier(&self) -> Applier<T> {
        Applier::new(self.store.clone(), self.board.clone(), self.faults.clone())
    }

    /// Meets a level, within a budget. Where the copy cannot in time, the contract's `when_stale` says what comes: the
    /// owner is to be asked, the copy is served as it is, or it fails; the answer tells which.
    ///
    /// A session without a token of this owner asks for nothing of it.
    ///
    /// # Errors
    /// [`ReplicaError`]; `Strong` fails at once where the owner cannot be reached.
    pub async fn at(&self, level: Level<'_>, budget: Duration) -> Result<Achieved, ReplicaError> {
        let need = match level {
            Level::Eventual => Need::Complete,
            Level::Bounded(age) => Need::Age(age),
            Level::Causal(session) => session.token(T::OWNER).map_or(Need::Complete, Need::Token),
            Level::Strong => self.head_mark(budget).await?,
        };
        let now = Instant::now();
        let met = self
            .board
            .look(|standing| Ok((self.meets(&need, standing, now)?, achieved(standing, now, level.name()))));
        match met {
            Ok((Met::Yes, achieved)) => Ok(achieved),
            Ok((_, _)) => self.wait(need, level.name(), now, budget).await,
            Err(error) => Err(error),
        }
    }

    fn meets(&self, need: &Need, standing: &Standing, now: Instant) -> Result<Met, ReplicaError> {
        if let Some(problem) = &standing.lost {
            return Err(ReplicaError::HistoryLost { replica: T::NAME, problem: problem.to_string() });
        }
        Ok(need.compare(standing, now)?)
    }

    async fn wait(
        &self,
        mut need: Need,
        level: LevelName,
        began: Instant,
        budget: Duration,
    ) -> Result<Achieved, ReplicaError> {
        let end = (began + budget).into();
        let mut standings = self.board.hear();
        loop {
            let standing = standings.borrow_and_update().clone();
            let now = Instant::now();
            match (self.meets(&need, &standing, now)?, &need) {
                (Met::Yes, _) => return Ok(achieved(&standing, now, level)),
                (Met::AskOwner, Need::Token(token)) => {
                    let owner = self.head(budget).await?;
                    need = known_to_owner(token, &owner)?;
                    continue;
                }
                _ => {}
            }
            match timeout_at(end, standings.changed()).await {
                Ok(Ok(())) => {}
                // Its applier is gone or time is up.
                Ok(Err(_)) | Err(_) => return self.stale(&self.board.read(), level, budget),
            }
        }
    }

    /// What comes where the level was not met in time.
    fn stale(
        &self,
        standing: &Standing,
        level: LevelName,
        budget: Duration,
    ) -> Result<Achieved, ReplicaError> {
        let now = Instant::now();
        match T::WHEN_STALE {
            WhenStale::AskOwner => Ok(Achieved { source: Source::Owner, ..achieved(standing, now, level) }),
            _ if !standing.ready => Err(ReplicaError::NotReady(T::NAME)),
            WhenStale::ServeStale => Ok(achieved(standing, now, LevelName::Eventual)),
            WhenStale::Fail => Err(ReplicaError::Stale { replica: T::NAME, budget }),
        }
    }

    async fn head_mark(&self, budget: Duration) -> Result<Need, ReplicaError> {
        Ok(Need::Mark(self.head(budget).await?.mark()))
    }

    /// The owner's history up to its head, of which the copy is one.
    async fn head(&self, budget: Duration) -> Result<Watermark, ReplicaError> {
        // Looked at before the owner is asked: the copy may come by the answer meanwhile.
        let (connected, known) =
            self.board.look(|standing| (standing.connected, Arc::clone(&standing.watermark)));
        let patience = if connected { HEAD } else { HEAD_AWAY };
        let head = self.feed.with_deadline(budget.min(patience)).head(HeadRequest::default()).await?;
        let owner = Watermark::new(T::OWNER, head.epochs, head.position.unwrap_or_default().mark);
        if position::contains(&owner, &known) {
            return Ok(owner);
        }
        let problem = "its head does not contain what was copied".to_owned();
        Err(ReplicaError::HistoryLost { replica: T::NAME, problem })
    }

    /// The row of a key in the copy, as it stands; `None` where the owner has none.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn get(queries: &mut impl Queries, key: &str) -> Result<Option<Replicated<T>>, StoreError> {
        let row = queries.one(statements::<T>(Place::Main).get, vals![key]).await?;
        row.map(replicated).transpose()
    }

    /// The same for whoever wants nothing else at that moment: as fast as a query gets.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn get_alone(&self, key: &str) -> Result<Option<Replicated<T>>, StoreError> {
        let row = self.store.read().await?.only(statements::<T>(Place::Main).get, vals![key]).await?;
        row.map(replicated).transpose()
    }

    /// The rows of some keys as the owner has them now; one that it has not is left out. The copy does not change.
    ///
    /// # Errors
    /// [`ReplicaError::Owner`], [`ReplicaError::Undecodable`].
    pub async fn fetch(&self, keys: &[String], budget: Duration) -> Result<Vec<Replicated<T>>, ReplicaError> {
        let end = Instant::now() + budget;
        let mut fetched = Vec::with_capacity(keys.len());
        let mut parts: Vec<_> = keys.chunks(FETCH).rev().collect();
        while let Some(keys) = parts.pop() {
            let feed = self.feed.with_deadline(end.saturating_duration_since(Instant::now()));
            let request = ReadRequest::default().with_entity(T::OF).with_keys(keys.iter().cloned());
            match feed.read(request).await {
                Ok(response) => {
                    for row in &response.rows {
                        fetched.extend(decode::<T>(row)?);
                    }
                }
                // Their rows are more than one reply holds.
                Err(error) if keys.len() > 1 && error.reason() == READ_TOO_LARGE => {
                    let (first, second) = keys.split_at(keys.len() / 2);
                    parts.extend([second, first]);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(fetched)
    }

    /// The rows of some keys at a level: from the copy, or from the owner where the copy cannot meet it and the contract
    /// says to ask.
    ///
    /// # Errors
    /// [`ReplicaError`].
    pub async fn rows(
        &self,
        keys: &[String],
        level: Level<'_>,
        budget: Duration,
    ) -> Result<(Vec<Replicated<T>>, Achieved), ReplicaError> {
        let end = Instant::now() + budget;
        let achieved = self.at(level, budget).await?;
        if achieved.source == Source::Owner {
            // Whatever waiting has cost, a fetch gets a moment of its own.
            let left = end.saturating_duration_since(Instant::now()).max(HEAD_AWAY);
            return Ok((self.fetch(keys, left).await?, achieved));
        }
        if let [key] = keys {
            return Ok((self.get_alone(key).await?.into_iter().collect(), achieved));
        }
        let mut read = self.store.read().await?;
        let mut rows = Vec::with_capacity(keys.len());
        for key in keys {
            rows.extend(Self::get(&mut read, key).await?);
        }
        Ok((rows, achieved))
    }

    /// Whether the copy is complete.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.board.look(|standing| standing.ready)
    }

    /// The level that the contract declares for it: bounded by `max_staleness`, or eventual.
    #[must_use]
    pub fn declared_level() -> Level<'static> {
        T::MAX_STALENESS.map_or(Level::Eventual, Level::Bounded)
    }
}

fn replicated<T: Copied>(mut row: Row) -> Result<Replicated<T>, StoreError> {
    Ok(Replicated { value: T::from_row(&mut row)?, version: row.get("freehold_version")? })
}

fn achieved(standing: &Standing, now: Instant, level: LevelName) -> Achieved {
    Achieved {
        level,
        source: Source::Copy,
        watermark: Arc::clone(&standing.watermark),
        age: standing.age(now),
    }
}

/// What a token of an unheard epoch asks for, by what its owner says.
fn known_to_owner(token: &Token, owner: &Watermark) -> Result<Need, ReplicaError> {
    match owner.covers(token)? {
        Coverage::Covered => Ok(Need::Mark(token.mark)),
        Coverage::Behind | Coverage::UnknownEpoch => Err(ReplicaError::Token(TokenError::NeverReached {
            owner: token.owner.clone(),
            epoch: token.epoch,
            mark: token.mark,
        })),
    }
}

fn decode<T: Copied>(row: &EntityRow) -> Result<Option<Replicated<T>>, ReplicaError> {
    let Some(data) = row.data.as_deref().filter(|_| !row.deleted) else { return Ok(None) };
    let undecodable = |error: prost::DecodeError| ReplicaError::Undecodable {
        of: T::OF,
        key: row.key.clone(),
        problem: error.to_string(),
    };
    let value = T::decode(data).map_err(undecodable)?;
    Ok(Some(Replicated { value, version: row.version }))
}

impl<T: Copied> fmt::Debug for Replica<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replica").field("name", &T::NAME).field("standing", &self.board.read()).finish()
    }
}
