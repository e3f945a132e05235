//! Who reads this owner's feed and how far each subscription has come, in the owner's database.
//!
//! The outbox keeps what the slowest registered subscription has not passed. **Invariant:** an acknowledged position
//! never goes back.

use freehold_store::{Queries, Store, StoreError, Work, outbox, vals};
use freehold_wire::pb::{AckResponse, Position, WithdrawResponse};
use freehold_wire::reason::{Reason, not_found};
use freehold_wire::{Committed, Context, Watermark};
use tonic::Status;

use crate::link::POSITION_PURGED;

/// Registers a subscription at the position from which it reads; one that is registered stays where it is.
pub(crate) async fn register(
    store: &Store,
    context: &Context,
    subscription: String,
    consumer: &'static str,
    after: Position,
) -> Result<(), StoreError> {
    const LOOK: &str = "SELECT mark FROM freehold_subscription WHERE subscription = $1";
    const REGISTER: &str = "INSERT INTO freehold_subscription \
                            (subscription, consumer, epoch, mark, registered_ms, acked_ms) \
                            VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (subscription) DO NOTHING";
    if store.read().await?.one(LOOK, vals![&subscription]).await?.is_some() {
        return Ok(());
    }
    let unit = async move |work: &mut Work| {
        let (epoch, now) = (after.epoch.cast_signed(), work.now());
        work.exec(REGISTER, vals![subscription, consumer, epoch, after.mark, now]).await
    };
    store.unit::<_, StoreError, _>(context, unit).await.map(drop)
}

/// Moves a subscription forward.
pub(crate) async fn acknowledge(
    store: &Store,
    context: &Context,
    subscription: String,
    position: Position,
) -> Result<Committed<AckResponse>, Status> {
    const LOOK: &str = "SELECT mark FROM freehold_subscription WHERE subscription = $1";
    const MOVE: &str = "UPDATE freehold_subscription SET epoch = $2, mark = $3, acked_ms = $4 \
                        WHERE subscription = $1 AND mark < $3";
    let unit = async move |work: &mut Work| {
        if work.one(LOOK, vals![&subscription]).await?.is_none() {
            return Err(not_found("freehold.v1.Subscription", &subscription));
        }
        let (epoch, now) = (position.epoch.cast_signed(), work.now());
        work.exec(MOVE, vals![&subscription, epoch, position.mark, now]).await?;
        Ok(AckResponse::default())
    };
    store.write(context, unit).await
}

/// Takes a subscription out: the outbox keeps nothing for it any more.
pub(crate) async fn withdraw(
    store: &Store,
    context: &Context,
    subscription: String,
) -> Result<Committed<WithdrawResponse>, StoreError> {
    const WITHDRAW: &str = "DELETE FROM freehold_subscription WHERE subscription = $1";
    let unit = async move |work: &mut Work| {
        work.exec(WITHDRAW, vals![subscription]).await?;
        Ok(WithdrawResponse::default())
    };
    store.write(context, unit).await
}

/// Refuses a subscriber whose next event is no longer kept.
pub(crate) async fn kept(store: &Store, context: &Context, after: &Position) -> Result<(), Status> {
    let Some(purged) = purged_to(store, context, &store.head()).await?.filter(|mark| *mark > after.mark)
    else {
        return Ok(());
    };
    Err(purged_behind(after.mark, purged))
}

/// What a subscriber hears that has seen everything up to `seen`, where nothing is kept up to `purged`.
pub(crate) fn purged_behind(seen: i64, purged: i64) -> Status {
    let message = format!(
        "this owner keeps events from mark {} on, and mark {seen} was the last that was seen; a copy is made anew by \
         itself, whatever else reads is begun anew by `freehold replay`",
        purged + 1
    );
    Reason::FailedPrecondition.because_of(POSITION_PURGED, message, [("purged_to", purged.to_string())])
}

/// The last mark whose event is no longer kept; `None` where every event up to `head` is.
pub(crate) async fn purged_to(
    store: &Store,
    context: &Context,
    head: &Watermark,
) -> Result<Option<i64>, StoreError> {
    let oldest = outbox::oldest(store, &mut store.read_within(context).await?).await?;
    let before = oldest.map_or(head.mark(), |mark| mark - 1);
    Ok((before > 0).then_some(before))
}
