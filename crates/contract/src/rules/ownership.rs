//! Who owns what: a package has one owner, a consumer declares its needs in one place, and both have plain names.

use std::collections::BTreeMap;

use super::scope::{Contract, Scope, is_entity, is_event};
use crate::finding::Finding;
use crate::language::number;
use crate::model::Place;

/// FH2001.
pub(super) fn two_owners(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut first: BTreeMap<&str, (&Contract, &str)> = BTreeMap::new();
    for contract in &scope.files {
        let Some(owner) = contract.words.owner.as_deref() else { continue };
        let package = contract.file.package_name();
        let (earlier, known) = *first.entry(package).or_insert((contract, owner));
        if known != owner {
            let finding =
                Finding::error(format!("the package `{package}` has two owners: `{known}` and `{owner}`"))
                    .at(scope.places.file_option(&contract.file, &[number::OWNER]), "second owner")
                    .at(scope.places.file_option(&earlier.file, &[number::OWNER]), "first owner");
            findings.push(finding.help(format!(
                "a package and all its entities belong to one service; write\n    \
                 option (freehold.v1.owner) = \"{known}\";\nor move the file to a package of `{owner}`"
            )));
        }
    }
    findings
}

/// FH2002.
pub(super) fn nobody_owns(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for contract in scope.files.iter().filter(|contract| !contract.file.package_name().is_empty()) {
        let package = contract.file.package_name();
        if scope.owners.contains_key(package) {
            continue;
        }
        let services = contract.file.services().map(|service| {
            (format!("the service `{}`", service.name()), scope.places.name(&contract.file, service.path()))
        });
        let messages =
            contract.messages.iter().filter(|message| is_entity(message) || is_event(message)).map(
                |message| {
                    let kind = if is_entity(message) { "entity" } else { "event" };
                    (format!("the {kind} `{}`", message.name()), scope.places.message(message))
                },
            );
        findings.extend(services.chain(messages).map(|(what, place)| without_owner(&what, package, place)));
    }
    findings
}

fn without_owner(what: &str, package: &str, place: Place) -> Finding {
    let name = package.split('.').next().unwrap_or(package);
    Finding::error(format!("{what} is in the package `{package}`, which nobody owns")).at(place, "whose is it?").help(
        format!("name the service that owns the package, once, in one of its files:\n    option (freehold.v1.owner) = \"{name}\";"),
    )
}

/// FH2003.
pub(super) fn no_package(scope: &Scope<'_>) -> Vec<Finding> {
    let nameless = scope.files.iter().filter(|contract| contract.file.package_name().is_empty());
    let finding = |contract: &Contract| {
        let path = contract.file.name();
        let folder = path.rsplit_once('/').map(|(folder, _)| folder.replace('/', "."));
        let package = folder.unwrap_or_else(|| "orders.v1".to_owned());
        Finding::error(format!("`{path}` has no package"))
            .at(Place::whole(path), "")
            .help(format!("begin the file with\n    syntax = \"proto3\";\n    package {package};"))
    };
    nameless.map(finding).collect()
}

/// FH2004.
pub(super) fn consumer_twice(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut first: BTreeMap<&str, &Contract> = BTreeMap::new();
    for contract in &scope.files {
        let Some(consumer) = contract.words.consumer.as_deref() else { continue };
        let earlier = *first.entry(consumer).or_insert(contract);
        if earlier.file.name() != contract.file.name() {
            let message = format!("the needs of `{consumer}` are declared in two files");
            let finding = Finding::error(message)
                .at(scope.places.file_option(&contract.file, &[number::CONSUMER]), "second")
                .at(scope.places.file_option(&earlier.file, &[number::CONSUMER]), "first");
            findings.push(finding.help("declare all needs of a consumer in one file, needs.proto"));
        }
    }
    findings
}

/// FH2005. The names become parts of variables, files and Rust paths.
pub(super) fn plain_names(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for contract in &scope.files {
        let words = &contract.words;
        for (kind, number, name) in
            [("owner", number::OWNER, &words.owner), ("consumer", number::CONSUMER, &words.consumer)]
        {
            let Some(name) = name.as_deref().filter(|name| !is_plain(name)) else { continue };
            let message = match name {
                "" => format!("the {kind} has no name"),
                _ => format!("`{name}` is no name for the {kind}"),
            };
            let place = scope.places.file_option(&contract.file, &[number]);
            let plain = plain(name, contract.file.package_name());
            findings.push(Finding::error(message).at(place, "").help(format!(
                "a name is a lower-case letter, then letters, digits and `_`:\n    option (freehold.v1.{kind}) = \"{plain}\";"
            )));
        }
    }
    findings
}

fn is_plain(name: &str) -> bool {
    let tail = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    name.starts_with(|letter: char| letter.is_ascii_lowercase()) && name.chars().all(tail)
}

/// The nearest plain name, or that of the package.
fn plain(name: &str, package: &str) -> String {
    let letters = name
        .trim()
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' });
    let name: String = letters.skip_while(|letter| !letter.is_ascii_lowercase()).collect();
    if name.is_empty() { package.split('.').next().unwrap_or_default().to_owned() } else { name }
}
