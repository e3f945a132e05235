//! Lists, pages and counts.

use freehold_testkit::mounted::wrong_fields;
use freehold_wire::page::next_token;

use super::*;

fn page(size: i32, token: &str, order_id: &str) -> pb::ListMailsRequest {
    pb::ListMailsRequest::default().with_page_size(size).with_page_token(token).with_order_id(order_id)
}

/// Lists in pages of that size; the sizes of the pages and the ids.
async fn list(bench: &Bench, size: i32, order_id: &str) -> (Vec<usize>, Vec<String>) {
    let (mut sizes, mut ids, mut token) = (Vec::new(), Vec::new(), String::new());
    loop {
        let answer = bench.list(page(size, &token, order_id)).await.unwrap();
        sizes.push(answer.mails.len());
        ids.extend(answer.mails.into_iter().map(|mail| mail.id));
        token = answer.next_page_token;
        if token.is_empty() {
            return (sizes, ids);
        }
    }
}

/// Mails about these orders; their ids.
async fn shipped_all(bench: &Bench, orders: &[&str]) -> Vec<String> {
    let mut ids = Vec::new();
    for order in orders {
        ids.push(bench.shipped(order, "VINET").await);
    }
    ids
}

#[tokio::test]
async fn pages_hold_every_mail_once_in_the_order_of_their_writing() {
    on_each_engine(async |bench| {
        let ids = shipped_all(bench, &["9", "10", "9", "8", "9"]).await;
        assert_eq!(list(bench, 2, "").await, (vec![2, 2, 1], ids.clone()));
        assert_eq!(list(bench, 5, "").await, (vec![5], ids.clone()), "a full last page leads nowhere");
        let about_9 = [&ids[0], &ids[2], &ids[4]].map(Clone::clone).to_vec();
        assert_eq!(list(bench, 2, "9").await, (vec![2, 1], about_9));
        assert_eq!(list(bench, 0, "1").await, (vec![0], vec![]));
    })
    .await;
}

#[tokio::test]
async fn a_wrong_page_is_refused_by_the_name_of_its_field() {
    on_each_engine(async |bench| {
        shipped_all(bench, &["9", "9"]).await;
        let token = bench.list(page(1, "", "9")).await.unwrap().next_page_token;
        bench.list(page(1, &token, "9")).await.unwrap();
        let foreign = [&token, "nonsense", &next_token("orders of ", "1"), &next_token("mails of ", "x")];
        for token in foreign {
            assert_eq!(wrong_fields(bench.list(page(1, token, "")).await), ["page_token"], "{token}");
        }
        assert_eq!(wrong_fields(bench.list(page(-1, "", "")).await), ["page_size"]);
    })
    .await;
}

#[tokio::test]
async fn mails_are_counted_by_state_and_by_how_their_orders_begin() {
    on_each_engine(async |bench| {
        let count = async |prefix: &str| {
            let request = pb::CountMailsRequest::default().with_order_id_prefix(prefix);
            let mails = bench.server.call(&methods::COUNT_MAILS, request).await.unwrap();
            (mails.pending, mails.sent, mails.dropped)
        };
        assert_eq!(count("").await, (0, 0, 0));
        shipped_all(bench, &["é1", "a-1", "a-2", "b_1"]).await;
        bench.file().await.unwrap();
        bench.shipped("a-3", "HANAR").await;
        bench.world.users.erase::<User>("TOMSP").await;
        bench.shipped("a-4", "TOMSP").await;
        bench.file().await.unwrap();
        assert_eq!(count("").await, (1, 4, 1));
        assert_eq!(count("a-").await, (1, 2, 1));
        assert_eq!(count("é").await, (0, 1, 0));
        assert_eq!(
            (count("A-").await, count("a_").await, count("%").await),
            ((0, 0, 0), (0, 0, 0), (0, 0, 0))
        );
        assert_eq!(count("a-1000").await, (0, 0, 0));
        let long = pb::CountMailsRequest::default().with_order_id_prefix("x".repeat(65));
        let refused = bench.server.call(&methods::COUNT_MAILS, long).await;
        assert_eq!(wrong_fields(refused), ["order_id_prefix"]);
    })
    .await;
}
