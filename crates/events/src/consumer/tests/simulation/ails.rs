//! How reactions fail: by event, until it is over or somebody mends it.

use std::collections::BTreeMap;

use freehold_store::StoreError;

use crate::ReactionError;

/// What is wrong with the reaction to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ail {
    /// It cannot be done now, so many times.
    Retries(u32),
    /// It never answers.
    Silent,
    /// It takes its process with it.
    Kills,
    /// It is refused.
    Poison,
}

/// All that is wrong, by key and version.
#[derive(Debug, Default)]
pub(super) struct Ails {
    by_event: BTreeMap<(String, i64), Ail>,
    /// What reactions did outside their unit, where that is the planted bug.
    pub(super) outside: Vec<(String, i64)>,
}

impl Ails {
    /// Something will be wrong with an event.
    pub(super) fn befall(&mut self, key: &str, version: i64, ail: Ail) {
        self.by_event.insert((key.to_owned(), version), ail);
    }

    /// What is wrong with an event is mended; what it was.
    pub(super) fn mend(&mut self, key: &str, version: i64) -> Option<Ail> {
        self.by_event.remove(&(key.to_owned(), version))
    }

    /// The reaction to an event, after its effect was written; `None` where it takes its process with it.
    pub(super) fn react(&mut self, key: &str, version: i64) -> Option<Result<(), ReactionError>> {
        Some(match self.by_event.get_mut(&(key.to_owned(), version)) {
            None | Some(Ail::Retries(0)) => {
                self.outside.push((key.to_owned(), version));
                Ok(())
            }
            Some(Ail::Retries(left)) => {
                *left -= 1;
                Err(ReactionError::Retry("not yet".to_owned()))
            }
            Some(Ail::Silent) => Err(StoreError::DeadlineExceeded.into()),
            Some(Ail::Kills) => return None,
            Some(Ail::Poison) => Err(ReactionError::Refuse("poison".to_owned())),
        })
    }
}
