//! What PostgreSQL's error codes mean; no other file knows one.
//! Source: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.

use std::sync::Arc;

use sqlx::Error;
use sqlx::error::DatabaseError;

use crate::error::{Cause, Constraint, StoreError};

/// An error of a statement.
pub(super) fn of_statement(error: Error) -> StoreError {
    let cause = Arc::new(error);
    match &*cause {
        Error::Database(refusal) => of_refusal(refusal.as_ref(), cause.clone()),
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::WorkerCrashed => StoreError::Io(cause),
        _ => StoreError::Sql(cause),
    }
}

/// An error of the commit. Where the server did not say no, it may have said yes.
pub(super) fn of_commit(error: Error) -> StoreError {
    match of_statement(error) {
        StoreError::Io(cause) => StoreError::CommitUnknown(cause),
        other => StoreError::RolledBack(Some(Arc::new(other))),
    }
}

fn of_refusal(refusal: &dyn DatabaseError, cause: Cause) -> StoreError {
    let code = refusal.code().unwrap_or_default();
    let constraint = |kind| {
        let name = refusal.constraint().unwrap_or_else(|| refusal.message()).to_owned();
        StoreError::Constraint { kind, name }
    };
    match code.as_ref() {
        "23505" | "23P01" => constraint(Constraint::Unique),
        "23503" => constraint(Constraint::ForeignKey),
        "23514" => constraint(Constraint::Check),
        "23502" => constraint(Constraint::NotNull),
        // What a trigger raises, what a column's type refuses.
        "P0001" | "22003" | "22P02" => constraint(Constraint::Other),
        "57014" => StoreError::DeadlineExceeded,
        "25006" => StoreError::Forbidden("it writes, and this is a read".to_owned()),
        // A serialization failure, a deadlock, a lock that was not to be had.
        "40001" | "40P01" | "55P03" => StoreError::RolledBack(Some(cause)),
        "53100" => StoreError::Full(cause),
        "XX001" | "XX002" => StoreError::Corrupt(cause),
        // A statement that was given the wrong number of values.
        "08P01" => StoreError::Sql(cause),
        // The server is going, coming, out of reach, out of memory or connections, or its disk fails.
        code if ["08", "53", "57P", "58"].iter().any(|class| code.starts_with(class)) => {
            StoreError::Io(cause)
        }
        _ => StoreError::Sql(cause),
    }
}
