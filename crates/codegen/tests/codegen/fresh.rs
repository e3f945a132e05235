//! Nothing that is generated and committed is stale, and nothing in its folders is left over from a contract that is gone.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{everything, root};

/// What `--check` says of a repository, and whether all is fresh.
fn check(root: &Path, layout: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_freehold-codegen"));
    let output = command.args(["gen", "--check", "--root"]).arg(root).args(layout).output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said)
}

const EVERYTHING: [&str; 4] = ["--sdk", "sdk/src/generated", "--needs", "reader=src/generated"];

#[test]
fn everything_generated_here_is_fresh() {
    let (fresh, said) = check(&root(), &[]);
    assert!(fresh, "run `cargo run -p freehold-codegen`:\n{said}");
}

#[test]
fn the_fixture_of_everything_is_fresh() {
    let (fresh, said) = check(&everything(), &EVERYTHING);
    let again = EVERYTHING.join(" ");
    assert!(
        fresh,
        "run `cargo run -p freehold-codegen -- --root tests/fixtures/everything {again}`:\n{said}"
    );
}

#[test]
fn what_is_stale_missing_or_left_over_is_listed_and_put_right() {
    let copy = tempfile::tempdir().unwrap();
    let root = copy.path();
    for (path, text) in crate::support::contracts(&everything().join("proto")) {
        let path = root.join("proto").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let generate = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_freehold-codegen"));
        assert!(command.arg("--root").arg(root).args(EVERYTHING).output().unwrap().status.success());
    };
    generate();
    assert!(check(root, &EVERYTHING).0);

    let folder = root.join("sdk/src/generated");
    fs::write(folder.join("mod.rs"), "// changed by hand\n").unwrap();
    fs::remove_file(folder.join("contract.rs")).unwrap();
    fs::write(folder.join("old.rs"), "").unwrap();
    let (fresh, said) = check(root, &EVERYTHING);
    assert!(!fresh);
    for line in [
        "stale   sdk/src/generated/mod.rs",
        "missing sdk/src/generated/contract.rs",
        "orphan  sdk/src/generated/old.rs",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    generate();
    assert!(check(root, &EVERYTHING).0);
}

#[test]
fn contracts_that_are_refused_change_nothing() {
    let copy = tempfile::tempdir().unwrap();
    let text = "syntax = \"proto3\"; package shop.v1; message A { Nothing a = 1; }";
    fs::create_dir_all(copy.path().join("proto/shop/v1")).unwrap();
    fs::write(copy.path().join("proto/shop/v1/shop.proto"), text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_freehold-codegen"));
    let output = command.arg("--root").arg(copy.path()).args(["--sdk", "sdk"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("shop/v1/shop.proto:1:"), "the line is shown: {said}");
    assert!(!copy.path().join("sdk").exists());
}
