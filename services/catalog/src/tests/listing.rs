//! Lists and pages.

use freehold_testkit::mounted::wrong_fields;

use super::*;

fn page(size: i32, token: &str) -> pb::ListProductsRequest {
    pb::ListProductsRequest::default().with_page_size(size).with_page_token(token)
}

/// Lists all products in pages of that size; the sizes of the pages and the ids.
async fn list(bench: &Bench, size: i32) -> (Vec<usize>, Vec<String>) {
    let (mut sizes, mut ids, mut token) = (Vec::new(), Vec::new(), String::new());
    loop {
        let answer = bench.server.call(&methods::LIST_PRODUCTS, page(size, &token)).await.unwrap();
        sizes.push(answer.products.len());
        ids.extend(answer.products.into_iter().map(|product| product.id));
        token = answer.next_page_token;
        if token.is_empty() {
            return (sizes, ids);
        }
    }
}

async fn create_all(bench: &Bench, ids: &[&str]) {
    for id in ids {
        bench.create(chai().with_id(*id)).await.unwrap();
    }
}

#[tokio::test]
async fn pages_hold_every_product_once_in_the_order_of_their_ids() {
    on_each_engine(async |bench| {
        // Upper case comes before lower case on every engine: ids are compared by their bytes.
        create_all(bench, &["b", "a", "Z", "é", "c"]).await;
        let all = ["Z", "a", "b", "c", "é"];
        assert_eq!(list(bench, 2).await, (vec![2, 2, 1], all.map(str::to_owned).to_vec()));
        assert_eq!(list(bench, 5).await.0, [5], "a full last page leads nowhere");
        assert_eq!(list(bench, 0).await.0, [5]);
    })
    .await;
}

#[tokio::test]
async fn a_wrong_page_is_refused_by_the_name_of_its_field() {
    on_each_engine(async |bench| {
        let refused = async |request| wrong_fields(bench.server.call(&methods::LIST_PRODUCTS, request).await);
        assert_eq!(refused(page(-1, "")).await, ["page_size"]);
        assert_eq!(refused(page(0, "nonsense")).await, ["page_token"]);
        let foreign = freehold_wire::page::next_token("users", "a");
        assert_eq!(refused(page(0, &foreign)).await, ["page_token"]);
    })
    .await;
}

#[tokio::test]
async fn several_products_come_in_the_order_asked_for_and_without_what_is_private() {
    on_each_engine(async |bench| {
        for id in ["a", "b"] {
            bench.create(chai().with_id(id)).await.unwrap();
        }
        let asked = pb::BatchGetProductsRequest::default().with_ids(["b", "nothing", "a"]);
        let found = bench.server.call(&methods::BATCH_GET_PRODUCTS, asked).await.unwrap().products;
        let found: Vec<_> = found.iter().map(|product| (&*product.id, product.cost_cents)).collect();
        assert_eq!(found, [("b", 0), ("a", 0)]);
        let none = bench.server.call(&methods::BATCH_GET_PRODUCTS, pb::BatchGetProductsRequest::default());
        assert_eq!(wrong_fields(none.await), ["ids"]);
    })
    .await;
}
