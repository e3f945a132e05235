//! Lists and pages.

use freehold_testkit::mounted::wrong_fields;

use super::*;

fn page(size: i32, token: &str) -> pb::ListStockRequest {
    pb::ListStockRequest::default().with_page_size(size).with_page_token(token)
}

#[tokio::test]
async fn pages_hold_every_product_once_in_the_order_of_their_ids() {
    on_each_engine(async |bench| {
        for product in ["b", "a", "Z"] {
            bench.restock(product, product, 1).await.unwrap();
        }
        let first = bench.server.call(&methods::LIST_STOCK, page(2, "")).await.unwrap();
        let rest = bench.server.call(&methods::LIST_STOCK, page(2, &first.next_page_token)).await.unwrap();
        let listed: Vec<_> = first.stock.iter().chain(&rest.stock).map(|stock| &stock.product_id).collect();
        assert_eq!(listed, ["Z", "a", "b"]);
        assert!(rest.next_page_token.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_wrong_page_is_refused_by_the_name_of_its_field() {
    on_each_engine(async |bench| {
        let refused = async |request| wrong_fields(bench.server.call(&methods::LIST_STOCK, request).await);
        assert_eq!(refused(page(-1, "")).await, ["page_size"]);
        let foreign = freehold_wire::page::next_token("products", "a");
        assert_eq!(refused(page(0, &foreign)).await, ["page_token"]);
    })
    .await;
}

#[tokio::test]
async fn the_stock_of_several_products_comes_in_the_order_asked_for() {
    on_each_engine(async |bench| {
        for (product, units) in [("a", 1), ("b", 2)] {
            bench.restock(product, product, units).await.unwrap();
        }
        let asked = pb::BatchGetStockRequest::default().with_product_ids(["b", "nothing", "a"]);
        let found = bench.server.call(&methods::BATCH_GET_STOCK, asked).await.unwrap().stock;
        let found: Vec<_> = found.iter().map(|stock| (&*stock.product_id, stock.on_hand_units)).collect();
        assert_eq!(found, [("b", 2), ("a", 1)]);
        let none = bench.server.call(&methods::BATCH_GET_STOCK, pb::BatchGetStockRequest::default()).await;
        assert_eq!(wrong_fields(none), ["product_ids"]);
    })
    .await;
}
