//! Registering and updating.

use freehold_testkit::mounted::{refusal, wrong_fields};
use freehold_wire::Entity;
use tonic::Code;

use super::*;

#[tokio::test]
async fn a_registered_user_is_read_as_it_was_registered_but_for_the_note() {
    on_each_engine(async |bench| {
        let registered = bench.register(maria()).await.unwrap();
        assert_eq!(registered, bench.get("ALFKI").await.unwrap());
        assert_eq!((registered.name.as_str(), registered.note.as_str()), ("Maria Anders", ""));
        assert_eq!(registered.address.unwrap().city, "Berlin");
        assert!(registered.registered_ms > 0);
    })
    .await;
}

#[tokio::test]
async fn an_id_names_one_user_for_ever() {
    on_each_engine(async |bench| {
        let taken = || (Code::FailedPrecondition, "USER_EXISTS".to_owned());
        bench.register(maria()).await.unwrap();
        assert_eq!(refusal(bench.register(maria()).await), taken());
        bench.erase("ALFKI").await.unwrap();
        assert_eq!(refusal(bench.register(maria()).await), taken());
    })
    .await;
}

#[tokio::test]
async fn what_an_update_does_not_set_stays() {
    on_each_engine(async |bench| {
        bench.register(maria()).await.unwrap();
        let moved = pb::UpdateUserRequest::default()
            .with_id("ALFKI")
            .with_address(pb::Address::default().with_city("Hamburg"));
        let user = bench.update(moved).await.unwrap();
        assert_eq!((user.name.as_str(), user.email.as_str()), ("Maria Anders", "maria@example.com"));
        let address = user.address.unwrap();
        assert_eq!((address.street.as_str(), address.city.as_str()), ("", "Hamburg"));
    })
    .await;
}

#[tokio::test]
async fn each_change_is_told_once_and_never_with_the_note() {
    on_each_engine(async |bench| {
        let renamed = || pb::UpdateUserRequest::default().with_id("ALFKI").with_name("Maria A.");
        bench.register(maria()).await.unwrap();
        bench.update(renamed()).await.unwrap();
        bench.update(renamed()).await.unwrap();
        let events = bench.events().await;
        let told: Vec<_> = events.iter().map(|event| (event.r#type.as_str(), event.version)).collect();
        assert_eq!(told, [(pb::User::NAME, 1), (pb::User::NAME, 2)]);
        for event in events {
            let data = event.data.unwrap();
            assert!(!String::from_utf8_lossy(&data).contains("pays late"));
        }
    })
    .await;
}

#[tokio::test]
async fn an_unknown_user_is_not_found() {
    on_each_engine(async |bench| {
        let not_found = (Code::NotFound, "NOT_FOUND".to_owned());
        let update = pb::UpdateUserRequest::default().with_id("ALFKI").with_name("Maria");
        assert_eq!(refusal(bench.get("ALFKI").await), not_found);
        assert_eq!(refusal(bench.update(update).await), not_found);
        assert_eq!(refusal(bench.erase("ALFKI").await), not_found);
    })
    .await;
}

#[tokio::test]
async fn bad_input_is_refused_by_the_names_of_its_fields() {
    on_each_engine(async |bench| {
        let empty = pb::RegisterUserRequest::default();
        assert_eq!(wrong_fields(bench.register(empty).await), ["id", "name", "email"]);
        let street = pb::Address::default().with_street("x".repeat(201));
        let long = maria().with_id("x".repeat(65)).with_address(street);
        assert_eq!(wrong_fields(bench.register(long).await), ["id", "address.street"]);
        assert_eq!(wrong_fields(bench.register(maria().with_email("maria")).await), ["email"]);
        assert_eq!(wrong_fields(bench.register(maria().with_name("a\0b")).await), ["name"]);
        let update = || pb::UpdateUserRequest::default().with_id("ALFKI");
        assert_eq!(wrong_fields(bench.update(update().with_name("")).await), ["name"]);
        assert_eq!(wrong_fields(bench.update(update().with_email("a b@c")).await), ["email"]);
        assert_eq!(wrong_fields(bench.get("").await), ["id"]);
        assert!(bench.events().await.is_empty());
    })
    .await;
}
