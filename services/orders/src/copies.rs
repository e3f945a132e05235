//! What orders copies of others: the products and the customers, read as recent as the caller has seen them.

use std::time::Duration;

use freehold_replica::{Level, Replica, ReplicaError, Replicated, Source};
use freehold_sdk::catalog::v1::ProductState;
use freehold_wire::{Context, Reason};
use tonic::Status;

use crate::generated::{CustomerCopy, ProductCopy};

/// How much of the caller's time the copies may take to catch up with what the caller has seen.
const CATCH_UP: Duration = Duration::from_secs(1);

/// The copies of products and customers. Cloning is cheap.
#[derive(Debug, Clone)]
pub(crate) struct Copies {
    pub(crate) products: Replica<ProductCopy>,
    pub(crate) customers: Replica<CustomerCopy>,
}

/// Why something cannot be ordered, or not by this customer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unorderable {
    #[error("no customer has the id `{0}`")]
    CustomerUnknown(String),
    #[error("no product has the id `{0}`")]
    ProductUnknown(String),
    #[error("the product `{0}` can no longer be ordered")]
    ProductDiscontinued(String),
    #[error(transparent)]
    Replica(#[from] ReplicaError),
}

impl From<Unorderable> for Status {
    fn from(error: Unorderable) -> Self {
        let forbidden = |reason| Reason::FailedPrecondition.because(reason, error.to_string());
        match error {
            Unorderable::CustomerUnknown(_) => forbidden("CUSTOMER_UNKNOWN"),
            Unorderable::ProductUnknown(_) => forbidden("PRODUCT_UNKNOWN"),
            Unorderable::ProductDiscontinued(_) => forbidden("PRODUCT_DISCONTINUED"),
            Unorderable::Replica(error) => error.into(),
        }
    }
}

impl Copies {
    /// Waits until the copies have what the caller has seen, as far as their owners can be reached.
    pub(crate) async fn catch_up(&self, context: &Context) -> Result<(), Status> {
        let behind =
            || Reason::Unavailable.because("COPY_BEHIND", "the names are older than what you have seen");
        let customers = self.customers.at(Level::Causal(context.session()), catching_up(context)).await?;
        let products = self.products.at(Level::Causal(context.session()), catching_up(context)).await?;
        let met = customers.source() == Source::Copy && products.source() == Source::Copy;
        met.then_some(()).ok_or_else(behind)
    }

    /// Refuses a customer that is unknown to the copy, which has what the caller has seen, or to the owner.
    pub(crate) async fn customer(&self, context: &Context, id: &str) -> Result<(), Unorderable> {
        let level = Level::Causal(context.session());
        let (rows, _) = self.customers.rows(&[id.to_owned()], level, catching_up(context)).await?;
        if rows.is_empty() { Err(Unorderable::CustomerUnknown(id.to_owned())) } else { Ok(()) }
    }

    /// The products of those ids, in their order; out of the copy, which has what the caller has seen, or of the owner.
    pub(crate) async fn known(
        &self,
        context: &Context,
        ids: &[String],
    ) -> Result<Vec<Replicated<ProductCopy>>, Unorderable> {
        let level = Level::Causal(context.session());
        let (rows, _) = self.products.rows(ids, level, catching_up(context)).await?;
        let product = |id: &String| {
            let found = rows.iter().find(|row| row.value.id == *id).cloned();
            found.ok_or_else(|| Unorderable::ProductUnknown(id.clone()))
        };
        ids.iter().map(product).collect()
    }

    /// The same of products that can be ordered, all of them.
    pub(crate) async fn orderable(
        &self,
        context: &Context,
        ids: &[String],
    ) -> Result<Vec<Replicated<ProductCopy>>, Unorderable> {
        let products = self.known(context, ids).await?;
        let discontinued = i32::from(ProductState::Discontinued);
        match products.iter().find(|product| product.value.state == discontinued) {
            Some(ended) => Err(Unorderable::ProductDiscontinued(ended.value.id.clone())),
            None => Ok(products),
        }
    }
}

/// How long the copies may take in this call.
fn catching_up(context: &Context) -> Duration {
    // What is left is for the answer: a caller who gave a second is to hear why, not that the second is over.
    CATCH_UP.min(context.remaining() / 2)
}
