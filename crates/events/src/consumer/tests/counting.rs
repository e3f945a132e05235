//! What a subscription counts. Each test's is a projection, whose name no other test has.

use freehold_client::FeedClient;
use freehold_metrics::Scraped;
use freehold_wire::pb::subscribe_response::Item;

use super::projections::counting;
use crate::fixture::{Mails, Owner, Way, eventually};
use crate::{Handle, Projection, ReactionError};

fn started(mails: &Mails, feed: FeedClient, name: &str) -> Handle {
    let subscribing = mails.clone();
    let projection = Projection::new("mails", name, "orders", 1, move |_| vec![subscribing.subscription()]);
    counting(mails, feed, projection).start()
}

/// One number of the subscription of that projection.
fn count(name: &str, metric: &str) -> Option<f64> {
    let subscription = format!("mails/{name}/1");
    let labels = [("subscription", subscription.as_str()), ("owner", "orders")];
    Scraped::read(&freehold_metrics::of("mails").scrape()).unwrap().value(metric, &labels)
}

/// Every event three times.
fn thrice(item: &Item) -> usize {
    if matches!(item, Item::Event(_)) { 3 } else { 1 }
}

/// Planted bug: duplicates counted as effects.
#[tokio::test]
async fn what_takes_effect_is_counted_once_and_what_comes_again_apart() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.place_all(5, 4).await;
    let handle = started(&mails, Way::damaged(owner.feed(), thrice), "counted");
    let counted = |metric: &str| count("counted", metric).unwrap_or_default();
    eventually("all of them", || async { counted("freehold_subscription_taken_total") == 60.0 }).await;
    assert_eq!(counted("freehold_subscription_delivered_total"), 20.0);
    assert_eq!(counted("freehold_subscription_redelivered_total"), 40.0);
    let batches = counted("freehold_subscription_lag_seconds_count");
    assert!((1.0..=60.0).contains(&batches), "{batches} batches");
    // A stream that a machine's standstill ended is opened anew.
    eventually("a stream", || async { counted("freehold_subscription_streams") == 1.0 }).await;
    handle.stop().await;
    assert_eq!(counted("freehold_subscription_streams"), 0.0);
}

/// A key that waits is on the gauge until it no longer does.
#[tokio::test]
async fn keys_that_wait_are_on_the_gauge() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    mails.fail(|key, _| if key == "k1" { Err(ReactionError::Refuse("no".to_owned())) } else { Ok(()) });
    owner.place_all(5, 4).await;
    let handle = started(&mails, Way::sound(owner.feed()), "poisoned");
    let parked = || count("poisoned", "freehold_subscription_parked_keys").unwrap_or_default();
    eventually("one key is parked", || async { parked() == 1.0 }).await;
    handle.stop().await;
}
