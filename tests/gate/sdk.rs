//! What becomes of the SDK: said where it is asked for, in text and as JSON, and never what the command ends with.

use crate::repository::Repository;

/// Nobody's needs name it, so the mesh only warns; Rust code may.
const NOBODYS: &str =
    "  // When the user registered, in milliseconds since 1970 UTC.\n  int64 registered_ms = 6;\n";
const USERS: &str = "proto/users/v1/users.proto";
const GONE: &str = "      method freehold_sdk::users::v1::User::with_registered_ms is gone\n";

#[test]
fn a_field_that_rust_code_may_name_is_a_major_step_of_the_sdk_and_no_error() {
    let repository = Repository::of_this_project();
    repository.edit(USERS, NOBODYS, "");
    let ended = repository.run(&["compat", "--against", "main", "--sdk"]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    for said in [
        "the SDK since main: major",
        "  breaks callers, mocks, servers:\n",
        "    users.v1.User.registered_ms\n",
        GONE,
    ] {
        assert!(ended.out.contains(said), "{said} in\n{}", ended.out);
    }
    let silent = repository.run(&["compat", "--against", "main"]);
    assert!(!silent.out.contains("the SDK"), "{}", silent.out);
}

/// Planted: a SARIF log with the section behind it.
#[test]
fn programs_read_the_step_in_an_object_of_its_own() {
    let repository = Repository::of_this_project();
    repository.edit(USERS, NOBODYS, "");
    let ended = repository.run(&["compat", "--against", "main", "--sdk", "--error-format", "json"]);
    let objects = ended.findings();
    let sdk = &objects.last().unwrap()["sdk"];
    assert_eq!((&sdk["baseline"], &sdk["step"]), (&"main".into(), &"major".into()), "{ended:#?}");

    let ended = repository.run(&["compat", "--against", "main", "--sdk", "--error-format", "sarif"]);
    assert!(!ended.out.contains(GONE) && ended.err.contains(GONE), "{ended:#?}");
}

#[test]
fn contracts_that_did_not_change_need_no_step() {
    let repository = Repository::of_this_project();
    let ended = repository.run(&["compat", "--against", "main", "--sdk"]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), "the SDK since main: no step, nothing changes\n"));
}
