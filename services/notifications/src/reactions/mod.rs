//! What notifications does about events of orders: each becomes a row of mail in the unit of work of its reaction.

use freehold_events::{Delivered, ReactionError};
use freehold_store::Work;

use crate::generated::{
    OrderCancelledView, OrderConfirmedView, OrderRejectedView, OrderShippedView, Reactions,
};
use crate::mail::News;
use crate::store::mails;

/// The reactions of this service.
pub(crate) struct WriteMails;

impl Reactions for WriteMails {
    async fn order_confirmed(
        &self,
        work: &mut Work,
        event: Delivered<OrderConfirmedView>,
    ) -> Result<(), ReactionError> {
        let news = News::Confirmed { total_cents: event.value.total_cents };
        write(work, &news, event.id(), &event.value.customer_id, &event.value.order_id).await
    }

    async fn order_rejected(
        &self,
        work: &mut Work,
        event: Delivered<OrderRejectedView>,
    ) -> Result<(), ReactionError> {
        let news = News::Rejected { reason: event.value.reason.clone() };
        write(work, &news, event.id(), &event.value.customer_id, &event.value.order_id).await
    }

    async fn order_cancelled(
        &self,
        work: &mut Work,
        event: Delivered<OrderCancelledView>,
    ) -> Result<(), ReactionError> {
        write(work, &News::Cancelled, event.id(), &event.value.customer_id, &event.value.order_id).await
    }

    async fn order_shipped(
        &self,
        work: &mut Work,
        event: Delivered<OrderShippedView>,
    ) -> Result<(), ReactionError> {
        write(work, &News::Shipped, event.id(), &event.value.customer_id, &event.value.order_id).await
    }
}

async fn write(
    work: &mut Work,
    news: &News,
    event_id: &str,
    customer_id: &str,
    order_id: &str,
) -> Result<(), ReactionError> {
    mails::insert(work, &news.mail(event_id, customer_id, order_id)).await?;
    Ok(())
}
