//! Reads what was sold of a product, by month, a page at a time.

use freehold_sdk::catalog::v1 as pb;
use freehold_store::Store;
use freehold_wire::Context;
use freehold_wire::page::{Page, next_token};
use freehold_wire::reason::bad_field;
use tonic::Status;

use crate::month::Month;
use crate::store::sales::{self, MonthlySales};

/// Comes after every month.
const OPEN: &str = "9999-99";

/// A page of a product's sales, of the generation that is read.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    request: &pb::ListSalesRequest,
) -> Result<pb::ListSalesResponse, Status> {
    let pb::ListSalesRequest { product_id, from_month, to_month, .. } = request;
    let from = month("from_month", from_month)?.map_or(String::new(), |month| month.as_str().to_owned());
    let to = month("to_month", to_month)?.map_or(OPEN.to_owned(), |month| month.as_str().to_owned());
    if from > to {
        return Err(bad_field("to_month", format!("is before `{from}`, where the sales begin")));
    }
    let list = format!("sales of {product_id} from {from} to {to}");
    let page = Page::parse(&list, request.page_size, &request.page_token)?;
    let mut read = store.read_within(context).await?;
    let generation = sales::generation(&mut read).await?;
    let (limit, span) = (i64::from(page.size) + 1, (from.as_str(), page.after.as_str(), to.as_str()));
    let found = sales::of_product(&mut read, generation, product_id, span, limit).await?;
    let (shown, more) = page.cut(&found);
    let next = if more { shown.last().map(|last| next_token(&list, &last.month)) } else { None };
    Ok(pb::ListSalesResponse::default()
        .with_sales(shown.iter().map(reply))
        .with_next_page_token(next.unwrap_or_default())
        .with_generation(generation))
}

fn month(field: &str, text: &str) -> Result<Option<Month>, Status> {
    if text.is_empty() {
        return Ok(None);
    }
    let month = Month::parse(text).ok_or_else(|| bad_field(field, "is no month as in 2026-07"))?;
    Ok(Some(month))
}

fn reply(sales: &MonthlySales) -> pb::MonthlySales {
    pb::MonthlySales::default()
        .with_month(sales.month.as_str())
        .with_orders(sales.orders)
        .with_units(sales.units)
        .with_cents(sales.cents)
}
