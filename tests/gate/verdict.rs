//! What a branch breaks, and whom: the journeys that the gate is for.

use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto};

use crate::repository::Repository;

const CATALOG: &str = "proto/catalog/v1/catalog.proto";
/// Orders keeps a copy of it.
const NAME: &str = "  // The name that orders show.\n  string name = 2;\n";
/// No view and no replica names it.
const NOBODYS: &str =
    "  // When the user registered, in milliseconds since 1970 UTC.\n  int64 registered_ms = 6;\n";

#[test]
fn a_field_that_orders_copies_is_told_with_orders_its_contact_and_the_way_out() {
    let repository = Repository::of_this_project();
    repository.edit(CATALOG, NAME, "  reserved 2;\n  reserved \"name\";\n");
    let ended = repository.run(&["compat", "--against", "main"]);
    assert_eq!(ended.code, Some(12), "{ended:#?}");
    for said in [
        "error[FH3007]: ",
        "catalog/v1/catalog.proto:",
        "string name = 2;",
        "^^^",
        "orders/v1/needs.proto:",
        "broken: orders (#orders)",
        "= help: ",
        "\nbroken: ",
    ] {
        assert!(ended.out.contains(said), "{said} in\n{}", ended.out);
    }
    assert!(ended.err.starts_with("compared with main: "), "{}", ended.err);
}

#[test]
fn a_field_that_nobody_declares_is_a_warning() {
    let repository = Repository::of_this_project();
    repository.edit("proto/users/v1/users.proto", NOBODYS, "");
    let ended = repository.run(&["compat", "--against", "main"]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(ended.out.contains("warning[FH3007]: ") && !ended.out.contains("error["), "{}", ended.out);
}

#[test]
fn contracts_that_did_not_change_are_silent() {
    let repository = Repository::of_this_project();
    for against in ["main", "main:proto", "proto", "./proto", "HEAD"] {
        let ended = repository.run(&["compat", "--against", against]);
        assert_eq!((ended.code, ended.out.as_str()), (Some(0), ""), "{against}: {ended:#?}");
    }
}

#[test]
fn each_category_is_asked_by_its_name() {
    let repository = Repository::of_this_project();
    repository.edit(CATALOG, NAME, "");
    for (category, rule) in [
        ("FILE", "FIELD_NO_DELETE"),
        ("package", "FIELD_NO_DELETE"),
        ("WIRE_JSON", "FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED"),
        ("WIRE", "FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED"),
    ] {
        let ended = repository.run(&["compat", "--against", "main", "--category", category, "-o", "json"]);
        assert_eq!(ended.code, Some(12), "{category}: {ended:#?}");
        assert!(ended.findings().iter().any(|finding| finding["rule"] == rule), "{category}: {ended:#?}");
    }
    repository.edit(CATALOG, "  // The price now, in cents.\n", "  reserved 2;\n  reserved \"name\";\n");
    let ended = repository.run(&["compat", "--against", "main", "--category", "WIRE"]);
    assert_eq!(
        (ended.code, ended.out.as_str()),
        (Some(0), ""),
        "a reserved number is free to go: {ended:#?}"
    );
}

#[test]
fn either_side_may_be_a_descriptor_set() {
    let repository = Repository::of_this_project();
    assert_eq!(repository.run(&["release", "1.0.0"]).code, Some(0));
    let set = "contracts/released/1.0.0.binpb";
    repository.git(&["add", "-A"]);
    repository.commit();
    repository.edit(CATALOG, NAME, "");
    for against in [set, "HEAD:contracts/released/1.0.0.binpb"] {
        for category in [None, Some("FILE")] {
            let mut words = vec!["compat", "--against", against, "-o", "json"];
            words.extend(category.iter().flat_map(|category| ["--category", category]));
            let ended = repository.run(&words);
            assert_eq!(ended.code, Some(12), "{words:?}: {ended:#?}");
            let gone = |finding: &serde_json::Value| {
                finding["message"].as_str().unwrap().contains("name")
                    && finding["file"] == "catalog/v1/catalog.proto"
            };
            assert!(ended.findings().iter().any(gone), "{words:?}: {ended:#?}");
        }
    }
    let ended = repository.run(&["compat", "--against", "main", "--released", "none", set]);
    ended.refused("write `main:proto`");
    let ended = repository.run(&["compat", "--against", "main:proto", "--released", "none", set]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), ""), "{ended:#?}");
}

#[test]
fn without_a_baseline_the_latest_release_is_what_runs() {
    let repository = Repository::of_this_project();
    repository.run(&["compat"]).refused("there is nothing to compare with");
    assert_eq!(repository.run(&["release"]).code, Some(0));
    assert_eq!(repository.run(&["compat"]).err, "compared with 0.1.0: 0 errors, 0 warnings\n");
    repository.edit(CATALOG, NAME, "");
    assert_eq!(repository.run(&["compat"]).code, Some(12));
    let of_a_category = repository.run(&["compat", "--category", "FILE"]);
    assert_eq!(of_a_category.code, Some(12), "{of_a_category:#?}");
    assert!(of_a_category.err.starts_with("compared with 0.1.0: "));
}

/// Planted: releases that are not taken into account beside a named baseline.
#[test]
fn a_field_that_left_the_branch_and_was_released_is_missed_by_the_replicas_of_the_release() {
    let repository = Repository::of_this_project();
    assert_eq!(repository.run(&["release"]).code, Some(0));
    repository.edit(CATALOG, NAME, "");
    repository.commit();
    let ended = repository.run(&["compat", "--against", "HEAD"]);
    assert_eq!(ended.code, Some(12), "{ended:#?}");
    assert!(ended.out.contains("of 0.1.0") && ended.out.contains("orders (#orders)"), "{}", ended.out);
}

#[test]
fn contracts_that_do_not_compile_are_told_on_either_side_with_their_lines() {
    let repository = Repository::of_this_project();
    let (from, to) = ("import \"freehold/v1/contract.proto\";", "import \"freehold/v1/contract.prot\";");
    repository.edit("proto/payments/v1/payments.proto", from, to);
    repository.edit("proto/users/v1/users.proto", from, to);
    for words in
        [&["compat", "--against", "main"][..], &["compat", "--against", "main", "--category", "FILE"]]
    {
        let ended = repository.run(words);
        assert_eq!(ended.code, Some(10), "{ended:#?}");
        assert!(ended.out.contains("payments.proto:") && ended.out.contains("users.proto:"), "{}", ended.out);
    }
    repository.commit();
    repository.git(&["checkout", "-q", "main"]);
    let ended = repository.run(&["compat", "--against", "change"]);
    assert_eq!(ended.code, Some(10), "{ended:#?}");
    assert!(ended.out.contains(" of change\n") && ended.out.contains("contract.prot\";\n"), "{}", ended.out);
}

/// Planted: the variables of a hook are left to the git that is asked.
#[test]
fn the_folder_is_that_of_the_contracts_at_hand_wherever_the_command_is_started() {
    let repository = Repository::of_this_project();
    repository.edit(CATALOG, NAME, "");
    for (folder, words) in [
        ("proto", &["compat", "--against", "main", "."][..]),
        ("proto/catalog", &["compat", "--against", "main:proto", ".."]),
    ] {
        let ended = repository.run_in(folder, &[], words);
        assert_eq!(ended.code, Some(12), "{folder}: {ended:#?}");
    }
    // In a hook of git its variables are set, relative to the root.
    let hook =
        repository.run_in("", &[("GIT_DIR", ".git"), ("GIT_PREFIX", "")], &["compat", "--against", "main"]);
    assert_eq!(hook.code, Some(12), "{hook:#?}");
}

/// A set with one file of edition 2023 and one message, which has these fields.
fn edition_2023(fields: &[&str]) -> Vec<u8> {
    let field = |(name, number): (&&str, i32)| FieldDescriptorProto {
        name: Some((*name).to_owned()),
        number: Some(number),
        label: Some(Label::Optional.into()),
        r#type: Some(Type::String.into()),
        ..FieldDescriptorProto::default()
    };
    let message = DescriptorProto {
        name: Some("A".to_owned()),
        field: fields.iter().zip(1..).map(field).collect(),
        ..DescriptorProto::default()
    };
    let file = FileDescriptorProto {
        name: Some("a/v1/a.proto".to_owned()),
        package: Some("a.v1".to_owned()),
        syntax: Some("editions".to_owned()),
        message_type: vec![message],
        ..FileDescriptorProto::default()
    };
    let mut file = file.encode_to_vec();
    // `edition`, 14, which the generated message does not have: EDITION_2023 is 1000.
    file.extend([14 << 3, 0xe8, 0x07]);
    let mut set = vec![(1 << 3) | 2, u8::try_from(file.len()).unwrap()];
    set.extend(file);
    set
}

#[test]
fn a_descriptor_set_may_be_of_an_edition() {
    let repository = Repository::empty();
    repository.write("before.binpb", edition_2023(&["a", "b"]));
    repository.write("now.binpb", edition_2023(&["a"]));
    let words = ["compat", "--against", "before.binpb", "now.binpb", "--category", "FILE", "-o", "json"];
    let ended = repository.run(&words);
    assert_eq!(ended.code, Some(12), "{ended:#?}");
    assert_eq!(ended.findings()[0]["rule"], "FIELD_NO_DELETE", "{ended:#?}");
    let of_the_mesh = repository.run(&["compat", "--against", "before.binpb", "now.binpb"]);
    assert!(
        matches!(of_the_mesh.code, Some(0 | 2)) && !of_the_mesh.err.contains("panicked"),
        "{of_the_mesh:#?}"
    );
}
