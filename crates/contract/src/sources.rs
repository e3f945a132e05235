//! The texts that a contract is made from, by the path that imports name them by.
//!
//! The language itself (`freehold/v1`) and what it builds on are built in, so that a team's tree holds its own contracts
//! only. **Invariant:** `text` answers exactly the text that was compiled, so that a place in it is a place in there.

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};

use crate::bundled;
use crate::finding::Mark;

/// The .proto texts of a tree, by path: "catalog/v1/catalog.proto".
#[derive(Debug, Clone, Default)]
pub struct Sources {
    given: BTreeMap<String, String>,
    twice: BTreeSet<String>,
}

impl Sources {
    /// The text that the path stands for, the built-in language included; well-known types have none.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        if bundled::is_well_known(path) {
            return None;
        }
        let given = || self.given.get(path).map(String::as_str);
        bundled::language(path).or_else(given).or_else(|| bundled::google_api(path))
    }

    /// The given paths that are compiled, ascending; what is built in does not count as given.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.given.keys().map(String::as_str).filter(|path| !bundled::is_fixed(path))
    }

    /// The paths that were given more than once.
    pub(crate) fn twice(&self) -> impl Iterator<Item = &str> {
        self.twice.iter().map(String::as_str)
    }

    /// The given copies of the built-in language that say something else than it does.
    pub(crate) fn foreign_language(&self) -> impl Iterator<Item = &str> {
        let differs =
            |path: &str, text: &str| bundled::language(path).is_some_and(|ours| !same_lines(ours, text));
        self.given.iter().filter(move |(path, text)| differs(path, text)).map(|(path, _)| path.as_str())
    }
}

/// The texts that findings lie in: those of the contracts at hand, and of what they are compared with.
#[derive(Debug, Clone)]
pub struct Texts<'a> {
    current: &'a Sources,
    baselines: Vec<(&'a str, &'a Sources)>,
}

impl<'a> Texts<'a> {
    /// The texts of the contracts at hand, and those of the baselines, by name.
    pub fn new(current: &'a Sources, baselines: impl IntoIterator<Item = (&'a str, &'a Sources)>) -> Self {
        Self { current, baselines: baselines.into_iter().collect() }
    }

    /// The text that a mark lies in; none where only descriptors are known.
    pub(crate) fn of(&self, mark: &Mark) -> Option<&'a str> {
        let sources = match &mark.baseline {
            None => self.current,
            Some(name) => self.baselines.iter().find(|(baseline, _)| baseline == name)?.1,
        };
        sources.text(&mark.place.file)
    }
}

impl<'a> From<&'a Sources> for Texts<'a> {
    fn from(current: &'a Sources) -> Self {
        Self::new(current, [])
    }
}

impl<Path: Into<String>, Text: Into<String>> FromIterator<(Path, Text)> for Sources {
    /// Of two texts for one path the first stays; `load` reports the second.
    fn from_iter<Pairs: IntoIterator<Item = (Path, Text)>>(pairs: Pairs) -> Self {
        let mut sources = Self::default();
        for (path, text) in pairs {
            match sources.given.entry(path.into()) {
                Entry::Occupied(first) => drop(sources.twice.insert(first.key().clone())),
                Entry::Vacant(free) => drop(free.insert(text.into())),
            }
        }
        sources
    }
}

/// Line ends are git's business, not the language's.
fn same_lines(left: &str, right: &str) -> bool {
    left.lines().eq(right.lines())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_language_wins_over_a_given_copy_of_it() {
        let sources: Sources =
            [("freehold/v1/contract.proto", "changed"), ("a.proto", "a")].into_iter().collect();
        assert!(
            sources
                .text("freehold/v1/contract.proto")
                .unwrap()
                .contains("extend google.protobuf.FileOptions")
        );
        assert_eq!(sources.foreign_language().collect::<Vec<_>>(), ["freehold/v1/contract.proto"]);
        assert_eq!(sources.paths().collect::<Vec<_>>(), ["a.proto"]);
    }

    #[test]
    fn a_given_copy_of_a_well_known_type_is_ignored_and_one_of_google_api_is_taken() {
        let copies = [("google/protobuf/any.proto", "any"), ("google/api/http.proto", "http")];
        let sources: Sources = copies.into_iter().collect();
        assert_eq!(sources.text("google/protobuf/any.proto"), None);
        assert_eq!(sources.text("google/api/http.proto"), Some("http"));
        assert_eq!(sources.paths().collect::<Vec<_>>(), ["google/api/http.proto"]);
    }

    #[test]
    fn a_copy_with_other_line_ends_is_the_same_language() {
        let text = bundled::language("freehold/v1/contract.proto").unwrap().replace('\n', "\r\n");
        let sources: Sources = [("freehold/v1/contract.proto", text)].into_iter().collect();
        assert_eq!(sources.foreign_language().count(), 0);
    }
}
