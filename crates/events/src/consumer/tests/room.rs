//! The consumer's disk is full, and has room again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use freehold_store::{Queries, StoreError, Work, vals};
use freehold_testkit::checker::Rows;
use freehold_testkit::engines;
use futures_util::FutureExt;

use super::{purge, resubscribed};
use crate::fixture::{Mails, Owner, PlacedView, SOON, context, effect, eventually};
use crate::{Delivered, ReactionError, State, Subscription};

/// More attempts than an event has that never come to an answer.
const MANY: i64 = 12;

/// A reaction whose effects need room; the first key fails while this says so.
fn reacting(away: &Arc<AtomicBool>) -> Subscription {
    let away = Arc::clone(away);
    Subscription::views("mails", "orders").on_event::<PlacedView, _>(
        move |work, event: Delivered<PlacedView>| {
            let away = Arc::clone(&away);
            async move {
                if event.key() == "k0" && away.load(Ordering::SeqCst) {
                    return Err(ReactionError::Retry("not yet".to_owned()));
                }
                Ok(large_effect(work, event.key(), event.version()).await?)
            }
            .boxed_local()
        },
    )
}

async fn large_effect(work: &mut Work, key: &str, version: i64) -> Result<(), StoreError> {
    effect(work, key, version, "x".repeat(5_000)).await
}

/// From now on nothing fits that is not there already. SQLite's own bound stands for the end of the disk; PostgreSQL has
/// none, so triggers say there what it says. A row that grows may still fit where it is: on both it does not.
async fn fill(mails: &Mails) {
    const ON_POSTGRES: &str = "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS \
        $$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = 'disk_full'; END $$; \
        CREATE TRIGGER no_room BEFORE INSERT ON effect FOR EACH ROW EXECUTE FUNCTION no_room(); \
        CREATE TRIGGER no_room BEFORE UPDATE OF reason ON freehold_parked FOR EACH ROW EXECUTE FUNCTION no_room()";
    const ON_SQLITE: &str = "CREATE TRIGGER no_room BEFORE UPDATE OF reason ON freehold_parked \
                             BEGIN SELECT RAISE(ABORT, 'no room'); END";
    const BALLAST: &str = "INSERT INTO tally (generation, key, events, cents) VALUES (0, $1, 0, 0)";
    if mails.database().is_postgres() {
        return engines::change(mails.database().url(), ON_POSTGRES).await;
    }
    Rows::damage(&mails.file(), ON_SQLITE);
    for size in [50_000, 1_000, 1] {
        for piece in 0.. {
            let key = format!("{piece:0size$}");
            let unit = async move |work: &mut Work| work.exec(BALLAST, vals![key]).await;
            if mails.store.unit::<_, StoreError, _>(&context(), unit).await.is_err() {
                break;
            }
        }
    }
}

async fn make_room(mails: &Mails) {
    const ON_POSTGRES: &str = "DROP TRIGGER no_room ON effect; DROP TRIGGER no_room ON freehold_parked";
    if mails.database().is_postgres() {
        return engines::change(mails.database().url(), ON_POSTGRES).await;
    }
    purge(mails, "DELETE FROM tally").await;
    Rows::damage(&mails.file(), "DROP TRIGGER no_room");
}

/// E31, invariant 2. What came meanwhile takes effect once there is room, by itself. Planted bugs: a full disk as the event's
/// fault (`reaction::blame`), and attempts that it ended as ones without an answer (`Retrier::attempt`): dead letters.
#[tokio::test]
async fn a_full_disk_holds_events_back_and_is_held_against_none() {
    const DEAD: &str = "SELECT count(*) AS n FROM freehold_parked_log WHERE action = 'dead'";
    const ATTEMPTS: &str = "SELECT coalesce(max(attempts), 0) AS n FROM freehold_parked";
    for database in engines::each().await {
        let (owner, mails) = (Owner::open().await, Mails::bounded(database, 2_000_000).await);
        let away = Arc::new(AtomicBool::new(true));
        let handle = resubscribed(&mails, &owner, reacting(&away)).start();
        owner.place_all(4, 1).await;
        eventually("three effects", || async { mails.effects().await.len() == 3 }).await;
        eventually("a parked key", || async { handle.status().await.unwrap()[0].parked_keys == 1 }).await;
        fill(&mails).await;
        away.store(false, Ordering::SeqCst);
        owner.place_all_from(4, 2, 3).await;
        let is_told = || async {
            let status = handle.status().await.unwrap().remove(0);
            let full = matches!(status.state, State::Disconnected(problem) if problem.contains("full"));
            full || status.dead_letters > 0
        };
        eventually("that it is full, or a dead letter", is_told).await;
        let before = mails.count(ATTEMPTS).await;
        let tried = || async { mails.count(ATTEMPTS).await > before + MANY || mails.count(DEAD).await > 0 };
        eventually("attempts without end", tried).await;
        let unit = async |work: &mut Work| large_effect(work, "of somebody else", 1).await;
        let refused = mails.store.unit::<_, StoreError, _>(&context(), unit).await;
        assert!(matches!(refused, Err(StoreError::Full(_))), "{refused:?}");
        assert_eq!(mails.effects().await.len(), 3, "what is there is read");
        make_room(&mails).await;
        handle.caught_up(SOON).await.unwrap();
        assert!(mails.is_once_in_order(4, 3).await, "{:?}", mails.effects().await);
        assert_eq!(mails.count(DEAD).await, 0);
        handle.stop().await;
    }
}
