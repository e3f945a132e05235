//! What holds for a field or an enum: the defaults of its file's syntax or edition, overlaid by what the file, the
//! messages around it and it itself say.
//!
//! The defaults are those of "Feature Settings for Editions" in Protobuf's documentation.

use super::proto;

/// `syntax` and `edition` of a file, as one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Edition {
    Proto2,
    Proto3,
    Of2023,
    Of2024,
}

impl Edition {
    /// Reads what a file says; none for an edition that is not known here.
    pub(super) fn read(file: &proto::File) -> Option<Self> {
        match (file.syntax.as_str(), file.edition) {
            ("" | "proto2", 0 | 998) => Some(Self::Proto2),
            ("proto3", 0 | 999) => Some(Self::Proto3),
            ("" | "editions", 1000) => Some(Self::Of2023),
            ("" | "editions", 1001) => Some(Self::Of2024),
            _ => None,
        }
    }
}

/// Whether a field knows that it was not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Explicit,
    Implicit,
    Required,
}

/// What C++ keeps a string in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CppString {
    String,
    Cord,
    StringPiece,
    View,
}

/// The features that rules look at, resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Features {
    pub(crate) presence: Presence,
    pub(crate) closed_enum: bool,
    /// Whether numbers of a repeated field are sent together.
    pub(crate) packed: bool,
    pub(crate) verifies_utf8: bool,
    pub(crate) delimited: bool,
    /// Whether JSON is a promise, not a best effort.
    pub(crate) json: bool,
    pub(crate) cpp_string: CppString,
    /// `(pb.java).utf8_validation = VERIFY`; otherwise Java does as all do.
    pub(crate) java_verifies: bool,
}

impl Features {
    /// What holds where nothing is said.
    pub(super) fn of(edition: Edition) -> Self {
        let proto2 = edition == Edition::Proto2;
        Self {
            presence: if edition == Edition::Proto3 { Presence::Implicit } else { Presence::Explicit },
            closed_enum: proto2,
            packed: !proto2,
            verifies_utf8: !proto2,
            delimited: false,
            json: !proto2,
            cpp_string: if edition == Edition::Of2024 { CppString::View } else { CppString::String },
            java_verifies: false,
        }
    }

    /// What holds inside of what says `said`. A value that is not known here leaves what was.
    pub(super) fn within(mut self, said: Option<&proto::FeatureSet>) -> Self {
        let Some(said) = said else { return self };
        match said.field_presence {
            Some(1) => self.presence = Presence::Explicit,
            Some(2) => self.presence = Presence::Implicit,
            Some(3) => self.presence = Presence::Required,
            _ => {}
        }
        let of_two = |said: Option<i32>, no: i32, yes: i32, was: bool| match said {
            Some(value) if value == no => false,
            Some(value) if value == yes => true,
            _ => was,
        };
        self.closed_enum = of_two(said.enum_type, 1, 2, self.closed_enum);
        self.packed = of_two(said.repeated_field_encoding, 2, 1, self.packed);
        self.verifies_utf8 = of_two(said.utf8_validation, 3, 2, self.verifies_utf8);
        self.delimited = of_two(said.message_encoding, 1, 2, self.delimited);
        self.json = of_two(said.json_format, 2, 1, self.json);
        match said.cpp.as_ref().and_then(|cpp| cpp.string_type) {
            Some(1) => self.cpp_string = CppString::View,
            Some(2) => self.cpp_string = CppString::Cord,
            Some(3) => self.cpp_string = CppString::String,
            _ => {}
        }
        let java = said.java.as_ref().and_then(|java| java.utf8_validation);
        self.java_verifies = of_two(java, 1, 2, self.java_verifies);
        self
    }
}
