//! FH50xx: packages, files and names say what they are in the same shape everywhere.

use std::collections::BTreeSet;

use prost_reflect::EnumDescriptor;

use super::words::{camel, is_camel, is_lower_snake, is_upper_snake, is_version, lower_snake};
use super::{contracts, enums, fields, is_owned};
use crate::finding::Finding;
use crate::model::Place;
use crate::rules::scope::{Scope, declaration};

/// FH5001. Once per package, in its first file. A file without any is FH2003's, here and below.
pub(in crate::rules) fn unversioned_package(scope: &Scope<'_>) -> Vec<Finding> {
    let (mut findings, mut seen) = (Vec::new(), BTreeSet::new());
    for contract in contracts(scope).filter(|contract| is_owned(scope, contract)) {
        let package = contract.file.package_name();
        if package.is_empty() || is_version(last_part(package)) || !seen.insert(package) {
            continue;
        }
        let finding = Finding::error(format!("the package `{package}` has no version"))
            .at(scope.places.package(&contract.file), "");
        findings.push(finding.help(format!(
            "a second version will stand beside the first; name it from the start:\n    package {package}.v1;"
        )));
    }
    findings
}

/// FH5002.
pub(in crate::rules) fn misplaced_file(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for contract in contracts(scope) {
        let (package, path) = (contract.file.package_name(), contract.file.name());
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
        if package.is_empty() || folder.replace('/', ".") == package {
            continue;
        }
        let message = format!("`{path}` holds the package `{package}`, which is not its folder");
        let finding = Finding::error(message).at(scope.places.package(&contract.file), "");
        findings.push(finding.help(format!("move the file to\n    {}/{file}", package.replace('.', "/"))));
    }
    findings
}

/// FH5003.
pub(in crate::rules) fn file_names(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for contract in contracts(scope) {
        let path = contract.file.name();
        let file = path.rsplit('/').next().unwrap_or(path);
        let stem = file.strip_suffix(".proto").unwrap_or(file);
        if !is_lower_snake(stem) {
            let finding = Finding::warning(format!("the file name `{file}` is not in lower_snake_case"));
            let help = format!("rename it to\n    {}.proto", lower_snake(stem));
            findings.push(finding.at(Place::whole(path), "").help(help));
        }
    }
    findings
}

/// FH5004.
pub(in crate::rules) fn type_names(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut judge = |kind: &str, name: &str, place: Place| {
        if !is_camel(name) {
            let finding = Finding::warning(format!("the {kind} `{name}` is not named in UpperCamelCase"));
            findings.push(finding.at(place, "").help(format!("write\n    {}", camel(name))));
        }
    };
    for contract in contracts(scope) {
        for message in &contract.messages {
            judge("message", message.name(), scope.places.message(message));
        }
        for service in contract.file.services() {
            judge("service", service.name(), scope.places.name(&contract.file, service.path()));
            for method in service.methods() {
                judge("RPC", method.name(), scope.places.method(&method));
            }
        }
    }
    for choice in enums(scope) {
        judge("enum", choice.name(), scope.places.name(&choice.parent_file(), choice.path()));
    }
    findings
}

/// FH5005.
pub(in crate::rules) fn field_names(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for field in fields(scope).filter(|field| !is_lower_snake(field.name())) {
        let place = scope.places.name(&field.parent_message().parent_file(), field.path());
        let finding = Finding::error(format!("the field `{}` is not in lower_snake_case", field.full_name()));
        let line = declaration(&field, &lower_snake(field.name()));
        let is_choice = field.containing_oneof().is_some_and(|oneof| !oneof.is_synthetic());
        let line = line.strip_prefix("optional ").filter(|_| is_choice).unwrap_or(&line);
        findings.push(finding.at(place, "").help(format!("write\n    {line}")));
    }
    findings
}

/// FH5006.
pub(in crate::rules) fn value_names(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for choice in enums(scope) {
        let prefix = lower_snake(choice.name()).to_ascii_uppercase();
        for value in choice.values() {
            if is_upper_snake(value.name()) && squashed(value.name()).starts_with(&squashed(&prefix)) {
                continue;
            }
            let name = lower_snake(value.name()).to_ascii_uppercase();
            let (wrong, name) = match squashed(&name).starts_with(&squashed(&prefix)) {
                true => ("is not in UPPER_SNAKE_CASE", name),
                false => ("does not begin with the name of its enum", format!("{prefix}_{name}")),
            };
            let message = format!("the value `{}` of `{}` {wrong}", value.name(), choice.full_name());
            let finding = Finding::warning(message)
                .at(scope.places.name(&choice.parent_file(), value.path()), "")
                .help(format!("write\n    {name} = {};", value.number()));
            findings.push(finding);
        }
    }
    findings
}

/// FH5007.
pub(in crate::rules) fn meaningful_zero(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for choice in enums(scope) {
        let zero = choice.values().find(|value| value.number() == 0);
        let Some(zero) = zero.filter(|zero| !says_nothing(zero.name())) else { continue };
        let place = scope.places.name(&choice.parent_file(), zero.path());
        let message = format!(
            "the zero of `{}` is `{}`, so what nobody has set reads as that",
            choice.full_name(),
            zero.name()
        );
        let finding = Finding::error(message).at(place, "");
        findings.push(
            finding.help(format!("let zero say that nothing was said:\n    {} = 0;", unspecified(&choice))),
        );
    }
    findings
}

fn says_nothing(name: &str) -> bool {
    name.rsplit('_').next().is_some_and(|last| ["UNSPECIFIED", "UNKNOWN", "NONE"].contains(&last))
}

fn unspecified(choice: &EnumDescriptor) -> String {
    format!("{}_UNSPECIFIED", lower_snake(choice.name()).to_ascii_uppercase())
}

/// Whether an acronym is one word or several is a matter of taste: "HTTP_2" and "HTTP2" begin alike.
fn squashed(name: &str) -> String {
    name.replace('_', "")
}

fn last_part(package: &str) -> &str {
    package.rsplit('.').next().unwrap_or(package)
}
