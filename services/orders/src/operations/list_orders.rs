//! Lists orders with the names of their customers and products, out of this service's own database alone.

use freehold_sdk::orders::v1 as pb;
use freehold_store::{Store, StoreError};
use freehold_wire::Context;
use freehold_wire::page::{Page, next_token};

use crate::store::listing::{self, LineSummary, Summary};

/// The name that binds page tokens to this list and its filter.
pub(crate) fn list_name(customer_id: &str) -> String {
    format!("orders of {customer_id}")
}

/// A page of orders, by id.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    page: &Page,
    customer_id: &str,
) -> Result<pb::ListOrdersResponse, StoreError> {
    let mut read = store.read_within(context).await?;
    let found = listing::after(&mut read, &page.after, customer_id, i64::from(page.size) + 1).await?;
    let (shown, more) = page.cut(&found);
    let next =
        if more { shown.last().map(|last| next_token(&list_name(customer_id), &last.id)) } else { None };
    Ok(pb::ListOrdersResponse::default()
        .with_orders(shown.iter().map(summary))
        .with_next_page_token(next.unwrap_or_default()))
}

fn summary(summary: &Summary) -> pb::OrderSummary {
    pb::OrderSummary::default()
        .with_id(summary.id.as_str())
        .with_customer_id(summary.customer_id.as_str())
        .with_customer_name(summary.customer_name.as_str())
        .with_state(summary.state)
        .with_total_cents(summary.total_cents)
        .with_lines(summary.lines.iter().map(line))
        .with_placed_ms(summary.placed_ms)
}

fn line(line: &LineSummary) -> pb::LineSummary {
    pb::LineSummary::default()
        .with_product_id(line.product_id.as_str())
        .with_product_name(line.product_name.as_str())
        .with_units(line.units)
        .with_line_cents(line.line_cents)
}
