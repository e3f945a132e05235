//! Lists rides with the names of their riders and drivers, out of this service's own database alone.

use freehold_sdk::rides::v1 as pb;
use freehold_store::{Store, StoreError};
use freehold_wire::Context;
use freehold_wire::page::{Page, next_token};
use tonic::Status;

use crate::convert;
use crate::store::listing::{self, Filter, Summary};

/// A page of rides.
pub(crate) struct ListRides {
    filter: Filter,
    page: Page,
    /// The name that binds page tokens to this list and its filter.
    list: String,
}

impl TryFrom<pb::ListRidesRequest> for ListRides {
    type Error = Status;

    fn try_from(request: pb::ListRidesRequest) -> Result<Self, Status> {
        let pb::ListRidesRequest { page_size, page_token, rider_id, driver_id, .. } = request;
        let list = format!("rides {rider_id:?} {driver_id:?}");
        let page = Page::parse(&list, page_size, &page_token)?;
        Ok(Self { filter: Filter { rider_id, driver_id }, page, list })
    }
}

/// A page of rides, by id.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    command: &ListRides,
) -> Result<pb::ListRidesResponse, StoreError> {
    let ListRides { filter, page, list } = command;
    let mut read = store.read_within(context).await?;
    let found = listing::after(&mut read, &page.after, filter, i64::from(page.size) + 1).await?;
    let (shown, more) = page.cut(&found);
    let next = if more { shown.last().map(|last| next_token(list, &last.id)) } else { None };
    Ok(pb::ListRidesResponse::default()
        .with_rides(shown.iter().map(summary))
        .with_next_page_token(next.unwrap_or_default()))
}

fn summary(summary: &Summary) -> pb::RideSummary {
    pb::RideSummary::default()
        .with_id(summary.id.as_str())
        .with_rider_id(summary.rider_id.as_str())
        .with_rider_name(summary.rider_name.as_str())
        .with_driver_id(summary.driver_id.as_str())
        .with_driver_name(summary.driver_name.as_str())
        .with_state(convert::state(summary.state))
        .with_requested_ms(summary.requested_ms)
}
