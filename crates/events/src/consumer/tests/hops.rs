//! R16: what was seen before an event goes along with it, over three services, and nothing on the way takes it back.

use std::collections::BTreeMap;

use freehold_client::{FeedClient, Mesh};
use freehold_store::{Options, Store, StoreError, Work, outbox};
use freehold_testkit::engines::{self, Database};
use freehold_wire::pb::Token;
use freehold_wire::{Event, Session, View};
use futures_util::FutureExt;

use crate::feed::Feed;
use crate::fixture::{
    Booked, CONTRACT, Mailed, MailedView, Owner, PlacedView, SOON, Sent, SentView, Way, context, placed,
};
use crate::link::Link;
use crate::{Consumer, Delivered, Subscription};

/// Events of the first service, and so of each.
const EVENTS: i64 = 2;

/// A planted bug: the session of a reaction, made of what its event brings along and of what the reaction itself hears.
type Merge = fn(Vec<Token>, Token) -> Session;

/// A service on the way.
struct Station {
    store: Store,
    _database: Database,
}

impl Station {
    async fn open(name: &'static str) -> Self {
        let database = engines::sqlite();
        let options = Options::new(name, database.url()).migrations(&crate::MIGRATIONS);
        Self { store: Store::open(options).await.unwrap(), _database: database }
    }
}

/// What somebody has seen of `users`.
fn users(mark: i64) -> Token {
    Token::default().with_owner("users").with_epoch(9).with_mark(mark)
}

/// One hop: for each event of a service the next one tells another, and hears of `users` meanwhile.
async fn hop<V: View, E: Event>(
    from: &Store,
    to: &Store,
    hears: i64,
    tell: fn(String) -> E,
    planted: Option<Merge>,
) {
    let feed = Way::of(Feed::new(from.clone(), &CONTRACT).unwrap(), V::CONSUMER);
    if let Some(merge) = planted {
        return naive_hop::<V, E>(feed, to, users(hears), tell, merge).await;
    }
    let subscription =
        Subscription::views(V::CONSUMER, V::OWNER).on_event::<V, _>(move |work, event: Delivered<V>| {
            async move {
                work.context().session().saw(users(hears));
                work.emit(&tell(event.key().to_owned())).await?;
                Ok(())
            }
            .boxed_local()
        });
    let nowhere = Mesh::fixed(V::CONSUMER, [(V::OWNER, "http://127.0.0.1:1")]);
    let handle = Consumer::new(to.clone(), nowhere).subscribe(subscription).feed(V::OWNER, feed).start();
    handle.caught_up(SOON).await.unwrap();
    handle.stop().await;
}

/// The hop of a consumer that puts its reactions' sessions together by itself.
async fn naive_hop<V: View, E: Event>(
    feed: FeedClient,
    to: &Store,
    hears: Token,
    tell: fn(String) -> E,
    merge: Merge,
) {
    let link = Link::new(feed, &format!("{}/views/{}", V::CONSUMER, V::OWNER), [V::OF]);
    let mut arrivals = link.open(None).await.unwrap().patient();
    let mut told = 0;
    while told < EVENTS {
        for event in arrivals.next(1).await.unwrap().events {
            let context = context().with_session(merge(event.tokens, hears.clone()));
            let unit = async move |work: &mut Work| work.emit(&tell(event.subject)).await;
            to.unit::<_, StoreError, _>(&context, unit).await.unwrap();
            told += 1;
        }
    }
}

/// From orders over mails and couriers to the ledger; what the events there have seen, in their order, by owner.
async fn three_hops(planted: Option<Merge>) -> Vec<BTreeMap<String, i64>> {
    let orders = Owner::open().await;
    for (key, seen) in [("k0", 90), ("k1", 50)] {
        let context = context().with_session(Session::of([users(seen)]));
        let unit = async move |work: &mut Work| work.emit(&placed(key, 1)).await;
        orders.store.unit::<_, StoreError, _>(&context, unit).await.unwrap();
    }
    let mails = Station::open("mails").await;
    let couriers = Station::open("couriers").await;
    let ledger = Station::open("ledger").await;
    hop::<PlacedView, _>(&orders.store, &mails.store, 80, |order_id| Mailed { order_id }, planted).await;
    hop::<MailedView, _>(&mails.store, &couriers.store, 60, |order_id| Sent { order_id }, planted).await;
    hop::<SentView, _>(&couriers.store, &ledger.store, 70, |order_id| Booked { order_id }, planted).await;
    let mut read = ledger.store.read().await.unwrap();
    let booked = outbox::after(&ledger.store, &mut read, 0, 10).await.unwrap();
    let seen = |tokens: &[Token]| tokens.iter().map(|token| (token.owner.clone(), token.mark)).collect();
    booked.iter().map(|event| seen(&event.tokens)).collect()
}

/// Nothing is lost, nothing goes back, and nothing comes over from another event.
fn by_maximum(seen: &[BTreeMap<String, i64>]) -> Result<(), String> {
    let wanted = [(1, 90), (2, 80)].map(|(mark, users)| {
        let of_each = [("couriers", mark), ("mails", mark), ("orders", mark), ("users", users)];
        BTreeMap::from(of_each.map(|(owner, mark)| (owner.to_owned(), mark)))
    });
    if seen == wanted { Ok(()) } else { Err(format!("{seen:?}, not {wanted:?}")) }
}

/// R16: the tokens of an event are the session of its reaction, merged by maximum per owner, over three hops.
#[tokio::test]
async fn what_was_seen_goes_along_over_three_hops() {
    assert_eq!(by_maximum(&three_hops(None).await), Ok(()));
    let sessions: [(&str, Merge); 3] = [
        ("forgets what came along", |_, heard| Session::of([heard])),
        ("forgets what it heard", |tokens, _| Session::of(tokens)),
        ("takes the latest", |tokens, heard| {
            let others = tokens.into_iter().filter(|token| token.owner != heard.owner);
            Session::of(others.chain([heard.clone()]))
        }),
    ];
    for (bug, merge) in sessions {
        let found = by_maximum(&three_hops(Some(merge)).await);
        assert!(found.is_err(), "the planted bug, one that {bug}, is seen");
    }
}
