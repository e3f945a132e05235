//! One comparison in each format: the same findings, the same end.

use serde_json::Value;

use crate::repository::Repository;

/// The rules of the findings in an output, in their order.
type Rules = fn(&str) -> Vec<String>;

/// What `--error-format` takes, and how a finding is counted in it.
const FORMATS: [(&str, Rules); 5] = [
    ("text", of_text),
    ("json", of_json),
    ("github-actions", of_github),
    ("junit", of_junit),
    ("sarif", of_sarif),
];

fn of_text(text: &str) -> Vec<String> {
    let rule = |line: &str| {
        let (severity, rest) = line.split_once('[')?;
        let known = ["error", "warning", "note"].contains(&severity);
        Some(rest.split_once("]: ").filter(|_| known)?.0.to_owned())
    };
    text.lines().filter_map(rule).collect()
}

fn of_json(text: &str) -> Vec<String> {
    let rule = |line: &str| serde_json::from_str::<Value>(line).unwrap()["rule"].as_str().unwrap().to_owned();
    text.lines().map(rule).collect()
}

fn of_github(text: &str) -> Vec<String> {
    let rule = |line: &str| {
        assert!(
            line.starts_with("::error ") || line.starts_with("::warning ") || line.starts_with("::notice ")
        );
        let after = line.split_once("title=").unwrap().1;
        after.split("::").next().unwrap().to_owned()
    };
    text.lines().map(rule).collect()
}

fn of_junit(text: &str) -> Vec<String> {
    let cases = text.split("<testcase classname=\"").skip(1);
    cases.map(|case| case.split('"').next().unwrap().to_owned()).filter(|rule| rule != "freehold").collect()
}

fn of_sarif(text: &str) -> Vec<String> {
    let log: Value = serde_json::from_str(text).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap().iter();
    results.map(|result| result["ruleId"].as_str().unwrap().to_owned()).collect()
}

/// Planted: JUnit without its cases.
#[test]
fn every_format_has_the_same_findings_and_the_same_end() {
    let repository = Repository::of_this_project();
    repository.edit(
        "proto/catalog/v1/catalog.proto",
        "  string name = 2;\n  // The price now",
        "  // The price now",
    );
    for category in [None, Some("FILE")] {
        let mut rules: Option<Vec<String>> = None;
        for (format, read) in FORMATS {
            let mut words = vec!["compat", "--against", "main", "--error-format", format];
            words.extend(category.iter().flat_map(|category| ["--category", category]));
            let ended = repository.run(&words);
            assert_eq!(ended.code, Some(12), "{words:?}: {ended:#?}");
            let found = read(&ended.out);
            assert!(!found.is_empty(), "{words:?}: {ended:#?}");
            assert_eq!(*rules.get_or_insert_with(|| found.clone()), found, "{words:?}");
        }
    }
}

#[test]
fn formats_for_machines_name_files_from_where_the_command_was_started() {
    let repository = Repository::of_this_project();
    repository.edit(
        "proto/catalog/v1/catalog.proto",
        "  string name = 2;\n  // The price now",
        "  // The price now",
    );
    let run = |format| repository.run(&["compat", "--against", "main", "--error-format", format]).out;
    let file = "proto/catalog/v1/catalog.proto";
    assert!(run("github-actions").contains(&format!("::error file={file},line=")));
    assert!(run("junit").contains(&format!(" file=\"{file}\"")));
    assert!(run("sarif").contains(&format!("\"uri\": \"{file}\"")));
}

#[test]
fn contracts_without_findings_are_a_document_in_every_format() {
    let repository = Repository::of_this_project();
    for verb in [&["compat", "--against", "main"][..], &["check"]] {
        for (format, read) in FORMATS {
            let ended = repository.run(&[verb, &["--error-format", format]].concat());
            assert_eq!((ended.code, read(&ended.out).len()), (Some(0), 0), "{verb:?} {format}: {ended:#?}");
        }
    }
}

#[test]
fn a_check_has_every_format_too() {
    let repository = Repository::of_this_project();
    repository.edit(
        "proto/catalog/v1/catalog.proto",
        "  string name = 2;\n  // The price now",
        "  // The price now",
    );
    for (format, read) in FORMATS {
        let ended = repository.run(&["check", "--error-format", format]);
        assert_eq!(ended.code, Some(11), "{format}: {ended:#?}");
        assert!(read(&ended.out).contains(&"FH2305".to_owned()), "{format}: {ended:#?}");
    }
    let json = repository.run(&["check", "-o", "json"]);
    assert_eq!(of_json(&json.out), of_json(&repository.run(&["check", "--error-format", "json"]).out));
}
