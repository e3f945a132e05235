//! A part of an answer that says where it came from: a copy, its owner or nowhere; how old it is; why it is no better.
//!
//! **Invariant:** a part that is older than it should be, or is not there, cannot be made without saying why.

use std::time::Duration;

use freehold_sdk::Error;

/// A part of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part<T> {
    /// `None` where there is nothing to show: there is none, or it could not be had.
    pub(crate) value: Option<T>,
    pub(crate) provenance: Provenance,
}

/// Where a part came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Provenance {
    /// The copy, which is at most so old; without an age where its owner was never heard of.
    Copy { age: Option<Duration>, stale: Option<Why> },
    /// The owner, who was asked so long ago, or says that it is so old.
    Owner { age: Duration },
    /// Nowhere.
    Nowhere { why: Why },
}

/// Why a part is older than it should be, or is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Why {
    /// The copy is older than the contract says.
    CopyStale,
    /// The copy has not come to what the caller has seen.
    CopyBehind,
    /// The copy has not been made yet.
    CopyNotReady,
    /// The copy is of a history that its owner no longer has.
    HistoryLost,
    /// What the owner sent is not understood.
    Undecodable,
    /// The owner cannot be reached.
    OwnerUnavailable,
    /// The owner did not answer in time.
    OwnerTimeout,
    /// The owner refused, for a reason of its own.
    OwnerRefused(String),
    /// The owner knows no such driver.
    DriverUnknown,
    /// The owner has never seen the driver, or too long ago.
    NotLocated,
    /// The ride is over: where its driver is concerns nobody any more.
    RideEnded,
}

impl<T> Part<T> {
    /// Nothing, and why.
    pub(crate) fn nowhere(why: Why) -> Self {
        Self { value: None, provenance: Provenance::Nowhere { why } }
    }

    /// Something of the owner's, as old as it may be.
    pub(crate) fn owner(value: Option<T>, age: Duration) -> Self {
        Self { value, provenance: Provenance::Owner { age } }
    }
}

impl Why {
    /// Why a call came to nothing.
    pub(crate) fn no_answer(error: &Error) -> Self {
        if error.is_unavailable() {
            Self::OwnerUnavailable
        } else if error.is_deadline_exceeded() {
            Self::OwnerTimeout
        } else {
            Self::OwnerRefused(error.reason().to_owned())
        }
    }

    /// The word for it on the wire.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::CopyStale => "COPY_STALE",
            Self::CopyBehind => "COPY_BEHIND",
            Self::CopyNotReady => "COPY_NOT_READY",
            Self::HistoryLost => "HISTORY_LOST",
            Self::Undecodable => "COPY_UNDECODABLE",
            Self::OwnerUnavailable => "OWNER_UNAVAILABLE",
            Self::OwnerTimeout => "OWNER_TIMEOUT",
            Self::OwnerRefused(reason) => reason,
            Self::DriverUnknown => "DRIVER_UNKNOWN",
            Self::NotLocated => "NOT_LOCATED",
            Self::RideEnded => "RIDE_ENDED",
        }
    }
}
