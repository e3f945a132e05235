//! What the pages say of tests and commands is so: what a table of cases names exists and bears the case's id, no case is
//! left out, and a command names a target and a run that are there.
//!
//! In: the pages in `docs/` and the sources. Out: a violation for each word that leads nowhere.

use std::collections::BTreeSet;
use std::fs;
use std::ops::RangeInclusive;

use crate::sources::{Source, all};
use crate::{WORKSPACE, assert_none, root};

/// The pages with tables of cases, and the ids that are accounted for on them.
const PAGES: [(&str, char, RangeInclusive<u32>); 5] = [
    ("docs/calls.md", 'C', 1..=35),
    ("docs/events.md", 'E', 1..=17),
    ("docs/events.md", 'E', 20..=34),
    ("docs/events.md", 'E', 40..=44),
    ("docs/events.md", 'E', 50..=57),
];

/// A row of a table of cases.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    line: usize,
    ids: BTreeSet<String>,
    /// What stands in backticks and may be the name of a test, a file or a folder.
    names: Vec<String>,
}

/// The rows of a page that begin with the ids of cases.
fn rows(page: &str) -> Vec<Row> {
    let numbered = page.lines().enumerate().map(|(at, line)| (at + 1, line));
    let rows = numbered.filter_map(|(line, text)| {
        let (first, rest) = text.strip_prefix("| ")?.split_once(" |")?;
        let ids = ids(first);
        let names = rest.split('`').skip(1).step_by(2).filter(|name| is_name(name)).map(str::to_owned);
        (!ids.is_empty() && is_case(first.split([',', ' ']).next()?)).then(|| Row {
            line,
            ids,
            names: names.collect(),
        })
    });
    rows.collect()
}

/// Whether a word is the id of a case: a letter and a number.
fn is_case(word: &str) -> bool {
    let number = word.strip_prefix(['C', 'E']).unwrap_or_default();
    (1..=2).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a word is the path of a module or a test, and no expression or value.
fn is_name(word: &str) -> bool {
    let part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_:/.".contains(&byte);
    !word.is_empty() && word.bytes().all(part)
}

/// The ids that a text names, ranges as "E1 to E4" in full.
fn ids(text: &str) -> BTreeSet<String> {
    let words: Vec<&str> =
        text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let mut found: BTreeSet<String> =
        words.iter().filter(|word| is_case(word)).map(ToString::to_string).collect();
    for range in words.windows(3).filter(|words| words[1] == "to" && is_case(words[0]) && is_case(words[2])) {
        let number = |id: &str| id[1..].parse().unwrap_or(0_u32);
        found.extend(
            (number(range[0])..=number(range[2])).map(|number| format!("{}{number}", &range[0][..1])),
        );
    }
    found
}

/// The steps of a path that a name on a page may use: no `crates`, `src`, `tests` or `mod.rs`.
fn steps(path: &str) -> Vec<&str> {
    const SAID_BY_NOBODY: [&str; 8] = ["", "crates", "src", "tests", "benches", "mod", "main", "lib"];
    let path = path.strip_suffix(".rs").unwrap_or(path);
    path.split(['/', ':'])
        .filter(|step| !SAID_BY_NOBODY.contains(step) && !step.trim_matches('.').is_empty())
        .collect()
}

/// Whether a source is what a name on a page means: the file, one in the folder, or the file that has the test.
fn is_meant(source: &Source, name: &[&str]) -> bool {
    let within =
        |name: &[&str]| name.is_empty() || steps(&source.path).windows(name.len()).any(|steps| steps == name);
    let Some((last, before)) = name.split_last() else { return false };
    let has_tests = source.tests_from().is_some() || source.path.contains("/benches/");
    let is_its = |text: &str| ["(", "<"].iter().any(|after| text.contains(&format!("fn {last}{after}")));
    has_tests && within(name) || within(before) && is_its(&source.text)
}

/// The ids that the comments of a source name.
fn ids_of(source: &Source) -> BTreeSet<String> {
    let comments = source.text.lines().filter_map(|line| line.trim_start().strip_prefix("//"));
    comments.flat_map(ids).collect()
}

/// Names that lead nowhere, and cases that no test behind their row says to be its own.
fn unkept(page: &str, rows: &[Row], sources: &[Source]) -> Vec<String> {
    let mut violations = Vec::new();
    for Row { line, ids, names } in rows {
        let mut shown = BTreeSet::new();
        for name in names {
            let meant: Vec<_> = sources.iter().filter(|source| is_meant(source, &steps(name))).collect();
            let named = meant.iter().flat_map(|source| ids_of(source));
            let borne: Vec<_> = named.filter(|id| ids.contains(id)).collect();
            if meant.is_empty() {
                violations.push(format!("{page}:{line}: there is no test `{name}`"));
            } else if borne.is_empty() {
                violations.push(format!("{page}:{line}: `{name}` says nothing of {ids:?}"));
            }
            shown.extend(borne);
        }
        violations
            .extend(ids.difference(&shown).map(|id| format!("{page}:{line}: no test says that it is {id}")));
    }
    violations
}

/// Cases without a row.
fn left_out(page: &str, rows: &[Row], letter: char, numbers: impl Iterator<Item = u32>) -> Vec<String> {
    let ids = numbers.map(|number| format!("{letter}{number}"));
    let missing = ids.filter(|id| !rows.iter().any(|row| row.ids.contains(id)));
    missing.map(|id| format!("{page}: {id} has no row")).collect()
}

/// The words that follow `option` anywhere on a page.
fn said_after<'a>(page: &'a str, option: &str) -> Vec<&'a str> {
    let name =
        |rest: &'a str| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-').next();
    page.split(option).skip(1).filter_map(name).filter(|name| !name.is_empty()).collect()
}

/// Commands of a page that name no target of the workspace, or no run of `cargo xtask soak`.
fn dead_commands(page: &str, text: &str, targets: &BTreeSet<String>, soak: &str) -> Vec<String> {
    let mut dead = Vec::new();
    for option in ["--bench ", "--test ", "xtask bench "] {
        let unknown = said_after(text, option).into_iter().filter(|name| !targets.contains(*name));
        dead.extend(unknown.map(|name| format!("{page}: `{option}{name}`: there is no such target")));
    }
    let runs = said_after(text, "xtask soak ").into_iter();
    let unknown = runs.filter(|name| *name != "list" && !soak.contains(&format!("name: \"{name}\"")));
    dead.extend(unknown.map(|name| format!("{page}: `xtask soak {name}`: there is no such run")));
    dead
}

fn page(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect("a page of the repository is read")
}

/// A case that is not built yet is said to be so, and has no row.
#[test]
fn every_case_on_a_page_has_a_test_that_bears_its_id() {
    let sources = all();
    for (path, letter, numbers) in PAGES {
        let text = page(path);
        let (rows, not_built) =
            (rows(&text), text.split("## Not built yet").nth(1).map(ids).unwrap_or_default());
        let numbers = numbers.filter(|number| !not_built.contains(&format!("{letter}{number}")));
        assert_none(&left_out(path, &rows, letter, numbers));
        assert_none(&unkept(path, &rows, &sources));
    }
}

#[test]
fn every_command_on_a_page_names_what_is_there() {
    let targets = WORKSPACE.packages.iter().flat_map(|package| &package.targets);
    let targets: BTreeSet<String> = targets.map(|target| target.name.clone()).collect();
    let soak = page("crates/xtask/src/soak/mod.rs");
    for path in ["README.md", "docs/calls.md", "docs/events.md", "docs/benchmarks.md", "docs/contracts.md"] {
        assert_none(&dead_commands(path, &page(path), &targets, &soak));
    }
}

const TABLE: &str = "| case | what is shown | test |\n|---|---|---|\n| C1, C3 to C5 | calls `a + b` end | `channel/ends`, `once` |\n";

#[test]
fn a_table_of_cases_is_read() {
    let found = rows(TABLE);
    assert_eq!(found.len(), 1);
    assert_eq!(Vec::from_iter(&found[0].ids), ["C1", "C3", "C4", "C5"]);
    assert_eq!(
        (found[0].line, &found[0].names[..]),
        (3, &["channel/ends".to_owned(), "once".to_owned()][..])
    );
    assert_none(&left_out("page", &found, 'C', [1, 3, 4, 5].into_iter()));
    assert_eq!(left_out("page", &found, 'C', 1..=3), ["page: C2 has no row"]);
}

#[test]
fn a_test_that_is_not_there_or_knows_nothing_of_its_case_is_found() {
    let found = rows(TABLE);
    let ends = |text: &str| Source::new("crates/client/tests/channel/ends.rs", text);
    let once = Source::new("tests/journeys/all.rs", "/// C5.\n#[test]\nfn once() {}\n");
    let kept = [ends("//! C1 and C3 to C4.\n#[test]\nfn it() {}\n"), once];
    assert_none(&unkept("page", &found, &kept));
    let [kept, once] = kept;
    assert_eq!(
        unkept("page", &found, &[kept]),
        ["page:3: there is no test `once`", "page:3: no test says that it is C5"]
    );
    let silent = unkept("page", &found, &[ends("#[test]\nfn it() {}\n"), once]);
    assert!(silent[0].starts_with("page:3: `channel/ends` says nothing of"), "{silent:?}");
    assert_eq!(silent.len(), 4);
}

#[test]
fn a_command_that_leads_nowhere_is_found() {
    let text = "`cargo bench -p a --bench gone`, `cargo xtask soak cache`, `cargo xtask soak lost`, `cargo test --test kit`";
    let targets = BTreeSet::from(["kit".to_owned()]);
    assert_eq!(
        dead_commands("page", text, &targets, "name: \"cache\""),
        ["page: `--bench gone`: there is no such target", "page: `xtask soak lost`: there is no such run"]
    );
}
