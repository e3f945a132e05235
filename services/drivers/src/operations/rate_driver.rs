//! Adds a rating to a driver, once per rating id.

use freehold_sdk::drivers::v1 as pb;
use freehold_store::{Store, StoreError, Work};
use freehold_wire::reason::not_found;
use freehold_wire::{Committed, Context, Reason};
use tonic::Status;

use crate::convert;
use crate::store::{drivers, ratings};

/// Who gets how many stars, for what.
pub(crate) struct RateDriver {
    id: String,
    rating_id: String,
    stars: i32,
}

impl From<pb::RateDriverRequest> for RateDriver {
    fn from(request: pb::RateDriverRequest) -> Self {
        Self { id: request.id, rating_id: request.rating_id, stars: request.stars }
    }
}

/// Why the rating was not added.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RateDriverError {
    #[error("no driver has the id `{0}`")]
    NotFound(String),
    #[error("the rating `{0}` gave another number of stars before")]
    Exists(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RateDriverError> for Status {
    fn from(error: RateDriverError) -> Self {
        match error {
            RateDriverError::NotFound(id) => not_found("driver", &id),
            RateDriverError::Exists(_) => {
                Reason::FailedPrecondition.because("RATING_EXISTS", error.to_string())
            }
            RateDriverError::Store(error) => error.into(),
        }
    }
}

/// Adds the rating; answers what riders think now.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    command: RateDriver,
) -> Result<Committed<pb::Rating>, RateDriverError> {
    store.write(context, async move |work: &mut Work| rate(work, command).await).await
}

async fn rate(work: &mut Work, command: RateDriver) -> Result<pb::Rating, RateDriverError> {
    let RateDriver { id, rating_id, stars } = command;
    work.lock::<pb::Driver>(&id).await?;
    let Some(mut driver) = drivers::find(work, &id).await? else {
        return Err(RateDriverError::NotFound(id));
    };
    match ratings::stars(work, &id, &rating_id).await? {
        Some(known) if known != stars => return Err(RateDriverError::Exists(rating_id)),
        Some(_) => {}
        None => {
            ratings::add(work, &id, &rating_id, stars).await?;
            driver.rating = driver.rating.and(stars);
            drivers::save(work, &driver).await?;
        }
    }
    Ok(convert::rating(driver.rating))
}
