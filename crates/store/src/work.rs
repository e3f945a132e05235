//! A unit of work: one transaction on the owner's database, and all that a handler may do in it.
//!
//! In goes the handler of [`Store::write`](crate::Store::write) or [`Store::unit`](crate::Store::unit); out go, all or
//! nothing, domain rows, entity rows, outbox rows and the idempotency record. **Invariant:** after a failed statement
//! nothing of the unit is committed, whatever its handler answers.

use std::sync::Arc;
use std::time::Instant;

use freehold_wire::Context;

use crate::dialect;
use crate::engine::{Engine, Lane};
use crate::error::StoreError;
use crate::gathered::Gathered;
use crate::idempotency::Touched;
use crate::queries::Queries;
use crate::row::Row;
use crate::value::Value;

/// One transaction that writes.
///
/// A handler awaits its queries and nothing else: a unit that waits for a call, a timer or a channel is rolled back
/// with [`StoreError::ForeignAwait`]. It is cut at its context's deadline, and when its call's caller goes away.
pub struct Work {
    pub(crate) lane: Lane,
    pub(crate) service: Arc<str>,
    context: Context,
    now: i64,
    mark: i64,
    failed: Option<StoreError>,
    origin: Option<Origin>,
    /// Why it may tell nobody anything, where it may not.
    silent: Option<&'static str>,
    /// The keys that it touched, where its reply is recorded.
    pub(crate) touched: Touched,
    gathers: bool,
    gathered: Option<Gathered>,
    /// Rows that waited could not be inserted.
    lost_rows: bool,
}

/// Where a unit's events say that they come from.
pub(crate) struct Origin {
    pub(crate) traceparent: String,
    pub(crate) cause: String,
    pub(crate) tokens: Vec<u8>,
}

/// What becomes of a unit.
pub(crate) enum Verdict {
    /// Everything it wrote.
    Commit,
    /// Nothing; its handler said no.
    Refused,
    /// Nothing; it did not get to its end, or may not commit.
    Failed(StoreError),
}

impl Work {
    /// Begins on a lane whose transaction is open; `mark` is the last one before it.
    pub(crate) fn new(lane: Lane, service: Arc<str>, context: Context, now: i64, mark: i64) -> Self {
        Self {
            lane,
            service,
            context,
            now,
            mark,
            failed: None,
            origin: None,
            silent: None,
            touched: Touched::default(),
            gathers: false,
            gathered: None,
            lost_rows: false,
        }
    }

    /// The context of the call or event that this unit serves.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Goes on in another context: for a unit that several events share, each of which has a session, a trace and a
    /// cause of its own. The unit keeps its deadline.
    pub fn turn_to(&mut self, context: &Context) {
        let left = self.context.remaining();
        self.context = context.clone().with_budget(left);
        self.origin = None;
    }

    /// The time of this unit in milliseconds since 1970: one value, however long it runs.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.now
    }

    /// What the unit runs on; for the rare statement that has to differ.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.lane.engine()
    }

    /// From here on the unit shares nothing and emits nothing, for this reason: one that tries to fails.
    pub fn be_silent(&mut self, why: &'static str) {
        self.silent = Some(why);
    }

    /// Refuses what a silent unit would tell.
    pub(crate) fn may_tell(&mut self, what: &'static str) -> Result<(), StoreError> {
        match self.silent {
            Some(why) => self.note(Err(StoreError::Forbidden(format!("{what} may not be told here: {why}")))),
            None => Ok(()),
        }
    }

    /// Runs statements that define data, in the dialect of migrations; for tables whose shape is known only when the
    /// program runs. All else belongs into a migration.
    ///
    /// # Errors
    /// [`StoreError`], of a statement or of the database.
    pub async fn define(&mut self, sql: &str) -> Result<(), StoreError> {
        self.may_go_on()?;
        self.flush().await?;
        let outcome = if dialect::mentions(sql, "DEFERRABLE") {
            Err(StoreError::Forbidden("a deferrable constraint would fail at the commit".to_owned()))
        } else {
            self.lane.define(sql).await
        };
        self.note(outcome)
    }

    /// Runs a statement of whose outcome the handler has no use: it counts no rows, and should it fail, so does the unit.
    ///
    /// On PostgreSQL, where a statement is a round trip, many events share a unit and each of them inserts a row, the rows
    /// are sent together: an `INSERT .. VALUES (..)` of one row, with or without `ON CONFLICT .. DO NOTHING`, waits for
    /// others of the same text, for the unit's next statement at most. Everything else is run at once.
    ///
    /// # Errors
    /// [`StoreError`] of the statement, or of an earlier one.
    pub async fn exec_later(&mut self, sql: &'static str, values: Vec<Value>) -> Result<(), StoreError> {
        self.may_go_on()?;
        if !self.gathered.as_ref().is_some_and(|gathered| gathered.takes(sql)) {
            self.flush().await?;
            self.gathered = if self.gathers { Gathered::of(sql) } else { None };
        }
        let Some(gathered) = &mut self.gathered else { return self.exec(sql, values).await.map(drop) };
        let wants = gathered.wants();
        if values.len() != wants {
            return self.note(Err(StoreError::wrong_values(wants, values.len())));
        }
        gathered.push(values);
        Ok(())
    }

    /// Has rows of [`Work::exec_later`] wait for each other from here on: for a unit that handlers of many events share.
    pub fn gather(&mut self) {
        self.gathers = self.engine() == Engine::Postgres;
    }

    /// Whether rows that waited could not be inserted, so that what failed is not what the handler was doing.
    #[must_use]
    pub fn has_lost_rows(&self) -> bool {
        self.lost_rows
    }

    /// Inserts the rows that wait.
    pub(crate) async fn flush(&mut self) -> Result<(), StoreError> {
        for (sql, values) in self.gathered.take().into_iter().flat_map(Gathered::statements) {
            let inserted = self.lane.insert(sql, values).await;
            self.lost_rows |= inserted.is_err();
            self.note(inserted)?;
        }
        Ok(())
    }

    /// The mark of this unit's last event, or the last one before it; on PostgreSQL always that.
    pub(crate) fn mark(&self) -> i64 {
        self.mark
    }

    pub(crate) fn reached(&mut self, mark: i64) {
        self.mark = mark;
    }

    /// What becomes of the unit, given whether its handler wants the commit, or why it did not get to its end. After a
    /// failed statement the handler is not asked.
    pub(crate) fn verdict(&mut self, handled: Result<bool, StoreError>) -> Verdict {
        match handled {
            Err(error) => Verdict::Failed(error),
            Ok(false) => Verdict::Refused,
            Ok(true) => self.may_go_on().map_or_else(Verdict::Failed, |()| Verdict::Commit),
        }
    }

    /// The lane, the last mark, and the error of the first statement that failed.
    pub(crate) fn into_parts(self) -> (Lane, i64, Option<StoreError>) {
        (self.lane, self.mark, self.failed)
    }

    /// Taken when the first event is emitted: the session as it stands then.
    pub(crate) fn origin(&mut self) -> &Origin {
        let context = &self.context;
        self.origin.get_or_insert_with(|| Origin {
            traceparent: context.trace().to_string(),
            cause: context.cause().to_owned(),
            tokens: crate::outbox::encode_tokens(context.session()),
        })
    }

    /// On SQLite, which gives it for nothing, the id of the row that was inserted last.
    pub(crate) fn last_id(&self) -> Option<i64> {
        match &self.lane {
            Lane::Sqlite(lane) => Some(lane.last_id()),
            Lane::Postgres(_) => None,
        }
    }

    /// Refuses what would not be committed anyway.
    pub(crate) fn may_go_on(&mut self) -> Result<(), StoreError> {
        if self.failed.is_none() && Instant::now() >= self.context.deadline() {
            self.failed = Some(StoreError::DeadlineExceeded);
        }
        if self.failed.is_none() && self.context.cancellation().is_cancelled() {
            self.failed = Some(StoreError::Cancelled);
        }
        self.failed.clone().map_or(Ok(()), Err)
    }

    fn note<T>(&mut self, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &outcome {
            self.failed.get_or_insert_with(|| error.clone());
        }
        outcome
    }
}

impl Queries for Work {
    async fn one(&mut self, sql: &'static str, values: Vec<Value>) -> Result<Option<Row>, StoreError> {
        self.may_go_on()?;
        self.flush().await?;
        let outcome = self.lane.one(sql, values).await;
        self.note(outcome)
    }

    async fn all(&mut self, sql: &'static str, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        self.may_go_on()?;
        self.flush().await?;
        let outcome = self.lane.all(sql, values).await;
        self.note(outcome)
    }

    async fn exec(&mut self, sql: &'static str, values: Vec<Value>) -> Result<u64, StoreError> {
        self.may_go_on()?;
        self.flush().await?;
        let outcome = self.lane.exec(sql, values).await;
        self.note(outcome)
    }
}
