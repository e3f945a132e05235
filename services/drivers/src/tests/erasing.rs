//! Erasing: nobody finds anything of the driver any more, and what is left behind goes.

use freehold_testkit::mounted::refusal;
use freehold_wire::Entity;
use tonic::Code;

use super::*;

/// What only Ada's rows and events hold.
const CANARIES: [&str; 2] = ["Ada Lovelace", "+44 20 7946 0001"];

fn holds_a_canary(event: &Envelope) -> bool {
    let data = event.data.as_deref().unwrap_or_default();
    CANARIES.iter().any(|canary| String::from_utf8_lossy(data).contains(canary))
}

/// R20, the owner's part.
#[tokio::test]
async fn an_erased_driver_is_gone_from_the_rows_and_from_the_kept_events() {
    on_each_engine(async |bench| {
        bench.have(&["ada"]).await;
        bench.rate("ada", "ride-1", 5).await.unwrap();
        bench.seen("ada", [NOW]).await;
        assert!(bench.events().await.iter().any(holds_a_canary), "the canaries are found where they are");
        bench.erase("ada").await.unwrap();
        assert_eq!(refusal(bench.get("ada").await).0, Code::NotFound);
        assert_eq!(refusal(bench.locate("ada").await).0, Code::NotFound);
        assert!(!bench.events().await.iter().any(holds_a_canary));
        for rows in [
            "SELECT count(*) AS rows FROM driver",
            "SELECT count(*) AS rows FROM driver_rating",
            "SELECT count(*) AS rows FROM latest_location",
        ] {
            assert_eq!(bench.rows(rows).await, 0, "{rows}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_erasure_leaves_a_tombstone_of_the_driver_and_of_the_permit() {
    on_each_engine(async |bench| {
        bench.have(&["ada"]).await;
        bench.erase("ada").await.unwrap();
        let events = bench.events().await;
        let last: Vec<_> = events[2..].iter().map(|event| (event.entity.as_str(), event.version)).collect();
        assert_eq!(last, [(pb::Driver::NAME, 2), (pb::Permit::NAME, 2)]);
        assert!(events[2..].iter().all(|event| event.deleted && event.data.is_none()));
    })
    .await;
}

/// More than a unit of work removes, over more than one hour; another driver's track stays.
#[tokio::test]
async fn the_track_of_an_erased_driver_goes_piece_by_piece() {
    on_each_engine(async |bench| {
        bench.have(&["ada", "grace"]).await;
        let hours = (0..3).rev().flat_map(|hour| NOW - hour * HOUR..NOW - hour * HOUR + 600);
        assert_eq!(bench.seen("ada", hours.clone()).await, (1800, 0));
        bench.seen("grace", NOW - 3..NOW).await;
        bench.erase("ada").await.unwrap();
        bench.sweeper.sweep().await.unwrap();
        assert_eq!(bench.rows("SELECT count(*) AS rows FROM track").await, 3);
        assert_eq!(bench.rows("SELECT count(*) AS rows FROM erased_track").await, 0);
        assert_eq!(bench.times("grace").await, Vec::from_iter(NOW - 3..NOW));
    })
    .await;
}
