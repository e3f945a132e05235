//! Locations that come in: what is kept, what is refused, and what a stream hears of it.

use freehold_testkit::eventually;
use freehold_testkit::mounted::{refusal, wrong_fields};
use tokio::sync::mpsc;
use tonic::Code;
use tonic::codegen::tokio_stream::wrappers::ReceiverStream;
use tonic_types::StatusExt;

use super::*;

/// The figures of a refusal: which message, how many were kept and how many refused before.
fn figures(status: &Status) -> [Option<i64>; 3] {
    let said = status.get_details_error_info().unwrap().metadata;
    ["index", "kept", "refused"].map(|name| said.get(name).map(|figure| figure.parse().unwrap()))
}

#[tokio::test]
async fn what_is_kept_is_the_track_and_the_last_of_it_the_location() {
    on_each_engine(async |bench| {
        bench.have(&["ada"]).await;
        let headed = place(NOW).with_heading_degrees(359).with_speed_cm_per_s(0);
        let last = report("ada", NOW).with_location(headed.clone());
        let reply = bench.report(vec![report("ada", NOW - 2), report("ada", NOW - 1), last]).await.unwrap();
        assert_eq!((reply.accepted, reply.refused), (3, 0));
        assert_eq!(bench.locate("ada").await.unwrap().location, Some(headed.clone()));
        let all = pb::ListTrackRequest::default().with_driver_id("ada");
        assert_eq!(bench.track(all).await.unwrap().locations, [headed, place(NOW - 1), place(NOW - 2)]);
    })
    .await;
}

#[tokio::test]
async fn a_stream_without_a_message_keeps_nothing() {
    on_each_engine(async |bench| {
        assert_eq!(bench.report(vec![]).await.unwrap(), pb::ReportLocationsResponse::default());
    })
    .await;
}

#[tokio::test]
async fn more_than_a_unit_takes_is_kept_to_the_last() {
    on_each_engine(async |bench| {
        bench.have(&["ada"]).await;
        assert_eq!(bench.seen("ada", NOW - 2500..NOW).await, (2500, 0));
        assert_eq!(bench.rows("SELECT count(*) AS rows FROM track").await, 2500);
        assert_eq!(bench.locate("ada").await.unwrap().location, Some(place(NOW - 1)));
    })
    .await;
}

/// A location counts once: what is known already is refused, whether it came on this stream or on another.
/// Planted: only what has the very time of the last one is refused.
#[tokio::test]
async fn what_is_not_newer_is_refused_and_counted() {
    on_each_engine(async |bench| {
        bench.have(&["ada", "grace"]).await;
        assert_eq!(bench.seen("ada", [NOW - 5, NOW - 5, NOW - 6, NOW - 4]).await, (2, 2));
        assert_eq!(bench.seen("ada", [NOW - 5, NOW - 4, NOW - 3]).await, (1, 2));
        assert_eq!(bench.seen("grace", [NOW - 5]).await, (1, 0), "drivers do not matter to each other");
        assert_eq!(bench.times("ada").await, [NOW - 5, NOW - 4, NOW - 3]);
    })
    .await;
}

#[tokio::test]
async fn streams_at_once_keep_what_is_theirs() {
    on_each_engine(async |bench| {
        let ids: Vec<String> = (0..20).map(|number| format!("d{number}")).collect();
        bench.have(&ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let all = ids.iter().map(|id| bench.seen(id, NOW - 50..NOW));
        assert_eq!(futures_util::future::join_all(all).await, vec![(50, 0); 20]);
        for id in &ids {
            assert_eq!(bench.times(id).await, Vec::from_iter(NOW - 50..NOW));
        }
    })
    .await;
}

/// Planted: whatever driver a message names, it counts for that of the stream; a clock may be twice as far off as is said.
#[tokio::test]
async fn a_wrong_message_ends_the_stream_by_its_field_and_index_and_what_came_before_is_kept() {
    on_each_engine(async |bench| {
        bench.have(&["ada", "grace"]).await;
        let wrong = [
            (report("ada", NOW + 30_001), "location.time_ms"),
            (report("ada", NOW - DAY - 1), "location.time_ms"),
            (report("ada", 0), "location.time_ms"),
            (report("grace", NOW), "driver_id"),
            (report("", NOW), "driver_id"),
            (
                report("ada", NOW).with_location(place(NOW).with_latitude_e7(900_000_001)),
                "location.latitude_e7",
            ),
            (
                report("ada", NOW).with_location(place(NOW).with_longitude_e7(i32::MIN)),
                "location.longitude_e7",
            ),
            (
                report("ada", NOW).with_location(place(NOW).with_heading_degrees(360)),
                "location.heading_degrees",
            ),
            (report("ada", NOW).with_location(place(NOW).with_speed_cm_per_s(-1)), "location.speed_cm_per_s"),
            (pb::ReportLocationsRequest::default().with_driver_id("ada"), "location"),
        ];
        for (round, (wrong, field)) in (0..).zip(wrong) {
            let time_ms = NOW - 1000 + 10 * round;
            let messages =
                vec![report("ada", time_ms), report("ada", time_ms), wrong, report("ada", time_ms + 5)];
            let refused = bench.report(messages).await.unwrap_err();
            assert_eq!(figures(&refused), [Some(2), Some(1), Some(1)], "{field}: {refused}");
            assert_eq!(wrong_fields(Err::<(), _>(refused)), [field]);
            assert_eq!(bench.locate("ada").await.unwrap().location, Some(place(time_ms)), "{field}");
        }
        assert_eq!(refusal(bench.locate("grace").await).0, Code::NotFound);
    })
    .await;
}

#[tokio::test]
async fn the_clocks_of_drivers_may_be_half_a_minute_off() {
    on_each_engine(async |bench| {
        bench.have(&["ada"]).await;
        assert_eq!(bench.seen("ada", [NOW - DAY, NOW + 30_000]).await, (2, 0));
    })
    .await;
}

#[tokio::test]
async fn a_stream_of_an_unknown_driver_is_refused_at_its_first_message() {
    on_each_engine(async |bench| {
        let refused = bench.report(vec![report("ada", NOW), report("ada", NOW + 1)]).await.unwrap_err();
        assert_eq!(figures(&refused), [Some(0), Some(0), Some(0)]);
        assert_eq!(refusal(Err::<(), _>(refused)), (Code::NotFound, "NOT_FOUND".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn a_stream_of_a_driver_who_is_erased_ends_and_nothing_of_it_stays() {
    on_each_engine(async |bench| {
        bench.have(&["ada"]).await;
        let (messages, stream) = mpsc::channel(8);
        let reporting = bench.server.collect(&methods::REPORT_LOCATIONS, ReceiverStream::new(stream));
        let driving = async {
            messages.send(report("ada", NOW)).await.unwrap();
            eventually("the first location", LONG, async || bench.locate("ada").await.ok()).await;
            bench.erase("ada").await.unwrap();
            let mut time_ms = NOW;
            // Until the stream hears of it.
            while messages.send(report("ada", time_ms)).await.is_ok() {
                time_ms += 1;
            }
        };
        let (reported, ()) = tokio::join!(reporting, driving);
        let refused = reported.unwrap_err();
        assert_eq!(figures(&refused), [None, Some(1), Some(0)]);
        assert_eq!(refusal(Err::<(), _>(refused)).0, Code::NotFound);
        assert_eq!(bench.rows("SELECT count(*) AS rows FROM latest_location").await, 0);
        bench.sweeper.sweep().await.unwrap();
        assert_eq!(bench.rows("SELECT count(*) AS rows FROM track").await, 0);
    })
    .await;
}

/// Without a database nothing counts, and the driver hears why.
#[tokio::test]
async fn what_cannot_be_written_is_not_counted() {
    on_each_engine(async |bench| {
        bench.have(&["ada"]).await;
        let (messages, stream) = mpsc::channel(8);
        let reporting = bench.server.collect(&methods::REPORT_LOCATIONS, ReceiverStream::new(stream));
        let driving = async {
            messages.send(report("ada", NOW)).await.unwrap();
            eventually("the first location", LONG, async || bench.locate("ada").await.ok()).await;
            bench.store.close().await;
            let mut time_ms = NOW;
            while messages.send(report("ada", time_ms)).await.is_ok() {
                time_ms += 1;
            }
        };
        let (reported, ()) = tokio::join!(reporting, driving);
        let refused = reported.unwrap_err();
        assert_eq!(figures(&refused), [None, Some(1), Some(0)]);
        assert_eq!(refusal(Err::<(), _>(refused)), (Code::Unavailable, "STORE_CLOSED".to_owned()));
    })
    .await;
}
