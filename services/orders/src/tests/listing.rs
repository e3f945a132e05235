//! The list: own orders with others' names, joined in SQL, whoever else is there.

use freehold_testkit::mounted::{refusal, wrong_fields};
use freehold_wire::Session;
use freehold_wire::page::next_token;

use super::*;

fn page(size: i32, token: &str, customer_id: &str) -> pb::ListOrdersRequest {
    pb::ListOrdersRequest::default().with_page_size(size).with_page_token(token).with_customer_id(customer_id)
}

/// Lists in pages of that size; the sizes of the pages and the ids.
async fn list(bench: &Bench, size: i32, customer_id: &str) -> (Vec<usize>, Vec<String>) {
    let (mut sizes, mut ids, mut token) = (Vec::new(), Vec::new(), String::new());
    loop {
        let request = page(size, &token, customer_id);
        let answer = bench.server.call(&methods::LIST_ORDERS, request).await.unwrap();
        sizes.push(answer.orders.len());
        assert!(answer.orders.iter().all(|order| order.lines.len() == 2));
        ids.extend(answer.orders.into_iter().map(|order| order.id));
        token = answer.next_page_token;
        if token.is_empty() {
            return (sizes, ids);
        }
    }
}

/// The names in the first order of the list: its customer's, its products'.
async fn names(bench: &Bench) -> (String, Vec<String>) {
    let answer = bench.server.call(&methods::LIST_ORDERS, page(1, "", "")).await.unwrap();
    names_in(answer)
}

fn names_in(mut answer: pb::ListOrdersResponse) -> (String, Vec<String>) {
    let order = answer.orders.swap_remove(0);
    (order.customer_name, order.lines.into_iter().map(|line| line.product_name).collect())
}

#[tokio::test]
async fn a_listed_order_has_the_names_of_its_customer_and_its_products() {
    on_each_engine(async |bench| {
        let placed = bench.place(wanted("10248")).await.unwrap();
        let mut answer = bench.server.call(&methods::LIST_ORDERS, page(0, "", "")).await.unwrap();
        let listed = answer.orders.swap_remove(0);
        assert_eq!((listed.customer_id.as_str(), listed.customer_name.as_str()), ("VINET", "Paul Henriot"));
        assert_eq!(listed.state().unwrap(), pb::OrderState::Confirmed);
        assert_eq!((listed.total_cents, listed.placed_ms), (39_200, placed.placed_ms));
        let line = &listed.lines[1];
        assert_eq!((line.product_id.as_str(), line.units, line.line_cents), ("42", 10, 14_000));
        assert_eq!(line.product_name, "Singaporean Hokkien Fried Mee");
    })
    .await;
}

#[tokio::test]
async fn names_follow_their_owners_until_there_is_none_any_more() {
    on_each_engine(async |bench| {
        bench.place(wanted("10248")).await.unwrap();
        bench.world.users.put(User::default().with_id("VINET").with_name("P. Henriot")).await;
        bench.world.catalog.put(product("42", "Fried Mee", 1400)).await;
        bench.copied().await;
        let expected = ["Queso Cabrales", "Fried Mee"].map(str::to_owned).to_vec();
        assert_eq!(names(bench).await, ("P. Henriot".to_owned(), expected));
        bench.world.users.erase::<User>("VINET").await;
        bench.world.catalog.delete::<Product>("42").await;
        bench.copied().await;
        let placed_under = ["Queso Cabrales", "Singaporean Hokkien Fried Mee"].map(str::to_owned).to_vec();
        assert_eq!(names(bench).await, (String::new(), placed_under));
    })
    .await;
}

#[tokio::test]
async fn pages_hold_every_order_once_in_the_order_of_their_ids() {
    on_each_engine(async |bench| {
        for id in ["b", "a", "Z", "10", "9"] {
            let customer = if id == "a" { "TOMSP" } else { "VINET" };
            bench.place(wanted(id).with_customer_id(customer)).await.unwrap();
        }
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        assert_eq!(list(bench, 2, "").await, (vec![2, 2, 1], ids(&["10", "9", "Z", "a", "b"])));
        assert_eq!(list(bench, 5, "").await.0, [5], "a full last page leads nowhere");
        assert_eq!(list(bench, 2, "VINET").await, (vec![2, 2], ids(&["10", "9", "Z", "b"])));
        assert_eq!(list(bench, 2, "TOMSP").await, (vec![1], ids(&["a"])));
        assert_eq!(list(bench, 0, "NOBODY").await, (vec![0], ids(&[])));
    })
    .await;
}

#[tokio::test]
async fn a_wrong_page_is_refused_by_the_name_of_its_field() {
    on_each_engine(async |bench| {
        for id in ["1", "2"] {
            bench.place(wanted(id)).await.unwrap();
        }
        let list = async |request| bench.server.call(&methods::LIST_ORDERS, request).await;
        let token = list(page(1, "", "VINET")).await.unwrap().next_page_token;
        list(page(1, &token, "VINET")).await.unwrap();
        assert_eq!(wrong_fields(list(page(1, &token, "TOMSP")).await), ["page_token"]);
        assert_eq!(wrong_fields(list(page(1, &token, "")).await), ["page_token"]);
        assert_eq!(wrong_fields(list(page(1, "nonsense", "")).await), ["page_token"]);
        assert_eq!(wrong_fields(list(page(1, &next_token("users", "1"), "")).await), ["page_token"]);
        assert_eq!(wrong_fields(list(page(-1, "", "")).await), ["page_size"]);
    })
    .await;
}

#[tokio::test]
async fn names_are_as_new_as_what_their_reader_has_seen() {
    on_each_engine(async |bench| {
        bench.place(wanted("10248")).await.unwrap();
        for round in 0..10 {
            let name = format!("Queso {round}");
            let seen = Session::of([bench.world.catalog.put(product("11", &name, 2100)).await]);
            let reader = bench.server.clone().having_seen(&seen);
            let answer = reader.call(&methods::LIST_ORDERS, page(1, "", "")).await.unwrap();
            assert_eq!(names_in(answer).1[0], name);
        }
    })
    .await;
}

#[tokio::test]
async fn names_are_there_while_their_owners_are_away() {
    on_each_engine(async |bench| {
        bench.place(wanted("10248")).await.unwrap();
        bench.world.catalog.leave().await;
        bench.world.users.leave().await;
        let (customer, products) = names(bench).await;
        assert_eq!((customer.as_str(), products[0].as_str()), ("Paul Henriot", "Queso Cabrales"));
        let seen = Session::of([bench.world.catalog.put(product("11", "Cabrales", 2100)).await]);
        let reader = bench.server.clone().having_seen(&seen);
        let behind = refusal(reader.call(&methods::LIST_ORDERS, page(1, "", "")).await);
        assert_eq!(behind, (Code::Unavailable, "COPY_BEHIND".to_owned()), "rather than an older name");
    })
    .await;
}
