//! The rules in their order: one row each. The ids and categories are those that `buf breaking` (configuration v2)
//! publishes; the sentences are ours.

use super::change::{Change, FieldPair, MethodPair, Pair};
use super::files::FileOption;
use super::report::Report;
use super::{defaults, deleted, enums, fields, files, messages, services, strings, types};
use crate::compat::Category::{self, File, Package, Wire, WireJson};
use crate::schema;

/// A rule of plain Protobuf.
#[derive(Debug)]
pub struct Rule {
    /// Its id: "FIELD_NO_DELETE".
    pub id: &'static str,
    /// The categories that it belongs to.
    pub categories: &'static [Category],
    /// What it sees to: one sentence, lowercase, without a full stop.
    pub purpose: &'static str,
    pub(super) check: Check,
}

/// What a rule looks at, and how.
#[derive(Debug)]
pub(super) enum Check {
    /// Everything: for what is in one tree only.
    Tree(fn(&Change, &mut Report)),
    File(fn(&Pair<schema::File>, &mut Report)),
    FileOption(FileOption),
    Message(fn(&Change, &Pair<schema::Message>, &mut Report)),
    Field(fn(&Change, &FieldPair, &mut Report)),
    Enum(fn(&Pair<schema::Enum>, &mut Report)),
    Service(fn(&Pair<schema::Service>, &mut Report)),
    Method(fn(&MethodPair, &mut Report)),
}

const FILE: &[Category] = &[File];
const PACKAGE: &[Category] = &[Package];
const SOURCE: &[Category] = &[File, Package];
const JSON: &[Category] = &[WireJson];
const BINARY: &[Category] = &[Wire];
const ENCODED: &[Category] = &[WireJson, Wire];
const ALL_BUT_WIRE: &[Category] = &[File, Package, WireJson];
const ALL: &[Category] = &[File, Package, WireJson, Wire];

const fn rule(
    id: &'static str,
    categories: &'static [Category],
    purpose: &'static str,
    check: Check,
) -> Rule {
    Rule { id, categories, purpose, check }
}

/// A rule about a file's option: its tag in `FileOptions`, its name, and its value as it is written.
const fn option(
    id: &'static str,
    purpose: &'static str,
    tag: i32,
    name: &'static str,
    value: fn(&schema::FileOptions) -> String,
) -> Rule {
    rule(id, SOURCE, purpose, Check::FileOption(FileOption { tag, name, value }))
}

/// All rules.
pub static RULES: &[Rule] = &[
    rule("FILE_NO_DELETE", FILE, "a file stays", Check::Tree(deleted::files)),
    rule("PACKAGE_NO_DELETE", PACKAGE, "a package stays", Check::Tree(deleted::packages)),
    rule("MESSAGE_NO_DELETE", FILE, "a message stays in its file", Check::Tree(deleted::messages_of_files)),
    rule("ENUM_NO_DELETE", FILE, "an enum stays in its file", Check::Tree(deleted::enums_of_files)),
    rule(
        "EXTENSION_NO_DELETE",
        FILE,
        "an extension stays in its file",
        Check::Tree(deleted::extensions_of_files),
    ),
    rule("SERVICE_NO_DELETE", FILE, "a service stays in its file", Check::Tree(deleted::services_of_files)),
    rule(
        "PACKAGE_MESSAGE_NO_DELETE",
        PACKAGE,
        "a message stays in its package",
        Check::Tree(deleted::messages_of_packages),
    ),
    rule(
        "PACKAGE_ENUM_NO_DELETE",
        PACKAGE,
        "an enum stays in its package",
        Check::Tree(deleted::enums_of_packages),
    ),
    rule(
        "PACKAGE_EXTENSION_NO_DELETE",
        PACKAGE,
        "an extension stays in its package",
        Check::Tree(deleted::extensions_of_packages),
    ),
    rule(
        "PACKAGE_SERVICE_NO_DELETE",
        PACKAGE,
        "a service stays in its package",
        Check::Tree(deleted::services_of_packages),
    ),
    rule("FILE_SAME_PACKAGE", ALL, "a file keeps its package", Check::File(files::same_package)),
    rule(
        "FILE_SAME_SYNTAX",
        SOURCE,
        "a file keeps its syntax, or stays in editions",
        Check::File(files::same_syntax),
    ),
    option(
        "FILE_SAME_CC_ENABLE_ARENAS",
        "C++ code goes on to use arenas, or not",
        31,
        "cc_enable_arenas",
        |of| of.cc_enable_arenas().to_string(),
    ),
    option(
        "FILE_SAME_CC_GENERIC_SERVICES",
        "C++ code keeps its service classes",
        16,
        "cc_generic_services",
        |of| of.cc_generic_services().to_string(),
    ),
    option("FILE_SAME_CSHARP_NAMESPACE", "C# code keeps its namespace", 37, "csharp_namespace", |of| {
        of.csharp_namespace().to_owned()
    }),
    option("FILE_SAME_GO_PACKAGE", "Go code keeps its package", 11, "go_package", |of| {
        of.go_package().to_owned()
    }),
    option(
        "FILE_SAME_JAVA_GENERIC_SERVICES",
        "Java code keeps its service classes",
        17,
        "java_generic_services",
        |of| of.java_generic_services().to_string(),
    ),
    option("FILE_SAME_JAVA_MULTIPLE_FILES", "Java code keeps its files", 10, "java_multiple_files", |of| {
        of.java_multiple_files().to_string()
    }),
    option(
        "FILE_SAME_JAVA_OUTER_CLASSNAME",
        "Java code keeps its outer class",
        8,
        "java_outer_classname",
        |of| of.java_outer_classname().to_owned(),
    ),
    option("FILE_SAME_JAVA_PACKAGE", "Java code keeps its package", 1, "java_package", |of| {
        of.java_package().to_owned()
    }),
    option(
        "FILE_SAME_OBJC_CLASS_PREFIX",
        "Objective-C code keeps its class prefix",
        36,
        "objc_class_prefix",
        |of| of.objc_class_prefix().to_owned(),
    ),
    option(
        "FILE_SAME_OPTIMIZE_FOR",
        "code goes on to be made for speed, for size, or light",
        9,
        "optimize_for",
        |of| files::speed(of.optimize_for()),
    ),
    option("FILE_SAME_PHP_CLASS_PREFIX", "PHP code keeps its class prefix", 40, "php_class_prefix", |of| {
        of.php_class_prefix().to_owned()
    }),
    option(
        "FILE_SAME_PHP_METADATA_NAMESPACE",
        "PHP code keeps its namespace of metadata",
        44,
        "php_metadata_namespace",
        |of| of.php_metadata_namespace().to_owned(),
    ),
    option("FILE_SAME_PHP_NAMESPACE", "PHP code keeps its namespace", 41, "php_namespace", |of| {
        of.php_namespace().to_owned()
    }),
    option(
        "FILE_SAME_PY_GENERIC_SERVICES",
        "Python code keeps its service classes",
        18,
        "py_generic_services",
        |of| of.py_generic_services().to_string(),
    ),
    option("FILE_SAME_RUBY_PACKAGE", "Ruby code keeps its package", 45, "ruby_package", |of| {
        of.ruby_package().to_owned()
    }),
    option("FILE_SAME_SWIFT_PREFIX", "Swift code keeps its prefix", 39, "swift_prefix", |of| {
        of.swift_prefix().to_owned()
    }),
    rule(
        "EXTENSION_MESSAGE_NO_DELETE",
        SOURCE,
        "the numbers that a message leaves to extensions stay theirs",
        Check::Message(messages::extension_ranges),
    ),
    rule("FIELD_NO_DELETE", SOURCE, "a field stays in its message", Check::Message(messages::fields)),
    rule(
        "FIELD_NO_DELETE_UNLESS_NAME_RESERVED",
        JSON,
        "a field that goes leaves its name reserved",
        Check::Message(messages::field_names),
    ),
    rule(
        "FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED",
        ENCODED,
        "a field that goes leaves its number reserved",
        Check::Message(messages::field_numbers),
    ),
    rule(
        "MESSAGE_NO_REMOVE_STANDARD_DESCRIPTOR_ACCESSOR",
        SOURCE,
        "a message keeps its accessor named descriptor",
        Check::Message(messages::descriptor_accessor),
    ),
    rule(
        "MESSAGE_SAME_JSON_FORMAT",
        ALL_BUT_WIRE,
        "a message whose JSON is promised keeps that",
        Check::Message(messages::json_format),
    ),
    rule(
        "MESSAGE_SAME_REQUIRED_FIELDS",
        ALL,
        "no required field comes or goes",
        Check::Message(messages::required_fields),
    ),
    rule("ONEOF_NO_DELETE", SOURCE, "a oneof stays in its message", Check::Message(messages::oneofs)),
    rule(
        "RESERVED_MESSAGE_NO_DELETE",
        ALL,
        "what a message reserves stays reserved",
        Check::Message(messages::reserved),
    ),
    rule(
        "FIELD_SAME_CARDINALITY",
        SOURCE,
        "a field is there as often as before, and knows as before whether it was set",
        Check::Field(types::same_cardinality),
    ),
    rule(
        "FIELD_SAME_CPP_STRING_TYPE",
        SOURCE,
        "a string or bytes field keeps its type in C++",
        Check::Field(strings::cpp_string_type),
    ),
    rule("FIELD_SAME_DEFAULT", ALL, "a field keeps its default value", Check::Field(defaults::same_default)),
    rule(
        "FIELD_SAME_JAVA_UTF8_VALIDATION",
        SOURCE,
        "Java checks a string as before",
        Check::Field(strings::java_utf8_validation),
    ),
    rule(
        "FIELD_SAME_JSON_NAME",
        ALL_BUT_WIRE,
        "a field keeps its name in JSON",
        Check::Field(fields::same_json_name),
    ),
    rule(
        "FIELD_SAME_JSTYPE",
        SOURCE,
        "a number of 64 bits keeps its type in JavaScript",
        Check::Field(fields::same_jstype),
    ),
    rule("FIELD_SAME_NAME", ALL_BUT_WIRE, "a field keeps its name", Check::Field(fields::same_name)),
    rule(
        "FIELD_SAME_ONEOF",
        ALL,
        "a field stays in its oneof, or outside of any",
        Check::Field(fields::same_oneof),
    ),
    rule("FIELD_SAME_TYPE", SOURCE, "a field keeps its type", Check::Field(types::same_type)),
    rule(
        "FIELD_SAME_UTF8_VALIDATION",
        SOURCE,
        "a string is checked as before",
        Check::Field(strings::utf8_validation),
    ),
    rule(
        "FIELD_WIRE_COMPATIBLE_CARDINALITY",
        BINARY,
        "the bytes of a field mean as many values as before",
        Check::Field(types::wire_cardinality),
    ),
    rule(
        "FIELD_WIRE_COMPATIBLE_TYPE",
        BINARY,
        "the bytes of a field mean the same value",
        Check::Field(types::wire_type),
    ),
    rule(
        "FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY",
        JSON,
        "the bytes and the JSON of a field mean as many values as before",
        Check::Field(types::wire_json_cardinality),
    ),
    rule(
        "FIELD_WIRE_JSON_COMPATIBLE_TYPE",
        JSON,
        "the bytes and the JSON of a field mean the same value",
        Check::Field(types::wire_json_type),
    ),
    rule(
        "ENUM_SAME_JSON_FORMAT",
        ALL_BUT_WIRE,
        "an enum whose JSON is promised keeps that",
        Check::Enum(enums::json_format),
    ),
    rule("ENUM_SAME_TYPE", SOURCE, "an enum stays open or closed", Check::Enum(enums::same_type)),
    rule("ENUM_VALUE_NO_DELETE", SOURCE, "a value stays in its enum", Check::Enum(enums::values)),
    rule(
        "ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED",
        JSON,
        "a value that goes leaves its names reserved",
        Check::Enum(enums::value_names),
    ),
    rule(
        "ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED",
        ENCODED,
        "a value that goes leaves its number reserved",
        Check::Enum(enums::value_numbers),
    ),
    rule("ENUM_VALUE_SAME_NAME", ALL_BUT_WIRE, "a value keeps its names", Check::Enum(enums::same_names)),
    rule(
        "RESERVED_ENUM_NO_DELETE",
        ALL,
        "what an enum reserves stays reserved",
        Check::Enum(enums::reserved),
    ),
    rule("RPC_NO_DELETE", SOURCE, "an RPC stays in its service", Check::Service(services::rpcs)),
    rule(
        "RPC_SAME_CLIENT_STREAMING",
        ALL,
        "a caller goes on to send one message, or a stream",
        Check::Method(services::client_streaming),
    ),
    rule(
        "RPC_SAME_IDEMPOTENCY_LEVEL",
        ALL,
        "an RPC may be repeated as before",
        Check::Method(services::idempotency_level),
    ),
    rule("RPC_SAME_REQUEST_TYPE", ALL, "an RPC keeps its request", Check::Method(services::request_type)),
    rule("RPC_SAME_RESPONSE_TYPE", ALL, "an RPC keeps its response", Check::Method(services::response_type)),
    rule(
        "RPC_SAME_SERVER_STREAMING",
        ALL,
        "a server goes on to send one message, or a stream",
        Check::Method(services::server_streaming),
    ),
];
