//! `freehold export openapi`, held against the judgement of a public validator.
//!
//! The validator is openapi-spec-validator. Where there is none and no CI, only what can be seen without it is asked.

use std::path::Path;
use std::process::{Command, Output};

use freehold_testkit::Scratch;
use serde_json::{Value, json};

use crate::tools::tool;

const VALIDATOR: &str = "openapi-spec-validator";

fn validate(validator: &Path, document: &Value, scratch: &Scratch) -> Output {
    let file = scratch.join("openapi.json");
    std::fs::write(&file, document.to_string()).unwrap();
    Command::new(validator)
        .args(["--schema", "3.1", "--validation-errors", "all"])
        .arg(&file)
        .output()
        .unwrap()
}

fn export(arguments: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_freehold"));
    let output = command.args(["export", "openapi"]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_document_of_the_mesh_is_valid() {
    let document = export(&[]);
    assert_eq!(document["paths"]["/v1/users/{id}"]["get"]["operationId"], "users.v1.UsersService.GetUser");
    let Some(validator) = tool(VALIDATOR) else { return };
    let scratch = Scratch::new("openapi");
    let everything = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/everything/proto");
    for document in [document, export(&["--proto", everything, "--title", "Everything", "--version", "2"])] {
        let said = validate(&validator, &document, &scratch);
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stdout));
    }
}

/// What it must not let pass: a variable of a path that no parameter describes, and a type that there is not.
#[test]
fn the_validator_finds_what_is_wrong() {
    let Some(validator) = tool(VALIDATOR) else { return };
    let (document, scratch) = (export(&[]), Scratch::new("openapi"));
    let mut nameless = document.clone();
    nameless["paths"]["/v1/users/{id}"]["get"]["parameters"] = json!([]);
    let mut typeless = document;
    typeless["components"]["schemas"]["users.v1.User"]["type"] = "message".into();
    for wrong in [nameless, typeless] {
        assert!(!validate(&validator, &wrong, &scratch).status.success());
    }
}
