//! The conventions of google.aip.dev that prevent harm between teams; each page names its AIP.
//!
//! They hold for the contracts of owners and consumers. What else lies in a tree, a vendored `google/type` say, has its own
//! authors and rules, so nothing is said of it. What a team can no longer change without breaking somebody is an error when
//! it hurts and a warning when it only reads badly.

pub(super) mod fields;
pub(super) mod methods;
pub(super) mod names;
pub(super) mod paging;
mod words;

use prost_reflect::{EnumDescriptor, FieldDescriptor, MessageDescriptor};

use super::scope::{Contract, Rpc, Scope};

/// The files of owners and of consumers.
fn contracts<'a>(scope: &'a Scope<'_>) -> impl Iterator<Item = &'a Contract> {
    scope.files.iter().filter(|contract| is_owned(scope, contract) || contract.words.consumer.is_some())
}

fn is_owned(scope: &Scope<'_>, contract: &Contract) -> bool {
    !scope.owner_of_package(contract.file.package_name()).is_empty()
}

/// The messages of owners. A view or replica has the names and types of its source, so its consumer cannot mend them.
fn owned_messages<'a>(scope: &'a Scope<'_>) -> impl Iterator<Item = &'a MessageDescriptor> {
    let owned =
        scope.files.iter().filter(|contract| is_owned(scope, contract) && contract.words.consumer.is_none());
    owned.flat_map(|contract| &contract.messages)
}

fn fields<'a>(scope: &'a Scope<'_>) -> impl Iterator<Item = FieldDescriptor> + 'a {
    owned_messages(scope).flat_map(|message| message.fields())
}

fn enums(scope: &Scope<'_>) -> Vec<EnumDescriptor> {
    let mut found = Vec::new();
    for contract in contracts(scope) {
        found.extend(contract.file.enums());
        found.extend(contract.messages.iter().flat_map(|message| message.child_enums().collect::<Vec<_>>()));
    }
    found
}

fn rpcs<'a>(scope: &'a Scope<'_>) -> impl Iterator<Item = &'a Rpc> {
    scope.methods.values().filter(|rpc| !rpc.owner.is_empty())
}

fn is_stream(rpc: &Rpc) -> bool {
    rpc.method.is_client_streaming() || rpc.method.is_server_streaming()
}

/// The first number above those of a message's fields.
fn next_number(message: &MessageDescriptor) -> u32 {
    message.fields().map(|field| field.number()).max().unwrap_or_default() + 1
}
