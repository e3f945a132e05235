//! The list of a consumer's needs: each need once, and only in the file that says whose it is.

use std::collections::BTreeMap;

use super::scope::{Contract, Scope, Taking};
use crate::finding::Finding;
use crate::language::number;
use crate::model::Place;

/// FH2205.
pub(super) fn declared_twice(scope: &Scope<'_>) -> Vec<Finding> {
    let mut declared: Vec<(&str, String, Place)> = Vec::new();
    for consumer in &scope.model.consumers {
        let calls = consumer.calls.iter().map(|need| match need.from.as_str() {
            "" => (format!("a call of `{}`", need.method), &need.place),
            from => (format!("a call of `{}` from `{from}`", need.method), &need.place),
        });
        let steps = consumer.steps.iter().map(|need| (format!("a step `{}`", need.method), &need.place));
        let views = consumer.views.iter().map(|view| (format!("a view of `{}`", view.of), &view.place));
        let replicas =
            consumer.replicas.iter().map(|copy| (format!("a replica of `{}`", copy.of), &copy.place));
        let all = calls.chain(steps).chain(views).chain(replicas);
        declared.extend(all.map(|(what, place)| (consumer.name.as_str(), what, place.clone())));
    }
    let mut first: BTreeMap<(&str, String), Place> = BTreeMap::new();
    let mut findings = Vec::new();
    for (consumer, what, place) in declared {
        let finding =
            Finding::error(format!("`{consumer}` declares {what} twice")).at(place.clone(), "again here");
        match first.get(&(consumer, what.clone())) {
            Some(earlier) => {
                findings.push(finding.at(earlier.clone(), "first here").help("remove one of the two"))
            }
            None => drop(first.insert((consumer, what), place)),
        }
    }
    findings
}

/// FH2206.
pub(super) fn nobody_needs(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut takings: BTreeMap<String, Vec<&Taking>> = BTreeMap::new();
    for taking in &scope.takings {
        takings.entry(taking.message.parent_file().name().to_owned()).or_default().push(taking);
    }
    for contract in scope.files.iter().filter(|contract| contract.words.consumer.is_none()) {
        let takings = takings.get(contract.file.name()).map(Vec::as_slice).unwrap_or_default();
        let name = contract.words.owner.clone();
        let name = name
            .unwrap_or_else(|| contract.file.package_name().split('.').next().unwrap_or_default().to_owned());
        for (what, place) in needs_of(scope, contract, takings) {
            let message = format!("{what} is declared in a file that does not say who needs it");
            let help = format!(
                "declare needs in a file of their own, needs.proto, that names the consumer:\n    \
                 option (freehold.v1.consumer) = \"{name}\";"
            );
            findings.push(Finding::error(message).at(place, "").help(help));
        }
    }
    findings
}

/// All needs of a file, and where they stand.
fn needs_of(scope: &Scope<'_>, contract: &Contract, takings: &[&Taking]) -> Vec<(String, Place)> {
    let words = &contract.words;
    let place = |option, index| scope.places.file_option(&contract.file, &[option, index]);
    let calls = words
        .calls
        .iter()
        .zip(0..)
        .map(|(call, at)| (format!("a call of `{}`", call.method), place(number::CALLS, at)));
    let steps =
        words.steps.iter().zip(0..).map(|(step, at)| (format!("a step `{step}`"), place(number::STEPS, at)));
    let takings = takings.iter().map(|taking| {
        let what = format!("the {} `{}`", taking.kind(), taking.message.name());
        (what, scope.places.message_option(&taking.message, &[taking.option(), 1]))
    });
    calls.chain(steps).chain(takings).collect()
}
