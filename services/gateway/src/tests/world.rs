//! The owners that the gateway calls, as small models in their place: they know one order, keep what was asked of them,
//! and refuse, fail or die with the gateway where a test says so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use freehold_sdk::catalog::v1::{
    BatchGetProductsRequest, BatchGetProductsResponse, CatalogClient, CatalogStub, DiscontinueProductRequest,
    Product, ReinstateProductRequest, ReinstateProductResponse,
};
use freehold_sdk::inventory::v1::{
    BatchGetStockRequest, BatchGetStockResponse, InventoryClient, InventoryStub, Stock,
};
use freehold_sdk::orders::v1::{
    GetOrderRequest, Order, OrderLine, OrdersClient, OrdersStub, ReplaceInBasketsRequest, Replacement,
    RestoreInBasketsRequest,
};
use freehold_sdk::payments::v1::{GetPaymentRequest, Payment, PaymentsClient, PaymentsStub};
use freehold_sdk::users::v1::{GetUserRequest, User, UsersClient, UsersStub};
use freehold_sdk::{CallOptions, Error, async_trait};
use freehold_wire::{Reason, reason};
use tokio::sync::Notify;

use crate::generated::Calls;

/// The owners. Cloning shares them.
#[derive(Clone)]
pub(super) struct World {
    model: Arc<Mutex<Model>>,
    /// Told when the gateway died in a call.
    died: Arc<Notify>,
}

#[derive(Default)]
struct Model {
    asked: Vec<&'static str>,
    /// Calls that are answered UNAVAILABLE.
    away: BTreeSet<&'static str>,
    /// Calls that are refused, and why.
    refused: BTreeMap<&'static str, &'static str>,
    /// What is not there any more.
    gone: BTreeSet<&'static str>,
    /// Lines of a replacement that the gateway can still pass; it dies at the one after them.
    life: Option<usize>,
    /// Whether the one product is discontinued, and whether baskets hold the other in its place; by the mark of each.
    discontinued: Mark,
    moved: Mark,
}

/// What an owner keeps of a step and of its undo.
#[derive(Default, Clone, Copy, PartialEq)]
enum Mark {
    #[default]
    Never,
    Done,
    Undone,
}

impl World {
    /// They do whatever they are asked.
    pub(super) fn new() -> Self {
        Self { model: Arc::default(), died: Arc::default() }
    }

    /// Clients of them.
    pub(super) fn calls(&self) -> Calls {
        Calls {
            catalog: CatalogClient::from_stub(self.clone()),
            inventory: InventoryClient::from_stub(self.clone()),
            orders: OrdersClient::from_stub(self.clone()),
            payments: PaymentsClient::from_stub(self.clone()),
            users: UsersClient::from_stub(self.clone()),
        }
    }

    /// From now on, these calls are answered UNAVAILABLE, and no others.
    pub(super) fn away(&self, calls: &[&'static str]) {
        self.model().away = calls.iter().copied().collect();
    }

    /// From now on, this call is refused for that reason.
    pub(super) fn refuse(&self, call: &'static str, reason: &'static str) {
        self.model().refused.insert(call, reason);
    }

    /// From now on, these ids name nothing.
    pub(super) fn lose(&self, ids: &[&'static str]) {
        self.model().gone = ids.iter().copied().collect();
    }

    /// The gateway passes so many lines before or after a call of its saga, and dies at the next one.
    pub(super) fn live(&self, lines: Option<usize>) {
        self.model().life = lines;
    }

    /// Comes when the gateway has died.
    pub(super) async fn died(&self) {
        self.died.notified().await;
    }

    /// What was asked since the last time, in turn.
    pub(super) fn asked(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.model().asked)
    }

    /// Whether the one product is discontinued, and whether baskets hold the other in its place.
    pub(super) fn replaced(&self) -> (bool, bool) {
        let model = self.model();
        (model.discontinued == Mark::Done, model.moved == Mark::Done)
    }

    fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&self, call: &'static str, id: &str, value: T) -> Result<T, Error> {
        let mut model = self.model();
        model.asked.push(call);
        if model.away.contains(call) {
            return Err(Error::new(Reason::Unavailable, "away"));
        }
        if model.gone.contains(id) { Err(Error::from(reason::not_found(call, id))) } else { Ok(value) }
    }

    /// A step or an undo, with a line before it and a line after it at which the gateway may die.
    async fn write(&self, call: &'static str, does: fn(&mut Model) -> bool) -> Result<(), Error> {
        self.pass().await;
        let answer = {
            let mut model = self.model();
            model.asked.push(call);
            let refused = model.refused.get(call).copied();
            match refused {
                _ if model.away.contains(call) => Err(Error::new(Reason::Unavailable, "away")),
                Some(reason) => Err(forbidden(reason)),
                None if does(&mut model) => Ok(()),
                None => Err(forbidden("ALREADY_UNDONE")),
            }
        };
        self.pass().await;
        answer
    }

    async fn pass(&self) {
        let alive = match &mut self.model().life {
            None => true,
            Some(0) => false,
            Some(lines) => {
                *lines -= 1;
                true
            }
        };
        if !alive {
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

fn forbidden(reason: &str) -> Error {
    Error::from(Reason::FailedPrecondition.because(reason, "as the test says"))
}

/// A step takes effect unless its undo came first.
fn done(mark: &mut Mark) -> bool {
    let late = *mark == Mark::Undone;
    if !late {
        *mark = Mark::Done;
    }
    !late
}

fn undone(mark: &mut Mark) -> bool {
    *mark = Mark::Undone;
    true
}

#[async_trait]
impl OrdersStub for World {
    async fn get_order(&self, request: GetOrderRequest, _: &CallOptions) -> Result<Order, Error> {
        let line = |product: &str| OrderLine::default().with_product_id(product).with_units(1);
        let order = Order::default()
            .with_id(request.id.as_str())
            .with_customer_id("VINET")
            .with_lines([line("11"), line("42")]);
        self.read("order", &request.id, order)
    }

    async fn replace_in_baskets(
        &self,
        _: ReplaceInBasketsRequest,
        _: &CallOptions,
    ) -> Result<Replacement, Error> {
        self.write("replace", |model| done(&mut model.moved)).await.map(|()| Replacement::default())
    }

    async fn restore_in_baskets(
        &self,
        _: RestoreInBasketsRequest,
        _: &CallOptions,
    ) -> Result<Replacement, Error> {
        self.write("restore", |model| undone(&mut model.moved)).await.map(|()| Replacement::default())
    }
}

#[async_trait]
impl CatalogStub for World {
    async fn batch_get_products(
        &self,
        request: BatchGetProductsRequest,
        _: &CallOptions,
    ) -> Result<BatchGetProductsResponse, Error> {
        let gone = self.model().gone.clone();
        let there = request.ids.iter().filter(|id| !gone.contains(id.as_str()));
        let products = there.map(|id| Product::default().with_id(id.as_str())).collect::<Vec<_>>();
        self.read("products", "", BatchGetProductsResponse::default().with_products(products))
    }

    async fn discontinue_product(
        &self,
        request: DiscontinueProductRequest,
        _: &CallOptions,
    ) -> Result<Product, Error> {
        self.write("discontinue", |model| done(&mut model.discontinued)).await?;
        Ok(Product::default().with_id(request.id))
    }

    async fn reinstate_product(
        &self,
        _: ReinstateProductRequest,
        _: &CallOptions,
    ) -> Result<ReinstateProductResponse, Error> {
        self.write("reinstate", |model| undone(&mut model.discontinued)).await?;
        Ok(ReinstateProductResponse::default())
    }
}

#[async_trait]
impl InventoryStub for World {
    async fn batch_get_stock(
        &self,
        request: BatchGetStockRequest,
        _: &CallOptions,
    ) -> Result<BatchGetStockResponse, Error> {
        let stock = request.product_ids.iter().map(|id| Stock::default().with_product_id(id.as_str()));
        let stock = stock.collect::<Vec<_>>();
        self.read("stock", "", BatchGetStockResponse::default().with_stock(stock))
    }
}

#[async_trait]
impl PaymentsStub for World {
    async fn get_payment(&self, request: GetPaymentRequest, _: &CallOptions) -> Result<Payment, Error> {
        let gone = if self.model().gone.contains("payment") { "payment" } else { "" };
        self.read("payment", gone, Payment::default().with_id(request.id))
    }
}

#[async_trait]
impl UsersStub for World {
    async fn get_user(&self, request: GetUserRequest, _: &CallOptions) -> Result<User, Error> {
        self.read("customer", &request.id, User::default().with_id(request.id.as_str()))
    }
}
