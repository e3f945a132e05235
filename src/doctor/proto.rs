//! The contracts: whether those in `proto/` here are the ones that this command was built with.

use std::path::Path;

use freehold_contract::{Sources, load};

use crate::contracts;
use crate::doctor::verdict::Verdict;

const FOLDER: &str = "proto";

/// What is seen of the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    /// There is none.
    None,
    /// It cannot be read.
    Unreadable(String),
    /// This many findings keep it from compiling.
    Broken(usize),
    /// Its descriptors.
    Compiled(Vec<u8>),
}

/// Compiles the contracts of the working folder.
pub(crate) fn look() -> Seen {
    look_at(Path::new(FOLDER))
}

fn look_at(folder: &Path) -> Seen {
    if !folder.is_dir() {
        return Seen::None;
    }
    match contracts::read(folder) {
        Ok(sources) => compiled(&sources),
        Err(error) => Seen::Unreadable(error.to_string()),
    }
}

fn compiled(sources: &Sources) -> Seen {
    load(sources)
        .map_or_else(|findings| Seen::Broken(findings.len()), |model| Seen::Compiled(model.descriptors))
}

/// Whether what is called is what is written here.
pub(crate) fn check(seen: &Seen, embedded: &[u8]) -> Verdict {
    match seen {
        Seen::None => Verdict::ok("contracts", "those that this command was built with"),
        Seen::Compiled(descriptors) if descriptors == embedded => {
            Verdict::ok("contracts", "those in proto/, which this command was built with")
        }
        Seen::Compiled(_) => {
            let found = "those in proto/ are not what this command was built with";
            Verdict::warn("contracts", found, "build the command again, or leave the folder")
        }
        Seen::Broken(findings) => {
            let found = format!("those in proto/ do not compile: {findings} findings");
            Verdict::warn("contracts", found, "`freehold check` shows each")
        }
        Seen::Unreadable(problem) => Verdict::warn(
            "contracts",
            format!("those in proto/ cannot be read: {problem}"),
            "see to the file",
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::doctor::verdict::State;

    #[test]
    fn stale_and_broken_contracts_are_told_apart() {
        for (seen, state) in [
            (Seen::None, State::Ok),
            (Seen::Compiled(b"same".to_vec()), State::Ok),
            (Seen::Compiled(b"other".to_vec()), State::Warn),
            (Seen::Broken(2), State::Warn),
            (Seen::Unreadable("no".to_owned()), State::Warn),
        ] {
            assert_eq!(check(&seen, b"same").state, state, "{seen:?}");
        }
    }

    #[test]
    fn the_folder_is_compiled_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(look_at(&folder.path().join("none")), Seen::None);
        assert!(matches!(look_at(folder.path()), Seen::Unreadable(_)));
        fs::write(folder.path().join("a.proto"), "syntax = \"proto3\"; message {").unwrap();
        assert!(matches!(look_at(folder.path()), Seen::Broken(_)));
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
        assert_eq!(look_at(&ours), Seen::Compiled(contracts::EMBEDDED.to_vec()));
    }
}
