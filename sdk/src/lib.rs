//! The SDK of the mesh, generated from its contracts: the messages of every service, a client and a stub for each, and
//! under the feature `server` the traits and dispatch that a service is made of.
//!
//! A client's methods carry the contract's deadline, idempotency key and retry class; `within` makes a call part of a
//! line of work. What a consumer may call, its `needs.proto` says. In ten lines, against a mock of one method:
//!
//! ```
//! use freehold_sdk::catalog::v1::{CatalogClient, CatalogStub, GetProductRequest, Product};
//! use freehold_sdk::{CallOptions, Error, async_trait};
//!
//! struct Shelf;
//!
//! #[async_trait]
//! impl CatalogStub for Shelf {
//!     async fn get_product(&self, request: GetProductRequest, _: &CallOptions) -> Result<Product, Error> {
//!         Ok(Product::default().with_id(request.id).with_name("Chai").with_price_cents(1800))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Error> {
//! // Against a mesh: `CatalogClient::connect(&Mesh::directory("orders", "http://127.0.0.1:7400").await?)?`.
//! let catalog = CatalogClient::from_stub(Shelf);
//! let product = catalog.get_product(GetProductRequest::default().with_id("1")).await?;
//! assert_eq!((product.name.as_str(), product.price_cents), ("Chai", 1800));
//! # Ok(())
//! # }
//! ```

mod generated;
pub mod ports;

#[cfg(feature = "client")]
pub use freehold_client::{CallOptions, Channel, Error, Mesh, Messages, Requests};
pub use freehold_wire as wire;
pub use freehold_wire::{Committed, Context, Session, async_trait};
pub use generated::*;
pub use ports::PORTS;
