//! The published checker over the same pairs: the same rule, file and line for each finding, in each category.
//!
//! Most pairs lie in one tree, each in a folder and under a package of its own, so that a category is one run. Both sides
//! read the very descriptors that it compiled; that ours finds the same in its own is held pair by pair.
//! There is no list of exceptions: there are none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use freehold_contract::compat::plain::{RULES, compare};
use freehold_contract::schema::Schema;

use crate::buf::Buf;
use crate::corpus::{self, Pair};
use crate::{CATEGORIES, COMPILED, Told, assert_committed, at, random, section, told};

/// Rule, file and line of every finding.
type Findings = Vec<(String, String, usize)>;

#[test]
fn the_rules_and_their_categories_are_those_that_are_published() {
    let Some(buf) = Buf::find() else { return };
    let name = |category| CATEGORIES.iter().find(|(other, _)| *other == category).unwrap().1.to_owned();
    let ours: BTreeMap<String, BTreeSet<String>> = RULES
        .iter()
        .map(|rule| (rule.id.to_owned(), rule.categories.iter().copied().map(name).collect()))
        .collect();
    let known = |category: &String| CATEGORIES.iter().any(|(_, name)| name == category);
    let published = buf.rules().into_iter();
    let published: BTreeMap<String, BTreeSet<String>> =
        published.map(|(id, categories)| (id, categories.into_iter().filter(known).collect())).collect();
    assert_eq!(ours, published);
}

/// The pairs that can share a tree, each in a folder of its own, and random ones behind them; compiled once.
struct Together {
    buf: Buf,
    pairs: Vec<(String, Pair)>,
    previous: Vec<u8>,
    current: Vec<u8>,
}

static TOGETHER: LazyLock<Option<Together>> = LazyLock::new(|| {
    let buf = Buf::find()?;
    let pairs = corpus::by_rule().into_iter().flat_map(|(rule, pairs)| {
        let shared = pairs.into_iter().filter(|pair| !pair.stands_alone());
        shared.map(move |pair| (rule.clone(), pair))
    });
    let pairs: Vec<(String, Pair)> =
        pairs.chain(random::pairs(200).map(|pair| (String::new(), pair))).collect();
    let tree = |side: fn(&Pair) -> &Vec<(String, String)>| -> Vec<(String, String)> {
        pairs.iter().enumerate().flat_map(|(at, (_, pair))| moved(side(pair), &folder(at))).collect()
    };
    let previous = buf.build("previous", &tree(|pair| &pair.previous), &[]);
    let current = buf.build("current", &tree(|pair| &pair.current), &[]);
    Some(Together { buf, pairs, previous, current })
});

/// It failed while the fields of a map's entry took their presence from the syntax of their file.
#[test]
fn every_finding_has_the_rule_the_file_and_the_line_of_the_published_checker() {
    let Some(together) = &*TOGETHER else { return };
    assert_same(&together.buf, ["previous", "current"], &together.previous, &together.current);
}

#[test]
fn a_pair_that_shares_no_tree_has_the_findings_of_the_published_checker() {
    let Some(buf) = Buf::find() else { return };
    let alone = corpus::by_rule().into_values().flatten().filter(Pair::stands_alone);
    for (at, pair) in alone.enumerate() {
        let names = [format!("previous{at}"), format!("current{at}")];
        let (previous, current) =
            (buf.build(&names[0], &pair.previous, &[]), buf.build(&names[1], &pair.current, &[]));
        assert_same(&buf, [&names[0], &names[1]], &previous, &current);
    }
}

fn assert_same(buf: &Buf, [before, now]: [&str; 2], previous: &[u8], current: &[u8]) {
    let (previous, current) = (Schema::decode(previous).unwrap(), Schema::decode(current).unwrap());
    for (category, name) in CATEGORIES {
        let theirs = buf.breaking(before, now, name);
        let said: BTreeMap<_, _> = theirs
            .iter()
            .map(|found| ((found.rule.clone(), found.file.clone(), found.line), found))
            .collect();
        let mut theirs: Findings =
            theirs.iter().map(|found| (found.rule.clone(), found.file.clone(), found.line)).collect();
        let mut ours: Findings = Vec::new();
        for finding in compare(&previous, &current, category, "previous") {
            let (file, line) = at(&finding);
            ours.push((finding.rule.to_owned(), file, line));
        }
        ours.sort();
        theirs.sort();
        let only = |of: &Findings, other: &Findings| -> Vec<String> {
            let lone = of.iter().filter(|found| count(of, found) != count(other, found)).take(30);
            lone.map(|found| format!("{found:?} {:?}", said.get(found).map(|found| &found.message))).collect()
        };
        assert!(
            ours == theirs,
            "{name}: ours {:#?}\ntheirs {:#?}",
            only(&ours, &theirs),
            only(&theirs, &ours)
        );
        for tree in [&previous, &current] {
            assert_eq!(compare(tree, tree, category, "itself"), [], "{name}");
        }
    }
}

fn count(findings: &Findings, wanted: &(String, String, usize)) -> usize {
    findings.iter().filter(|found| *found == wanted).count()
}

/// Lines are those of either compiler: what ours finds in its own descriptors is what it finds in the published one's.
/// Pairs of editions, which ours does not compile, are committed from here.
#[test]
fn each_pair_raises_the_same_from_either_compiler() {
    let Some(together) = &*TOGETHER else { return };
    let all = told(&Schema::decode(&together.previous).unwrap(), &Schema::decode(&together.current).unwrap());
    let mut editions: BTreeMap<&str, String> = BTreeMap::new();
    for (at, (rule, pair)) in together.pairs.iter().enumerate().filter(|(_, (rule, _))| !rule.is_empty()) {
        let theirs = told_of(&all, &folder(at));
        if pair.is_edition() {
            let raised = theirs.keys().any(|told| told.rule == *rule);
            assert_eq!(raised, !pair.is_silent(), "{rule}/{}", pair.name);
            *editions.entry(rule).or_default() += &section(pair, &theirs);
        } else {
            let ours = COMPILED[rule].iter().find(|of| of.pair.name == pair.name).unwrap();
            assert_eq!(ours.told, theirs, "{rule}/{}", pair.name);
        }
    }
    for (rule, text) in editions {
        assert_committed(rule, "findings-of-editions", &text);
    }
}

/// What is told of one folder of a tree, as it would be told of that folder alone.
fn told_of(all: &BTreeMap<Told, Vec<&'static str>>, folder: &str) -> BTreeMap<Told, Vec<&'static str>> {
    let inside = format!("{folder}/");
    let element = |told: &Told| match told.element.strip_prefix(&inside) {
        Some(path) => Some(path.to_owned()),
        None => told.element.starts_with(folder).then(|| word(&told.element, folder, "test")),
    };
    let path = format!("file `{folder}/");
    let here = all.iter().filter_map(|(told, categories)| {
        let file = told.file.strip_prefix(&inside).unwrap_or(&told.file).to_owned();
        let (element, message) =
            (element(told), word(&told.message.replace(&path, "file `"), folder, "test"));
        let element = element.or_else(|| (file != told.file).then(|| told.element.clone()))?;
        Some((Told { file, element, message, ..told.clone() }, categories.clone()))
    });
    here.collect()
}

fn folder(at: usize) -> String {
    format!("t{at:03}")
}

/// The files in a folder of their own, under packages that begin with its name instead of `test`.
fn moved(files: &[(String, String)], folder: &str) -> Vec<(String, String)> {
    let text = |text: &str| {
        let text = word(text, "test", folder).replace("import \"", &format!("import \"{folder}/"));
        text.replace(&format!("{folder}/google/"), "google/")
    };
    files.iter().map(|(path, content)| (format!("{folder}/{path}"), text(content))).collect()
}

/// The text with another word for one.
fn word(text: &str, from: &str, to: &str) -> String {
    let is_inside = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut result = String::with_capacity(text.len());
    let mut last = 0;
    for (at, found) in text.match_indices(from) {
        let before = text[..at].chars().next_back().is_some_and(is_inside);
        let after = text[at + found.len()..].chars().next().is_some_and(is_inside);
        if !before && !after {
            result.push_str(&text[last..at]);
            result.push_str(to);
            last = at + found.len();
        }
    }
    result + &text[last..]
}
