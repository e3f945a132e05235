//! Watches: which keys change, told to who may keep answers about them.

use freehold_wire::contract::{Contract, Owner as Declares};
use freehold_wire::dispatch::Messages;
use freehold_wire::feed::FeedService;
use freehold_wire::pb::watch_response::Item;
use freehold_wire::pb::{WatchRequest, WatchResponse};
use freehold_wire::{Access, Cache, Context, Criticality, Retry, Rules};
use futures_util::StreamExt;
use tonic::Code;

use super::{Feed, mark};
use crate::fixture::{CONTRACT, ORDER, Order, Owner, SOON, Stock, context, placed};

/// A read that `mails` declares, whose answers end with changes of the order.
const GET: Rules = Rules {
    path: "/o.v1.Orders/Get",
    deadline: SOON,
    min_deadline: std::time::Duration::ZERO,
    retry: Retry::Safe,
    access: Access::Declared,
    cache: Some(Cache { ttl: SOON, entity: ORDER, owner: "orders", key: Some(1) }),
    criticality: Criticality::Default,
    streams: false,
};

static CACHED: Contract = {
    let [orders, ..] = CONTRACT.owners else { panic!("the fixture has owners") };
    let [mails, couriers, ..] = CONTRACT.consumers else { panic!("the fixture has consumers") };
    Contract {
        owners: &[Declares { methods: &[GET], ..*orders }],
        consumers: &[freehold_wire::contract::Consumer { calls: &["o.v1.Orders/Get"], ..*mails }, *couriers],
        descriptors: &[],
    }
};

fn feed(owner: &Owner) -> Feed {
    Feed::new(owner.store.clone(), &CACHED).unwrap()
}

async fn watch(feed: &Feed, entity: &str) -> Result<Messages<WatchResponse>, tonic::Status> {
    feed.watch(context(), WatchRequest::default().with_entity(entity)).await
}

async fn next(stream: &mut Messages<WatchResponse>) -> Item {
    let next = tokio::time::timeout(SOON, stream.next()).await.unwrap();
    next.unwrap().unwrap().item.unwrap()
}

async fn next_change(stream: &mut Messages<WatchResponse>) -> (String, i64, i64) {
    loop {
        if let Item::Change(change) = next(stream).await {
            return (change.key, change.version, mark(&change.position));
        }
    }
}

#[tokio::test]
async fn a_watch_tells_keys_from_now_on_and_first_where_that_is() {
    let owner = Owner::open().await;
    owner.emit(placed("before", 1)).await;
    let mut watch = watch(&feed(&owner), ORDER).await.unwrap();
    let Item::Heartbeat(first) = next(&mut watch).await else { panic!("no heartbeat") };
    assert_eq!((mark(&first.position), first.epochs.len()), (1, 1));
    owner.put(Stock { id: "another entity".to_owned(), units: 1 }).await;
    owner.put(Order { id: "k".to_owned(), state: "new".to_owned(), secret: String::new() }).await;
    owner.emit(placed("k", 2)).await;
    assert_eq!(next_change(&mut watch).await, ("k".to_owned(), 1, 3));
    assert_eq!(next_change(&mut watch).await, ("k".to_owned(), 2, 4));
}

#[tokio::test]
async fn a_watch_is_for_who_may_keep_answers_about_the_entity() {
    let owner = Owner::open().await;
    let feed = feed(&owner);
    let refused = async |context, entity: &str| {
        let refused = feed.watch(context, WatchRequest::default().with_entity(entity)).await;
        refused.map(drop).unwrap_err().code()
    };
    assert_eq!(refused(Context::new("couriers", SOON), ORDER).await, Code::PermissionDenied);
    assert_eq!(refused(context(), "o.v1.Stock").await, Code::PermissionDenied, "no cache is about it");
    assert_eq!(refused(context(), "o.v1.Placed").await, Code::InvalidArgument);
    assert!(watch(&feed, ORDER).await.is_ok());
}
