//! The templates of docs/ci: YAML whose commands the command understands.

use std::fs;

use serde_json::Value;

use crate::repository::{Repository, root};

/// The lines of a template that start `freehold`, as words.
fn commands(lines: impl Iterator<Item = String>) -> Vec<Vec<String>> {
    let of = |line: String| -> Option<Vec<String>> {
        let words = line.split(" > ").next()?.split_whitespace();
        let words: Vec<String> = words.map(|word| word.trim_matches('"').to_owned()).collect();
        (words.first()? == "freehold").then(|| words[1..].to_vec())
    };
    lines.filter_map(of).collect()
}

fn template(name: &str) -> Value {
    serde_saphyr::from_str(&fs::read_to_string(root().join("docs/ci").join(name)).unwrap()).unwrap()
}

/// Runs the template's commands on a branch that changes nothing, against what its CI would put there.
#[track_caller]
fn pass(commands: &[Vec<String>], variable: &str) {
    let repository = Repository::of_this_project();
    repository.git(&["update-ref", "refs/remotes/origin/main", "main"]);
    assert_eq!(commands.len(), 2, "{commands:?}");
    for words in commands {
        let words: Vec<String> = words.iter().map(|word| word.replace(variable, "main")).collect();
        let ended = repository.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(ended.code, Some(0), "{words:?}: {ended:#?}");
    }
}

#[test]
fn the_workflow_of_github_runs() {
    let workflow = template("github.yml");
    let steps = workflow["jobs"]["gate"]["steps"].as_array().unwrap();
    assert_eq!(steps[0]["with"]["fetch-depth"], 0);
    let lines = steps.iter().filter_map(|step| Some(step["run"].as_str()?.to_owned()));
    pass(&commands(lines), "$GITHUB_BASE_REF");
}

#[test]
fn the_job_of_gitlab_runs() {
    let job = &template("gitlab.yml")["contracts"];
    assert_eq!(job["artifacts"]["reports"]["junit"], "contracts.xml");
    let lines = job["script"].as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned());
    pass(&commands(lines), "FETCH_HEAD");
}
