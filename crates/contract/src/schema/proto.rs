//! The part of `google/protobuf/descriptor.proto` that a comparison looks at, editions included, as prost messages.
//!
//! The numbers are those of descriptor.proto, cpp_features.proto and java_features.proto. Source info stays encoded until
//! a place is asked for, since most files of a tree have nothing to report.
//! **Invariant:** unknown fields are skipped, so that a newer compiler's set is read as far as it is known here.

use prost::bytes::Bytes;

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct FileSet {
    #[prost(message, repeated, tag = "1")]
    pub(super) file: Vec<File>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct File {
    #[prost(string, optional, tag = "1")]
    pub(super) name: Option<String>,
    #[prost(string, tag = "2")]
    pub(super) package: String,
    #[prost(message, repeated, tag = "4")]
    pub(super) message_type: Vec<Message>,
    #[prost(message, repeated, tag = "5")]
    pub(super) enum_type: Vec<Enum>,
    #[prost(message, repeated, tag = "6")]
    pub(super) service: Vec<Service>,
    #[prost(message, repeated, tag = "7")]
    pub(super) extension: Vec<Field>,
    #[prost(message, optional, tag = "8")]
    pub(super) options: Option<FileOptions>,
    #[prost(bytes = "bytes", tag = "9")]
    pub(super) source_code_info: Bytes,
    #[prost(string, tag = "12")]
    pub(super) syntax: String,
    #[prost(int32, tag = "14")]
    pub(super) edition: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct FileOptions {
    #[prost(string, optional, tag = "1")]
    pub(super) java_package: Option<String>,
    #[prost(string, optional, tag = "8")]
    pub(super) java_outer_classname: Option<String>,
    #[prost(int32, optional, tag = "9", default = "1")]
    pub(super) optimize_for: Option<i32>,
    #[prost(bool, optional, tag = "10")]
    pub(super) java_multiple_files: Option<bool>,
    #[prost(string, optional, tag = "11")]
    pub(super) go_package: Option<String>,
    #[prost(bool, optional, tag = "16")]
    pub(super) cc_generic_services: Option<bool>,
    #[prost(bool, optional, tag = "17")]
    pub(super) java_generic_services: Option<bool>,
    #[prost(bool, optional, tag = "18")]
    pub(super) py_generic_services: Option<bool>,
    #[prost(bool, optional, tag = "27")]
    pub(super) java_string_check_utf8: Option<bool>,
    #[prost(bool, optional, tag = "31", default = "true")]
    pub(super) cc_enable_arenas: Option<bool>,
    #[prost(string, optional, tag = "36")]
    pub(super) objc_class_prefix: Option<String>,
    #[prost(string, optional, tag = "37")]
    pub(super) csharp_namespace: Option<String>,
    #[prost(string, optional, tag = "39")]
    pub(super) swift_prefix: Option<String>,
    #[prost(string, optional, tag = "40")]
    pub(super) php_class_prefix: Option<String>,
    #[prost(string, optional, tag = "41")]
    pub(super) php_namespace: Option<String>,
    #[prost(string, optional, tag = "44")]
    pub(super) php_metadata_namespace: Option<String>,
    #[prost(string, optional, tag = "45")]
    pub(super) ruby_package: Option<String>,
    #[prost(message, optional, tag = "50")]
    pub(super) features: Option<FeatureSet>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Message {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(message, repeated, tag = "2")]
    pub(super) field: Vec<Field>,
    #[prost(message, repeated, tag = "3")]
    pub(super) nested_type: Vec<Message>,
    #[prost(message, repeated, tag = "4")]
    pub(super) enum_type: Vec<Enum>,
    #[prost(message, repeated, tag = "5")]
    pub(super) extension_range: Vec<Range>,
    #[prost(message, repeated, tag = "6")]
    pub(super) extension: Vec<Field>,
    #[prost(message, optional, tag = "7")]
    pub(super) options: Option<MessageOptions>,
    #[prost(message, repeated, tag = "8")]
    pub(super) oneof_decl: Vec<Oneof>,
    #[prost(message, repeated, tag = "9")]
    pub(super) reserved_range: Vec<Range>,
    #[prost(string, repeated, tag = "10")]
    pub(super) reserved_name: Vec<String>,
}

/// A range of numbers. The end is past the last number in a message, and the last number in an enum.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Range {
    #[prost(int32, tag = "1")]
    pub(super) start: i32,
    #[prost(int32, tag = "2")]
    pub(super) end: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct MessageOptions {
    #[prost(bool, tag = "2")]
    pub(super) no_standard_descriptor_accessor: bool,
    #[prost(bool, tag = "7")]
    pub(super) map_entry: bool,
    #[prost(message, optional, tag = "12")]
    pub(super) features: Option<FeatureSet>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Field {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) extendee: String,
    #[prost(int32, tag = "3")]
    pub(super) number: i32,
    #[prost(int32, tag = "4")]
    pub(super) label: i32,
    #[prost(int32, tag = "5")]
    pub(super) r#type: i32,
    #[prost(string, tag = "6")]
    pub(super) type_name: String,
    #[prost(string, optional, tag = "7")]
    pub(super) default_value: Option<String>,
    #[prost(message, optional, tag = "8")]
    pub(super) options: Option<FieldOptions>,
    #[prost(int32, optional, tag = "9")]
    pub(super) oneof_index: Option<i32>,
    #[prost(string, tag = "10")]
    pub(super) json_name: String,
    #[prost(bool, tag = "17")]
    pub(super) proto3_optional: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct FieldOptions {
    #[prost(int32, optional, tag = "1")]
    pub(super) ctype: Option<i32>,
    #[prost(bool, optional, tag = "2")]
    pub(super) packed: Option<bool>,
    #[prost(int32, tag = "6")]
    pub(super) jstype: i32,
    #[prost(message, optional, tag = "21")]
    pub(super) features: Option<FeatureSet>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Oneof {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(message, optional, tag = "2")]
    pub(super) options: Option<OneofOptions>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct OneofOptions {
    #[prost(message, optional, tag = "1")]
    pub(super) features: Option<FeatureSet>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Enum {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(message, repeated, tag = "2")]
    pub(super) value: Vec<EnumValue>,
    #[prost(message, optional, tag = "3")]
    pub(super) options: Option<EnumOptions>,
    #[prost(message, repeated, tag = "4")]
    pub(super) reserved_range: Vec<Range>,
    #[prost(string, repeated, tag = "5")]
    pub(super) reserved_name: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct EnumOptions {
    #[prost(message, optional, tag = "7")]
    pub(super) features: Option<FeatureSet>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct EnumValue {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(int32, tag = "2")]
    pub(super) number: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Service {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(message, repeated, tag = "2")]
    pub(super) method: Vec<Method>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Method {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) input_type: String,
    #[prost(string, tag = "3")]
    pub(super) output_type: String,
    #[prost(message, optional, tag = "4")]
    pub(super) options: Option<MethodOptions>,
    #[prost(bool, tag = "5")]
    pub(super) client_streaming: bool,
    #[prost(bool, tag = "6")]
    pub(super) server_streaming: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct MethodOptions {
    #[prost(int32, tag = "34")]
    pub(super) idempotency_level: i32,
}

/// What an edition lets a file, a message, a oneof, a field or an enum say about itself and what is in it.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct FeatureSet {
    #[prost(int32, optional, tag = "1")]
    pub(super) field_presence: Option<i32>,
    #[prost(int32, optional, tag = "2")]
    pub(super) enum_type: Option<i32>,
    #[prost(int32, optional, tag = "3")]
    pub(super) repeated_field_encoding: Option<i32>,
    #[prost(int32, optional, tag = "4")]
    pub(super) utf8_validation: Option<i32>,
    #[prost(int32, optional, tag = "5")]
    pub(super) message_encoding: Option<i32>,
    #[prost(int32, optional, tag = "6")]
    pub(super) json_format: Option<i32>,
    #[prost(message, optional, tag = "1000")]
    pub(super) cpp: Option<CppFeatures>,
    #[prost(message, optional, tag = "1001")]
    pub(super) java: Option<JavaFeatures>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct CppFeatures {
    #[prost(int32, optional, tag = "2")]
    pub(super) string_type: Option<i32>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct JavaFeatures {
    #[prost(int32, optional, tag = "2")]
    pub(super) utf8_validation: Option<i32>,
}
