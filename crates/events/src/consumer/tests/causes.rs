//! An event whose cause has not arrived from its own owner waits for it, and not for ever.

use std::time::Duration;

use freehold_store::{StoreError, Work};
use freehold_testkit::engines;
use freehold_wire::Watermark;
use freehold_wire::pb::{Epoch, Position, Token};

use super::resubscribed;
use crate::fixture::{Mails, Owner, SOON, context, eventually, placed};
use crate::position::{self, Standing};

const LONG: Duration = Duration::from_secs(3600);
const WAITING: &str = "SELECT count(*) AS n FROM freehold_parked \
                       WHERE state = 'waiting' AND reason LIKE '%the events of users up to 77%'";

/// Two events of each of three keys; whoever emitted those of `k1` had seen 77 of `users`.
async fn caused(owner: &Owner) {
    for version in 1..=2 {
        for key in ["k0", "k1", "k2"] {
            let context = context();
            if key == "k1" {
                context.session().saw(Token::default().with_owner("users").with_epoch(9).with_mark(77));
            }
            let unit = async move |work: &mut Work| work.emit(&placed(key, version)).await;
            owner.store.unit::<_, StoreError, _>(&context, unit).await.unwrap();
        }
    }
}

/// The views of `users` have come so far.
async fn users_at(mails: &Mails, mark: i64) {
    let epochs = vec![Epoch::default().with_id(9).with_first(1)];
    let position = Position::default().with_epoch(9).with_mark(mark);
    let watermark = Watermark::new("users", epochs, mark);
    let standing = Standing { watermark, position, origin: 0, moved_ms: 0 };
    let unit = async move |work: &mut Work| position::begin(work, "mails/views/users", &standing).await;
    mails.store.unit::<_, StoreError, _>(&context(), unit).await.unwrap();
}

/// The planted bug is a subscription that does not wait.
#[tokio::test]
async fn an_event_waits_until_its_cause_has_arrived() {
    for database in engines::each().await {
        let (owner, mails) = (Owner::open().await, Mails::on(database).await);
        caused(&owner).await;
        users_at(&mails, 76).await;
        let waiting = mails.subscription().waits_for("users", LONG);
        let handle = resubscribed(&mails, &owner, waiting).start();
        eventually("a key that waits", || async { mails.count(WAITING).await == 1 }).await;
        eventually("the other keys", || async { mails.effects().await.len() == 4 }).await;
        assert_eq!(mails.versions("k1").await, Vec::<i64>::new());
        users_at(&mails, 77).await;
        handle.caught_up(SOON).await.unwrap();
        assert!(mails.is_once_in_order(3, 2).await, "{:?}", mails.effects().await);
        handle.stop().await;
    }
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    caused(&owner).await;
    users_at(&mails, 76).await;
    let handle = resubscribed(&mails, &owner, mails.subscription()).start();
    handle.caught_up(SOON).await.unwrap();
    assert_eq!(mails.versions("k1").await, [1, 2], "the planted bug is seen");
    handle.stop().await;
}

#[tokio::test]
async fn a_cause_that_never_arrives_is_not_waited_for_longer_than_declared() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    caused(&owner).await;
    let waiting = mails.subscription().waits_for("users", Duration::ZERO);
    let handle = resubscribed(&mails, &owner, waiting).start();
    handle.caught_up(SOON).await.unwrap();
    assert!(mails.is_once_in_order(3, 2).await);
    handle.stop().await;

    let (owner, mails) = (Owner::open().await, Mails::open().await);
    caused(&owner).await;
    let waiting = mails.subscription().waits_for("users", LONG);
    let handle = resubscribed(&mails, &owner, waiting).start();
    eventually("a key that waits", || async { mails.count(WAITING).await == 1 }).await;
    let since = "UPDATE freehold_parked SET parked_ms = parked_ms - 3600000, next_ms = 0";
    super::purge(&mails, since).await;
    handle.caught_up(SOON).await.unwrap();
    assert!(mails.is_once_in_order(3, 2).await, "{:?}", mails.effects().await);
    handle.stop().await;
}
