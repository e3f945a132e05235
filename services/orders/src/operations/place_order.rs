//! Places an order and answers when its saga has ended.
//!
//! The order, its lines at the copied names and prices, and the saga's start are one unit of work. The answer is the
//! order as its saga left it, read from the history, so a repetition gets the same answer for ever.

use std::collections::BTreeSet;

use freehold_replica::Replicated;
use freehold_saga::{BeginError, Handle, Saga};
use freehold_sdk::orders::v1 as pb;
use freehold_store::{Store, StoreError, Work};
use freehold_wire::reason::bad_field;
use freehold_wire::{Committed, Context, Reason};
use tonic::Status;

use crate::convert;
use crate::copies::{Copies, Unorderable};
use crate::generated::ProductCopy;
use crate::order::{Line, Order};
use crate::sagas::place_order::PlaceOrder;
use crate::store::history;
use crate::store::orders::{self, RecordError};

/// The revision that the saga's end gives an order: the second fact, after the placing.
const ENDED: i64 = 2;

/// What placing works with.
pub(crate) struct Placing {
    pub(crate) store: Store,
    pub(crate) copies: Copies,
    pub(crate) saga: Saga<PlaceOrder>,
    pub(crate) sagas: Handle,
}

/// Why no order was placed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlaceOrderError {
    #[error(transparent)]
    Unorderable(#[from] Unorderable),
    #[error("the id `{0}` names another order")]
    Exists(String),
    #[error("the order `{0}` is still being worked on; ask again under the same key")]
    Unfinished(String),
    #[error(transparent)]
    Begin(#[from] BeginError),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<PlaceOrderError> for Status {
    fn from(error: PlaceOrderError) -> Self {
        let forbidden = |reason| Reason::FailedPrecondition.because(reason, error.to_string());
        match error {
            PlaceOrderError::Unorderable(error) => error.into(),
            PlaceOrderError::Exists(_) => forbidden("ORDER_EXISTS"),
            PlaceOrderError::Unfinished(_) => {
                Reason::DeadlineExceeded.because("ORDER_UNFINISHED", error.to_string())
            }
            PlaceOrderError::Record(RecordError::Stale(_)) => {
                Reason::Aborted.because("STALE_REVISION", error.to_string())
            }
            PlaceOrderError::Begin(BeginError::Conflict { .. }) => forbidden("ORDER_EXISTS"),
            PlaceOrderError::Begin(BeginError::BadId(_) | BeginError::Definition(_)) => {
                Reason::Internal.status(error.to_string())
            }
            PlaceOrderError::Begin(BeginError::Store(error)) => error.into(),
            PlaceOrderError::Record(RecordError::Store(error)) | PlaceOrderError::Store(error) => {
                error.into()
            }
        }
    }
}

/// Refuses what the field checks of the contract cannot see.
///
/// # Errors
/// INVALID_ARGUMENT naming the id, which names the saga and what the saga makes elsewhere too; or the line whose product
/// another line has.
pub(crate) fn check(request: &pb::PlaceOrderRequest) -> Result<(), Status> {
    if !request.id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/') {
        return Err(bad_field("id", "must be printable ASCII without `/` and blanks"));
    }
    once(request.lines.iter().map(|line| line.product_id.as_str()))
}

/// Refuses a product that is on two lines.
///
/// # Errors
/// INVALID_ARGUMENT naming the second of them.
pub(crate) fn once<'a>(products: impl Iterator<Item = &'a str>) -> Result<(), Status> {
    let mut seen = BTreeSet::new();
    for (at, product_id) in products.enumerate() {
        if !seen.insert(product_id) {
            return Err(bad_field(format!("lines[{at}].product_id"), "is on another line already"));
        }
    }
    Ok(())
}

impl Placing {
    /// Places the order and waits until its saga has ended, or the caller's time is up; the saga goes on regardless.
    pub(crate) async fn run(
        &self,
        context: &Context,
        request: pb::PlaceOrderRequest,
    ) -> Result<Committed<pb::Order>, PlaceOrderError> {
        let id = request.id.clone();
        let priced = self.price(context, &request).await;
        let saga = self.saga.clone();
        let unit = async move |work: &mut Work| begin(work, &saga, request, priced).await;
        let begun = self.store.write(context, unit).await?;
        self.sagas.wait(context, &id).await.map_err(|_| PlaceOrderError::Unfinished(id.clone()))?;
        let order = self.ended(context, &id).await?;
        Ok(begun.map(|_| order))
    }

    /// The lines at the names and prices of the copy, which has what the caller has seen; or of the owner.
    async fn price(
        &self,
        context: &Context,
        request: &pb::PlaceOrderRequest,
    ) -> Result<Vec<Line>, PlaceOrderError> {
        self.copies.customer(context, &request.customer_id).await?;
        let products: Vec<String> = request.lines.iter().map(|line| line.product_id.clone()).collect();
        let copies = self.copies.orderable(context, &products).await?;
        Ok(request.lines.iter().zip(&copies).map(|(line, copy)| price(line, copy)).collect())
    }

    async fn ended(&self, context: &Context, id: &str) -> Result<pb::Order, PlaceOrderError> {
        let mut read = self.store.read_within(context).await?;
        let mut recorded = history::of(&mut read, id).await?;
        recorded.retain(|recorded| recorded.revision <= ENDED);
        let order = Order::fold(id, &recorded).filter(|order| order.revision == ENDED);
        let order = order.ok_or_else(|| PlaceOrderError::Unfinished(id.to_owned()))?;
        Ok(convert::entity(&order))
    }
}

/// An order that is there is answered again, whatever has become of its products since.
async fn begin(
    work: &mut Work,
    saga: &Saga<PlaceOrder>,
    request: pb::PlaceOrderRequest,
    priced: Result<Vec<Line>, PlaceOrderError>,
) -> Result<pb::Order, PlaceOrderError> {
    if let Some(order) = orders::lock(work, &request.id).await? {
        return if is_same(&order, &request) {
            Ok(convert::entity(&order))
        } else {
            Err(PlaceOrderError::Exists(request.id))
        };
    }
    let order = orders::place(work, &request.id, &request.customer_id, priced?).await?;
    saga.begin(work, &order.id, &PlaceOrder::from(&order)).await?;
    Ok(convert::entity(&order))
}

/// A line at the name and price of a copy.
fn price(line: &pb::NewLine, copy: &Replicated<ProductCopy>) -> Line {
    Line {
        product_id: line.product_id.clone(),
        product_name: copy.value.name.clone(),
        catalog_cents: copy.value.price_cents,
        unit_cents: line.unit_cents.unwrap_or(copy.value.price_cents),
        units: line.units,
        discount_basis_points: line.discount_basis_points,
        product_version: copy.version,
    }
}

/// Whether the request asks for what the order is.
fn is_same(order: &Order, request: &pb::PlaceOrderRequest) -> bool {
    let same_line = |(line, asked): (&Line, &pb::NewLine)| {
        line.product_id == asked.product_id
            && line.units == asked.units
            && line.discount_basis_points == asked.discount_basis_points
            && asked.unit_cents.is_none_or(|cents| cents == line.unit_cents)
    };
    order.customer_id == request.customer_id
        && order.lines.len() == request.lines.len()
        && order.lines.iter().zip(&request.lines).all(same_line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_on_two_lines_is_refused_by_its_line() {
        let line = |id: &str| pb::NewLine::default().with_product_id(id).with_units(1);
        let request = pb::PlaceOrderRequest::default().with_lines([line("11"), line("42"), line("11")]);
        let status = check(&request).unwrap_err();
        assert_eq!(status.message(), "lines[2].product_id: is on another line already");
    }
}
