//! What an owner says of what it keeps, and subscriptions that are withdrawn.

use freehold_store::{Queries, StoreError, Work, outbox, vals};
use freehold_wire::Context;
use freehold_wire::feed::FeedService;
use freehold_wire::pb::{HeadRequest, WithdrawRequest};
use tonic::Code;

use super::open;
use crate::fixture::{Owner, SOON, SUBSCRIPTION, context};

async fn purged_to(owner: &Owner) -> Option<i64> {
    let asked = HeadRequest::default().with_kept(true);
    owner.feed().head(context(), asked).await.unwrap().purged_to.map(|position| position.mark)
}

#[tokio::test]
async fn an_owner_says_up_to_where_its_events_are_gone_if_it_is_asked() {
    let owner = Owner::open().await;
    assert_eq!(purged_to(&owner).await, None, "there was nothing yet");
    owner.place_all(1, 3).await;
    assert_eq!(purged_to(&owner).await, None);
    for up_to in [1, 3] {
        let unit = async move |work: &mut Work| outbox::purge(work, up_to, i64::MAX).await;
        owner.store.unit::<_, StoreError, _>(&context(), unit).await.unwrap();
        assert_eq!(purged_to(&owner).await, Some(up_to));
    }
    assert_eq!(owner.feed().head(context(), HeadRequest::default()).await.unwrap().purged_to, None);
}

#[tokio::test]
async fn a_subscription_is_withdrawn_by_whose_it_is_and_twice_is_once() {
    let owner = Owner::open().await;
    owner.place_all(1, 3).await;
    let feed = owner.feed();
    drop(open(&feed, &["o.v1.Placed"]).await);
    let withdraw = || WithdrawRequest::default().with_subscription(SUBSCRIPTION);
    let registered = async || {
        let count = "SELECT count(*) AS n FROM freehold_subscription";
        let row = owner.store.read().await.unwrap().one(count, vals![]).await.unwrap().unwrap();
        row.get::<i64>("n").unwrap()
    };
    let other = feed.withdraw(Context::new("couriers", SOON), withdraw()).await;
    assert_eq!((other.unwrap_err().code(), registered().await), (Code::PermissionDenied, 1));
    for _ in 0..2 {
        feed.withdraw(context(), withdraw()).await.unwrap();
        assert_eq!(registered().await, 0);
    }
}
