//! An order page as it is put together: what came of asking each owner becomes a part. Pure: no clock, no calls.
//!
//! **Invariant:** a part is shown only where it belongs to the order that the page is of.

use std::collections::{BTreeMap, BTreeSet};

use freehold_sdk::Error;
use freehold_sdk::catalog::v1::Product;
use freehold_sdk::gateway::v1 as pb;
use freehold_sdk::inventory::v1::Stock;
use freehold_sdk::orders::v1::Order;
use freehold_sdk::payments::v1::Payment;
use freehold_sdk::users::v1::User;

/// Why nothing that depends on the order is shown without it.
const ORDER_UNAVAILABLE: &str = "ORDER_UNAVAILABLE";
const NOT_FOUND: &str = "NOT_FOUND";

/// What came of asking an owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part<T> {
    Present(T),
    /// The owner answered that there is none, for this reason.
    Missing(String),
    /// The owner did not answer, for this reason.
    Unavailable(String),
}

/// What came of asking for several at once.
#[derive(Debug)]
pub(crate) struct Batch<T> {
    asked: BTreeSet<String>,
    found: Result<BTreeMap<String, T>, String>,
}

/// All that was answered about an order.
#[derive(Debug)]
pub(crate) struct Answers {
    pub(crate) order: Part<Order>,
    pub(crate) payment: Part<Payment>,
    /// Of whoever the caller or the order named, the order's last.
    pub(crate) customers: Vec<(String, Part<User>)>,
    pub(crate) products: Vec<Batch<Product>>,
    pub(crate) stock: Vec<Batch<Stock>>,
}

impl<T> From<Result<T, Error>> for Part<T> {
    fn from(answer: Result<T, Error>) -> Self {
        match answer {
            Ok(value) => Self::Present(value),
            Err(error) if error.is_not_found() => Self::Missing(NOT_FOUND.to_owned()),
            Err(error) => Self::Unavailable(why(&error)),
        }
    }
}

impl<T> Part<T> {
    /// How a page shows it: its state, the reason where it is not there, and what is there.
    fn shown(self) -> (pb::PartState, String, Option<T>) {
        match self {
            Self::Present(value) => (pb::PartState::Present, String::new(), Some(value)),
            Self::Missing(reason) => (pb::PartState::Missing, reason, None),
            Self::Unavailable(reason) => (pb::PartState::Unavailable, reason, None),
        }
    }
}

impl<T: Clone> Batch<T> {
    /// What was answered to asking for those keys.
    pub(crate) fn new(
        asked: impl IntoIterator<Item = String>,
        answer: Result<Vec<T>, Error>,
        key: fn(&T) -> &str,
    ) -> Self {
        let keyed = |found: Vec<T>| found.into_iter().map(|value| (key(&value).to_owned(), value)).collect();
        Self { asked: asked.into_iter().collect(), found: answer.map(keyed).map_err(|error| why(&error)) }
    }

    /// Whether that key was asked for.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.asked.contains(key)
    }

    fn part(&self, key: &str) -> Part<T> {
        match &self.found {
            Ok(found) => match found.get(key) {
                Some(value) => Part::Present(value.clone()),
                None => Part::Missing(NOT_FOUND.to_owned()),
            },
            Err(reason) => Part::Unavailable(reason.clone()),
        }
    }
}

impl Answers {
    /// The page.
    pub(crate) fn page(mut self, order_id: &str) -> pb::OrderPage {
        let mut page = pb::OrderPage::default().with_order_id(order_id);
        page.customer = Some(customer(self.customer()));
        page.lines = self.lines();
        page.payment = Some(payment(self.payment));
        page.order = Some(order(self.order));
        let partial = is_partial(&page);
        page.with_partial(partial)
    }

    /// The order's customer, and nobody else.
    fn customer(&mut self) -> Part<User> {
        let Part::Present(order) = &self.order else {
            return Part::Unavailable(ORDER_UNAVAILABLE.to_owned());
        };
        match self.customers.iter().rposition(|(id, _)| *id == order.customer_id) {
            Some(at) => self.customers.swap_remove(at).1,
            None => Part::Missing(NOT_FOUND.to_owned()),
        }
    }

    fn lines(&self) -> Vec<pb::LinePart> {
        let Part::Present(order) = &self.order else { return Vec::new() };
        let line = |id: &str| {
            let mut line = pb::LinePart::default().with_product_id(id);
            line.product = Some(product(answered(&self.products, id)));
            line.stock = Some(stock(answered(&self.stock, id)));
            line
        };
        order.lines.iter().map(|placed| line(&placed.product_id)).collect()
    }
}

fn answered<T: Clone>(batches: &[Batch<T>], key: &str) -> Part<T> {
    match batches.iter().find(|batch| batch.has(key)) {
        Some(batch) => batch.part(key),
        None => Part::Missing(NOT_FOUND.to_owned()),
    }
}

fn why(error: &Error) -> String {
    match error.reason() {
        "" => "UNKNOWN".to_owned(),
        reason => reason.to_owned(),
    }
}

fn order(part: Part<Order>) -> pb::OrderPart {
    let (state, reason, order) = part.shown();
    let mut shown = pb::OrderPart::default().with_state(state).with_reason(reason);
    shown.order = order;
    shown
}

fn customer(part: Part<User>) -> pb::CustomerPart {
    let (state, reason, customer) = part.shown();
    let mut shown = pb::CustomerPart::default().with_state(state).with_reason(reason);
    shown.customer = customer;
    shown
}

fn product(part: Part<Product>) -> pb::ProductPart {
    let (state, reason, product) = part.shown();
    let mut shown = pb::ProductPart::default().with_state(state).with_reason(reason);
    shown.product = product;
    shown
}

fn stock(part: Part<Stock>) -> pb::StockPart {
    let (state, reason, stock) = part.shown();
    let mut shown = pb::StockPart::default().with_state(state).with_reason(reason);
    shown.stock = stock;
    shown
}

fn payment(part: Part<Payment>) -> pb::PaymentPart {
    let (state, reason, payment) = part.shown();
    let mut shown = pb::PaymentPart::default().with_state(state).with_reason(reason);
    shown.payment = payment;
    shown
}

fn is_partial(page: &pb::OrderPage) -> bool {
    let lines = page.lines.iter().flat_map(|line| {
        [line.product.as_ref().map(|part| part.state), line.stock.as_ref().map(|part| part.state)]
    });
    let whole = [
        page.order.as_ref().map(|part| part.state),
        page.customer.as_ref().map(|part| part.state),
        page.payment.as_ref().map(|part| part.state),
    ];
    whole.into_iter().chain(lines).any(|state| state == Some(pb::PartState::Unavailable.into()))
}
