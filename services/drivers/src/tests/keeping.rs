//! Retention: what is old enough goes, and nothing else.

use super::*;

const ROWS: &str = "SELECT count(*) AS rows FROM track";

impl Bench {
    /// Lets time pass, and old locations go.
    async fn later(&self, by_ms: i64) {
        self.now.fetch_add(by_ms, Ordering::Relaxed);
        self.sweeper.sweep().await.unwrap();
    }
}

#[tokio::test]
async fn a_location_is_kept_for_a_day_and_gone_an_hour_after_that() {
    on_each_engine(async |bench| {
        bench.have(&["ada", "grace"]).await;
        bench.seen("ada", [NOW, NOW + 1]).await;
        bench.later(DAY).await;
        assert_eq!(bench.times("ada").await, [NOW, NOW + 1]);
        bench.seen("grace", [NOW + DAY]).await;
        bench.later(HOUR).await;
        assert!(bench.times("ada").await.is_empty());
        assert_eq!(bench.times("grace").await, [NOW + DAY]);
        assert_eq!(bench.rows(ROWS).await, 1);
    })
    .await;
}

#[tokio::test]
async fn where_a_driver_was_last_is_forgotten_too() {
    on_each_engine(async |bench| {
        bench.have(&["ada", "grace"]).await;
        bench.seen("ada", [NOW]).await;
        bench.seen("grace", [NOW + 1]).await;
        bench.later(DAY).await;
        assert!(bench.locate("ada").await.is_ok());
        bench.later(1).await;
        assert!(bench.locate("ada").await.is_err() && bench.locate("grace").await.is_ok());
        assert_eq!(bench.seen("ada", [NOW + DAY]).await, (1, 0));
    })
    .await;
}

/// More than a unit of work removes, of more drivers than one, over more than one hour.
#[tokio::test]
async fn however_much_there_is_all_of_it_goes() {
    on_each_engine(async |bench| {
        bench.have(&["ada", "grace", "joan"]).await;
        let hours = (0..3).rev().flat_map(|hour| NOW - hour * HOUR..NOW - hour * HOUR + 700);
        for id in ["ada", "grace"] {
            assert_eq!(bench.seen(id, hours.clone()).await, (2100, 0));
        }
        assert_eq!(bench.seen("joan", [NOW + 29_000]).await, (1, 0));
        assert_eq!(bench.rows(ROWS).await, 4201);
        bench.later(DAY - HOUR).await;
        assert_eq!(bench.rows(ROWS).await, 2 * 1400 + 1, "the oldest hour of three");
        bench.later(2 * HOUR).await;
        assert_eq!(bench.rows(ROWS).await, 0);
    })
    .await;
}
