//! The readers of contracts and the comparison under a fuzzer: texts, descriptor sets, and changes of a small tree.
//!
//! Here each target takes what is in `__fuzz__`, and a few inputs by chance; `cargo xtask soak fuzz` runs the same targets
//! for ten minutes each and follows what code they reach. **Invariant:** whatever comes in, nothing panics, and contracts
//! compared with themselves break nothing.

mod changes;

use std::fs;
use std::path::Path;

use bolero::check;
use freehold_contract::compat::plain::compare;
use freehold_contract::compat::{Baseline, Category, Contract, Life, mesh};
use freehold_contract::schema::Schema;
use freehold_contract::{Finding, Sources, Texts, check as hold, release_bytes, render_json, render_text};

/// How many inputs a target takes by chance.
const INPUTS: usize = 200;

const CATEGORIES: [Category; 4] = [Category::File, Category::Package, Category::WireJson, Category::Wire];

/// A tree out of bytes: a zero byte begins another file, whose first line is its path.
fn sources(bytes: &[u8]) -> Sources {
    let text = String::from_utf8_lossy(bytes);
    let mut files = text.split('\0');
    let first = [("a/v1/a.proto".to_owned(), files.next().unwrap_or_default().to_owned())];
    let more = files.map(|file| {
        let (path, text) = file.split_once('\n').unwrap_or((file, ""));
        (path.to_owned(), text.to_owned())
    });
    first.into_iter().chain(more.take(3)).collect()
}

/// Reads the tree; what is wrong with it can be shown, and what compiles is kept by a release.
fn compile(sources: Sources) -> Option<Contract> {
    match Contract::compile(sources) {
        Ok(contract) => Some(contract),
        Err((findings, sources)) => {
            show(&findings, Texts::from(&sources));
            None
        }
    }
}

fn show(findings: &[Finding], texts: Texts<'_>) {
    assert_eq!(render_text(findings, texts).is_empty(), findings.is_empty());
    assert_eq!(render_json(findings).lines().count(), findings.len());
}

/// What holds for every contract that is understood.
fn holds(contract: &Contract) {
    let findings = hold(&contract.model, &contract.sources);
    show(&findings, Texts::from(&contract.sources));
    let released = release_bytes(&contract.model);
    let released = Contract::decode(&released).expect("what is released can be read");
    same(contract, contract.clone());
    same(contract, released);
}

/// Contracts that say the same break nothing.
fn same(contract: &Contract, twin: Contract) {
    let baseline = Baseline { name: "main".to_owned(), contract: twin, life: Life::Live };
    assert_eq!(mesh(&[baseline], contract).findings, []);
}

/// What may be found between two contracts is found, and can be shown.
fn compared(before: Contract, after: &Contract) {
    let [old, new] = [&before, after].map(|it| Schema::decode_with(&it.model.descriptors, &it.sources));
    let (old, new) = (old.expect("a model has a schema"), new.expect("a model has a schema"));
    let mut findings: Vec<Finding> =
        CATEGORIES.iter().flat_map(|category| compare(&old, &new, *category, "main")).collect();
    let baselines = [Baseline { name: "main".to_owned(), contract: before, life: Life::Live }];
    findings.extend(mesh(&baselines, after).findings);
    show(&findings, Texts::new(&after.sources, [("main", &baselines[0].contract.sources)]));
}

/// The files of a folder of this crate, which every run begins with.
fn seeds(folder: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = fs::read_dir(folder).expect("the folder is there").map(|file| file.expect("a file").path());
    files.map(|path| fs::read(path).expect("the file can be read")).collect()
}

fn is_told_or_holds_as_text(bytes: &[u8]) {
    if let Some(contract) = compile(sources(bytes)) {
        holds(&contract);
    }
}

fn is_refused_or_holds_as_set(bytes: &[u8]) {
    if let Ok(schema) = Schema::decode(bytes) {
        let findings = CATEGORIES.iter().flat_map(|category| compare(&schema, &schema, *category, "main"));
        assert_eq!(findings.collect::<Vec<_>>(), []);
    }
    if let Ok(contract) = Contract::decode(bytes) {
        holds(&contract);
    }
}

#[test]
fn texts() {
    seeds("tests/mesh/tree").iter().for_each(|seed| is_told_or_holds_as_text(seed));
    check!().with_iterations(INPUTS).for_each(is_told_or_holds_as_text);
}

#[test]
fn descriptors() {
    seeds("tests/mesh/editions").iter().for_each(|seed| is_refused_or_holds_as_set(seed));
    check!().with_iterations(INPUTS).for_each(is_refused_or_holds_as_set);
}

#[test]
fn changes() {
    let tree = changes::Tree::new();
    let before = compile(tree.sources()).expect("the tree compiles");
    check!().with_iterations(INPUTS / 4).with_type::<Vec<changes::Change>>().for_each(|changes| {
        if let Some(after) = compile(tree.changed(changes)) {
            holds(&after);
            compared(before.clone(), &after);
            compared(after, &before);
        }
    });
}
