//! Which sagas began in this process and have not been driven yet.
//!
//! A row cannot tell a step that was never tried from one whose attempt is still on its way when its process dies. For
//! the first step of a saga that this very process began, memory can: nobody has sent anything before its first driver
//! takes it from here. **Invariant:** a saga is taken once; one that is not here counts as tried.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many are kept. One whose unit of work failed is never driven, so without a bound they would add up.
const MOST: usize = 4096;

/// The sagas of a definition whose first step nobody can have tried.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unsent(Arc<Mutex<HashSet<String>>>);

impl Unsent {
    /// The unit of work that began the saga `id` is about to commit. No driver sees the saga before that.
    pub(crate) fn began(&self, id: &str) {
        let mut unsent = self.lock();
        // Nothing but an undo that would not have been needed follows from forgetting them.
        if unsent.len() >= MOST {
            unsent.clear();
        }
        unsent.insert(id.to_owned());
    }

    /// The saga `id` is about to be driven; answers whether this is the first time.
    pub(crate) fn take(&self, id: &str) -> bool {
        self.lock().remove(id)
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
impl Unsent {
    /// The process dies, and with it what it remembered.
    pub(crate) fn forget(&self) {
        self.lock().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saga_is_taken_once() {
        let unsent = Unsent::default();
        assert!(!unsent.take("o-1"), "it began elsewhere");
        unsent.began("o-1");
        assert!(unsent.clone().take("o-1"));
        assert!(!unsent.take("o-1"));
    }

    #[test]
    fn units_that_fail_do_not_add_up() {
        let unsent = Unsent::default();
        for id in 0..=2 * MOST {
            unsent.began(&id.to_string());
            assert!(unsent.lock().len() <= MOST);
        }
        assert!(unsent.take(&(2 * MOST).to_string()), "the latest is there");
    }
}
