//! `freehold release`: what was released once stays, and nothing that breaks it is released.

use std::fs;

use crate::repository::{Ended, Repository, root};

const CATALOG: &str = "proto/catalog/v1/catalog.proto";

fn succeeded(ended: &Ended, says: &str) {
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(ended.out.contains(says), "{ended:#?}");
}

#[test]
fn releases_follow_each_other_and_a_comment_makes_none() {
    let repository = Repository::of_this_project();
    succeeded(&repository.run(&["release"]), "contracts/released/0.1.0.binpb is written");
    repository.edit(CATALOG, "// Something that is sold.", "// What is sold.");
    succeeded(&repository.run(&["release"]), "0.1.0.binpb says the same");
    repository.edit(CATALOG, "  string category = 7;\n}", "  string category = 7;\n  string brand = 8;\n}");
    succeeded(&repository.run(&["release"]), "contracts/released/0.2.0.binpb is written");
    succeeded(&repository.run(&["release", "0.2.0"]), "0.2.0.binpb says the same");
    assert_eq!(fs::read_dir(repository.path("contracts/released")).unwrap().count(), 2);
}

#[test]
fn a_release_never_changes() {
    let repository = Repository::of_this_project();
    succeeded(&repository.run(&["release", "1.0.0"]), "1.0.0.binpb is written");
    let before = fs::read(repository.path("contracts/released/1.0.0.binpb")).unwrap();
    repository.edit(CATALOG, "  string category = 7;\n}", "  string category = 7;\n  string brand = 8;\n}");
    repository.run(&["release", "1.0.0"]).refused("1.0.0 is released already, and says something else");
    assert_eq!(fs::read(repository.path("contracts/released/1.0.0.binpb")).unwrap(), before);
    for version in ["1", "v1.1.0", "../1.1.0"] {
        let ended = repository.run(&["release", version]);
        assert_eq!(ended.code, Some(2), "{ended:#?}");
        assert!(ended.err.contains("is no version"), "{ended:#?}");
    }
}

/// Planted: a release whose verdict is not waited for.
#[test]
fn what_breaks_an_earlier_release_is_not_released() {
    let repository = Repository::of_this_project();
    succeeded(&repository.run(&["release"]), "0.1.0");
    // The tree stands without the value; the copies of 0.1.0 still hold it.
    let value =
        "  // It can no longer be ordered; old orders keep its name.\n  PRODUCT_STATE_DISCONTINUED = 2;\n";
    repository.edit(CATALOG, value, "");
    assert_eq!(repository.run(&["check"]).code, Some(0));
    let ended = repository.run(&["release"]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(12), ""), "{ended:#?}");
    assert!(ended.err.contains("error[FH3009]: ") && ended.err.contains("orders (#orders)"), "{}", ended.err);
    assert!(!repository.path("contracts/released/0.2.0.binpb").exists());
}

#[test]
fn contracts_that_do_not_stand_are_not_released() {
    let repository = Repository::of_this_project();
    repository.edit(CATALOG, "  string name = 2;\n  // The price now", "  // The price now");
    let ended = repository.run(&["release"]);
    assert_eq!(ended.code, Some(11), "{ended:#?}");
    assert!(!repository.path("contracts").exists());
}

#[test]
fn this_projects_contracts_are_released_and_break_no_release() {
    let here = Repository::empty();
    let proto = root().join("proto");
    let ended = here.run(&["compat", proto.to_str().unwrap()]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(ended.err.contains("0.1.0"), "{ended:#?}");
}
