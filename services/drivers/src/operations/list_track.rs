//! Reads where a driver was, a page at a time.

use freehold_sdk::drivers::v1 as pb;
use freehold_store::{Store, StoreError};
use freehold_wire::Context;
use freehold_wire::page::{Page, next_token};
use freehold_wire::reason::{bad_field, not_found};
use tonic::Status;

use crate::convert;
use crate::store::drivers;
use crate::store::track::{self, Span};

/// A page of a driver's track.
pub(crate) struct ListTrack {
    driver_id: String,
    from_ms: i64,
    until_ms: i64,
    page: Page,
    /// The name that binds page tokens to this span of this track.
    list: String,
}

impl TryFrom<pb::ListTrackRequest> for ListTrack {
    type Error = Status;

    fn try_from(request: pb::ListTrackRequest) -> Result<Self, Status> {
        let pb::ListTrackRequest { driver_id, from_ms, until_ms, .. } = request;
        let list = format!("track {from_ms} {until_ms} {driver_id}");
        let page = Page::parse(&list, request.page_size, &request.page_token)?;
        let until_ms = if until_ms == 0 { i64::MAX } else { until_ms };
        if until_ms < from_ms {
            return Err(bad_field("until_ms", "must not be before from_ms"));
        }
        Ok(Self { driver_id, from_ms, until_ms, page, list })
    }
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListTrackError {
    #[error("no driver has the id `{0}`")]
    NotFound(String),
    #[error("`{0}` leads nowhere")]
    Token(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ListTrackError> for Status {
    fn from(error: ListTrackError) -> Self {
        match error {
            ListTrackError::NotFound(id) => not_found("driver", &id),
            ListTrackError::Token(_) => bad_field("page_token", error.to_string()),
            ListTrackError::Store(error) => error.into(),
        }
    }
}

/// The page, newest first.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    query: ListTrack,
) -> Result<pb::ListTrackResponse, ListTrackError> {
    let ListTrack { driver_id, from_ms, until_ms, page, list } = query;
    let mut read = store.read_within(context).await?;
    let Some(driver) = drivers::number(&mut read, &driver_id).await? else {
        return Err(ListTrackError::NotFound(driver_id));
    };
    let span = Span { driver, from_ms, until_ms };
    let start = match page.after.as_str() {
        "" => track::entrance(&mut read, span).await?,
        after => Some(after.parse().map_err(|_| ListTrackError::Token(page.after.clone()))?),
    };
    let Some(start) = start else { return Ok(pb::ListTrackResponse::default()) };
    let found = track::back(&mut read, start, span, i64::from(page.size) + 1).await?;
    let (shown, more) = page.cut(&found);
    // Where to go on is the first that was not shown.
    let next = if more { found.last().map(|next| next_token(&list, &next.id.to_string())) } else { None };
    Ok(pb::ListTrackResponse::default()
        .with_locations(shown.iter().map(|step| convert::location(&step.location)))
        .with_next_page_token(next.unwrap_or_default()))
}
