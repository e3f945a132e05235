//! How an owner's relays stand, by what its database says.

use freehold_store::outbox::{self, timestamp};
use freehold_store::{Queries, Store, StoreError, vals};
use freehold_wire::pb::RelayStanding;

use super::records::subscription;
use crate::feed::position;

/// How far events behind a relay are counted.
const COUNTED: i64 = 100_000;

/// Every relay that has ever run here, by the name of its bus.
pub(crate) async fn standings(
    store: &Store,
    queries: &mut impl Queries,
) -> Result<Vec<RelayStanding>, StoreError> {
    const ALL: &str =
        "SELECT bus, holder, fence, since_ms, renewed_ms, problem FROM freehold_relay ORDER BY bus";
    const MARK: &str = "SELECT mark FROM freehold_subscription WHERE subscription = $1";
    let (head, mut standings) = (store.head(), Vec::new());
    for row in queries.all(ALL, vals![]).await? {
        let bus: String = row.get("bus")?;
        let registered = queries.one(MARK, vals![subscription(store.service(), &bus)]).await?;
        let mark = registered.map_or(Ok(0), |row| row.get("mark"))?;
        let (behind, since) = outbox::behind(store, queries, mark, COUNTED).await?;
        let mut standing = RelayStanding::default()
            .with_bus(bus)
            .with_position(position(&head, mark))
            .with_behind(behind)
            .with_holder(row.get::<String>("holder")?)
            .with_fence(row.get::<i64>("fence")?)
            .with_held_since(timestamp(row.get("since_ms")?))
            .with_renewed_at(timestamp(row.get("renewed_ms")?))
            .with_problem(row.get::<String>("problem")?);
        standing.behind_since = since.map(timestamp);
        standings.push(standing);
    }
    Ok(standings)
}
