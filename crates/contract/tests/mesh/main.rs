//! The gate of the mesh: each rule fires on a change of one small tree, names whom it hits, and has a silent twin.
//!
//! tree/ is the baseline: catalog owns and shares, orders copies, views, calls and has a step, shop only calls. A test
//! edits its texts, compares, and holds the page that people see against a snapshot.

mod promises;
mod releases;
mod removed;
mod rules;
mod seeded;

use freehold_contract::compat::{Baseline, Contract, Life, Report, mesh};
use freehold_contract::{Sources, Texts, render_text};

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

/// "FH3007 error orders=broken shop=potentially affected", a line per finding.
fn lines(edits: &[Edit<'_>]) -> Vec<String> {
    let line = |finding: &freehold_contract::Finding| {
        let affected =
            finding.affected.iter().map(|hit| format!(" {}={}", hit.consumer, hit.verdict.as_str()));
        format!("{} {:?}{}", finding.rule, finding.severity, affected.collect::<String>())
    };
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
