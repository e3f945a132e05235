//! Why a copy cannot be kept or cannot answer.

use std::time::Duration;

use freehold_store::StoreError;
use freehold_wire::{Reason, TokenError};
use tonic::Status;

/// Why a read of a copy came to nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReplicaError {
    /// Its first snapshot is not complete yet, or a column was added and is being filled.
    #[error("the copy `{0}` is not complete yet")]
    NotReady(&'static str),
    /// It did not meet the level in time, and its contract says to fail then.
    #[error("the copy `{replica}` did not meet the level within {budget:?}")]
    Stale {
        /// The copy.
        replica: &'static str,
        /// How long was waited.
        budget: Duration,
    },
    /// The owner's history is another one than the one copied: it was restored, or replaced.
    #[error("the copy `{replica}` is of a history that its owner no longer has: {problem}")]
    HistoryLost {
        /// The copy.
        replica: &'static str,
        /// How it was seen.
        problem: String,
    },
    /// The session holds a token that the owner never gave out.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The owner had to be asked and did not answer.
    #[error("failed to ask the owner")]
    Owner(#[from] freehold_client::Error),
    /// The owner sent an entity that does not decode as the copy.
    #[error("the owner's {of} `{key}` does not decode as the copy: {problem}")]
    Undecodable {
        /// The entity.
        of: &'static str,
        /// The key.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The own database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ReplicaError> for Status {
    fn from(error: ReplicaError) -> Self {
        let message = error.to_string();
        match error {
            ReplicaError::NotReady(_) => Reason::Unavailable.because("COPY_NOT_READY", message),
            ReplicaError::Stale { .. } => Reason::Unavailable.because("COPY_STALE", message),
            ReplicaError::HistoryLost { .. } => Reason::FailedPrecondition.because("HISTORY_LOST", message),
            ReplicaError::Token(_) => Reason::FailedPrecondition.because("TOKEN_NEVER_REACHED", message),
            ReplicaError::Undecodable { .. } => Reason::Internal.because("COPY_UNDECODABLE", message),
            ReplicaError::Owner(error) => error.into(),
            ReplicaError::Store(error) => error.into(),
        }
    }
}
