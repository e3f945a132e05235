//! Watching: the latest location, then newer ones; and what happens to who does not read.

use freehold_testkit::mounted::refusal;
use tonic::{Code, Streaming};

use super::*;
use crate::live::BEHIND;

impl Bench {
    async fn watch(&self, id: &str) -> Result<Streaming<pb::Position>, Status> {
        let request = pb::WatchDriverRequest::default().with_driver_id(id);
        self.server.open(&methods::WATCH_DRIVER, request).await
    }
}

/// The time of the next location, or why there is none.
async fn next(watching: &mut Streaming<pb::Position>) -> Result<i64, Status> {
    let next = tokio::time::timeout(LONG, watching.message()).await.expect("there is something to see");
    next.map(|position| position.expect("the stream goes on").location.unwrap().time_ms)
}

#[tokio::test]
async fn a_watcher_sees_the_latest_location_and_then_newer_ones() {
    on_each_engine(async |bench| {
        bench.have(&["ada", "grace"]).await;
        bench.seen("ada", [NOW - 9, NOW - 8]).await;
        let mut watching = bench.watch("ada").await.unwrap();
        assert_eq!(next(&mut watching).await.unwrap(), NOW - 8);
        bench.seen("grace", [NOW - 7]).await;
        bench.seen("ada", [NOW - 8, NOW - 6, NOW - 5]).await;
        // Both may have been kept at one time.
        let newer = next(&mut watching).await.unwrap();
        assert!(
            newer == NOW - 5 || (newer, next(&mut watching).await.unwrap()) == (NOW - 6, NOW - 5),
            "{newer}"
        );
    })
    .await;
}

#[tokio::test]
async fn who_watches_before_the_first_location_sees_it() {
    on_each_engine(async |bench| {
        bench.have(&["ada"]).await;
        let mut watching = bench.watch("ada").await.unwrap();
        bench.seen("ada", [NOW]).await;
        assert_eq!(next(&mut watching).await.unwrap(), NOW);
    })
    .await;
}

/// The idle watcher is dropped; neither the driver nor another watcher notices. Planted: who has missed something goes
/// on with what comes next.
#[tokio::test]
async fn a_watcher_that_does_not_read_is_dropped_and_holds_up_nobody() {
    on_each_engine(async |bench| {
        bench.have(&["ada"]).await;
        let (mut idle, mut reading) = (bench.watch("ada").await.unwrap(), bench.watch("ada").await.unwrap());
        let many = 10 * BEHIND as i64;
        for time_ms in NOW - many..NOW {
            // One at a time: a watcher that reads is not behind.
            assert_eq!(bench.seen("ada", [time_ms]).await, (1, 0));
            assert_eq!(next(&mut reading).await.unwrap(), time_ms);
        }
        let dropped = loop {
            match next(&mut idle).await {
                Ok(_) => {}
                Err(dropped) => break dropped,
            }
        };
        assert_eq!(refusal(Err::<(), _>(dropped)), (Code::ResourceExhausted, "WATCHER_TOO_SLOW".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn who_watches_an_erased_driver_is_told_so() {
    on_each_engine(async |bench| {
        bench.have(&["ada"]).await;
        let mut watching = bench.watch("ada").await.unwrap();
        bench.erase("ada").await.unwrap();
        let gone = next(&mut watching).await;
        assert_eq!(refusal(gone).0, Code::NotFound);
        assert_eq!(refusal(bench.watch("ada").await.map(drop)).0, Code::NotFound);
    })
    .await;
}
