//! Sweeping what is left of a generation: its rows, its inbox, its parked keys, and its name at the owner.
//!
//! Piece by piece, because one unit of work that removed a whole view would hold up everybody else's writes; the pieces
//! are nobody's by then. **Invariant:** a generation counts as swept when nothing of it is left here or there.

use freehold_store::{Queries, Store, StoreError, Value, Work, vals};
use freehold_wire::Context;
use freehold_wire::pb::WithdrawRequest;

use super::{Projection, generations};
use crate::consumer::{Faults, Point, Stopped};
use crate::link::{Link, LinkError};
use crate::position;
use crate::purpose::Left;

/// What the mesh keeps of a subscription, at most so many rows at a time.
const KEPT: [&str; 2] = [
    "DELETE FROM freehold_inbox WHERE subscription = $1 AND (entity, key) IN \
     (SELECT entity, key FROM freehold_inbox WHERE subscription = $1 LIMIT 1000)",
    "DELETE FROM freehold_parked WHERE subscription = $1 AND (entity, key, version) IN \
     (SELECT entity, key, version FROM freehold_parked WHERE subscription = $1 LIMIT 1000)",
];

/// Sweeps a generation that was left. It can be broken off anywhere and begun again.
pub(crate) async fn sweep(
    store: &Store,
    context: impl Fn() -> Context,
    projection: &Projection,
    generation: i64,
    link: &Link,
    faults: &Faults,
) -> Result<(), Left> {
    let name = projection.subscription_name(generation);
    let rows = projection.sweeps().iter().map(|statement| (*statement, vals![generation]));
    for (statement, of) in rows.chain(KEPT.map(|statement| (statement, vals![&name]))) {
        while remove(store, &context(), statement, of.clone()).await? > 0 {
            faults.reach(Point::PieceSwept).map_err(Stopped::into_store)?;
        }
    }
    let withdrawn = link.feed().withdraw(WithdrawRequest::default().with_subscription(name.as_str())).await;
    withdrawn.map_err(LinkError::Feed)?;
    faults.reach(Point::Withdrawn).map_err(Stopped::into_store)?;
    let projection = projection.name().to_owned();
    let last = async move |work: &mut Work| {
        position::end(work, &name).await?;
        generations::swept(work, &projection, generation).await
    };
    store.unit::<_, StoreError, _>(&context(), last).await?;
    Ok(())
}

/// One piece; answers how many rows it had.
async fn remove(
    store: &Store,
    context: &Context,
    statement: &'static str,
    of: Vec<Value>,
) -> Result<u64, StoreError> {
    let piece = async move |work: &mut Work| work.exec(statement, of).await;
    Ok(store.unit::<_, StoreError, _>(context, piece).await?.0)
}
