//! Reading one order: as it stands, and as it stood.

use freehold_testkit::mounted::{refusal, wrong_fields};

use super::*;

fn at_revision(revision: i64) -> pb::GetOrderRequest {
    pb::GetOrderRequest::default().with_id("10248").with_revision(revision)
}

fn at_time(time_ms: i64) -> pb::GetOrderRequest {
    pb::GetOrderRequest::default().with_id("10248").with_time_ms(time_ms)
}

async fn read(bench: &Bench, request: pb::GetOrderRequest) -> Result<pb::Order, Status> {
    bench.server.call(&methods::GET_ORDER, request).await
}

#[tokio::test]
async fn an_order_can_be_read_as_it_stood_at_a_revision() {
    on_each_engine(async |bench| {
        bench.place(wanted("10248")).await.unwrap();
        let cancelled = bench.cancel("10248").await.unwrap();
        let mut states = Vec::new();
        for revision in 1..=3 {
            let order = read(bench, at_revision(revision)).await.unwrap();
            assert_eq!((order.revision, order.total_cents), (revision, 39_200));
            states.push((order.state().unwrap(), order.reason));
        }
        let expected = [
            (pb::OrderState::Placed, String::new()),
            (pb::OrderState::Confirmed, String::new()),
            (pb::OrderState::Cancelled, "no longer wanted".to_owned()),
        ];
        assert_eq!(states, expected);
        let beyond = read(bench, at_revision(99)).await.unwrap();
        assert_eq!(beyond, cancelled, "its revision says that there is no later one");
    })
    .await;
}

#[tokio::test]
async fn an_order_can_be_read_as_it_stood_at_a_time() {
    on_each_engine(async |bench| {
        let confirmed = bench.place(wanted("10248")).await.unwrap();
        bench.an_hour_later();
        let cancelled = bench.cancel("10248").await.unwrap();
        let placed_ms = confirmed.placed_ms;
        assert_eq!(read(bench, at_time(placed_ms + HOUR_MS / 2)).await.unwrap(), confirmed);
        assert_eq!(read(bench, at_time(placed_ms + 2 * HOUR_MS)).await.unwrap(), cancelled);
        assert_eq!(cancelled.placed_ms, placed_ms);
        assert_eq!(refusal(read(bench, at_time(placed_ms - 1)).await).0, Code::NotFound);
    })
    .await;
}

#[tokio::test]
async fn an_unknown_order_is_not_found_and_a_wrong_moment_is_refused() {
    on_each_engine(async |bench| {
        assert_eq!(refusal(bench.get("10248").await), (Code::NotFound, "NOT_FOUND".to_owned()));
        assert_eq!(wrong_fields(bench.get("").await), ["id"]);
        assert_eq!(wrong_fields(read(bench, at_revision(0)).await), ["revision"]);
        assert_eq!(wrong_fields(read(bench, at_time(-1)).await), ["time_ms"]);
    })
    .await;
}
