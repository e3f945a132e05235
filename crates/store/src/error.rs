//! What can go wrong in an opened store, and what its caller may do about it.
//!
//! Which engine code means what stands in `sqlite/errors.rs` and `postgres/errors.rs`; here it has one name for both
//! engines. **Invariant:** an error other than [`StoreError::CommitUnknown`] means that nothing was written.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use freehold_wire::tonic::Status;
use freehold_wire::{Reason, TokenError};

/// An error of the engine, kept for the log.
pub type Cause = Arc<dyn Error + Send + Sync>;

/// Why a unit of work or a read failed. Cheap to clone: a batch that fails tells all its units.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A bounded queue or pool stayed full; the unit has not begun.
    #[error("the store is busy: {0}")]
    Busy(&'static str),
    /// Time was up before the commit.
    #[error("time was up before the commit, nothing was written")]
    DeadlineExceeded,
    /// The caller of the call that it was for has gone away.
    #[error("the caller went away before the commit, nothing was written")]
    Cancelled,
    /// The unit waited for something that is not its database: a call, a timer, a channel.
    #[error("the unit of work waited for something other than its database and was rolled back")]
    ForeignAwait,
    /// The idempotency key came with another request before.
    #[error("the idempotency key was used with another request")]
    KeyReused,
    /// The idempotency key's write took effect, and an entity that it touched was erased since, the reply with it.
    #[error("the write took effect once and its reply was erased with its entity; read the entity instead")]
    ReplyErased,
    /// The key's stream is not where the unit expected it.
    #[error("{entity} `{key}` is at version {found}, not at {expected}")]
    VersionConflict {
        /// The entity.
        entity: &'static str,
        /// The key.
        key: String,
        /// The version that the unit decided on; 0 for a key without events.
        expected: i64,
        /// The version that it has.
        found: i64,
    },
    /// A statement would have broken a constraint of the schema.
    #[error("the {kind} constraint `{name}` forbids it")]
    Constraint {
        /// Which sort of constraint.
        kind: Constraint,
        /// As the engine names it: "users.email" on SQLite, "users_email_key" on PostgreSQL.
        name: String,
    },
    /// The transaction ended under the unit, by the fault of another one; nothing was written and a retry is safe.
    #[error("the transaction was rolled back by another unit's failure, a retry is safe")]
    RolledBack(#[source] Option<Cause>),
    /// The commit was sent and not confirmed: it may have happened. Only a retry under the same key is safe.
    #[error("the commit was not confirmed, it may or may not have happened")]
    CommitUnknown(#[source] Cause),
    /// The disk or the database is full.
    #[error("the database is full, nothing was written")]
    Full(#[source] Cause),
    /// Reading or writing the disk, or talking to the database, failed.
    #[error("the database could not be read or written")]
    Io(#[source] Cause),
    /// The database is damaged.
    #[error("the database is damaged")]
    Corrupt(#[source] Cause),
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
    /// The unit panicked.
    #[error("the unit of work panicked and was rolled back: {0}")]
    Panicked(String),
    /// The statement is none that a unit or a read may run: it controls transactions, changes settings, or writes in a
    /// read.
    #[error("the statement is not allowed here: {0}")]
    Forbidden(String),
    /// A column does not hold what it is read as.
    #[error("column `{column}` {problem}")]
    Decode {
        /// The column.
        column: String,
        /// What is wrong with it.
        problem: String,
    },
    /// An event or an entity is larger than any bus takes.
    #[error("{what} has {bytes} bytes, more than the {most} that an event may have")]
    TooLarge {
        /// The event or entity, by full name.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// The most that is allowed.
        most: usize,
    },
    /// A key that is empty, too long or holds a NUL.
    #[error("a key of {entity} {problem}")]
    BadKey {
        /// The entity.
        entity: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The message belongs to another owner, which alone may write it.
    #[error("{what} belongs to `{owner}`, this is the store of `{service}`")]
    ForeignOwner {
        /// The entity or event.
        what: &'static str,
        /// Who owns it.
        owner: &'static str,
        /// Whose store this is.
        service: String,
    },
    /// The session has seen a commit that is no part of this history.
    #[error(transparent)]
    NeverReached(#[from] TokenError),
    /// The statement is wrong.
    #[error("the statement failed")]
    Sql(#[source] Cause),
}

/// The sorts of constraints that a schema has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Constraint {
    /// UNIQUE or PRIMARY KEY.
    Unique,
    /// FOREIGN KEY.
    ForeignKey,
    /// CHECK.
    Check,
    /// NOT NULL.
    NotNull,
    /// A trigger that raised an error, a type that a STRICT table refuses, and the like.
    Other,
}

impl std::fmt::Display for Constraint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unique => "unique",
            Self::ForeignKey => "foreign key",
            Self::Check => "check",
            Self::NotNull => "not null",
            Self::Other => "schema's",
        })
    }
}

impl StoreError {
    /// A row that does not make what it stands for, and what is wrong with its column: "is no order state".
    #[must_use]
    pub fn decode(column: &str, problem: impl Into<String>) -> Self {
        Self::Decode { column: column.to_owned(), problem: problem.into() }
    }

    pub(crate) fn wrong_values(wants: usize, has: usize) -> Self {
        Self::Forbidden(format!("its parameters want {wants} values, it was given {has}"))
    }

    /// Whether nothing was written and the same unit may succeed when it is run again: a retry is safe, also without
    /// an idempotency key.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Busy(_)
                | Self::DeadlineExceeded
                | Self::Cancelled
                | Self::VersionConflict { .. }
                | Self::RolledBack(_)
                | Self::Full(_)
                | Self::Io(_)
                | Self::Closed
        )
    }

    /// Whether the failure is of the moment. Wider than [`Self::is_retryable`]: it includes a commit that may have
    /// happened, which only a unit that recognises its own repetition may run again.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.is_retryable() || matches!(self, Self::CommitUnknown(_))
    }
}

impl From<StoreError> for Status {
    fn from(error: StoreError) -> Self {
        const SOON: Duration = Duration::from_millis(50);
        // Nothing was written, so whoever still wants it may say it again; but a disk has room when somebody has made some.
        // Longer than calls last, so that nobody tries again within one, and what waits in a queue does.
        const ROOM: Duration = Duration::from_secs(10);
        let message = error.to_string();
        match error {
            StoreError::Busy(_) => Reason::Unavailable.retry_after("STORE_BUSY", message, SOON),
            StoreError::DeadlineExceeded => Reason::DeadlineExceeded.status(message),
            // Whoever asked is gone; what is left of the call hears why it ended.
            StoreError::Cancelled => Reason::Aborted.because("CANCELLED", message),
            StoreError::KeyReused => Reason::FailedPrecondition.because("IDEMPOTENCY_KEY_REUSED", message),
            StoreError::ReplyErased => Reason::FailedPrecondition.because("REPLY_ERASED", message),
            StoreError::VersionConflict { .. } => Reason::Aborted.because("VERSION_CONFLICT", message),
            StoreError::RolledBack(_) => Reason::Aborted.because("ROLLED_BACK", message),
            StoreError::Constraint { .. } => Reason::FailedPrecondition.because("CONSTRAINT", message),
            StoreError::BadKey { .. } => Reason::InvalidArgument.because("BAD_KEY", message),
            StoreError::TooLarge { .. } => Reason::ResourceExhausted.because("EVENT_TOO_LARGE", message),
            StoreError::NeverReached(_) => Reason::FailedPrecondition.because("TOKEN_NEVER_REACHED", message),
            StoreError::Full(_) => Reason::ResourceExhausted.retry_after("DATABASE_FULL", message, ROOM),
            StoreError::CommitUnknown(_) => Reason::Unavailable.because("COMMIT_UNKNOWN", message),
            StoreError::Io(_) => Reason::Unavailable.because("DATABASE_IO", message),
            StoreError::Closed => Reason::Unavailable.because("STORE_CLOSED", message),
            StoreError::ForeignAwait => Reason::Internal.because("FOREIGN_AWAIT", message),
            StoreError::Panicked(_) => Reason::Internal.because("PANIC", "the unit of work panicked"),
            StoreError::Corrupt(_) => Reason::Internal.because("DATABASE_CORRUPT", message),
            StoreError::Forbidden(_)
            | StoreError::Decode { .. }
            | StoreError::ForeignOwner { .. }
            | StoreError::Sql(_) => Reason::Internal.status(message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use freehold_wire::tonic::Code;

    #[test]
    fn an_error_becomes_a_status_that_programs_can_match_on() {
        for (error, code, reason) in [
            (StoreError::KeyReused, Code::FailedPrecondition, "IDEMPOTENCY_KEY_REUSED"),
            (StoreError::ReplyErased, Code::FailedPrecondition, "REPLY_ERASED"),
            (StoreError::RolledBack(None), Code::Aborted, "ROLLED_BACK"),
            (StoreError::ForeignAwait, Code::Internal, "FOREIGN_AWAIT"),
            (StoreError::Busy("too many readers"), Code::Unavailable, "STORE_BUSY"),
            (StoreError::DeadlineExceeded, Code::DeadlineExceeded, "DEADLINE_EXCEEDED"),
        ] {
            let status = Status::from(error);
            assert_eq!((status.code(), freehold_wire::reason::of(&status).as_str()), (code, reason));
        }
    }

    /// The planted bug is a refusal without a time, which says that it stays one.
    #[test]
    fn a_full_database_says_when_trying_again_is_of_use() {
        let status = Status::from(StoreError::Full(Arc::new(std::io::Error::other("no space"))));
        assert_eq!(
            (status.code(), freehold_wire::reason::of(&status).as_str()),
            (Code::ResourceExhausted, "DATABASE_FULL")
        );
        let retry = tonic_types::StatusExt::get_details_retry_info(&status);
        assert_eq!(retry.and_then(|info| info.retry_delay), Some(Duration::from_secs(10)));
    }

    #[test]
    fn a_commit_that_may_have_happened_is_not_safe_to_repeat() {
        let unknown = StoreError::CommitUnknown(Arc::new(std::io::Error::other("torn")));
        assert!(unknown.is_transient() && !unknown.is_retryable());
    }
}
