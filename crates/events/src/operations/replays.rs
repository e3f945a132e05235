//! Reading again what was read: a subscription goes back, or a view is built anew.
//!
//! A subscription that goes back is sent everything again from there; what took effect is known to the inbox and does not
//! take effect again. A view that is built anew writes rows of a generation of its own and can tell nobody anything.
//! **Invariant:** a replay has no effect that its events have had before, and is on record in the unit that begins it.

use freehold_store::{Queries, Store, StoreError, Work, vals};
use freehold_wire::pb::{Position, ReplayRequest, ReplayResponse};
use freehold_wire::reason::{Reason, bad_field, not_found};
use freehold_wire::{Committed, Context};
use tonic::Status;

use crate::feed;
use crate::position::{self, Standing};
use crate::projection::generations;
use crate::sharing::portions;

/// The subscriptions that react by themselves, which alone can go back: "consumer/views/owner".
const VIEWS: &str = "views";

/// Begins a replay, or says what it would come to.
pub(crate) async fn replay(
    store: &Store,
    context: &Context,
    request: ReplayRequest,
) -> Result<Committed<ReplayResponse>, Status> {
    store.write(context, async move |work: &mut Work| decide(work, &request).await).await
}

async fn decide(work: &mut Work, request: &ReplayRequest) -> Result<ReplayResponse, Status> {
    let name = request.subscription.as_str();
    if generations::read(work, name).await?.is_some() {
        return rebuild(work, request).await;
    }
    let Some(stands) = position::load(work, name).await? else {
        return Err(not_found("freehold.v1.Subscription", name));
    };
    if name.split('/').nth(1) != Some(VIEWS) {
        let message =
            format!("`{name}` keeps a copy or builds a view; only reactions go back, and views by name");
        return Err(Reason::FailedPrecondition.because("NO_REACTIONS", message));
    }
    let to = target(&stands, request.after)?;
    if !request.dry_run {
        portions::rewind(work, name, &to).await?;
        record(work, name, (to.mark, stands.position.mark), &request.who).await?;
    }
    Ok(ReplayResponse::default().with_position(stands.position).with_after(to))
}

/// Where it goes back to: before the first event of all, or a position that it has come by.
fn target(stands: &Standing, after: Option<Position>) -> Result<Position, Status> {
    let Some(after) = after else {
        let first = stands.watermark.epochs().first().cloned().unwrap_or_default();
        return Ok(Position::default().with_epoch(first.id).with_mark(first.first - 1));
    };
    // Whoever reads marks alone need not know in which epoch one lies.
    let after = if after.epoch == 0 { feed::position(&stands.watermark, after.mark) } else { after };
    let unknown = |error| bad_field("after", format!("is nothing that was read: {error}"));
    stands.watermark.reached(&after).map_err(unknown)?;
    Ok(after)
}

async fn rebuild(work: &mut Work, request: &ReplayRequest) -> Result<ReplayResponse, Status> {
    let name = request.subscription.as_str();
    if request.after.is_some() {
        return Err(bad_field("after", "a view is built from the beginning: leave it unset"));
    }
    if request.dry_run {
        return Ok(ReplayResponse::default());
    }
    let reason = format!("replay by {}", request.who);
    let generation = generations::begin_again(work, name, &reason).await?;
    record(work, name, (0, 0), &request.who).await?;
    Ok(ReplayResponse::default().with_generation(generation.unwrap_or_default()))
}

async fn record(
    work: &mut Work,
    subscription: &str,
    (mark, stood): (i64, i64),
    who: &str,
) -> Result<(), StoreError> {
    const RECORD: &str = "INSERT INTO freehold_replay (subscription, mark, stood, who, asked_ms) \
                          VALUES ($1, $2, $3, $4, $5)";
    let now = work.now();
    work.exec(RECORD, vals![subscription, mark, stood, who, now]).await.map(drop)
}
