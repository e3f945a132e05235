//! Changes that tree/ has no room for: types that hold each other, maps, another package, proto2. The texts of each are
//! written beside the test; desk calls Ask.
//!
//! **Invariant:** as everywhere here, a change that fires has a twin that is silent.

use freehold_contract::Sources;
use freehold_contract::compat::{Baseline, Contract, Life, mesh};

use crate::{baseline, compiled, line};

/// These types, with a method that sends AskRequest and receives AskReply, and who calls it; beside them more files.
fn contract(syntax: &str, types: &str, more: &[(&str, &str)]) -> Contract {
    let imports: String = more.iter().map(|(path, _)| format!("import \"{path}\";\n")).collect();
    let book = format!(
        "syntax = \"{syntax}\";\npackage book.v1;\nimport \"freehold/v1/contract.proto\";\n{imports}\
         option (freehold.v1.owner) = \"book\";\n\
         service BookService {{\n  rpc Ask(AskRequest) returns (AskReply) {{\n    \
         option idempotency_level = NO_SIDE_EFFECTS;\n  }}\n}}\n{types}\n"
    );
    let desk = "syntax = \"proto3\";\npackage desk.v1;\nimport \"freehold/v1/contract.proto\";\n\
                option (freehold.v1.consumer) = \"desk\";\n\
                option (freehold.v1.calls) = { method: \"book.v1.BookService/Ask\" };\n";
    let files = [("book/v1/book.proto", book.as_str()), ("desk/v1/needs.proto", desk)];
    let files = files.iter().chain(more);
    compiled(files.map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect::<Sources>())
}

fn told(before: Contract, after: &Contract) -> Vec<String> {
    mesh(&[baseline("main", before, Life::Live)], after).findings.iter().map(line).collect()
}

/// What is told of a change of the types of a proto3 file.
fn types(before: &str, after: &str) -> Vec<String> {
    told(contract("proto3", before, &[]), &contract("proto3", after, &[]))
}

fn proto2(before: &str, after: &str) -> Vec<String> {
    told(contract("proto2", before, &[]), &contract("proto2", after, &[]))
}

fn reply(fields: &str) -> String {
    format!("message AskRequest {{}}\nmessage AskReply {{\n  {fields}\n}}\n")
}

fn request(fields: &str) -> String {
    format!("message AskReply {{}}\nmessage AskRequest {{\n  {fields}\n}}\n")
}

const LIMIT: &str = "(freehold.v1.field)";

#[test]
fn two_limits_of_one_field_are_two_findings() {
    let limits = |min, max| request(&format!("int32 at = 1 [{LIMIT}.min = {min}, {LIMIT}.max = {max}];"));
    assert_eq!(types(&limits(1, 9), &limits(2, 8)), ["FH3302 Error desk=broken"; 2]);
    assert_eq!(types(&limits(1, 9), &limits(1, 8)), ["FH3302 Error desk=broken"]);
}

#[test]
fn a_request_and_a_reply_of_one_method_are_two_findings() {
    let method = "rpc Ask(AskRequest) returns (AskReply)";
    let text = "message AskRequest { string id = 1; }\nmessage AskReply { string id = 1; }\n\
                message Other { int32 at = 1; }\nmessage More { int32 at = 1; }\nservice Second {\n";
    let with = |method: &str| {
        let body = "{ option idempotency_level = NO_SIDE_EFFECTS; }\n}\n";
        let text = format!("{text}{method} {body}");
        contract("proto3", &text, &[])
    };
    assert_eq!(told(with(method), &with("rpc Ask(Other) returns (More)")), ["FH3207 Note"; 2]);
    assert_eq!(
        told(with(method), &with("rpc Ask(stream AskRequest) returns (stream AskReply)")),
        ["FH3208 Note"; 2]
    );
}

/// The baseline that comes first may hit desk; the second breaks it.
#[test]
fn a_consumer_has_the_greater_verdict_of_two_baselines() {
    let at = |kind: &str| contract("proto3", &reply(&format!("{kind} at = 1;")), &[]);
    let live = |name: &str, kind: &str| baseline(name, at(kind), Life::Live);
    let verdicts = |baselines: &[Baseline]| {
        mesh(baselines, &at("uint32")).findings.iter().map(line).collect::<Vec<String>>()
    };
    assert_eq!(verdicts(&[live("a", "int32")]), ["FH3201 Warning desk=potentially affected"]);
    assert_eq!(verdicts(&[live("b", "string")]), ["FH3201 Error desk=broken"]);
    let both = [live("a", "int32"), live("b", "string")];
    assert_eq!(verdicts(&both), ["FH3201 Error desk=broken"]);
    let report = mesh(&both, &at("uint32"));
    assert!(report.findings[0].message.contains("from `string`"), "the worst is told: {report:?}");
}

/// K3. By JSON every key is a text, so only what it says counts.
#[test]
fn fh3201_a_map_of_another_key_is_another_type() {
    let map = |key: &str| reply(&format!("map<{key}, string> names = 1;"));
    assert_eq!(types(&map("int32"), &map("string")), ["FH3201 Error desk=broken"]);
    assert_eq!(types(&map("int32"), &map("sint32")), ["FH3201 Error desk=broken"]);
    assert_eq!(types(&map("int32"), &map("int64")), ["FH3201 Warning desk=potentially affected"]);
    assert_eq!(types(&map("int32"), &map("bool")), ["FH3201 Error desk=broken"]);
    assert_eq!(types(&map("int32"), &map("int32")), [""; 0]);
    let map = |key: &str| request(&format!("map<{key}, string> names = 1;"));
    assert_eq!(types(&map("int32"), &map("int64")), ["FH3201 Note"], "the owner reads all that is sent");
}

/// K3.
#[test]
fn fh3205_a_rename_does_not_hide_that_optional_is_dropped() {
    let renamed = |label: &str, name: &str| reply(&format!("{label}int32 {name} = 1 [json_name = \"at\"];"));
    assert_eq!(
        types(&renamed("optional ", "at"), &renamed("", "place")),
        ["FH3204 Note", "FH3205 Error desk=broken"]
    );
    assert_eq!(types(&renamed("", "at"), &renamed("", "place")), ["FH3204 Note"]);
}

/// K3. What is tied to what is the same, by wire and by JSON.
#[test]
fn fh3203_a_oneof_of_another_name_and_the_same_members_is_silent() {
    let choice =
        |name: &str, more: &str| reply(&format!("oneof {name} {{ string a = 1; string b = 2; {more} }}"));
    assert_eq!(types(&choice("by", ""), &choice("chosen", "")), [""; 0]);
    let added = types(&choice("by", ""), &choice("chosen", "string c = 3;"));
    assert_eq!(added, ["FH3305 Error desk=broken"], "a new member is met under any name");
    let apart = "oneof by { string a = 1; string b = 2; }\n oneof other { string c = 3; string d = 4; }";
    let crossed = "oneof by { string a = 1; string c = 3; }\n oneof other { string b = 2; string d = 4; }";
    assert_eq!(types(&reply(apart), &reply(crossed)), ["FH3203 Error desk=broken"; 2]);
}

/// K15. `Edge` holds `Node` and differs by that alone, so it must not be taken for the same.
#[test]
fn fh3201_types_that_hold_each_other_are_told_apart_wherever_they_differ() {
    let text = |mark: &str, label: &str| {
        let holders = reply(&format!("Node{mark} node = 1;\n  Edge{mark} edge = 2;"));
        format!(
            "{holders}message Node{mark} {{\n  Edge{mark} edge = 1;\n  {label} label = 2;\n}}\n\
             message Edge{mark} {{\n  Node{mark} node = 1;\n}}\n"
        )
    };
    let told = types(&text("", "string"), &text("2", "int32"));
    assert_eq!(told.iter().filter(|line| *line == "FH3201 Error desk=broken").count(), 2, "{told:?}");
    assert_eq!(types(&text("", "string"), &text("2", "string")), [""; 0]);
}

/// K15. Currency is held by what moves with it alone.
#[test]
fn fh3001_a_package_whose_types_were_all_moved_is_silent() {
    let common = |package: &str, cents: &str| {
        format!(
            "syntax = \"proto3\";\npackage {package}.v1;\n\
             message Money {{\n  {cents} cents = 1;\n  Currency currency = 2;\n  map<string, Tag> tags = 3;\n  \
             message Tag {{ string text = 1; }}\n}}\n\
             message Currency {{\n  string name = 1;\n  Money rate = 2;\n}}\n"
        )
    };
    let state = |package: &str, cents: &str| {
        let path = format!("{package}/v1/common.proto");
        let types = reply(&format!("{package}.v1.Money price = 1;"));
        contract("proto3", &types, &[(&path, &common(package, cents))])
    };
    assert_eq!(told(state("common", "int32"), &state("base", "int32")), [""; 0]);
    let found = told(state("common", "int32"), &state("base", "string"));
    assert_eq!(found, ["FH3201 Error desk=broken", "FH3001 Error desk=broken"]);
}

/// K3. Only proto2 can say it.
#[test]
fn fh3205_a_required_field_is_judged_in_the_direction_in_which_it_is_refused() {
    let sent = |label: &str| request(&format!("{label} string id = 1;"));
    assert_eq!(proto2(&sent("optional"), &sent("required")), ["FH3205 Error desk=broken"]);
    assert_eq!(proto2(&sent("required"), &sent("optional")), ["FH3205 Note"]);
    let received = |label: &str| reply(&format!("{label} string id = 1;"));
    assert_eq!(proto2(&received("optional"), &received("required")), ["FH3205 Note"]);
    assert_eq!(proto2(&received("required"), &received("optional")), ["FH3205 Error desk=broken"]);
}

/// K3.
#[test]
fn fh3206_another_default_means_another_value_on_each_side() {
    let text = |default: &str| reply(&format!("optional int32 at = 1 {default};"));
    assert_eq!(proto2(&text("[default = 1]"), &text("[default = 2]")), ["FH3206 Error desk=broken"]);
    assert_eq!(proto2(&text("[default = 1]"), &text("")), ["FH3206 Error desk=broken"]);
    assert_eq!(proto2(&text("[default = 1]"), &text("[default = 1]")), [""; 0]);
}

/// K3.
#[test]
fn fh3209_an_enum_that_closes_or_opens_may_drop_values() {
    let text = |syntax: &str| {
        let label = if syntax == "proto2" { "optional " } else { "" };
        let common = format!(
            "syntax = \"{syntax}\";\npackage common.v1;\nenum State {{\n  STATE_UNSPECIFIED = 0;\n}}\n\
             message Held {{ {label}State state = 1; }}\n"
        );
        let types = reply("common.v1.Held held = 1;");
        contract("proto3", &types, &[("common/v1/common.proto", &common)])
    };
    let found = told(text("proto3"), &text("proto2"));
    assert!(found.contains(&"FH3209 Warning desk=potentially affected".to_owned()), "{found:?}");
    let found = told(text("proto2"), &text("proto3"));
    assert!(found.contains(&"FH3209 Warning desk=potentially affected".to_owned()), "{found:?}");
    assert_eq!(told(text("proto2"), &text("proto2")), [""; 0]);
}
