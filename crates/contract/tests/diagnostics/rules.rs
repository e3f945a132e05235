//! The table of rules against its tests, and the language against its documentation.

use std::path::Path;
use std::{fs, io};

use freehold_contract::rules::RULES;
use freehold_contract::{Sources, load};

fn read(path: &str) -> io::Result<String> {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
}

#[test]
fn every_option_of_the_language_has_a_row_in_the_documentation() {
    let page = read("../../docs/contract-language.md").unwrap();
    let model = load(&Sources::default()).unwrap();
    let language = model.pool.get_file_by_name("freehold/v1/contract.proto").unwrap();
    for option in language.extensions() {
        let members: Vec<String> = match option.kind().as_message() {
            Some(message) if !option.is_list() => {
                message.fields().map(|field| field.name().to_owned()).collect()
            }
            _ => vec![String::new()],
        };
        for member in members {
            let name = [option.name(), &member].join(".");
            let name = name.trim_start_matches("field.").trim_end_matches('.');
            let described = page.lines().any(|line| line.starts_with(&format!("| `{name}")));
            assert!(described, "docs/contract-language.md has no row for `{name}`");
        }
    }
}

#[test]
fn every_rule_has_a_test_that_shows_its_diagnostic() {
    let tests: String =
        ["source", "ownership", "streams", "calls", "takings", "lints", "chains", "style", "rpcs"]
            .map(|name| read(&format!("tests/diagnostics/{name}.rs")).unwrap())
            .concat();
    for rule in RULES {
        assert!(tests.contains(&format!("fn {}_", rule.id.to_lowercase())), "{} has no test", rule.id);
        assert!(tests.contains(&format!("[{}]", rule.id)), "no snapshot shows {}", rule.id);
    }
}
