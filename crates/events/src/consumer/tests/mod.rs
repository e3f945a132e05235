//! The consumer on real databases, under redelivery, loss, poison and crashes.

mod causes;
mod counting;
mod delivery;
mod gaps;
mod hops;
mod outage;
mod parking;
mod poison;
mod projections;
mod rebuilding;
mod redriving;
mod replaying;
mod room;
mod sharing;
mod simulation;
mod slow;
mod tombstones;
mod upcasting;

use freehold_store::{Queries, StoreError, Work, vals};

use super::Consumer;
use crate::Subscription;
use crate::fixture::{Mails, Owner, Way, context};

async fn purge(mails: &Mails, sql: &'static str) {
    let unit = async move |work: &mut Work| work.exec(sql, vals![]).await;
    mails.store.unit::<_, StoreError, _>(&context(), unit).await.unwrap();
}

fn resubscribed(mails: &Mails, owner: &Owner, subscription: Subscription) -> Consumer {
    let mut consumer = mails.consumer(Way::sound(owner.feed()));
    consumer.subscriptions = vec![subscription];
    consumer
}
