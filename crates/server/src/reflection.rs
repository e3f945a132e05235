//! Reflection, v1 and v1alpha: the whole contract to describe, the served services to list.
//!
//! Tools such as grpcurl find messages, methods and the details of errors by it, custom options included. Which files
//! of the contract are a service's own does not matter: the contract is one, and public.

use freehold_wire::Contract;
use tonic_reflection::server::Builder;

use crate::error::Error;
use crate::routes::Routes;

/// Adds both versions.
///
/// # Errors
/// [`Error::Descriptors`] for descriptors that do not decode.
pub(crate) fn add(
    contract: &'static Contract,
    routes: &mut Routes,
    listed: &[&'static str],
) -> Result<(), Error> {
    routes.add(builder(contract, listed).build_v1().map_err(Error::Descriptors)?);
    routes.add(builder(contract, listed).build_v1alpha().map_err(Error::Descriptors)?);
    Ok(())
}

fn builder(contract: &'static Contract, listed: &[&'static str]) -> Builder<'static> {
    let builder = Builder::configure()
        .register_encoded_file_descriptor_set(contract.descriptors)
        // So that a client shows what an error carries instead of its bytes.
        .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET);
    listed.iter().fold(builder, |builder, name| builder.with_service_name(*name))
}
