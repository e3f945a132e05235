//! Telling the units of a batch what became of them.
//!
//! Waking many callers from the writer's thread costs it more than running their units: each is a call across threads.
//! So a batch is told by a task of the callers' runtime, while the writer takes the next one. **Invariant:** every unit
//! is told, also where that runtime is about to end and drops the task.

use freehold_wire::pb::Token;
use tokio::runtime::{Handle, RuntimeFlavor};

use crate::error::StoreError;
use crate::unit::Unit;

/// What the units of one batch will be told.
pub(super) struct Replies {
    committed: Result<(), StoreError>,
    told: Vec<(Box<dyn Unit>, Result<Token, StoreError>)>,
}

impl Replies {
    /// Per unit what it is told if the batch was committed; if it was not, what had failed before still counts.
    pub(super) fn new(
        committed: Result<(), StoreError>,
        told: Vec<(Box<dyn Unit>, Result<Token, StoreError>)>,
    ) -> Self {
        Self { committed, told }
    }

    /// Tells all: from the runtime that this thread is in, where that has a thread to spare.
    pub(super) fn send(self) {
        match Handle::try_current() {
            Ok(runtime) if self.told.len() > 1 && runtime.runtime_flavor() == RuntimeFlavor::MultiThread => {
                runtime.spawn(async move { drop(self) });
            }
            _ => drop(self),
        }
    }
}

impl Drop for Replies {
    fn drop(&mut self) {
        for (unit, outcome) in self.told.drain(..) {
            unit.settle(match &self.committed {
                Ok(()) => outcome,
                Err(lost) => Err(outcome.err().unwrap_or_else(|| lost.clone())),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use freehold_wire::Context;

    use super::*;
    use crate::Work;
    use crate::unit::{self, Job};

    /// Sends the replies of two units from inside the runtime; answers whether both were told.
    fn both_are_told(runtime: &Handle) -> bool {
        let context = || Context::new("orders", Duration::from_secs(1));
        let (jobs, told): (Vec<_>, Vec<_>) = (0..2)
            .map(|_| unit::job(context(), async |_: &mut Work| Err::<(), _>(StoreError::KeyReused)))
            .unzip();
        let _inside = runtime.enter();
        let outcomes = jobs.into_iter().map(|Job { unit, .. }| (unit, Err(StoreError::KeyReused)));
        Replies::new(Ok(()), outcomes.collect()).send();
        told.into_iter().all(|told| matches!(told.blocking_recv(), Ok(Err(StoreError::KeyReused))))
    }

    /// The planted bug is a runtime that drops what it is given.
    #[test]
    fn units_are_told_also_when_the_runtime_has_ended() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let handle = runtime.handle().clone();
        assert!(both_are_told(&handle));
        runtime.shutdown_background();
        assert!(both_are_told(&handle));
    }
}
