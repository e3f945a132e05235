//! The pages of docs/rules/protobuf.md: the change that each shows raises its rule.

use freehold_contract::compat::plain::RULES;
use freehold_contract::pages;

use crate::{compile, told};

#[test]
fn the_change_that_a_page_shows_raises_its_rule() {
    for page in pages().filter(|page| RULES.iter().any(|rule| rule.id == page.id)) {
        let [previous, current] = ["previous", "current"].map(|side| compile(&files(page.text, side)));
        let raised = told(&previous, &current).into_keys().any(|told| told.rule == page.id);
        assert!(raised, "the example of {}", page.id);
    }
}

/// The files of a page's block. A line such as `// b.proto` begins another one; syntax and package may be left out.
fn files(page: &str, side: &str) -> Vec<(String, String)> {
    let block = page.split(&format!("```proto {side}\n")).nth(1).and_then(|rest| rest.split("```").next());
    let mut files: Vec<(String, String)> = Vec::new();
    for line in block.unwrap_or_else(|| panic!("no block `{side}`:\n{page}")).lines() {
        let begins = line.strip_prefix("// ").filter(|rest| rest.ends_with(".proto"));
        if begins.is_some() || files.is_empty() {
            files.push((begins.unwrap_or("a.proto").to_owned(), String::new()));
        }
        if let (None, Some((_, text))) = (begins, files.last_mut()) {
            text.push_str(line);
            text.push('\n');
        }
    }
    files.into_iter().map(|(path, text)| (path, completed(text))).collect()
}

fn completed(text: String) -> String {
    if text.starts_with("syntax") { text } else { format!("syntax = \"proto3\";\npackage test.v1;\n{text}") }
}
