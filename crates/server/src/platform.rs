//! The rules of the methods that every server has, and no owner's contract: health, reflection, feed, operations and
//! directory.
//!
//! They pass the same stack as an owner's methods, with the same deadlines. Those of the contract language come from
//! the contract; health and reflection are gRPC's own and have theirs here.

use std::time::Duration;

use freehold_wire::methods::{directory, feed, operations};
use freehold_wire::{Access, Criticality, Retry, Rules};

/// The gRPC services that any server may serve, whatever it owns.
pub(crate) const SERVICES: &[&str] = &[HEALTH, REFLECTION, REFLECTION_ALPHA, FEED, OPERATIONS, DIRECTORY];

/// Health v1.
pub(crate) const HEALTH: &str = "grpc.health.v1.Health";
/// Reflection v1.
pub(crate) const REFLECTION: &str = "grpc.reflection.v1.ServerReflection";
/// Reflection as tools from before v1 ask for it.
pub(crate) const REFLECTION_ALPHA: &str = "grpc.reflection.v1alpha.ServerReflection";
const FEED: &str = "freehold.v1.Feed";
const OPERATIONS: &str = "freehold.v1.Operations";
const DIRECTORY: &str = "freehold.v1.Directory";

/// Their methods. The feed decides for itself what a caller may read, and
/// operations whom they answer; all else is public.
pub(crate) static METHODS: [Rules; 23] = [
    public("/grpc.health.v1.Health/Check", 1, false),
    public("/grpc.health.v1.Health/Watch", 3600, true),
    public("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", 60, true),
    public("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", 60, true),
    *directory::LIST.rules(),
    *feed::SUBSCRIBE.rules(),
    *feed::SNAPSHOT.rules(),
    *feed::READ.rules(),
    *feed::WATCH.rules(),
    *feed::HEAD.rules(),
    *feed::ACK.rules(),
    *feed::WITHDRAW.rules(),
    *operations::LIST_SUBSCRIPTIONS.rules(),
    *operations::LIST_SUBSCRIBERS.rules(),
    *operations::LIST_RELAYS.rules(),
    *operations::FORGET_SUBSCRIBER.rules(),
    *operations::LIST_PARKED_KEYS.rules(),
    *operations::GET_PARKED_KEY.rules(),
    *operations::REDRIVE_DEAD_LETTER.rules(),
    *operations::SKIP_DEAD_LETTER.rules(),
    *operations::REPLAY.rules(),
    *operations::LIST_RECORDS.rules(),
    *operations::LIST_EVENTS.rules(),
];

const fn public(path: &'static str, seconds: u64, streams: bool) -> Rules {
    Rules {
        path,
        deadline: Duration::from_secs(seconds),
        min_deadline: Duration::ZERO,
        retry: Retry::Safe,
        access: Access::Public,
        cache: None,
        criticality: Criticality::Critical,
        streams,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LANGUAGE: [&str; 3] = [
        include_str!("../../../proto/freehold/v1/directory.proto"),
        include_str!("../../../proto/freehold/v1/feed.proto"),
        include_str!("../../../proto/freehold/v1/operations.proto"),
    ];

    /// A method that is missing here would be answered UNIMPLEMENTED by every server.
    #[test]
    fn every_method_of_the_language_has_rules() {
        for text in LANGUAGE {
            let word = |line: &str, before: &str| {
                let rest = line.trim_start().strip_prefix(before)?;
                rest.split(|end: char| !end.is_alphanumeric()).next().map(str::to_owned)
            };
            let service = text.lines().find_map(|line| word(line, "service ")).unwrap();
            for method in text.lines().filter_map(|line| word(line, "rpc ")) {
                let path = format!("/freehold.v1.{service}/{method}");
                assert!(METHODS.iter().any(|rules| rules.path == path), "{path}");
            }
        }
    }
}
