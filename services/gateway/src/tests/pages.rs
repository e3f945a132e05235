//! The order page: whole, with parts that are missing or unavailable, and with what a caller knows or claims to know.

use freehold_testkit::mounted::{refusal, wrong_fields};
use tokio::task::JoinSet;

use super::*;

const PRESENT: pb::PartState = pb::PartState::Present;
const MISSING: pb::PartState = pb::PartState::Missing;
const UNAVAILABLE: pb::PartState = pb::PartState::Unavailable;

#[tokio::test]
async fn a_page_has_the_order_and_all_that_belongs_to_it() {
    on_each_engine(async |bench| {
        let page = bench.page(page()).await.unwrap();
        assert!(!page.partial);
        assert_eq!(page.order_id, "10248");
        assert_eq!(page.order.as_ref().unwrap().order.as_ref().unwrap().customer_id, "VINET");
        assert_eq!(page.customer.as_ref().unwrap().customer.as_ref().unwrap().id, "VINET");
        assert_eq!(page.payment.as_ref().unwrap().payment.as_ref().unwrap().id, "10248");
        let ids: Vec<_> = page.lines.iter().map(|line| &*line.product_id).collect();
        assert_eq!(ids, ["11", "42"]);
        for line in &page.lines {
            let (product, stock) = (line.product.as_ref().unwrap(), line.stock.as_ref().unwrap());
            assert_eq!(product.product.as_ref().unwrap().id, line.product_id);
            assert_eq!(stock.stock.as_ref().unwrap().product_id, line.product_id);
        }
        let asked = bench.world.asked();
        assert_eq!(asked.len(), 5, "one call of each owner, however many lines there are: {asked:?}");
    })
    .await;
}

#[tokio::test]
async fn a_service_that_is_down_leaves_its_part_out_and_the_page_says_so() {
    on_each_engine(async |bench| {
        for (down, expected) in [
            ("customer", [PRESENT, UNAVAILABLE, PRESENT, PRESENT, PRESENT]),
            ("products", [PRESENT, PRESENT, UNAVAILABLE, PRESENT, PRESENT]),
            ("stock", [PRESENT, PRESENT, PRESENT, UNAVAILABLE, PRESENT]),
            ("payment", [PRESENT, PRESENT, PRESENT, PRESENT, UNAVAILABLE]),
        ] {
            bench.world.away(&[down]);
            for request in [page(), known()] {
                let page = bench.page(request).await.unwrap();
                assert!(page.partial, "{down}");
                assert_eq!(states(&page), expected, "{down}");
                assert_eq!(reasons(&page), ["UNAVAILABLE"], "{down}");
            }
        }
    })
    .await;
}

/// Nothing else says whose the order is and what is in it: what the caller claims is not shown for it.
#[tokio::test]
async fn without_its_order_a_page_shows_the_payment_alone() {
    on_each_engine(async |bench| {
        bench.world.away(&["order"]);
        for request in [page(), known()] {
            let page = bench.page(request).await.unwrap();
            assert!(page.partial && page.lines.is_empty());
            let [order, customer] =
                [page.order.as_ref().unwrap().state, page.customer.as_ref().unwrap().state];
            assert_eq!([order, customer], [i32::from(UNAVAILABLE); 2]);
            assert_eq!(page.payment.as_ref().unwrap().state, i32::from(PRESENT));
            assert_eq!(reasons(&page), ["UNAVAILABLE", "ORDER_UNAVAILABLE"]);
        }
    })
    .await;
}

#[tokio::test]
async fn what_an_owner_does_not_have_is_missing_and_the_page_is_whole() {
    on_each_engine(async |bench| {
        bench.world.lose(&["VINET", "11", "payment"]);
        let page = bench.page(page()).await.unwrap();
        assert!(!page.partial);
        assert_eq!(states(&page), [PRESENT, MISSING, MISSING, PRESENT, MISSING]);
        let second = page.lines[1].product.as_ref().unwrap();
        assert_eq!(second.state, i32::from(PRESENT), "the other product is there");
        assert_eq!(reasons(&page), ["NOT_FOUND"; 3]);
    })
    .await;
}

#[tokio::test]
async fn an_order_that_does_not_exist_has_no_page() {
    on_each_engine(async |bench| {
        bench.world.lose(&["10248"]);
        assert_eq!(refusal(bench.page(page()).await), (Code::NotFound, "NOT_FOUND".to_owned()));
        let empty = pb::GetOrderPageRequest::default().with_product_ids([""; 201]);
        assert_eq!(wrong_fields(bench.page(empty).await), ["order_id", "product_ids"]);
    })
    .await;
}

#[tokio::test]
async fn what_the_caller_knows_is_asked_for_at_once_and_only_once() {
    on_each_engine(async |bench| {
        let unknown = bench.page(page()).await.unwrap();
        bench.world.asked();
        assert_eq!(bench.page(known()).await.unwrap(), unknown);
        assert_eq!(bench.world.asked().len(), 5);
        let half = page().with_product_ids(["11"]);
        assert_eq!(bench.page(half).await.unwrap(), unknown, "the rest is asked for after the order");
        assert_eq!(bench.world.asked().len(), 7);
    })
    .await;
}

#[tokio::test]
async fn what_the_caller_claims_wrongly_is_not_shown() {
    on_each_engine(async |bench| {
        let right = bench.page(page()).await.unwrap();
        let wrong = page().with_customer_id("TOMSP").with_product_ids(["7", "11"]);
        assert_eq!(bench.page(wrong).await.unwrap(), right);
    })
    .await;
}

/// One deadline for all of it: an owner that never answers costs its part, not the page.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_comes_within_its_deadline_though_a_part_does_not() {
    let database = engines::sqlite();
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let world = World::new();
    let mut calls = world.calls();
    let users = format!("http://{}", silent.local_addr().unwrap());
    let mesh = freehold_sdk::Mesh::fixed(crate::NAME, [("users", users)]);
    calls.users = freehold_sdk::users::v1::UsersClient::connect(&mesh).unwrap();
    let store = freehold_testkit::open(crate::options(database.url())).await;
    let Inside { grpc, sagas } = Inside::start(&store, calls, running()).unwrap();
    let server = Mounted::new(GatewayServiceServer::new(grpc), "backoffice").within(Duration::from_secs(2));
    let mut pages = JoinSet::new();
    for _ in 0..8 {
        let server = server.clone();
        pages.spawn(async move { server.call(&methods::GET_ORDER_PAGE, page()).await.unwrap() });
    }
    for page in pages.join_all().await {
        assert_eq!(states(&page), [PRESENT, UNAVAILABLE, PRESENT, PRESENT, PRESENT]);
        assert_eq!(reasons(&page), ["DEADLINE_EXCEEDED"]);
    }
    sagas.stop().await;
    store.close().await;
}

/// Asks as somebody does who comes from a list of orders.
fn known() -> pb::GetOrderPageRequest {
    page().with_customer_id("VINET").with_product_ids(["42", "11"])
}

/// The states of order, customer, first product, first stock and payment.
fn states(page: &pb::OrderPage) -> [pb::PartState; 5] {
    let line = &page.lines[0];
    [
        page.order.as_ref().unwrap().state,
        page.customer.as_ref().unwrap().state,
        line.product.as_ref().unwrap().state,
        line.stock.as_ref().unwrap().state,
        page.payment.as_ref().unwrap().state,
    ]
    .map(|state| state.try_into().unwrap())
}

/// Why parts are not there: of order, customer, first product, first stock and payment.
fn reasons(page: &pb::OrderPage) -> Vec<&str> {
    let line = page.lines.first();
    let reasons = [
        Some(&page.order.as_ref().unwrap().reason),
        Some(&page.customer.as_ref().unwrap().reason),
        line.map(|line| &line.product.as_ref().unwrap().reason),
        line.map(|line| &line.stock.as_ref().unwrap().reason),
        Some(&page.payment.as_ref().unwrap().reason),
    ];
    reasons.into_iter().flatten().map(String::as_str).filter(|reason| !reason.is_empty()).collect()
}
