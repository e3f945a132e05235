//! Measures from outside: how many events the owners have emitted, and how far the copies in orders lag behind.

use std::time::{Duration, Instant};

use freehold_client::FeedClient;
use freehold_sdk::orders::v1::ListOrdersRequest;
use freehold_sdk::{CONTRACT, Error, Mesh, Session};
use freehold_wire::pb::HeadRequest;

use crate::demo::generated::Calls;
use crate::demo::persist::persist;
use crate::demo::place::reprice;
use crate::demo::plan::Plan;

const PROBES: usize = 50;

/// How many events all owners together have emitted.
pub(crate) async fn events(mesh: &Mesh) -> Result<u64, Error> {
    let mut events = 0;
    for owner in CONTRACT.owners.iter().filter(|owner| !owner.entities.is_empty()) {
        let feed = FeedClient::new(mesh.channel(owner.name)?);
        let head = persist(|| feed.head(HeadRequest::default())).await?.position;
        events += head.map_or(0, |position| u64::try_from(position.mark).unwrap_or(0));
    }
    Ok(events)
}

/// How long after each of some writes in catalog a list in orders, which shows products' names from its own copy,
/// answers with that write in it. The list's own time counts too.
pub(crate) async fn replica_lag(calls: &Calls, plan: &Plan) -> Result<Vec<Duration>, Error> {
    let Some(product) = plan.products.last() else { return Ok(Vec::new()) };
    let mut lags = Vec::with_capacity(PROBES);
    for probe in 0..PROBES {
        let session = Session::new();
        let writing = Calls { catalog: calls.catalog.with_session(&session), ..calls.clone() };
        let cents = product.price_cents + i64::from(probe % 2 == 0);
        reprice(&writing, &plan.key(&format!("probe-{probe}")), &product.id, cents).await?;
        let began = Instant::now();
        let orders = calls.orders.with_session(&session);
        persist(|| orders.list_orders(ListOrdersRequest::default().with_page_size(1))).await?;
        lags.push(began.elapsed());
    }
    Ok(lags)
}
