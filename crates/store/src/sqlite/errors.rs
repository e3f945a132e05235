//! What SQLite's result codes mean; no other file knows one.
//! Source: <https://www.sqlite.org/rescode.html>.

use std::sync::Arc;

use rusqlite::Error;
use rusqlite::ffi::{self, ErrorCode};

use crate::error::{Cause, Constraint, StoreError};

/// An error of a statement.
pub(super) fn of_statement(error: Error) -> StoreError {
    let Error::SqliteFailure(failure, message) = &error else { return StoreError::Sql(Arc::new(error)) };
    match failure.code {
        ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch => {
            constraint(failure.extended_code, message.as_deref().unwrap_or_default())
        }
        ErrorCode::OperationInterrupted => StoreError::DeadlineExceeded,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Busy("the database is locked"),
        ErrorCode::DiskFull => StoreError::Full(Arc::new(error)),
        ErrorCode::SystemIoFailure | ErrorCode::CannotOpen => StoreError::Io(Arc::new(error)),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Corrupt(Arc::new(error)),
        ErrorCode::ReadOnly => StoreError::Forbidden("it writes, and this is a read".to_owned()),
        ErrorCode::AuthorizationForStatementDenied => {
            StoreError::Forbidden("it controls transactions or changes settings".to_owned())
        }
        _ => StoreError::Sql(Arc::new(error)),
    }
}

/// An error of the commit. The disk may have taken it although it said no.
pub(super) fn of_commit(error: Error) -> StoreError {
    match of_statement(error) {
        StoreError::Io(cause) => StoreError::CommitUnknown(cause),
        full @ StoreError::Full(_) => full,
        other => rolled_back(other),
    }
}

/// What the other units of a batch hear when it is lost.
pub(super) fn rolled_back(error: StoreError) -> StoreError {
    let cause: Cause = Arc::new(error);
    StoreError::RolledBack(Some(cause))
}

/// Whether the failure leaves a transaction in doubt: it ends the whole batch, also where SQLite has kept it open.
pub(super) fn ends_batch(error: &StoreError) -> bool {
    matches!(error, StoreError::Full(_) | StoreError::Io(_) | StoreError::Corrupt(_))
}

/// SQLite says "UNIQUE constraint failed: users.email".
fn constraint(extended: i32, message: &str) -> StoreError {
    let kind = match extended {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            Constraint::Unique
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Constraint::ForeignKey,
        ffi::SQLITE_CONSTRAINT_CHECK => Constraint::Check,
        ffi::SQLITE_CONSTRAINT_NOTNULL => Constraint::NotNull,
        _ => Constraint::Other,
    };
    let name = message.split_once(": ").map_or(message, |(_, name)| name);
    StoreError::Constraint { kind, name: name.to_owned() }
}
