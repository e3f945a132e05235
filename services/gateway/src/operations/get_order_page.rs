//! The page of an order, from five owners at once.
//!
//! Order and payment go by the order's id. Whose customer and which products they are, the order says; a caller who
//! knows it already is believed for the asking, not for the showing. So a page takes as long as its slowest call where
//! the caller knows, and as the order and then the slowest of the rest where nobody does. The calls are the gateway's
//! own, as its needs declare them: that the caller may see the page, the contract has said before this begins.

use std::collections::BTreeSet;
use std::time::Duration;

use freehold_sdk::Error;
use freehold_sdk::catalog::v1::{BatchGetProductsRequest, Product};
use freehold_sdk::gateway::v1 as pb;
use freehold_sdk::inventory::v1::{BatchGetStockRequest, Stock};
use freehold_sdk::orders::v1::{GetOrderRequest, Order};
use freehold_sdk::payments::v1::{GetPaymentRequest, Payment};
use freehold_sdk::users::v1::{GetUserRequest, User};
use freehold_wire::Context;
use freehold_wire::reason::not_found;
use tokio::join;
use tonic::Status;

use crate::generated::Calls;
use crate::page::{Answers, Batch, Part};

/// The page. Of the caller's time, each part may take two fifths: there are two rounds of them at most, and what is
/// left is for the answer.
pub(crate) async fn run(
    context: &Context,
    calls: &Calls,
    request: pb::GetOrderPageRequest,
) -> Result<pb::OrderPage, Status> {
    let asking = Asking { calls, context, budget: context.remaining() * 2 / 5 };
    let guess = Guess {
        customer_id: Some(request.customer_id).filter(|id| !id.is_empty()),
        product_ids: request.product_ids.into_iter().filter(|id| !id.is_empty()).collect(),
    };
    let id = &request.order_id;
    let (payment, ordered) = join!(asking.payment(id), asking.ordered(id, guess));
    if let Part::Missing(_) = ordered.order {
        return Err(not_found("order", id));
    }
    let Ordered { order, customers, products, stock } = ordered;
    let answers = Answers { order, payment: payment.into(), customers, products, stock };
    Ok(answers.page(id))
}

/// What the caller says that the order has.
struct Guess {
    customer_id: Option<String>,
    product_ids: BTreeSet<String>,
}

/// The order, and what goes by what is in it.
struct Ordered {
    order: Part<Order>,
    customers: Vec<(String, Part<User>)>,
    products: Vec<Batch<Product>>,
    stock: Vec<Batch<Stock>>,
}

/// Asks the owners for one page.
struct Asking<'a> {
    calls: &'a Calls,
    context: &'a Context,
    budget: Duration,
}

impl Asking<'_> {
    /// The order and what the caller guessed, at once; then what nobody has guessed.
    async fn ordered(&self, id: &str, guess: Guess) -> Ordered {
        let (order, customer, products, stock) = join!(
            self.order(id),
            self.customer(guess.customer_id),
            self.products(guess.product_ids.clone()),
            self.stock(guess.product_ids)
        );
        let mut ordered = Ordered {
            order: order.into(),
            customers: customer.into_iter().collect(),
            products: products.into_iter().collect(),
            stock: stock.into_iter().collect(),
        };
        let (customer_id, product_ids) = ordered.unasked();
        let (customer, products, stock) =
            join!(self.customer(customer_id), self.products(product_ids.clone()), self.stock(product_ids));
        ordered.customers.extend(customer);
        ordered.products.extend(products);
        ordered.stock.extend(stock);
        ordered
    }

    async fn order(&self, id: &str) -> Result<Order, Error> {
        let orders = self.calls.orders.within(self.context).with_deadline(self.budget);
        orders.get_order(GetOrderRequest::default().with_id(id)).await
    }

    async fn payment(&self, id: &str) -> Result<Payment, Error> {
        let payments = self.calls.payments.within(self.context).with_deadline(self.budget);
        payments.get_payment(GetPaymentRequest::default().with_id(id)).await
    }

    async fn customer(&self, id: Option<String>) -> Option<(String, Part<User>)> {
        let id = id?;
        let users = self.calls.users.within(self.context).with_deadline(self.budget);
        let user = users.get_user(GetUserRequest::default().with_id(id.as_str())).await;
        Some((id, user.into()))
    }

    async fn products(&self, ids: BTreeSet<String>) -> Option<Batch<Product>> {
        if ids.is_empty() {
            return None;
        }
        let catalog = self.calls.catalog.within(self.context).with_deadline(self.budget);
        let request = BatchGetProductsRequest::default().with_ids(ids.iter().cloned());
        let found = catalog.batch_get_products(request).await.map(|found| found.products);
        Some(Batch::new(ids, found, |product| &product.id))
    }

    async fn stock(&self, ids: BTreeSet<String>) -> Option<Batch<Stock>> {
        if ids.is_empty() {
            return None;
        }
        let inventory = self.calls.inventory.within(self.context).with_deadline(self.budget);
        let request = BatchGetStockRequest::default().with_product_ids(ids.iter().cloned());
        let found = inventory.batch_get_stock(request).await.map(|found| found.stock);
        Some(Batch::new(ids, found, |stock| &stock.product_id))
    }
}

impl Ordered {
    /// The customer and the products of the order that nobody has been asked for yet.
    fn unasked(&self) -> (Option<String>, BTreeSet<String>) {
        let Part::Present(order) = &self.order else { return (None, BTreeSet::new()) };
        let asked = self.customers.iter().any(|(id, _)| *id == order.customer_id);
        let known = |id: &String| self.products.iter().any(|batch| batch.has(id));
        let products = order.lines.iter().map(|line| &line.product_id).filter(|id| !known(id));
        ((!asked).then(|| order.customer_id.clone()), products.cloned().collect())
    }
}
