//! The rules of the methods that every server has, and no owner's contract: health, reflection, feed and directory.

use std::time::Duration;

use freehold_wire::{Access, Retry, Rules};

/// The gRPC services that any server may serve, whatever it owns.
pub(crate) const SERVICES: &[&str] = &[HEALTH, REFLECTION, REFLECTION_ALPHA, FEED, DIRECTORY];

/// Health v1.
pub(crate) const HEALTH: &str = "grpc.health.v1.Health";
/// Reflection v1.
pub(crate) const REFLECTION: &str = "grpc.reflection.v1.ServerReflection";
/// Reflection as tools from before v1 ask for it.
pub(crate) const REFLECTION_ALPHA: &str = "grpc.reflection.v1alpha.ServerReflection";
const FEED: &str = "freehold.v1.Feed";
const DIRECTORY: &str = "freehold.v1.Directory";

/// Their methods. The feed decides for itself what a caller may read; all else is public.
pub(crate) static METHODS: [Rules; 11] = [
    public("/grpc.health.v1.Health/Check", 1),
    public("/grpc.health.v1.Health/List", 1),
    public("/grpc.health.v1.Health/Watch", 3600),
    public("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", 60),
    public("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", 60),
    public("/freehold.v1.Directory/List", 1),
    public("/freehold.v1.Feed/Subscribe", 3600),
    public("/freehold.v1.Feed/Snapshot", 600),
    public("/freehold.v1.Feed/Read", 1),
    public("/freehold.v1.Feed/Head", 1),
    public("/freehold.v1.Feed/Ack", 2),
];

const fn public(path: &'static str, seconds: u64) -> Rules {
    Rules {
        path,
        deadline: Duration::from_secs(seconds),
        min_deadline: Duration::ZERO,
        retry: Retry::Safe,
        access: Access::Public,
    }
}
