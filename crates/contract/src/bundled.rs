//! The files that every tree may import without holding them: the contract language, the part of `google.api` that
//! transcoding reads, and Protobuf's well-known types.

use prost_types::FileDescriptorProto;
use protox::file::{FileResolver, GoogleFileResolver};

/// The contract language, its envelope, feed, operations and directory.
const LANGUAGE: [(&str, &str); 5] = [
    ("freehold/v1/contract.proto", include_str!("../../../proto/freehold/v1/contract.proto")),
    ("freehold/v1/directory.proto", include_str!("../../../proto/freehold/v1/directory.proto")),
    ("freehold/v1/envelope.proto", include_str!("../../../proto/freehold/v1/envelope.proto")),
    ("freehold/v1/feed.proto", include_str!("../../../proto/freehold/v1/feed.proto")),
    ("freehold/v1/operations.proto", include_str!("../../../proto/freehold/v1/operations.proto")),
];

/// What binds an RPC to HTTP; a tree may bring its own copy.
const GOOGLE_API: [(&str, &str); 2] = [
    ("google/api/annotations.proto", include_str!("../../../proto/google/api/annotations.proto")),
    ("google/api/http.proto", include_str!("../../../proto/google/api/http.proto")),
];

/// Protobuf's well-known types, and the descriptors that they are described by.
const WELL_KNOWN: [&str; 12] = [
    "google/protobuf/any.proto",
    "google/protobuf/api.proto",
    "google/protobuf/compiler/plugin.proto",
    "google/protobuf/descriptor.proto",
    "google/protobuf/duration.proto",
    "google/protobuf/empty.proto",
    "google/protobuf/field_mask.proto",
    "google/protobuf/source_context.proto",
    "google/protobuf/struct.proto",
    "google/protobuf/timestamp.proto",
    "google/protobuf/type.proto",
    "google/protobuf/wrappers.proto",
];

/// The paths of the contract language; every model holds them.
pub(crate) fn language_paths<'a>() -> impl Iterator<Item = &'a str> {
    LANGUAGE.iter().map(|(path, _)| *path)
}

/// The text of a file of the contract language.
pub(crate) fn language(path: &str) -> Option<&'static str> {
    text(&LANGUAGE, path)
}

/// The text of a file of `google.api`.
pub(crate) fn google_api(path: &str) -> Option<&'static str> {
    text(&GOOGLE_API, path)
}

/// The paths and texts of `google.api`.
pub(crate) fn google_api_texts() -> impl Iterator<Item = (&'static str, &'static str)> {
    GOOGLE_API.into_iter()
}

/// The files of all well-known types.
pub(crate) fn well_known_files() -> impl Iterator<Item = FileDescriptorProto> {
    WELL_KNOWN.into_iter().filter_map(well_known)
}

/// A well-known type's file; it has no text here, only a descriptor.
pub(crate) fn well_known(path: &str) -> Option<FileDescriptorProto> {
    if !is_well_known(path) {
        return None;
    }
    GoogleFileResolver::new().open_file(path).ok().map(FileDescriptorProto::from)
}

/// Whether the path is that of a well-known type.
pub(crate) fn is_well_known(path: &str) -> bool {
    WELL_KNOWN.contains(&path)
}

/// All paths that can be imported without being given, for near matches.
pub(crate) fn importable<'a>() -> impl Iterator<Item = &'a str> {
    LANGUAGE.iter().chain(&GOOGLE_API).map(|(path, _)| *path).chain(WELL_KNOWN)
}

/// Whether a given file of that path is ignored for the one built in.
pub(crate) fn is_fixed(path: &str) -> bool {
    language(path).is_some() || is_well_known(path)
}

/// Whether the file is part of what is built in, given or not: nobody's contract, so no rule applies to it.
pub(crate) fn is_bundled(path: &str) -> bool {
    is_fixed(path) || google_api(path).is_some()
}

fn text(files: &[(&'static str, &'static str)], wanted: &str) -> Option<&'static str> {
    files.iter().find(|(path, _)| *path == wanted).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_well_known_path_has_a_descriptor() {
        for path in WELL_KNOWN {
            assert_eq!(well_known(path).unwrap().name(), path);
        }
        assert_eq!(well_known("google/protobuf/unknown.proto"), None);
    }
}
