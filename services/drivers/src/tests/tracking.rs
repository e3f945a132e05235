//! Tracks: spans, pages, and hours that follow each other.

use freehold_testkit::mounted::wrong_fields;

use super::*;

fn track(from_ms: i64, until_ms: i64) -> pb::ListTrackRequest {
    pb::ListTrackRequest::default().with_driver_id("ada").with_from_ms(from_ms).with_until_ms(until_ms)
}

#[tokio::test]
async fn a_track_goes_on_over_hours_and_pages() {
    on_each_engine(async |bench| {
        bench.have(&["ada", "grace"]).await;
        let all: Vec<i64> = (0..30).rev().map(|ago| NOW - ago * HOUR / 3).collect();
        bench.seen("ada", all.clone()).await;
        bench.seen("grace", NOW - 10..NOW).await;
        let (mut seen, mut token) = (Vec::new(), String::new());
        loop {
            let page = track(0, 0).with_page_size(7).with_page_token(token);
            let page = bench.track(page).await.unwrap();
            assert!(page.locations.len() == 7 || page.next_page_token.is_empty());
            seen.extend(times(&page.locations));
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        seen.reverse();
        assert_eq!(seen, all);
    })
    .await;
}

#[tokio::test]
async fn a_span_has_its_beginning_and_not_its_end() {
    on_each_engine(async |bench| {
        bench.have(&["ada"]).await;
        // Over the end of an hour.
        let hour = NOW - NOW % HOUR;
        bench.seen("ada", hour - 3..hour + 3).await;
        let span = async |from, until| times(&bench.track(track(from, until)).await.unwrap().locations);
        assert_eq!(span(hour - 1, hour + 1).await, [hour, hour - 1]);
        assert_eq!(span(hour, 0).await, [hour + 2, hour + 1, hour]);
        assert_eq!(span(0, hour).await, [hour - 1, hour - 2, hour - 3]);
        assert_eq!(span(0, hour - 1).await, [hour - 2, hour - 3]);
        assert_eq!(span(hour, hour).await, [0_i64; 0]);
        assert_eq!(span(NOW + DAY, 0).await, [0_i64; 0]);
    })
    .await;
}

/// Hours without a location in between have no entrance of their own.
#[tokio::test]
async fn a_span_over_hours_without_a_location_has_what_lies_around_them() {
    on_each_engine(async |bench| {
        bench.have(&["ada"]).await;
        let all = [NOW - 9 * HOUR, NOW - 8 * HOUR, NOW - 3 * HOUR, NOW];
        assert_eq!(bench.seen("ada", all).await, (4, 0));
        let span = async |from, until| times(&bench.track(track(from, until)).await.unwrap().locations);
        assert_eq!(span(0, NOW - 3 * HOUR).await, [NOW - 8 * HOUR, NOW - 9 * HOUR]);
        assert_eq!(span(0, NOW - 4 * HOUR).await, [NOW - 8 * HOUR, NOW - 9 * HOUR]);
        assert_eq!(span(NOW - 7 * HOUR, NOW - 4 * HOUR).await, [0_i64; 0]);
        assert_eq!(span(NOW - 4 * HOUR, NOW - HOUR).await, [NOW - 3 * HOUR]);
    })
    .await;
}

#[tokio::test]
async fn a_wrong_page_or_span_is_refused_by_the_name_of_its_field() {
    on_each_engine(async |bench| {
        bench.have(&["ada", "grace"]).await;
        bench.seen("ada", NOW - 3..NOW).await;
        assert_eq!(wrong_fields(bench.track(track(5, 4)).await), ["until_ms"]);
        assert_eq!(wrong_fields(bench.track(track(-1, 0)).await), ["from_ms"]);
        assert_eq!(wrong_fields(bench.track(track(0, 0).with_page_size(-1)).await), ["page_size"]);
        let token = bench.track(track(0, 0).with_page_size(1)).await.unwrap().next_page_token;
        let other = track(0, 0).with_driver_id("grace").with_page_token(token.as_str());
        assert_eq!(wrong_fields(bench.track(other).await), ["page_token"]);
        assert_eq!(wrong_fields(bench.track(track(1, 0).with_page_token(token)).await), ["page_token"]);
    })
    .await;
}

#[tokio::test]
async fn a_driver_without_a_location_has_an_empty_track_and_no_location() {
    on_each_engine(async |bench| {
        bench.have(&["ada"]).await;
        assert!(bench.times("ada").await.is_empty());
        let nowhere = bench.locate("ada").await.unwrap_err();
        assert_eq!(
            (nowhere.code(), nowhere.message()),
            (tonic::Code::NotFound, "no location has the id `ada`")
        );
    })
    .await;
}
