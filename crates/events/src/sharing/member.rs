//! What one subscription of one instance holds, and the fence that its commits pass.
//!
//! **Invariant:** what an instance holds moves only in a unit of work that found it still holding it.

use std::sync::Arc;

use freehold_store::{Store, StoreError, Work};
use freehold_wire::pb::Position;
use freehold_wire::{Context, Shares};
use tokio::sync::Notify;

use super::division::{Dead, Portion};
use super::portions;

/// An instance in one of its subscriptions. Cloning is cheap.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    /// Its name: no two processes ever have the same.
    pub(crate) instance: Arc<str>,
    pub(crate) subscription: Arc<str>,
    /// Told when it has taken shares.
    pub(crate) recalled: Arc<Notify>,
}

/// What an instance held when it began to read.
#[derive(Debug, Clone)]
pub(crate) struct Hold {
    pub(crate) instance: Arc<str>,
    pub(crate) shares: Shares,
    pub(crate) fence: i64,
}

impl Member {
    /// Waits until this instance has a share, and takes its part where it has none yet; `idle` is told that it waits.
    pub(crate) async fn portion(
        &self,
        store: &Store,
        context: impl Fn() -> Context,
        idle: impl Fn(),
    ) -> Result<Portion, StoreError> {
        loop {
            let recalled = self.recalled.notified();
            let division = portions::division(&mut store.read().await?, &self.subscription).await?;
            match division.as_ref().and_then(|division| division.of(&self.instance)) {
                Some(portion) if !portion.shares.is_empty() => return Ok(portion.clone()),
                Some(_) => {
                    idle();
                    recalled.await;
                }
                None => {
                    settle(store, &context(), self, Dead::new()).await?;
                }
            }
        }
    }

    /// What a portion is to whoever reads for it.
    pub(crate) fn hold(&self, portion: &Portion) -> Hold {
        Hold { instance: Arc::clone(&self.instance), shares: portion.shares, fence: portion.fence }
    }
}

impl Hold {
    /// Moves the position of what is held; `false` where it is not held any more, and the unit must not commit.
    pub(crate) async fn advance(
        &self,
        work: &mut Work,
        subscription: &str,
        position: &Position,
    ) -> Result<bool, StoreError> {
        portions::advance(work, subscription, (&self.instance, self.fence), position).await
    }
}

/// The unit in which an instance takes its part.
pub(crate) async fn settle(
    store: &Store,
    context: &Context,
    member: &Member,
    dead: Dead,
) -> Result<bool, StoreError> {
    let member = member.clone();
    let unit = async move |work: &mut Work| {
        portions::settle(work, &member.subscription, &member.instance, &dead).await
    };
    store.unit::<_, StoreError, _>(context, unit).await.map(|(changed, _)| changed)
}
