//! Descriptors as they are encoded, as far down as an edition changes what a field or an enum means.
//!
//! What lies deeper, options above all, stays as bytes: decoding and encoding it would lose custom options. A message may
//! be encoded in several parts, which count together, so options are lists of parts.

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct FileSet {
    #[prost(message, repeated, tag = "1")]
    pub(super) file: Vec<File>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct File {
    #[prost(string, optional, tag = "1")]
    pub(super) name: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(super) package: Option<String>,
    #[prost(string, repeated, tag = "3")]
    pub(super) dependency: Vec<String>,
    #[prost(message, repeated, tag = "4")]
    pub(super) message_type: Vec<Message>,
    #[prost(message, repeated, tag = "5")]
    pub(super) enum_type: Vec<Enum>,
    #[prost(bytes = "vec", repeated, tag = "6")]
    service: Vec<Vec<u8>>,
    #[prost(message, repeated, tag = "7")]
    pub(super) extension: Vec<Field>,
    #[prost(bytes = "vec", repeated, tag = "8")]
    options: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "9")]
    source_code_info: Vec<Vec<u8>>,
    #[prost(int32, repeated, packed = "false", tag = "10")]
    public_dependency: Vec<i32>,
    #[prost(int32, repeated, packed = "false", tag = "11")]
    weak_dependency: Vec<i32>,
    #[prost(string, optional, tag = "12")]
    pub(super) syntax: Option<String>,
    #[prost(int32, optional, tag = "14")]
    pub(super) edition: Option<i32>,
    /// What only options are taken from, since edition 2024.
    #[prost(string, repeated, tag = "15")]
    pub(super) option_dependency: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Message {
    #[prost(string, optional, tag = "1")]
    pub(super) name: Option<String>,
    #[prost(message, repeated, tag = "2")]
    pub(super) field: Vec<Field>,
    #[prost(message, repeated, tag = "3")]
    pub(super) nested_type: Vec<Message>,
    #[prost(message, repeated, tag = "4")]
    pub(super) enum_type: Vec<Enum>,
    #[prost(bytes = "vec", repeated, tag = "5")]
    extension_range: Vec<Vec<u8>>,
    #[prost(message, repeated, tag = "6")]
    pub(super) extension: Vec<Field>,
    #[prost(bytes = "vec", repeated, tag = "7")]
    options: Vec<Vec<u8>>,
    #[prost(message, repeated, tag = "8")]
    pub(super) oneof_decl: Vec<Oneof>,
    #[prost(bytes = "vec", repeated, tag = "9")]
    reserved_range: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "10")]
    reserved_name: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Field {
    #[prost(string, optional, tag = "1")]
    pub(super) name: Option<String>,
    #[prost(string, optional, tag = "2")]
    extendee: Option<String>,
    #[prost(int32, optional, tag = "3")]
    number: Option<i32>,
    #[prost(int32, optional, tag = "4")]
    pub(super) label: Option<i32>,
    #[prost(int32, optional, tag = "5")]
    pub(super) r#type: Option<i32>,
    #[prost(string, optional, tag = "6")]
    type_name: Option<String>,
    #[prost(string, optional, tag = "7")]
    default_value: Option<String>,
    #[prost(bytes = "vec", repeated, tag = "8")]
    pub(super) options: Vec<Vec<u8>>,
    #[prost(int32, optional, tag = "9")]
    pub(super) oneof_index: Option<i32>,
    #[prost(string, optional, tag = "10")]
    json_name: Option<String>,
    #[prost(bool, optional, tag = "17")]
    pub(super) proto3_optional: Option<bool>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Oneof {
    #[prost(string, optional, tag = "1")]
    pub(super) name: Option<String>,
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub(super) options: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Enum {
    #[prost(string, optional, tag = "1")]
    pub(super) name: Option<String>,
    #[prost(bytes = "vec", repeated, tag = "2")]
    value: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "3")]
    pub(super) options: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "4")]
    reserved_range: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "5")]
    reserved_name: Vec<Vec<u8>>,
}

impl Field {
    /// Says more in its options.
    pub(super) fn say(&mut self, options: &impl prost::Message) {
        self.options.push(options.encode_to_vec());
    }
}

impl Enum {
    /// Says more in its options.
    pub(super) fn say(&mut self, options: &impl prost::Message) {
        self.options.push(options.encode_to_vec());
    }
}
