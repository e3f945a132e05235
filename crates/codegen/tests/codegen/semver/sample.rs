//! Samples on disk: pairs of contracts, and programs against what they become.

use std::collections::BTreeSet;
use std::fs;

use freehold_codegen::semver::{Change, Verdict, What};
use freehold_contract::Model;

use crate::support::{contracts, model, root};

/// A pair of contracts, and programs that use them.
pub(crate) struct Sample {
    pub(crate) name: String,
    /// The first line of the programs' file: what changes.
    pub(crate) title: String,
    /// The contracts, by the paths that imports have.
    pub(crate) texts: [(&'static str, Vec<(String, String)>); 2],
    pub(crate) before: Model,
    pub(crate) after: Model,
    pub(crate) programs: Vec<Program>,
}

/// A module of a sample's `user.rs`.
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) text: String,
    words: BTreeSet<String>,
}

impl Sample {
    /// All samples, by name.
    pub(crate) fn all() -> Vec<Self> {
        let folder = root().join("crates/codegen/tests/codegen/semver/samples");
        let entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        let read = |name: String| {
            let folder = folder.join(&name);
            let texts = ["before", "after"].map(|state| {
                let texts = contracts(&folder.join(state)).into_iter();
                (state, texts.map(|(path, text)| (format!("{name}/{path}"), text)).collect::<Vec<_>>())
            });
            let [before, after] = texts.each_ref().map(|(_, texts)| model(texts.clone()));
            let user = fs::read_to_string(folder.join("user.rs")).unwrap();
            let title = user.lines().next().unwrap().trim_start_matches("//! ").to_owned();
            Self { name, title, texts, before, after, programs: programs(&user) }
        };
        names.into_iter().map(read).collect()
    }
}

/// The modules of a file; each begins and ends at the margin.
fn programs(user: &str) -> Vec<Program> {
    let mut programs: Vec<Program> = Vec::new();
    for line in user.lines() {
        if let Some(name) = line.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(" {")) {
            programs.push(Program { name: name.to_owned(), text: String::new(), words: BTreeSet::new() });
        }
        let Some(program) = programs.last_mut() else { continue };
        let words = line.split(|mark: char| !mark.is_alphanumeric() && mark != '_');
        program.words.extend(words.filter(|word| !word.is_empty()).map(str::to_owned));
        program.text += &format!("{line}\n");
    }
    programs
}

impl Program {
    /// Whether the program names what the verdict says stops compiling.
    pub(crate) fn stops(&self, verdict: &Verdict) -> bool {
        let mut stopping = verdict.breaking().filter(|change| !matches!(change.what, What::Turns { .. }));
        stopping.any(|change| self.names(change))
    }

    /// An item is named by its own name and that of what it belongs to; a method that must be written, by its trait alone.
    fn names(&self, change: &Change) -> bool {
        let item = change.item.replace(": ", "::");
        let mut names: Vec<&str> = item.rsplit("::").take(2).collect();
        if change.what == What::Appears {
            names.remove(0);
        }
        names.iter().all(|name| self.words.contains(name.trim_start_matches("r#")))
    }
}
