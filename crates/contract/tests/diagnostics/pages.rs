//! The pages of the rules: each rule has one, and what its examples claim is so.

use freehold_contract::compat::{self, plain};
use freehold_contract::{Page, Severity, Sources, pages, render_text, rules::RULES};

use crate::findings;

/// docs/rules/README.md, which says how an example is completed and holds what stands beside it.
const README: &str = include_str!("../../../../docs/rules/README.md");

/// A further table of rules joins here, and its file the families in src/pages.rs.
#[test]
fn every_rule_has_one_page_that_says_what_the_table_says_and_no_page_lacks_a_rule() {
    let of_the_mesh = compat::RULES.iter().map(|rule| (rule.id, rule.purpose));
    let of_changes = plain::RULES.iter().map(|rule| (rule.id, rule.purpose));
    let table = RULES.iter().map(|rule| (rule.id, rule.purpose)).chain(of_changes).chain(of_the_mesh);
    let table: Vec<String> = table.map(|(id, purpose)| format!("{id}: {purpose}")).collect();
    let documented: Vec<String> = pages().map(|page| format!("{}: {}", page.id, page.purpose)).collect();
    let without = |these: &[String], those: &[String]| {
        these.iter().filter(|one| !those.contains(one)).cloned().collect::<Vec<_>>().join("\n")
    };
    assert_eq!(without(&table, &documented), "", "rules without a page that says so");
    assert_eq!(without(&documented, &table), "", "pages without a rule that says so");
    assert_eq!(documented.len(), table.len(), "a rule has two pages");
}

/// The pages of the rules that look at contracts as they are; what a change breaks is held by tests/plain.
fn of_one_state() -> impl Iterator<Item = Page> {
    pages().filter(|page| RULES.iter().any(|rule| rule.id == page.id))
}

#[test]
fn the_broken_example_of_every_page_breaks_its_rule_and_no_other() {
    for page in of_one_state() {
        let sources = tree(&block(page.text, "breaks"));
        let found = findings(&sources);
        let others = found.iter().any(|one| one.rule != page.id && one.severity == Severity::Error);
        let right = found.iter().any(|one| one.rule == page.id) && !others;
        assert!(right, "the broken example of {} finds\n{}", page.id, render_text(&found, &sources));
    }
}

#[test]
fn the_mended_example_of_every_page_stands() {
    for page in of_one_state() {
        let sources = tree(&block(page.text, "fixed"));
        let found = findings(&sources);
        assert!(
            found.is_empty(),
            "the mended example of {} finds\n{}",
            page.id,
            render_text(&found, &sources)
        );
    }
}

#[test]
fn what_stands_beside_the_examples_stands_by_itself() {
    let found = findings(&tree(""));
    assert!(found.is_empty(), "{found:?}");
}

/// The one fenced block of the page that is marked so.
fn block(page: &str, mark: &str) -> String {
    let blocks: Vec<&str> = page.split(&format!("```proto {mark}\n")).skip(1).collect();
    assert_eq!(blocks.len(), 1, "one block is marked `{mark}`:\n{page}");
    blocks[0].split("```").next().unwrap_or_default().to_owned()
}

/// The files of an example, completed as the README says, beside what it says stands beside them.
fn tree(example: &str) -> Sources {
    let mut files: Vec<(String, String)> = Vec::new();
    for line in example.lines() {
        let begins = line.strip_prefix("// ").filter(|rest| rest.ends_with(".proto"));
        if begins.is_some() || files.is_empty() {
            files.push((begins.unwrap_or("shop/v1/shop.proto").to_owned(), String::new()));
        }
        if let (None, Some((_, text))) = (begins, files.last_mut()) {
            text.push_str(line);
            text.push('\n');
        }
    }
    files.push(("catalog/v1/catalog.proto".to_owned(), block(README, "frame")));
    files.into_iter().map(|(path, text)| (path.clone(), completed(&path, &text))).collect()
}

fn completed(path: &str, text: &str) -> String {
    if text.starts_with("syntax") {
        return text.to_owned();
    }
    let (folder, file) = path.rsplit_once('/').unwrap_or_default();
    let (word, name) = (if file == "needs.proto" { "consumer" } else { "owner" }, folder.split('/').next());
    let (package, name) = (folder.replace('/', "."), name.unwrap_or_default());
    let import = "import \"freehold/v1/contract.proto\";";
    format!(
        "syntax = \"proto3\";\npackage {package};\n{import}\noption (freehold.v1.{word}) = \"{name}\";\n{text}"
    )
}
