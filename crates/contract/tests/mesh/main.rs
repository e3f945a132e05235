//! The gate of the mesh: each rule fires on a change of one small tree, names whom it hits, and has a silent twin.
//!
//! tree/ is the baseline: catalog owns and shares, orders copies, views, calls and has a step, shop only calls. A test
//! edits its texts, compares, and holds the page that people see against a snapshot.

#[path = "../plain/buf.rs"]
#[expect(
    clippy::unwrap_used,
    dead_code,
    reason = "shared with the tests of plain Protobuf, which use all of it"
)]
mod buf;
#[expect(clippy::unwrap_used, reason = "it reads files of this repository, in functions of its own")]
mod corpus;
mod editions;
mod promises;
mod releases;
mod removed;
mod rules;
mod seeded;
mod texts;

use std::fs;
use std::path::Path;

use freehold_contract::compat::{Baseline, Contract, Life, RULES, Report, mesh};
use freehold_contract::{Finding, Sources, Texts, render_text};

const CATALOG: &str = "catalog/v1/catalog.proto";
const NEEDS: &str = "orders/v1/needs.proto";
const SHOP: &str = "consumers/shop/v1/needs.proto";

/// The texts of tree/.
fn tree() -> Vec<(&'static str, String)> {
    let texts = [
        (CATALOG, include_str!("tree/catalog.proto")),
        ("orders/v1/orders.proto", include_str!("tree/orders.proto")),
        (NEEDS, include_str!("tree/needs.proto")),
        (SHOP, include_str!("tree/shop.proto")),
    ];
    texts.map(|(path, text)| (path, text.to_owned())).to_vec()
}

/// A change of a text: the file, what stands there once, and what stands there then.
type Edit<'a> = (&'a str, &'a str, &'a str);

/// The tree with these changes.
fn edited(edits: &[Edit<'_>]) -> Contract {
    let mut files = tree();
    for (path, from, to) in edits {
        let (_, text) = files.iter_mut().find(|(name, _)| name == path).expect("the tree has the file");
        assert_eq!(text.matches(from).count(), 1, "`{from}` stands once in {path}");
        *text = text.replace(from, to);
    }
    let sources: Sources = files.into_iter().filter(|(_, text)| !text.is_empty()).collect();
    compiled(sources)
}

fn compiled(sources: Sources) -> Contract {
    Contract::compile(sources)
        .unwrap_or_else(|(findings, sources)| panic!("{}", render_text(&findings, &sources)))
}

fn baseline(name: &str, contract: Contract, life: Life) -> Baseline {
    Baseline { name: name.to_owned(), contract, life }
}

/// What one state says against another that runs.
fn compared(before: &[Edit<'_>], after: &[Edit<'_>]) -> (Report, String) {
    let current = edited(after);
    let main = baseline("main", edited(before), Life::Live);
    let report = mesh(std::slice::from_ref(&main), &current);
    let texts = Texts::new(&current.sources, [("main", &main.contract.sources)]);
    let text = render_text(&report.findings, texts);
    (report, text)
}

/// The page of the tree with these changes against the tree as it is.
fn page(edits: &[Edit<'_>]) -> String {
    compared(&[], edits).1
}

/// "FH3007 Error orders=broken shop=potentially affected".
fn line(finding: &Finding) -> String {
    let affected = finding.affected.iter().map(|hit| format!(" {}={}", hit.consumer, hit.verdict.as_str()));
    format!("{} {:?}{}", finding.rule, finding.severity, affected.collect::<String>())
}

/// A line per finding.
fn lines(edits: &[Edit<'_>]) -> Vec<String> {
    compared(&[], edits).0.findings.iter().map(line).collect()
}

#[test]
fn a_tree_compared_with_itself_has_no_findings() {
    let (report, text) = compared(&[], &[]);
    assert_eq!(text, "");
    let unaffected = |outcome: &freehold_contract::compat::Outcome| outcome.verdict.as_str() == "unaffected";
    assert!(report.consumers.iter().all(unaffected) && report.consumers.len() == 2);
    assert_eq!(report.compared, ["main"]);
}

/// A rule that fires nowhere in this folder is a rule that nobody has seen. What a comment says does not count. Planted: the
/// fixture of one rule and its snapshot are gone.
#[test]
fn every_rule_fires_in_some_test_of_this_folder() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mesh");
    let texts: String = [root.join("snapshots"), root]
        .iter()
        .flat_map(|folder| fs::read_dir(folder).expect("the folder can be read"))
        .map(|entry| entry.expect("the entry can be read").path())
        .filter(|path| path.is_file())
        .map(|path| fs::read_to_string(path).expect("the file is text"))
        .collect();
    let fires = |id: &str| texts.contains(&format!("[{id}]:")) || texts.contains(&format!("\"{id} "));
    // FH3901 is about waivers, which are tested where they are read.
    let unseen: Vec<&str> =
        RULES.iter().map(|rule| rule.id).filter(|id| *id != "FH3901" && !fires(id)).collect();
    assert_eq!(unseen, [""; 0]);
}
