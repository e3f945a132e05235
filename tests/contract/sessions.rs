//! R16: what a session has seen, every later read of it sees, wherever it goes: over hops, between consumers, through
//! copies. And what no history has, is refused.

use freehold_sdk::Session;
use freehold_sdk::catalog::v1::ChangePriceRequest;
use freehold_sdk::orders::v1::{ListOrdersRequest, OrderSummary};
use freehold_sdk::users::v1::UpdateUserRequest;
use freehold_testkit::mounted::refusal;
use freehold_testkit::{PATIENCE, eventually};
use freehold_wire::metadata::{TIMEOUT, TOKEN};
use freehold_wire::pb::{HeadRequest, HeadResponse, Token};
use freehold_wire::prost::Message;
use tonic::Code;
use tonic::metadata::{Binary, MetadataValue};

use crate::mesh::shared;
use crate::wire::{Wire, named, with};
use crate::world::{Clients, PRODUCTS, USERS};

/// How often each promise is put to the test; a copy is behind for a moment after every change.
const TIMES: i64 = 100;

#[tokio::test]
async fn an_order_is_placed_at_the_price_that_its_session_set() {
    let mesh = shared().await;
    let demo = Clients::of(mesh.up(), "demo", &Session::new());
    demo.product("priced", "Priced").await;
    for cents in 1..=TIMES {
        let price = ChangePriceRequest::default().with_id("priced").with_price_cents(cents);
        demo.catalog.change_price(price).await.unwrap();
        let order = demo.order(&format!("priced-{cents}"), USERS[0], "priced").await;
        assert_eq!((order.lines[0].catalog_cents, order.total_cents), (cents, cents));
    }
}

/// The one who changes and the one who lists are different consumers; what one has seen reaches the other as bytes.
#[tokio::test]
async fn a_list_shows_the_names_that_its_session_has_seen() {
    let mesh = shared().await;
    let demo = Clients::of(mesh.up(), "demo", &Session::new());
    demo.user("renamed", "Name 0").await;
    demo.order("of-renamed", "renamed", PRODUCTS[0]).await;
    for number in 1..=TIMES {
        let name = format!("Name {number}");
        let change = Clients::of(mesh.up(), "backoffice", &Session::new());
        let user = UpdateUserRequest::default().with_id("renamed").with_name(name.as_str());
        change.users.update_user(user).await.unwrap();
        let handed_over = Session::decode(&change.users.session().encode().unwrap()).unwrap();
        let listed = only(&Clients::of(mesh.up(), "demo", &handed_over), "renamed").await;
        assert_eq!((listed.customer_name, listed.lines[0].product_name.as_str()), (name, PRODUCTS[0]));
    }
}

/// A saga's calls are hops: what they committed comes back with the order, by maximum per owner.
#[tokio::test]
async fn an_order_comes_back_with_the_tokens_of_all_that_it_changed() {
    let mesh = shared().await;
    let session = Session::new();
    let demo = Clients::of(mesh.up(), "demo", &session);
    let mut before = Vec::new();
    for number in 1..=10 {
        demo.order(&format!("token-{number}"), USERS[1], PRODUCTS[1]).await;
        let tokens = session.tokens();
        let owners: Vec<&str> = tokens.iter().map(|token| token.owner.as_str()).collect();
        assert_eq!(owners, ["inventory", "orders", "payments"]);
        let later = |(old, new): (&Token, &Token)| old.epoch == new.epoch && old.mark < new.mark;
        assert!(before.iter().zip(&tokens).all(later), "{before:?} {tokens:?}");
        before = tokens;
    }
}

/// R14: a token of an epoch that its owner never had is refused wherever it would have to be met, and does no harm.
#[tokio::test]
async fn a_token_of_a_history_that_never_was_is_refused() {
    let mesh = shared().await;
    for owner in ["users", "catalog"] {
        let foreign = Token::default().with_owner(owner).with_epoch(0xbad).with_mark(1);
        let demo = Clients::of(mesh.up(), "demo", &Session::of([foreign]));
        let refused = demo.orders.list_orders(ListOrdersRequest::default()).await.unwrap_err();
        let said = (refused.code(), refused.reason());
        assert_eq!(said, (Code::FailedPrecondition, "TOKEN_NEVER_REACHED"), "{owner}: {refused}");
    }
    let demo = Clients::of(mesh.up(), "demo", &Session::new());
    assert_eq!(only(&demo, USERS[0]).await.customer_name, USERS[0]);
}

/// A token beyond all that its owner has committed is never taken for met.
#[tokio::test]
async fn a_token_that_is_ahead_of_its_owner_is_refused() {
    let mesh = shared().await;
    let users = Wire::to(mesh.up().url("users")).await;
    let head =
        users.call("freehold.v1.Feed/Head", &named(None), HeadRequest::default().encode_to_vec()).await;
    let head = HeadResponse::decode(head.unwrap().message.as_slice()).unwrap().position.unwrap();
    let ahead = Token::default().with_owner("users").with_epoch(head.epoch).with_mark(i64::MAX);
    let ahead = Session::of([ahead]).encode().unwrap();
    let ahead = MetadataValue::<Binary>::from_bytes(&ahead);
    let headers = with(with(named(None), TOKEN, ahead.as_encoded_bytes()), TIMEOUT, "4S");
    let orders = Wire::to(mesh.up().url("orders")).await;
    let refused = eventually("an answer in time", PATIENCE, async || {
        let refused = refusal(orders.call("orders.v1.OrdersService/ListOrders", &headers, []).await);
        // A machine that stands still may be late with it.
        (refused.0 != Code::DeadlineExceeded).then_some(refused)
    });
    assert_eq!(refused.await, (Code::Unavailable, "COPY_BEHIND".to_owned()));
}

/// The only order of a customer, or one of those that are all alike to the test.
async fn only(clients: &Clients, customer: &str) -> OrderSummary {
    let list = ListOrdersRequest::default().with_customer_id(customer).with_page_size(1);
    let mut listed = clients.orders.list_orders(list).await.unwrap().orders;
    listed.pop().expect("the customer has an order")
}
