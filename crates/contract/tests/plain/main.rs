//! The rules of plain Protobuf, over the pairs of trees in tests/compat/protobuf.
//!
//! A folder there is a rule; a pair whose name begins with `silent` must not raise it, every other one must. What ours
//! says of each pair is committed beside it; that the published checker says the same is `differential`'s to hold.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics, its helpers included")]

mod buf;
mod corpus;
mod differential;
mod pages;
mod random;
mod robust;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use corpus::Pair;
use freehold_contract::Finding;
use freehold_contract::compat::plain::{RULES, compare};
use freehold_contract::compat::{Category, Contract};
use freehold_contract::schema::Schema;

const CATEGORIES: [(Category, &str); 4] = [
    (Category::File, "FILE"),
    (Category::Package, "PACKAGE"),
    (Category::WireJson, "WIRE_JSON"),
    (Category::Wire, "WIRE"),
];

/// A side of a pair, compiled by our own compiler.
fn compile(files: &[(String, String)]) -> Schema {
    let contract = Contract::compile(files.iter().cloned().collect())
        .unwrap_or_else(|(findings, _)| panic!("does not compile: {findings:?}"));
    Schema::decode_with(&contract.model.descriptors, &contract.sources).unwrap()
}

/// A pair that our own compiler reads, compiled.
struct Compiled {
    pair: Pair,
    previous: Schema,
    current: Schema,
    told: BTreeMap<Told, Vec<&'static str>>,
}

/// All pairs but those of editions, by rule.
static COMPILED: LazyLock<BTreeMap<String, Vec<Compiled>>> = LazyLock::new(|| {
    let compiled = |pair: Pair| {
        let (previous, current) = (compile(&pair.previous), compile(&pair.current));
        let told = told(&previous, &current);
        Compiled { pair, previous, current, told }
    };
    let rules = corpus::by_rule().into_iter();
    let pairs =
        |pairs: Vec<Pair>| pairs.into_iter().filter(|pair| !pair.is_edition()).map(compiled).collect();
    rules.map(|(rule, of)| (rule, pairs(of))).collect()
});

/// What is told of a change, and in which categories.
fn told(previous: &Schema, current: &Schema) -> BTreeMap<Told, Vec<&'static str>> {
    let mut told: BTreeMap<Told, Vec<&'static str>> = BTreeMap::new();
    for (category, name) in CATEGORIES {
        for finding in compare(previous, current, category, "previous") {
            told.entry(Told::new(&finding)).or_default().push(name);
        }
    }
    told
}

/// A finding as the snapshots show it, in their order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Told {
    rule: &'static str,
    file: String,
    line: usize,
    element: String,
    message: String,
}

impl Told {
    fn new(finding: &Finding) -> Self {
        let (file, line) = at(finding);
        let (element, message) = (finding.element.clone(), finding.message.clone());
        Self { rule: finding.rule, file, line, element, message }
    }
}

/// The file and the line at hand; a file as a whole is its first line, and one that is gone has no name.
fn at(finding: &Finding) -> (String, usize) {
    let place = finding.places.iter().find(|mark| mark.baseline.is_none()).map(|mark| &mark.place);
    place.map_or((String::new(), 1), |place| (place.file.clone(), place.line.max(1)))
}

/// What a folder's snapshot says of a pair.
fn section(pair: &Pair, told: &BTreeMap<Told, Vec<&'static str>>) -> String {
    let mut text = format!("{}: {}\n", pair.name, pair.about);
    for (told, categories) in told {
        let Told { rule, file, line, element, message } = told;
        let file = if file.is_empty() { "-" } else { file };
        let categories = categories.join(" ");
        writeln!(text, "  {file}:{line} {rule} [{categories}] {element}: {message}").unwrap();
    }
    if told.is_empty() {
        text.push_str("  nothing\n");
    }
    text + "\n"
}

/// Compares the sections of a rule's pairs with what is committed beside them.
fn assert_committed(rule: &str, name: &str, text: &str) {
    let folder = corpus::folder().join(rule);
    insta::with_settings!({
        snapshot_path => folder, prepend_module_to_snapshot => false, omit_expression => true,
    }, { insta::assert_snapshot!(name, text) });
}

#[test]
fn each_pair_raises_what_is_committed_beside_it() {
    for (rule, pairs) in &*COMPILED {
        let text: String = pairs.iter().map(|of| section(&of.pair, &of.told)).collect();
        assert_committed(rule, "findings", &text);
    }
}

#[test]
fn each_rule_has_pairs_that_raise_it_and_pairs_that_do_not() {
    let rules = corpus::by_rule();
    assert_eq!(rules.len(), RULES.len(), "a folder is a rule");
    for rule in RULES {
        let pairs = rules.get(rule.id).unwrap_or_else(|| panic!("{} has no pairs", rule.id));
        let silent = pairs.iter().filter(|pair| pair.is_silent()).count();
        assert!(silent > 0 && pairs.len() > silent + 1, "{} wants more pairs", rule.id);
        for of in &COMPILED[rule.id] {
            let raised = of.told.keys().any(|told| told.rule == rule.id);
            assert_eq!(raised, !of.pair.is_silent(), "{}/{}", rule.id, of.pair.name);
        }
    }
}

#[test]
fn the_categories_have_as_many_rules_as_are_published() {
    let count = |category| RULES.iter().filter(|rule| rule.categories.contains(&category)).count();
    assert_eq!(CATEGORIES.map(|(category, _)| count(category)), [51, 51, 22, 15]);
}

#[test]
fn a_tree_compared_with_itself_breaks_nothing() {
    for of in COMPILED.values().flatten() {
        for side in [&of.previous, &of.current] {
            assert_eq!(told(side, side), BTreeMap::new(), "{}", of.pair.name);
        }
    }
}
