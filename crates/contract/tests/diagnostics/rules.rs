//! The table of rules against its documentation and its tests.

use std::fs;
use std::path::Path;

use freehold_contract::rules::RULES;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn every_rule_has_a_row_in_the_documentation_that_says_what_the_table_says() {
    let page = read("../../docs/rules.md");
    for rule in RULES {
        let row = page.lines().find(|line| line.starts_with(&format!("| {} |", rule.id)));
        let row = row.unwrap_or_else(|| panic!("docs/rules.md has no row for {}", rule.id));
        assert!(row.contains(rule.purpose), "{row}\nshould say: {}", rule.purpose);
    }
    let rows = page.lines().filter(|line| line.starts_with("| FH")).count();
    assert_eq!(rows, RULES.len(), "docs/rules.md explains a rule that does not exist");
}

#[test]
fn every_rule_has_a_test_that_shows_its_diagnostic() {
    let tests: String = ["source", "ownership", "streams", "calls", "takings", "lints"]
        .map(|name| read(&format!("tests/diagnostics/{name}.rs")))
        .concat();
    for rule in RULES {
        assert!(tests.contains(&format!("fn {}_", rule.id.to_lowercase())), "{} has no test", rule.id);
        assert!(tests.contains(&format!("[{}]", rule.id)), "no snapshot shows {}", rule.id);
    }
}
