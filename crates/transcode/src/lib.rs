//! HTTP/JSON in front of gRPC, driven by the descriptors of the contracts: no route is written by hand.
//!
//! A [`Transcoder`] is a tower service over [`tonic::body::Body`] that answers what is not gRPC, on the port that also
//! answers gRPC:
//!
//! ```
//! # use std::error::Error;
//! # use freehold_client::Mesh;
//! # use freehold_server::{Bound, Server};
//! # use freehold_wire::Contract;
//! use freehold_transcode::Transcoder;
//!
//! async fn gateway(contract: &'static Contract, mesh: Mesh) -> Result<Bound, Box<dyn Error>> {
//!     let web = Transcoder::new(contract, mesh)?;
//!     Ok(Server::new("gateway", contract).web(web).bind().await?)
//! }
//! ```
//!
//! **Routes.** Every RPC of every owner answers `POST /package.Service/Method` with its request as the body, and what its
//! `google.api.http` option says: templates (`{id}`, `{name=shelves/*}`, `{user.id}`, a `:verb`), `body`, the rest as
//! query parameters, `response_body`, further bindings. The mesh has to know every owner, the gateway itself too where it
//! owns a service. An option that makes no sense is an error of [`Transcoder::new`].
//!
//! **Who asks.** `freehold-caller`, `idempotency-key`, `grpc-timeout`, `traceparent`, `x-request-id` and
//! `freehold-token-bin` (base64) mean in HTTP what they mean in gRPC. The owner hears them as they were sent and decides
//! for that caller; an answer brings the session back in `freehold-token-bin`, and says in `freehold-replayed` where it
//! is that of an earlier call under the same key.
//!
//! **JSON** is Protobuf's own mapping, read strictly: an unknown field, a wrong type, a name given twice are refused with
//! 400, and `BadRequest.fieldViolations` names every field that is wrong. A body has at most 4 MiB and nests at most 100
//! levels; of a larger one the field is named in which the limit falls, with 400 too. A body says that it is
//! `application/json`, or it is refused.
//!
//! **Streams.** A stream of replies is `application/x-ndjson`, a line per message, and ends with a line
//! `{"error": ..}` where it fails. A stream of requests is a body of such lines. What streams both ways answers 501.
//!
//! **Errors** are `google.rpc.Status` as JSON, `{"error": {"code", "status", "message", "details"}}`, under the HTTP
//! status that the code stands for; an unknown route is 404, a wrong verb 405.
//!
//! [`openapi::document`] describes all of it.

mod call;
mod escape;
mod json;
mod lines;
mod near;
pub mod openapi;
mod parameters;
mod problems;
mod request;
mod routes;
mod schema;
mod status;
mod template;
mod transcoder;
mod way;

pub use schema::SchemaError;
pub use transcoder::Transcoder;
