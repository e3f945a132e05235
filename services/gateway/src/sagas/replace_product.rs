//! Replacing a product: discontinue it, move the lines of all baskets to the other one; each step beside its undo.
//!
//! The replacement's id names the discontinuation and the move, so each owner can tell a repetition, and an effect that
//! comes after its undo. **Invariant:** it ends with both done, or with both as if they had never been.

use std::time::Duration;

use freehold_saga::{Limits, Saga, Step, StepContext, StepError};
use freehold_sdk::catalog::v1::{CatalogClient, DiscontinueProductRequest, ReinstateProductRequest};
use freehold_sdk::orders::v1::{OrdersClient, ReplaceInBasketsRequest, RestoreInBasketsRequest};

use crate::generated::Calls;

// --- Input ---------------------------------------------------------------------------------------------------------

/// Which product takes the place of which; the steps change nothing in it.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReplaceProduct {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
    #[prost(string, tag = "2")]
    pub(crate) product_id: String,
    #[prost(string, tag = "3")]
    pub(crate) by_product_id: String,
}

// --- Steps ---------------------------------------------------------------------------------------------------------

/// Ends the sale of the product. First, so that no basket takes it in while lines of it are moved.
struct Discontinue {
    catalog: CatalogClient,
}

impl Step for Discontinue {
    type State = ReplaceProduct;
    const NAME: &'static str = "discontinue";

    async fn act(&self, step: &StepContext, state: &mut ReplaceProduct) -> Result<(), StepError> {
        let request = DiscontinueProductRequest::default()
            .with_id(state.product_id.as_str())
            .with_discontinuation_id(state.id.as_str());
        self.catalog.within(step.context()).with_key(step.key()).discontinue_product(request).await?;
        Ok(())
    }

    async fn undo(&self, step: &StepContext, state: &ReplaceProduct) -> Result<(), StepError> {
        let request = ReinstateProductRequest::default()
            .with_id(state.product_id.as_str())
            .with_discontinuation_id(state.id.as_str());
        self.catalog.within(step.context()).with_key(step.key()).reinstate_product(request).await?;
        Ok(())
    }
}

/// Moves the lines of all baskets. Orders decides whether the other product may take the place of this one.
struct MoveLines {
    orders: OrdersClient,
}

impl Step for MoveLines {
    type State = ReplaceProduct;
    const NAME: &'static str = "move_lines";

    async fn act(&self, step: &StepContext, state: &mut ReplaceProduct) -> Result<(), StepError> {
        let request = ReplaceInBasketsRequest::default()
            .with_id(state.id.as_str())
            .with_product_id(state.product_id.as_str())
            .with_by_product_id(state.by_product_id.as_str());
        self.orders.within(step.context()).with_key(step.key()).replace_in_baskets(request).await?;
        Ok(())
    }

    async fn undo(&self, step: &StepContext, state: &ReplaceProduct) -> Result<(), StepError> {
        let request = RestoreInBasketsRequest::default()
            .with_id(state.id.as_str())
            .with_product_id(state.product_id.as_str())
            .with_by_product_id(state.by_product_id.as_str());
        self.orders.within(step.context()).with_key(step.key()).restore_in_baskets(request).await?;
        Ok(())
    }

    /// As long as the contract gives it: there may be many baskets.
    fn limits(&self) -> Limits {
        Limits { timeout: Duration::from_secs(5), ..Limits::default() }
    }
}

// --- Definition ----------------------------------------------------------------------------------------------------

/// The saga of replacing a product, over the services that `calls` reaches.
pub(crate) fn definition(calls: &Calls) -> Saga<ReplaceProduct> {
    Saga::new("replace_product", 1)
        .step(Discontinue { catalog: calls.catalog.clone() })
        .step(MoveLines { orders: calls.orders.clone() })
}
