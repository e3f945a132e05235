//! Every limit that a contract sets to a field: broken, it is named; gone up to, it holds.

use freehold_testkit::mounted::wrong_fields;
use freehold_wire::prost::Message;
use tonic::Code;

use super::{Services, feeds, is_typed};
use crate::contract::rpcs;
use crate::mesh::shared;
use crate::messages::{brimming, broken};

/// Required, least, greatest, longest, fullest: each one broken by itself is the one that is named, by its path.
#[tokio::test]
async fn every_broken_limit_is_named_by_its_path() {
    let mesh = shared().await;
    let services = Services::of(&mesh).await;
    let mut tried = 0;
    for rpc in rpcs().into_iter().chain(feeds()) {
        for sample in broken(&rpc.request()) {
            let answer = services.call(&rpc, sample.message.encode_to_vec()).await;
            let code = answer.as_ref().map_or_else(tonic::Status::code, |_| Code::Ok);
            assert_eq!(code, Code::InvalidArgument, "{}: {} {}", rpc.full_name(), sample.path, sample.how);
            let named = wrong_fields(answer);
            assert_eq!(named, [sample.path.as_str()], "{}: {} {}", rpc.full_name(), sample.path, sample.how);
            tried += 1;
        }
    }
    assert!(tried > 100, "only {tried} limits were tried");
}

/// All that is wrong with a request is said at once.
#[tokio::test]
async fn all_missing_fields_are_named_at_once() {
    let mesh = shared().await;
    let services = Services::of(&mesh).await;
    for rpc in rpcs() {
        let shape = rpc.request();
        let required =
            shape.fields().filter(|field| freehold_contract::language::field_rules(field).required);
        let required: Vec<String> = required.map(|field| field.name().to_owned()).collect();
        if !required.is_empty() {
            let named = wrong_fields(services.call(&rpc, []).await);
            let missing: Vec<&String> = named.iter().filter(|name| required.contains(name)).collect();
            assert!(missing.into_iter().eq(&required), "{}: {named:?}", rpc.full_name());
        }
    }
}

/// What goes up to a limit is within it: whatever else the owner says of it, it is typed, and not about that limit.
#[tokio::test]
async fn what_goes_up_to_a_limit_is_taken() {
    let mesh = shared().await;
    let services = Services::of(&mesh).await;
    for rpc in rpcs() {
        for sample in brimming(&rpc.request()) {
            let Err(status) = services.call(&rpc, sample.message.encode_to_vec()).await else { continue };
            let what = format!("{}: {} {}: {status}", rpc.full_name(), sample.path, sample.how);
            assert!(is_typed(&status), "{what}");
            assert!(!status.message().contains("must have at"), "{what}");
            assert!(!status.message().contains("must be at"), "{what}");
        }
    }
}
