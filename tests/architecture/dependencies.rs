//! What the build may be made of: how many crates, which never, which not below a version.

use std::collections::BTreeSet;

use cargo_metadata::semver::Version;

use crate::{WORKSPACE, assert_none, cargo};

/// The default build stays lean: this many crates at most, ours included.
const MOST_CRATES: usize = 300;

/// Crates that are unmaintained or unsound, by their RustSec entry.
const BANNED: &[(&str, &str)] = &[
    ("ansi_term", "RUSTSEC-2021-0139, unmaintained"),
    ("async-std", "RUSTSEC-2025-0052, discontinued"),
    ("atty", "RUSTSEC-2024-0375, unmaintained"),
    ("backoff", "RUSTSEC-2025-0012, unmaintained; ours of that name is backon"),
    ("bincode", "RUSTSEC-2025-0141, unmaintained"),
    ("derivative", "RUSTSEC-2024-0388, unmaintained"),
    ("dotenv", "RUSTSEC-2021-0141, unmaintained"),
    ("fxhash", "RUSTSEC-2025-0057, unmaintained"),
    ("instant", "RUSTSEC-2024-0384, unmaintained"),
    ("number_prefix", "RUSTSEC-2025-0119, unmaintained"),
    ("paste", "RUSTSEC-2024-0436, unmaintained"),
    ("proc-macro-error", "RUSTSEC-2024-0370, unmaintained"),
    ("rustls-pemfile", "RUSTSEC-2025-0134, unmaintained"),
    ("serde_yml", "RUSTSEC-2025-0068, unsound and unmaintained"),
    ("yaml-rust", "RUSTSEC-2024-0320, unmaintained"),
];

/// The first versions without a known hole.
const LEAST: &[(&str, Version)] =
    &[("h2", Version::new(0, 4, 20)), ("rustls-webpki", Version::new(0, 103, 13))];

/// A locked crate.
type Locked = (String, Version);

/// Crates that must not be, and versions that must not be any more.
fn refused(locked: &[Locked]) -> Vec<String> {
    let mut violations = Vec::new();
    for (name, version) in locked {
        if let Some((_, why)) = BANNED.iter().find(|(banned, _)| banned == name) {
            violations.push(format!("{name} {version}: {why}"));
        }
        if let Some((_, least)) = LEAST.iter().find(|(bounded, least)| bounded == name && version < least) {
            violations.push(format!("{name} {version}: at least {least}"));
        }
    }
    violations
}

/// The crates in what `cargo tree --prefix none` prints: a name and a version begin each line.
fn crates(tree: &str) -> BTreeSet<&str> {
    let lines = tree.lines().map(|line| line.trim_end_matches(" (*)").trim_end_matches(" (proc-macro)"));
    lines.filter(|line| !line.is_empty()).collect()
}

#[test]
fn no_dependency_has_an_open_advisory() {
    let locked: Vec<Locked> = WORKSPACE
        .packages
        .iter()
        .map(|package| (package.name.to_string(), package.version.clone()))
        .collect();
    assert!(locked.iter().any(|(name, _)| name == "h2"), "the lock file is read");
    assert_none(&refused(&locked));
}

#[test]
fn the_default_build_is_lean() {
    let tree =
        cargo(&["tree", "--locked", "--package", "freehold", "--edges", "normal,build", "--prefix", "none"]);
    let count = crates(&tree).len();
    println!("the default build has {count} crates");
    assert!(count <= MOST_CRATES, "{count} crates, {MOST_CRATES} at most");
}

#[test]
fn a_banned_crate_and_an_old_version_are_found() {
    let locked = [("paste", "1.0.15"), ("h2", "0.4.19"), ("h2", "0.4.20"), ("backon", "1.6.0")]
        .map(|(name, version)| (name.to_owned(), Version::parse(version).unwrap()));
    assert_eq!(
        refused(&locked),
        ["paste 1.0.15: RUSTSEC-2024-0436, unmaintained", "h2 0.4.19: at least 0.4.20"]
    );
}

#[test]
fn a_crate_is_counted_once_and_each_version_of_it() {
    let tree = "a v1.0.0\nb v2.0.0 (proc-macro)\nb v2.0.0 (proc-macro) (*)\na v1.0.0 (*)\na v2.0.0\n\n";
    assert_eq!(crates(tree), ["a v1.0.0", "a v2.0.0", "b v2.0.0"].into());
}
