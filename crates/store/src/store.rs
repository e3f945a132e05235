//! The store: the one handle by which a service reaches its own database.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use freehold_wire::pb::{Position, Token};
use freehold_wire::prost::Message;
use freehold_wire::{Committed, Context, Coverage, TokenError, Watermark};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::engine::Engine;
use crate::epoch::History;
use crate::error::StoreError;
use crate::idempotency::{self, Claim, Standing};
use crate::ledger::{Tally, View};
use crate::open::OpenError;
use crate::options::{Options, redacted};
use crate::outbox;
use crate::read::Read;
use crate::unit::{self, Job};
use crate::work::Work;
use crate::{postgres, sqlite};

/// An owned database. Cloning is cheap; the last clone that is dropped ends it in the background.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    database: Database,
    view: View,
    options: Options,
    next_purge: AtomicI64,
    /// No event before this mark is kept.
    kept_from: AtomicI64,
}

/// A running engine.
enum Database {
    Sqlite(sqlite::Database),
    Postgres(postgres::Database),
}

/// What an engine starts with.
pub(crate) struct Opened<D> {
    pub(crate) database: D,
    pub(crate) view: View,
}

impl<D> Opened<D> {
    fn map<T>(self, shape: impl FnOnce(D) -> T) -> Opened<T> {
        Opened { database: shape(self.database), view: self.view }
    }
}

/// The reply of a keyed write, or what an earlier one replied.
enum Answer<R> {
    Made(R),
    Recorded(Vec<u8>, i64),
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("service", &self.service())
            .field("engine", &self.engine())
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the database, applies the migrations that are missing, and begins an epoch. Needs a Tokio runtime.
    ///
    /// # Errors
    /// [`OpenError`]; a database that is refused stays as it is.
    pub async fn open(options: Options) -> Result<Self, OpenError> {
        match Engine::of_url(&options.url) {
            Some(Engine::Sqlite) => {
                Ok(Self::running(sqlite::open(options.clone()).await?.map(Database::Sqlite), options))
            }
            Some(Engine::Postgres) => {
                Ok(Self::running(postgres::open(options.clone()).await?.map(Database::Postgres), options))
            }
            None => Err(OpenError::Url(redacted(&options.url))),
        }
    }

    fn running(opened: Opened<Database>, options: Options) -> Self {
        let Opened { database, view } = opened;
        let next_purge = AtomicI64::new((options.clock)());
        let kept_from = AtomicI64::new(0);
        let store = Self { inner: Arc::new(Inner { database, view, options, next_purge, kept_from }) };
        store.purge_if_due();
        store
    }

    /// Runs a write that answers a call: under the context's idempotency key, if it has one, it takes effect once. The
    /// first reply is recorded and given again; a refusal is not recorded.
    ///
    /// The handler runs as one unit of work. When this future is dropped it goes on; its key tells what became of it. When
    /// the caller of the context's call goes away before the commit, it is rolled back.
    ///
    /// # Errors
    /// What the handler refuses with, or a [`StoreError`] made into it: nothing was written then, unless the error is
    /// [`StoreError::CommitUnknown`].
    pub async fn write<R, E, F>(&self, context: &Context, handler: F) -> Result<Committed<R>, E>
    where
        F: AsyncFnOnce(&mut Work) -> Result<R, E> + Send + 'static,
        R: Message + Default + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let Some(claim) = Claim::of(context) else {
            let (reply, token) = self.unit(context, handler).await?;
            return Ok(Committed::attest(reply, token, false));
        };
        let keyed = async move |work: &mut Work| -> Result<Answer<R>, E> {
            if let Standing::Recorded { reply, mark } = claim.stake(work).await? {
                return Ok(Answer::Recorded(reply, mark));
            }
            let reply = handler(work).await?;
            claim.settle(work, reply.encode_to_vec()).await?;
            Ok(Answer::Made(reply))
        };
        let (answer, token) = self.unit(context, keyed).await?;
        match answer {
            Answer::Made(reply) => Ok(Committed::attest(reply, token, false)),
            Answer::Recorded(bytes, mark) => {
                let reply = R::decode(bytes.as_slice()).map_err(|_| unreadable_reply())?;
                Ok(Committed::attest(reply, self.recorded(mark, token), true))
            }
        }
    }

    /// The token of a reply that was recorded before: on PostgreSQL, where its mark was not known yet when it was recorded,
    /// that of the unit that has found it.
    fn recorded(&self, mark: i64, found_by: Token) -> Token {
        match self.engine() {
            Engine::Sqlite => self.history().recorded_token(mark),
            Engine::Postgres => found_by,
        }
    }

    /// Runs a unit of work that answers no call: a reaction, a step of a saga. Answers with the token of its commit. The
    /// context's idempotency key is not looked at.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn unit<T, E, F>(&self, context: &Context, handler: F) -> Result<(T, Token), E>
    where
        F: AsyncFnOnce(&mut Work) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (job, settled) = unit::job(context.clone(), handler);
        self.submit(job).await?;
        let (result, token) = settled.await.unwrap_or_else(|_| Err(unit::unanswered()))?;
        self.purge_if_due();
        result.map(|value| (value, token))
    }

    /// Begins a read that has no context, for the store's read budget.
    ///
    /// # Errors
    /// [`StoreError::Busy`] where all connections stay in use, [`StoreError::Closed`], or an error of the database.
    pub async fn read(&self) -> Result<Read, StoreError> {
        self.read_until(Instant::now() + self.inner.options.read_budget).await
    }

    /// Begins a read that is cut at the context's deadline, and when its caller goes away, and sees what its session has seen of this store.
    ///
    /// # Errors
    /// As [`Store::read`]; [`StoreError::NeverReached`] where the session has seen what this history does not have: the
    /// database was restored, or the token is forged.
    pub async fn read_within(&self, context: &Context) -> Result<Read, StoreError> {
        if let Some(token) = context.session().token(self.service()) {
            self.reached(&token, context.deadline()).await?;
        }
        Ok(self.read_until(context.deadline()).await?.ending_with(context.cancellation()))
    }

    /// A commit is in the head before its token is out, in that of the instance that made it and in the database, so a token
    /// that neither covers is of no commit here.
    async fn reached(&self, token: &Token, deadline: Instant) -> Result<(), StoreError> {
        if self.head().covers(token)? == Coverage::Covered {
            return Ok(());
        }
        self.look(deadline).await?;
        match self.head().covers(token)? {
            Coverage::Covered => Ok(()),
            Coverage::Behind | Coverage::UnknownEpoch => {
                let (owner, epoch, mark) = (token.owner.clone(), token.epoch, token.mark);
                Err(TokenError::NeverReached { owner, epoch, mark }.into())
            }
        }
    }

    /// Begins a read for the store's read budget, and says up to where it sees every event, and none behind it.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub async fn exact_read(&self) -> Result<(Read, Position), StoreError> {
        let deadline = Instant::now() + self.inner.options.read_budget;
        match &self.inner.database {
            Database::Sqlite(database) => {
                let mut read = database.read(deadline).await?;
                let position = outbox::standing(self, &mut read).await?;
                Ok((read, position))
            }
            Database::Postgres(database) => {
                let (read, mark) = database.exact_read(deadline).await?;
                Ok((read, self.history().position(mark)))
            }
        }
    }

    /// A token that covers whatever a read has seen that has begun before.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub async fn seen(&self) -> Result<Token, StoreError> {
        self.look(Instant::now() + self.inner.options.read_budget).await
    }

    /// The owner's watermark: its epochs, and the last mark that is known here to be committed. On PostgreSQL another
    /// instance may have gone on; [`Store::latest`] asks.
    #[must_use]
    pub fn head(&self) -> Watermark {
        self.inner.view.head()
    }

    /// The owner's watermark, with all that was committed before this was called, by whichever instance.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub async fn latest(&self) -> Result<Watermark, StoreError> {
        self.look(Instant::now() + self.inner.options.read_budget).await?;
        Ok(self.head())
    }

    /// The owner's watermark, in which a position is reached if it is at all: where this instance does not know of it, the
    /// database is asked.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub async fn latest_for(&self, position: &Position) -> Result<Watermark, StoreError> {
        let head = self.head();
        if head.reached(position).is_ok() { Ok(head) } else { self.latest().await }
    }

    /// Brings the head up to date; answers a token of it.
    async fn look(&self, deadline: Instant) -> Result<Token, StoreError> {
        match &self.inner.database {
            Database::Sqlite(_) => Ok(self.inner.view.token()),
            Database::Postgres(database) => database.cover(deadline).await,
        }
    }

    /// Tells the last mark of [`Store::head`], once per batch of commits; a slow listener hears the last one only.
    #[must_use]
    pub fn commits(&self) -> watch::Receiver<i64> {
        self.inner.view.commits.clone()
    }

    /// The transactions that hold up their own events on PostgreSQL: open for more than four seconds, or prepared and left,
    /// the oldest first. As it was seen within the last second; on SQLite there are none.
    #[must_use]
    pub fn blockers(&self) -> Vec<String> {
        match &self.inner.database {
            Database::Sqlite(_) => Vec::new(),
            Database::Postgres(database) => database.blockers(),
        }
    }

    /// How many units have been committed since the store was opened, in how many transactions.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.inner.view.tally()
    }

    /// Whose store this is.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.inner.options.service
    }

    /// The time by this store's clock, in milliseconds since 1970: what a unit that began now would get.
    #[must_use]
    pub fn now(&self) -> i64 {
        (self.inner.options.clock)()
    }

    /// What it runs on.
    #[must_use]
    pub fn engine(&self) -> Engine {
        match self.inner.database {
            Database::Sqlite(_) => Engine::Sqlite,
            Database::Postgres(_) => Engine::Postgres,
        }
    }

    /// Waits until the store answers no more: it was closed, or its database lacks what was in it before, after a restore
    /// or with a standby that was behind. Only the next start may go on from there.
    pub fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        let queue = match &self.inner.database {
            Database::Sqlite(database) => database.queue(),
            Database::Postgres(database) => database.queue(),
        };
        queue.ended()
    }

    /// Refuses new work, finishes what is queued, and gives the database free for another owner.
    pub async fn close(&self) {
        match &self.inner.database {
            Database::Sqlite(database) => database.close().await,
            Database::Postgres(database) => database.close().await,
        }
    }

    /// A mark before which no event is kept; `seen` is another one that was found.
    pub(crate) fn kept_from(&self, seen: Option<i64>) -> i64 {
        let seen = seen.unwrap_or_default();
        self.inner.kept_from.fetch_max(seen, Ordering::Relaxed).max(seen)
    }

    pub(crate) fn history(&self) -> Arc<History> {
        self.inner.view.history()
    }

    async fn read_until(&self, deadline: Instant) -> Result<Read, StoreError> {
        match &self.inner.database {
            Database::Sqlite(database) => database.read(deadline).await,
            Database::Postgres(database) => database.read(deadline).await,
        }
    }

    async fn submit(&self, job: Job) -> Result<(), StoreError> {
        match &self.inner.database {
            Database::Sqlite(database) => database.submit(job).await,
            Database::Postgres(database) => database.submit(job).await,
        }
    }

    /// Begins to purge old idempotency records: when the store opens, and with commits, at most once a minute. Nobody
    /// waits for it.
    fn purge_if_due(&self) {
        let Inner { options, next_purge, .. } = &*self.inner;
        let (now, due) = ((options.clock)(), next_purge.load(Ordering::Relaxed));
        if now < due {
            return;
        }
        // A commit may be waited for outside of a runtime; then a later one purges.
        let Ok(runtime) = Handle::try_current() else { return };
        let next = now + idempotency::PURGE_EVERY_MS;
        if next_purge.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            runtime.spawn(self.clone().purge());
        }
    }

    /// Purges in small units, so that callers' units come in between, until nothing is old.
    async fn purge(self) {
        loop {
            let context = Context::new(self.service(), idempotency::PURGE_BUDGET);
            match self.unit(&context, async |work: &mut Work| idempotency::purge(work).await).await {
                Ok((true, _)) => {}
                Ok((false, _)) | Err(StoreError::Closed) => return,
                Err(error) => return tracing::warn!(%error, "old idempotency records were not purged"),
            }
        }
    }
}

fn unreadable_reply() -> StoreError {
    let problem = "holds a reply of another type under this idempotency key".to_owned();
    StoreError::Decode { column: "reply".to_owned(), problem }
}
