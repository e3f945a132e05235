//! Retention: what is old enough goes, and nothing else.

use super::*;

const ROWS: &str = "SELECT count(*) AS rows FROM track";
const ENTRANCES: &str = "SELECT count(*) AS rows FROM track_entrance";

impl Bench {
    /// Lets time pass, and old locations go.
    async fn later(&self, by_ms: i64) {
        self.now.fetch_add(by_ms, Ordering::Relaxed);
        self.sweeper.sweep().await.unwrap();
    }
}

/// Planted: the hour of which a part is kept goes with those before it.
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

/// Planted: tracks are swept, and where drivers were last is not.
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

/// More than a unit of work removes, of more drivers than one, over more than one hour. Planted: a sweep that ends after
/// its first unit of work.
#[tokio::test]
async fn however_much_there_is_all_of_it_goes() {
    on_each_engine(async |bench| {
        bench.have(&["ada", "grace"]).await;
        for hour in 0..3 {
            for id in ["ada", "grace"] {
                let began = NOW + hour * HOUR;
                assert_eq!(bench.seen(id, began..began + 700).await, (700, 0));
            }
            bench.later(HOUR).await;
        }
        assert_eq!((bench.rows(ROWS).await, bench.rows(ENTRANCES).await), (4200, 4));
        bench.later(DAY - 2 * HOUR).await;
        assert_eq!(
            (bench.rows(ROWS).await, bench.rows(ENTRANCES).await),
            (2800, 2),
            "the oldest hour of three"
        );
        assert_eq!(bench.times("ada").await.len(), 1000, "a page of what is left");
        bench.later(2 * HOUR).await;
        assert_eq!((bench.rows(ROWS).await, bench.rows(ENTRANCES).await), (0, 0));
        let now = bench.now.load(Ordering::Relaxed);
        assert_eq!(bench.seen("ada", now..now + 2).await, (2, 0));
        let ids = "SELECT MIN(id) AS rows FROM track";
        assert_eq!((bench.times("ada").await, bench.rows(ids).await), (vec![now, now + 1], 4201));
    })
    .await;
}

/// A location may be a while on its way: how long it is kept counts from when it came in.
#[tokio::test]
async fn what_comes_in_late_is_kept_as_long() {
    on_each_engine(async |bench| {
        bench.have(&["ada"]).await;
        bench.seen("ada", [NOW - 20 * HOUR, NOW]).await;
        bench.later(23 * HOUR).await;
        assert_eq!(bench.times("ada").await, [NOW - 20 * HOUR, NOW]);
    })
    .await;
}
