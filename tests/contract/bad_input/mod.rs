//! Invariant 13: bad input gets a typed error that names the field; it never panics, hangs or loses anything.
//!
//! Every RPC of every owner is tried; what is sent is made from the contracts. That nothing was lost is what the shared
//! mesh is asked when it ends.

mod bytes;
mod fields;
mod ids;
mod keys;
mod metadata;
mod pages;
mod texts;

use std::collections::BTreeMap;

use freehold_wire::reason;
use tonic::codegen::http::HeaderMap;
use tonic::{Code, Status};

use crate::contract::{Rpc, language, sharing};
use crate::mesh::Shared;
use crate::wire::{Answer, Wire, named};

/// A connection to every service of the shared mesh.
struct Services {
    wires: BTreeMap<String, Wire>,
}

impl Services {
    async fn of(mesh: &Shared) -> Self {
        Self { wires: mesh.up().wires().await }
    }

    /// Where an RPC is served.
    fn at(&self, rpc: &Rpc) -> &Wire {
        &self.wires[&rpc.owner.name]
    }

    /// Calls an RPC as somebody who may.
    async fn call(&self, rpc: &Rpc, message: impl Into<Vec<u8>>) -> Result<Answer, Status> {
        self.with(rpc, &named(Some(rpc.caller())), message).await
    }

    /// The same with other headers.
    async fn with(
        &self,
        rpc: &Rpc,
        headers: &HeaderMap,
        message: impl Into<Vec<u8>>,
    ) -> Result<Answer, Status> {
        self.at(rpc).call(rpc.full_name(), headers, message).await
    }
}

/// The methods of every feed, as RPCs of the owners that serve one.
fn feeds() -> Vec<Rpc> {
    sharing().flat_map(|owner| language("Feed").iter().map(move |method| Rpc { owner, method })).collect()
}

/// Whether a status is one that a program can act on: a code of the mesh and a reason. What a caller sends is never the
/// owner's fault, so INTERNAL is none.
fn is_typed(status: &Status) -> bool {
    const CODES: [Code; 8] = [
        Code::InvalidArgument,
        Code::NotFound,
        Code::FailedPrecondition,
        Code::Aborted,
        Code::PermissionDenied,
        Code::ResourceExhausted,
        Code::DeadlineExceeded,
        Code::Unavailable,
    ];
    CODES.contains(&status.code()) && !reason::of(status).is_empty()
}
