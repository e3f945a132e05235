//! Marks, tokens and epochs: what says which commit a later read must see.

use freehold_store::{Engine, Queries, Store, StoreError, Work, outbox, vals};
use freehold_wire::pb::{Position, Token};
use freehold_wire::{Coverage, Session};

use crate::engines::Database;
use crate::sample::{self, Paid, context, insert, run};

on_each_engine! {
    a_page_behind_a_mark_that_is_gone_begins_with_the_oldest_that_is_kept,
    a_mark_is_never_given_out_twice,
    a_keys_marks_ascend_with_its_versions,
    a_lock_that_is_waited_for_inverts_nothing,
    a_token_is_covered_by_the_head,
    a_session_of_another_history_reads_nothing,
    a_unit_without_events_has_the_token_of_what_it_saw,
    each_start_begins_an_epoch,
    a_rolled_back_unit_moves_no_head,
    listeners_hear_of_commits,
    the_oldest_kept_mark_is_known,
}

async fn emit(store: &Store, key: &'static str) -> i64 {
    let unit = run(store, async move |work: &mut Work| work.emit(&Paid::new(key)).await);
    unit.await.unwrap().1.mark
}

/// E15. The planted bug takes the next mark from the highest row that is there.
async fn a_mark_is_never_given_out_twice(database: Database) {
    const NAIVE: &str =
        "INSERT INTO naive_log (mark) SELECT coalesce(max(mark), 0) + 1 FROM naive_log RETURNING mark";
    let store = database.open().await;
    let naive = async |work: &mut Work| -> Result<i64, StoreError> {
        work.one(NAIVE, vals![]).await?.unwrap().get("mark")
    };
    let (first, second) = (emit(&store, "a").await, emit(&store, "a").await);
    let (_, naive_second) = (run(&store, naive).await.unwrap().0, run(&store, naive).await.unwrap().0);
    assert!(first < second);
    let purge = run(&store, async move |work: &mut Work| -> Result<(), StoreError> {
        work.exec("DELETE FROM freehold_outbox WHERE key = 'a' AND version = 2", vals![]).await?;
        work.exec("DELETE FROM naive_log WHERE mark = $1", vals![naive_second]).await.map(drop)
    });
    purge.await.unwrap();
    assert!(emit(&store, "b").await > second);
    assert_eq!(run(&store, naive).await.unwrap().0, naive_second, "the planted bug must be found");
    store.close().await;
    let store = database.open().await;
    assert!(emit(&store, "b").await > second, "neither after a restart");
}

/// Whoever is told that nothing is left would skip what is kept. The planted bug asks for the range behind the mark alone.
async fn a_page_behind_a_mark_that_is_gone_begins_with_the_oldest_that_is_kept(database: Database) {
    let store = database.open().await;
    for _ in 0..12 {
        emit(&store, "a").await;
    }
    run(&store, async |work: &mut Work| outbox::purge(work, 8, i64::MAX).await).await.unwrap();
    for (after, first) in [(0, 9), (2, 9), (7, 9), (8, 9), (9, 10)] {
        let mut read = store.read().await.unwrap();
        let events = outbox::after(&store, &mut read, after, 3).await.unwrap();
        let (page, _) = outbox::page(&store, &mut read, after, 3, usize::MAX).await.unwrap();
        assert_eq!(events, page);
        let marks: Vec<i64> = events.iter().map(|event| sample::position(event).mark).collect();
        assert_eq!(marks, (first..first + 3).collect::<Vec<_>>(), "after {after}");
    }
}

/// E3. The planted bug gives out its marks before it has the key's lock.
async fn a_keys_marks_ascend_with_its_versions(database: Database) {
    let store = database.open().await;
    let units = (0..64).map(|number| {
        let (store, key) = (store.clone(), ["a", "b", "c"][number % 3]);
        tokio::spawn(async move { emit(&store, key).await })
    });
    for unit in units.collect::<Vec<_>>() {
        unit.await.unwrap();
    }
    let events = sample::events(&store).await;
    let real =
        events.iter().map(|event| (sample::position(event).mark, event.subject.clone(), event.version));
    assert_eq!(inverted(&real.collect::<Vec<_>>()), None);

    let (drawn_first, drawn_second) = (1_i64, 2_i64);
    for (mark, version) in [(drawn_second, 1_i64), (drawn_first, 2_i64)] {
        run(&store, async move |work: &mut Work| {
            work.exec("INSERT INTO naive_log (mark, key, version) VALUES ($1, 'a', $2)", vals![mark, version])
                .await
        })
        .await
        .unwrap();
    }
    let rows = store.read().await.unwrap().all("SELECT mark, version FROM naive_log", vals![]).await.unwrap();
    let naive =
        rows.iter().map(|row| (row.get("mark").unwrap(), "a".to_owned(), row.get("version").unwrap()));
    assert_eq!(inverted(&naive.collect::<Vec<_>>()).as_deref(), Some("a"), "the planted bug must be found");
}

/// The key whose versions do not ascend with the marks, if there is one.
fn inverted(log: &[(i64, String, i64)]) -> Option<String> {
    let mut log = log.to_vec();
    log.sort();
    let mut last = std::collections::HashMap::new();
    log.into_iter().find_map(|(_, key, version)| {
        let before = last.insert(key.clone(), version);
        before.is_some_and(|before| before >= version).then_some(key)
    })
}

/// E3 with the interleaving made by hand: a unit has begun, another one overtakes it on the same key.
async fn a_lock_that_is_waited_for_inverts_nothing(database: Database) {
    let store = database.open().await;
    if store.engine() == Engine::Sqlite {
        return; // One writer: no unit overtakes another.
    }
    let mut outside = database.connect().await;
    sqlx::query("SELECT pg_advisory_lock(7)").execute(&mut outside).await.unwrap();
    let slow = tokio::spawn({
        let store = store.clone();
        async move {
            let unit = run(&store, async |work: &mut Work| -> Result<i64, StoreError> {
                insert(work, "begun", 1).await?;
                work.exec("SELECT pg_advisory_xact_lock(7)", vals![]).await?;
                work.emit(&Paid::new("a")).await
            });
            unit.await.unwrap()
        }
    });
    let overtaking = emit(&store, "a").await;
    sqlx::query("SELECT pg_advisory_unlock(7)").execute(&mut outside).await.unwrap();
    let (version, token) = slow.await.unwrap();
    assert_eq!(version, 2);
    assert!(token.mark > overtaking);
}

async fn a_token_is_covered_by_the_head(database: Database) {
    let store = database.open().await;
    let (_, token) = run(&store, async |work: &mut Work| work.emit(&Paid::new("a")).await).await.unwrap();
    assert_eq!(store.head().covers(&token), Ok(Coverage::Covered));
    assert_eq!(store.head().covers(&token.clone().with_mark(token.mark + 1)), Ok(Coverage::Behind));
    let ahead = Position::default().with_epoch(token.epoch).with_mark(token.mark + 1);
    assert!(store.head().reached(&ahead).is_err());
}

/// R14, at the owner: what a session has seen is there, or the read is refused. Without a session nothing is asked for.
async fn a_session_of_another_history_reads_nothing(database: Database) {
    let store = database.open().await;
    let reads = async |token: Token| store.read_within(&context().with_session(Session::of([token]))).await;
    let (_, token) = run(&store, async |work: &mut Work| work.emit(&Paid::new("a")).await).await.unwrap();
    assert!(reads(token.clone()).await.is_ok());
    assert!(
        reads(token.clone().with_owner("users")).await.is_ok(),
        "another owner's is not for this one to judge"
    );
    for foreign in [token.clone().with_epoch(token.epoch ^ 1), token.clone().with_mark(token.mark + 1)] {
        let refused = reads(foreign).await.map(drop).unwrap_err();
        assert!(matches!(refused, StoreError::NeverReached(_)), "{refused}");
    }
    assert!(store.read_within(&context()).await.is_ok());
}

async fn a_unit_without_events_has_the_token_of_what_it_saw(database: Database) {
    let store = database.open().await;
    let (_, before) = run(&store, async |work: &mut Work| insert(work, "x", 1).await).await.unwrap();
    assert_eq!(store.head().covers(&before), Ok(Coverage::Covered), "also where there is no event at all");
    let mark = emit(&store, "a").await;
    let (_, after) = run(&store, async |work: &mut Work| insert(work, "y", 1).await).await.unwrap();
    assert_eq!(after.mark, mark);
}

async fn each_start_begins_an_epoch(database: Database) {
    let store = database.open().await;
    let mark = emit(&store, "a").await;
    let first = store.head().epochs().to_vec();
    store.close().await;
    let store = database.open().await;
    let both = store.head().epochs().to_vec();
    assert_eq!((first.len(), both.len()), (1, 2));
    assert_eq!((&both[0], both[1].first), (&first[0], mark + 1));
    assert_ne!(both[0].id, both[1].id);
    let later = emit(&store, "a").await;
    let events = sample::events(&store).await;
    let epochs: Vec<_> = events.iter().map(|event| sample::position(event).epoch).collect();
    assert_eq!(epochs, [both[0].id, both[1].id]);
    assert_eq!(sample::position(&events[1]).mark, later);
    for event in &events {
        assert_eq!(store.head().reached(&sample::position(event)), Ok(()));
    }
}

/// R15, without a crash: a unit that is refused leaves no event, and no head that a token could point at.
async fn a_rolled_back_unit_moves_no_head(database: Database) {
    let store = database.open().await;
    let before = emit(&store, "a").await;
    let refused = run(&store, async |work: &mut Work| -> Result<(), StoreError> {
        work.emit(&Paid::new("a")).await?;
        Err(StoreError::KeyReused)
    });
    refused.await.unwrap_err();
    assert_eq!(store.head().mark(), before);
    let (_, token) = run(&store, async |work: &mut Work| insert(work, "x", 1).await).await.unwrap();
    assert_eq!(token.mark, before);
}

async fn listeners_hear_of_commits(database: Database) {
    let store = database.open().await;
    let mut commits = store.commits();
    let mark = emit(&store, "a").await;
    commits.changed().await.unwrap();
    assert_eq!(*commits.borrow_and_update(), mark);
    run(&store, async |work: &mut Work| insert(work, "x", 1).await).await.unwrap();
    assert!(!commits.has_changed().unwrap(), "a unit without events wakes nobody");
}

async fn the_oldest_kept_mark_is_known(database: Database) {
    let store = database.open().await;
    assert_eq!(outbox::oldest(&store, &mut store.read().await.unwrap()).await.unwrap(), None);
    let mark = emit(&store, "a").await;
    emit(&store, "a").await;
    assert_eq!(outbox::oldest(&store, &mut store.read().await.unwrap()).await.unwrap(), Some(mark));
}
