//! Waiting for a cause: an event that rests on another owner's events is put off until those have arrived here.
//!
//! What an event rests on are its tokens, one for each owner of which its emitter had seen something. Events have arrived
//! when this consumer's views of that owner have come by them: they took effect, or their keys wait. **Invariant:** nothing
//! waits longer than was declared, so an owner that is down holds up nobody else's events for ever.

use std::collections::BTreeMap;
use std::time::Duration;

use freehold_store::{Queries, StoreError};
use freehold_wire::Coverage;
use freehold_wire::pb::Envelope;

use crate::position::{self, Standing};

/// The owners whose events come first, and how long they are waited for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Causes(BTreeMap<String, Duration>);

impl Causes {
    /// Waits for the events of this owner too.
    pub(crate) fn add(&mut self, owner: &str, at_most: Duration) {
        self.0.insert(owner.to_owned(), at_most);
    }

    /// Which cause of an event, that has waited so long, has not arrived at the consumer.
    pub(crate) async fn missing(
        &self,
        queries: &mut impl Queries,
        consumer: &str,
        event: &Envelope,
        waited: Duration,
    ) -> Result<Option<String>, StoreError> {
        for token in &event.tokens {
            if self.0.get(&token.owner).is_none_or(|at_most| waited >= *at_most) {
                continue;
            }
            let views = format!("{consumer}/views/{}", token.owner);
            let stands = position::load(queries, &views).await?;
            let covers = |stands: &Standing| matches!(stands.watermark.covers(token), Ok(Coverage::Covered));
            if !stands.as_ref().is_some_and(covers) {
                let reason = format!("it waits for the events of {} up to {}", token.owner, token.mark);
                return Ok(Some(reason));
            }
        }
        Ok(None)
    }
}
