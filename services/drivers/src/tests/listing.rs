//! Lists, pages and batches.

use freehold_testkit::mounted::wrong_fields;

use super::*;

fn page(size: i32, token: &str) -> pb::ListDriversRequest {
    pb::ListDriversRequest::default().with_page_size(size).with_page_token(token)
}

fn ids(drivers: &[pb::DriverProfile]) -> Vec<&str> {
    drivers.iter().filter_map(|profile| profile.driver.as_ref()).map(|driver| driver.id.as_str()).collect()
}

#[tokio::test]
async fn pages_hold_every_driver_once_in_the_order_of_their_ids() {
    on_each_engine(async |bench| {
        bench.have(&["b", "a", "Z"]).await;
        let first = bench.server.call(&methods::LIST_DRIVERS, page(2, "")).await.unwrap();
        assert_eq!(ids(&first.drivers), ["Z", "a"]);
        let second =
            bench.server.call(&methods::LIST_DRIVERS, page(2, &first.next_page_token)).await.unwrap();
        assert_eq!((ids(&second.drivers), second.next_page_token.as_str()), (vec!["b"], ""));
    })
    .await;
}

#[tokio::test]
async fn a_batch_is_in_the_order_asked_for_and_leaves_the_unknown_out() {
    on_each_engine(async |bench| {
        bench.have(&["a", "b", "c"]).await;
        bench.seen("a", [NOW]).await;
        bench.seen("c", [NOW - 1]).await;
        let request = pb::BatchGetDriversRequest::default().with_ids(["c", "x", "a"]);
        let found = bench.server.call(&methods::BATCH_GET_DRIVERS, request).await.unwrap();
        assert_eq!(ids(&found.drivers), ["c", "a"]);
        let request = pb::BatchGetLocationsRequest::default().with_driver_ids(["c", "b", "x", "a"]);
        let found = bench.server.call(&methods::BATCH_GET_LOCATIONS, request).await.unwrap().positions;
        let found: Vec<_> =
            found.into_iter().map(|position| (position.driver_id, position.location)).collect();
        assert_eq!(found, [("c".to_owned(), Some(place(NOW - 1))), ("a".to_owned(), Some(place(NOW)))]);
    })
    .await;
}

#[tokio::test]
async fn a_batch_has_an_end() {
    on_each_engine(async |bench| {
        let many = pb::BatchGetDriversRequest::default().with_ids((0..101).map(|id| format!("d{id}")));
        assert_eq!(wrong_fields(bench.server.call(&methods::BATCH_GET_DRIVERS, many).await), ["ids"]);
        let many =
            pb::BatchGetLocationsRequest::default().with_driver_ids((0..101).map(|id| format!("d{id}")));
        assert_eq!(
            wrong_fields(bench.server.call(&methods::BATCH_GET_LOCATIONS, many).await),
            ["driver_ids"]
        );
    })
    .await;
}
