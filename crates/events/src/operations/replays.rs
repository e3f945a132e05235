//! Reading again what was read, as an operator asks for it: of a subscription that reacts, or of a view.
//!
//! What reacts is sent again what it had read, beside what comes anew; what took effect is known to the inbox and does not
//! take effect again. A view is built anew, in rows of a generation of its own, and can tell nobody anything.
//! **Invariant:** a replay has no effect that its events have had before, and is on record in the unit that begins it.

use freehold_store::{Store, Work};
use freehold_wire::pb::{Position, ReplayRequest, ReplayResponse};
use freehold_wire::reason::{Reason, bad_field, not_found};
use freehold_wire::{Committed, Context};
use tonic::Status;

use crate::feed;
use crate::position::{self, Standing};
use crate::projection::generations;
use crate::replays;
use crate::sharing::portions;

/// The subscriptions that react by themselves: "consumer/views/owner".
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
            format!("`{name}` keeps a copy or builds a view; only reactions are replayed, and views by name");
        return Err(Reason::FailedPrecondition.because("NO_REACTIONS", message));
    }
    let after = request.after.map(|after| come_by(&stands, after)).transpose()?;
    // What an instance is slow with is not to be taken before it.
    let slowest = portions::division(work, name).await?.map(|division| division.slowest());
    let until = slowest.unwrap_or(stands.position);
    if !request.dry_run {
        replays::ask(work, name, (after, until.mark), &request.who).await?;
    }
    let mut answer = ReplayResponse::default().with_until(until);
    answer.after = after;
    Ok(answer)
}

/// A position that the subscription has come by.
fn come_by(stands: &Standing, after: Position) -> Result<Position, Status> {
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
    replays::note(work, name, &request.who).await?;
    Ok(ReplayResponse::default().with_generation(generation.unwrap_or_default()))
}
