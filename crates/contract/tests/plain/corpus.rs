//! The pairs of trees: one text file each, a sentence, and then the files of both sides below lines that name them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A tree before and after a change.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    /// The name of its file.
    pub(crate) name: String,
    /// What changes.
    pub(crate) about: String,
    /// The files before: path and text.
    pub(crate) previous: Vec<(String, String)>,
    /// The files after.
    pub(crate) current: Vec<(String, String)>,
}

impl Pair {
    /// A pair out of the text of its file.
    pub(crate) fn parse(name: &str, text: &str) -> Self {
        let mut parts = text.split("\n--- ");
        let about = parts.next().unwrap_or_default().trim().to_owned();
        let mut pair = Self { name: name.to_owned(), about, previous: Vec::new(), current: Vec::new() };
        for part in parts {
            let (path, text) = part.split_once('\n').unwrap_or((part, ""));
            let (side, path) = path.split_once('/').unwrap();
            let side = if side == "previous" { &mut pair.previous } else { &mut pair.current };
            side.push((path.to_owned(), format!("{text}\n")));
        }
        pair
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        self.previous.iter().chain(&self.current).map(|(_, text)| text.as_str())
    }

    /// Whether its own rule has nothing to say.
    pub(crate) fn is_silent(&self) -> bool {
        self.name.starts_with("silent")
    }

    /// Whether a file is written in an edition, which our own compiler does not read.
    pub(crate) fn is_edition(&self) -> bool {
        self.texts().any(|text| text.lines().any(|line| line.starts_with("edition = ")))
    }

    /// Whether it cannot share a tree with others: it has a file without a package, or imports that come or go.
    pub(crate) fn stands_alone(&self) -> bool {
        let nameless = self.texts().any(|text| !text.lines().any(|line| line.starts_with("package ")));
        nameless || well_known(&self.previous) != well_known(&self.current)
    }
}

/// The well-known files that a tree imports, each once.
fn well_known(files: &[(String, String)]) -> std::collections::BTreeSet<&str> {
    let lines = files.iter().flat_map(|(_, text)| text.lines());
    lines.filter(|line| line.starts_with("import \"google/")).collect()
}

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/compat/protobuf")
}

/// All pairs, by the rule that they are about.
pub(crate) fn by_rule() -> BTreeMap<String, Vec<Pair>> {
    let mut rules = BTreeMap::new();
    for rule in fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()) {
        let mut pairs: Vec<Pair> = fs::read_dir(&rule)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "pair"))
            .map(|path| Pair::parse(stem(&path), &fs::read_to_string(&path).unwrap()))
            .collect();
        pairs.sort_by(|left, right| left.name.cmp(&right.name));
        rules.insert(stem(&rule).to_owned(), pairs);
    }
    rules
}

fn stem(path: &Path) -> &str {
    path.file_stem().and_then(|stem| stem.to_str()).unwrap()
}
