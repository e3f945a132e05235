//! The services that orders calls, as small models in their place: they keep what was asked of them, and refuse, fail or
//! wait where a test says so.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use freehold_sdk::catalog::v1::{
    BatchGetPricesRequest, BatchGetPricesResponse, CatalogClient, CatalogStub, Price,
};
use freehold_sdk::inventory::v1::{
    InventoryClient, InventoryStub, ReleaseRequest, Reservation, ReserveRequest,
};
use freehold_sdk::payments::v1::{
    AuthoriseRequest, CaptureRequest, Payment, PaymentsClient, PaymentsStub, RefundRequest, VoidRequest,
};
use freehold_sdk::{CallOptions, Error, async_trait};
use freehold_wire::Reason;
use tokio::sync::watch;

use crate::generated::Calls;

/// How a call is answered, by its name.
type Answer = Box<dyn FnMut(&'static str) -> Result<(), Error> + Send>;

/// Inventory, payments and catalog. Cloning shares them.
#[derive(Clone)]
pub(super) struct Others {
    model: Arc<Mutex<Model>>,
    open: Arc<watch::Sender<bool>>,
}

struct Model {
    answer: Answer,
    asked: Vec<(&'static str, String)>,
    /// What was done last for an order, with its stock and with its money.
    stock: BTreeMap<String, &'static str>,
    money: BTreeMap<String, &'static str>,
    prices: BTreeMap<String, i64>,
}

impl Others {
    /// They do whatever they are asked.
    pub(super) fn new() -> Self {
        let model = Model {
            answer: Box::new(|_| Ok(())),
            asked: Vec::new(),
            stock: BTreeMap::new(),
            money: BTreeMap::new(),
            prices: BTreeMap::new(),
        };
        Self { model: Arc::new(Mutex::new(model)), open: Arc::new(watch::Sender::new(true)) }
    }

    /// Clients of them.
    pub(super) fn calls(&self) -> Calls {
        Calls {
            catalog: CatalogClient::from_stub(self.clone()),
            inventory: InventoryClient::from_stub(self.clone()),
            payments: PaymentsClient::from_stub(self.clone()),
        }
    }

    /// From now on, `answer` says how each call ends.
    pub(super) fn answer(&self, answer: impl FnMut(&'static str) -> Result<(), Error> + Send + 'static) {
        self.model().answer = Box::new(answer);
    }

    /// From now on, this call is refused for that reason.
    pub(super) fn refuse(&self, call: &'static str, reason: &'static str) {
        self.answer(move |asked| if asked == call { Err(refusal(reason)) } else { Ok(()) });
    }

    /// Keeps every call waiting, or lets them go on.
    pub(super) fn hold(&self, held: bool) {
        self.open.send_replace(!held);
    }

    /// What the catalog asks for a product from now on.
    pub(super) fn price(&self, product_id: &str, cents: i64) {
        self.model().prices.insert(product_id.to_owned(), cents);
    }

    /// What was asked for an order, in turn.
    pub(super) fn asked(&self, order_id: &str) -> Vec<&'static str> {
        let model = self.model();
        model.asked.iter().filter(|(_, id)| id == order_id).map(|(call, _)| *call).collect()
    }

    /// What was done last with the stock and with the money of an order.
    pub(super) fn hold_for(&self, order_id: &str) -> (&'static str, &'static str) {
        let model = self.model();
        let last = |done: &BTreeMap<String, &'static str>| done.get(order_id).copied().unwrap_or("nothing");
        (last(&model.stock), last(&model.money))
    }

    fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn asked_for(&self, call: &'static str, id: &str) -> Result<(), Error> {
        self.model().asked.push((call, id.to_owned()));
        // The sender is `self`'s own: the gate is there as long as the call is.
        let _ = self.open.subscribe().wait_for(|open| *open).await;
        (self.model().answer)(call)
    }

    async fn stock(&self, call: &'static str, id: String) -> Result<Reservation, Error> {
        self.asked_for(call, &id).await?;
        self.model().stock.insert(id, call);
        Ok(Reservation::default())
    }

    async fn money(&self, call: &'static str, id: String) -> Result<Payment, Error> {
        self.asked_for(call, &id).await?;
        self.model().money.insert(id, call);
        Ok(Payment::default())
    }
}

/// A refusal for a reason.
pub(super) fn refusal(reason: &str) -> Error {
    Error::from(Reason::FailedPrecondition.because(reason, "as the test says"))
}

#[async_trait]
impl InventoryStub for Others {
    async fn reserve(&self, request: ReserveRequest, _: &CallOptions) -> Result<Reservation, Error> {
        self.stock("reserve", request.id).await
    }

    async fn release(&self, request: ReleaseRequest, _: &CallOptions) -> Result<Reservation, Error> {
        self.stock("release", request.id).await
    }
}

#[async_trait]
impl PaymentsStub for Others {
    async fn authorise(&self, request: AuthoriseRequest, _: &CallOptions) -> Result<Payment, Error> {
        self.money("authorise", request.id).await
    }

    async fn capture(&self, request: CaptureRequest, _: &CallOptions) -> Result<Payment, Error> {
        self.money("capture", request.id).await
    }

    async fn void(&self, request: VoidRequest, _: &CallOptions) -> Result<Payment, Error> {
        self.money("void", request.id).await
    }

    async fn refund(&self, request: RefundRequest, _: &CallOptions) -> Result<Payment, Error> {
        self.money("refund", request.id).await
    }
}

#[async_trait]
impl CatalogStub for Others {
    async fn batch_get_prices(
        &self,
        request: BatchGetPricesRequest,
        _: &CallOptions,
    ) -> Result<BatchGetPricesResponse, Error> {
        (self.model().answer)("prices")?;
        let model = self.model();
        let price = |id: &String| {
            let cents = model.prices.get(id)?;
            Some(Price::default().with_product_id(id.as_str()).with_price_cents(*cents))
        };
        let prices: Vec<Price> = request.product_ids.iter().filter_map(price).collect();
        Ok(BatchGetPricesResponse::default().with_prices(prices))
    }
}
