//! How a reaction fails, and what that means for its event.

use freehold_store::StoreError;

use crate::retry::Failure;

/// Why a reaction did not take effect.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReactionError {
    /// The database failed it; whether that may heal follows from the error.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It cannot be done now and may be later; the text says what it waits for. The key parks and is retried.
    #[error("{0}")]
    Retry(String),
    /// It can never be done; the text says why. The event becomes a dead letter and its key stays parked.
    #[error("{0}")]
    Refuse(String),
}

/// A value of an enum that only a later version of the contract has: whoever reads it may guess wrong, so it waits for one
/// that knows it.
impl From<prost::UnknownEnumValue> for ReactionError {
    fn from(unknown: prost::UnknownEnumValue) -> Self {
        Self::Refuse(unknown.to_string())
    }
}

impl ReactionError {
    /// The error where no event is at fault: the database's own.
    pub(crate) fn into_store(self) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Retry(text) | Self::Refuse(text) => StoreError::Panicked(text),
        }
    }

    /// What the failure says of the event; `None` where it says nothing of it, and the whole unit is run again.
    pub(crate) fn blame(&self) -> Option<Failure> {
        match self {
            Self::Retry(_) => Some(Failure::Transient),
            Self::Refuse(_) => Some(Failure::Poison),
            Self::Store(error) => blame(error),
        }
    }
}

fn blame(error: &StoreError) -> Option<Failure> {
    match error {
        StoreError::DeadlineExceeded => Some(Failure::Unclear),
        StoreError::VersionConflict { .. } => Some(Failure::Transient),
        // The database's own trouble: parking would fail too, and no event is at fault.
        StoreError::Busy(_)
        | StoreError::RolledBack(_)
        | StoreError::CommitUnknown(_)
        | StoreError::Full(_)
        | StoreError::Io(_)
        | StoreError::Corrupt(_)
        | StoreError::Closed => None,
        _ => Some(Failure::Poison),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// E31: a full disk or another unit's failure makes no dead letter.
    #[test]
    fn only_what_the_event_itself_causes_is_held_against_it() {
        let blamed = |error: StoreError| ReactionError::from(error).blame();
        assert_eq!(blamed(StoreError::RolledBack(None)), None);
        assert_eq!(blamed(StoreError::Closed), None);
        assert_eq!(blamed(StoreError::DeadlineExceeded), Some(Failure::Unclear));
        assert_eq!(blamed(StoreError::Panicked("boom".to_owned())), Some(Failure::Poison));
        assert_eq!(ReactionError::Retry("busy".to_owned()).blame(), Some(Failure::Transient));
        assert_eq!(ReactionError::Refuse("no".to_owned()).blame(), Some(Failure::Poison));
    }
}
