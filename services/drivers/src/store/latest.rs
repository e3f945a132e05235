//! The table `latest_location`: where each driver was last.

use freehold_store::{Queries, StoreError, vals};

use super::track;
use crate::location::Location;

/// The latest location of the driver of that id.
pub(crate) async fn find(queries: &mut impl Queries, id: &str) -> Result<Option<Location>, StoreError> {
    let row = queries
        .one(
            "SELECT time_ms, latitude_e7, longitude_e7, heading_degrees, speed_cm_per_s
             FROM latest_location JOIN driver ON driver.number = latest_location.driver_number WHERE driver.id = $1",
            vals![id],
        )
        .await?;
    row.as_ref().map(track::location).transpose()
}
