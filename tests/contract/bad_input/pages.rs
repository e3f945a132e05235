//! Every list: page sizes that are none, page tokens of other lists and damaged ones.

use freehold_contract::language::field_rules;
use freehold_testkit::mounted::wrong_fields;
use freehold_wire::prost::Message;
use prost_reflect::{DynamicMessage, Kind, Value};

use super::Services;
use crate::contract::{Rpc, message, rpcs};
use crate::mesh::shared;

#[tokio::test]
async fn a_negative_page_size_is_named_and_a_huge_one_is_cut() {
    let mesh = shared().await;
    let services = Services::of(&mesh).await;
    for list in lists() {
        for size in [-1, i32::MIN] {
            let named = wrong_fields(services.call(&list, page(&list, size, "").encode_to_vec()).await);
            assert_eq!(named, ["page_size"], "{} {size}", list.full_name());
        }
        let huge = services.call(&list, page(&list, i32::MAX, "").encode_to_vec()).await;
        assert!(huge.is_ok(), "{}: {huge:?}", list.full_name());
    }
}

#[tokio::test]
async fn a_page_token_of_another_list_is_named() {
    let mesh = shared().await;
    let services = Services::of(&mesh).await;
    for foreign in lists() {
        let token = token(&services, &foreign).await;
        for list in lists() {
            let answer = services.call(&list, page(&list, 1, &token).encode_to_vec()).await;
            if list.full_name() == foreign.full_name() {
                assert!(answer.is_ok(), "{}: its own token: {answer:?}", list.full_name());
            } else {
                assert_eq!(
                    wrong_fields(answer),
                    ["page_token"],
                    "{} by {}",
                    list.full_name(),
                    foreign.full_name()
                );
            }
        }
    }
}

/// A token goes on in the list that it came from, under the same filter.
#[tokio::test]
async fn a_page_token_of_another_filter_is_named() {
    let mesh = shared().await;
    let services = Services::of(&mesh).await;
    let mut tried = 0;
    for list in lists() {
        let token = token(&services, &list).await;
        let shape = list.request();
        let others = shape.fields().filter(|field| field.kind() == Kind::String);
        for filter in others.filter(|field| field.name() != "page_token") {
            let mut filtered = page(&list, 1, &token);
            filtered.set_field(&filter, Value::String("another".to_owned()));
            let named = wrong_fields(services.call(&list, filtered.encode_to_vec()).await);
            assert_eq!(named, ["page_token"], "{} by {}", list.full_name(), filter.name());
            tried += 1;
        }
    }
    assert!(tried >= 2, "orders and mails have a filter each");
}

#[tokio::test]
async fn a_damaged_page_token_is_named() {
    let mesh = shared().await;
    let services = Services::of(&mesh).await;
    for list in lists() {
        let token = token(&services, &list).await;
        let altered = |at: usize| {
            let letter = if &token[at..=at] == "A" { "B" } else { "A" };
            format!("{}{letter}{}", &token[..at], &token[at + 1..])
        };
        let all =
            (0..token.len()).map(altered).chain((1..token.len()).map(|length| token[..length].to_owned()));
        let garbage =
            ["?", "AAAA", " ", "é", &format!("{token}{token}"), &format!("{token}=")].map(str::to_owned);
        for damaged in all.chain(garbage) {
            let named = wrong_fields(services.call(&list, page(&list, 1, &damaged).encode_to_vec()).await);
            assert_eq!(named, ["page_token"], "{}: {damaged} for {token}", list.full_name());
        }
    }
}

/// The RPCs that answer in pages with all that there is. Those that want to know of what have pages of their own in the
/// tests of their services.
fn lists() -> Vec<Rpc> {
    let is_list = |rpc: &Rpc| {
        let (names, request) = (["page_size", "page_token"], rpc.request());
        names.iter().all(|name| request.get_field_by_name(name).is_some())
            && !request.fields().any(|field| field_rules(&field).required)
    };
    let lists: Vec<Rpc> = rpcs().into_iter().filter(is_list).collect();
    assert!(lists.len() >= 5, "users, products, stock, orders and mails are listed");
    lists
}

fn page(list: &Rpc, size: i32, token: &str) -> DynamicMessage {
    let mut page = DynamicMessage::new(list.request());
    page.set_field_by_name("page_size", Value::I32(size));
    page.set_field_by_name("page_token", Value::String(token.to_owned()));
    page
}

/// The token after the first item.
async fn token(services: &Services, list: &Rpc) -> String {
    let answer = services.call(list, page(list, 1, "").encode_to_vec()).await.unwrap();
    let reply = DynamicMessage::decode(message(&list.method.reply), answer.message.as_slice()).unwrap();
    let token = reply.get_field_by_name("next_page_token").unwrap().as_str().unwrap().to_owned();
    assert_ne!(token, "", "{}: there are two items at least", list.full_name());
    token
}
