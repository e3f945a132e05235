//! The list of rides: own rows joined in SQL with the copies of riders and drivers.
//!
//! A name is the owner's name of now as far as the copy goes; somebody who was erased has none.

use freehold_store::{Queries, Row, StoreError, vals};

use crate::ride::State;
use crate::store::rides;

/// A ride as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) id: String,
    pub(crate) rider_id: String,
    pub(crate) rider_name: String,
    pub(crate) driver_id: String,
    pub(crate) driver_name: String,
    pub(crate) state: State,
    pub(crate) requested_ms: i64,
}

/// Whose rides are listed; everybody's where both are empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) rider_id: String,
    pub(crate) driver_id: String,
}

/// The rides after an id, by id. Each filter is a text of its own, so that each has its index.
macro_rules! listing {
    ($filter:literal) => {
        concat!(
            "SELECT r.id, r.rider_id, COALESCE(u.name, '') AS rider_name, r.driver_id,
                 COALESCE(d.name, '') AS driver_name, r.state, r.requested_ms
             FROM ride r LEFT JOIN rider_copy u ON u.id = r.rider_id LEFT JOIN driver_copy d ON d.id = r.driver_id
             WHERE ",
            $filter,
            "r.id > $1 ORDER BY r.id LIMIT $2"
        )
    };
}

const OF_ALL: &str = listing!("");
const OF_RIDER: &str = listing!("r.rider_id = $3 AND ");
const OF_DRIVER: &str = listing!("r.driver_id = $3 AND ");
const OF_BOTH: &str = listing!("r.rider_id = $3 AND r.driver_id = $4 AND ");

/// At most `limit` rides after an id, by id.
pub(crate) async fn after(
    queries: &mut impl Queries,
    id: &str,
    filter: &Filter,
    limit: i64,
) -> Result<Vec<Summary>, StoreError> {
    let (rider, driver) = (filter.rider_id.as_str(), filter.driver_id.as_str());
    let (sql, values) = match (rider, driver) {
        ("", "") => (OF_ALL, vals![id, limit]),
        (rider, "") => (OF_RIDER, vals![id, limit, rider]),
        ("", driver) => (OF_DRIVER, vals![id, limit, driver]),
        (rider, driver) => (OF_BOTH, vals![id, limit, rider, driver]),
    };
    queries.all(sql, values).await?.into_iter().map(from_row).collect()
}

fn from_row(mut row: Row) -> Result<Summary, StoreError> {
    Ok(Summary {
        id: row.take("id")?,
        rider_id: row.take("rider_id")?,
        rider_name: row.take("rider_name")?,
        driver_id: row.take("driver_id")?,
        driver_name: row.take("driver_name")?,
        state: rides::state(&mut row)?,
        requested_ms: row.take("requested_ms")?,
    })
}
