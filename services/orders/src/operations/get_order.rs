//! Reads one order, as it stands or as it stood.

use freehold_sdk::orders::v1 as pb;
use freehold_sdk::orders::v1::get_order_request::AsOf;
use freehold_store::Store;
use freehold_wire::Context;
use freehold_wire::reason::not_found;
use tonic::Status;

use crate::convert;
use crate::order::{Order, Recorded};
use crate::store::history;

/// The order of that id; NOT_FOUND also for a moment before it was placed.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    id: &str,
    as_of: Option<AsOf>,
) -> Result<pb::Order, Status> {
    let mut read = store.read_within(context).await?;
    let mut recorded = history::of(&mut read, id).await?;
    if let Some(as_of) = as_of {
        recorded.retain(|recorded| happened(recorded, &as_of));
    }
    let order = Order::fold(id, &recorded).ok_or_else(|| not_found("order", id))?;
    Ok(convert::entity(&order))
}

fn happened(recorded: &Recorded, as_of: &AsOf) -> bool {
    match *as_of {
        AsOf::Revision(revision) => recorded.revision <= revision,
        AsOf::TimeMs(time_ms) => recorded.at_ms <= time_ms,
        // A moment that this version cannot name is refused before it comes here.
        _ => false,
    }
}
