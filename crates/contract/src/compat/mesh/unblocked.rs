//! FH38xx: needs that were withdrawn, and what may be removed since (K16).
//!
//! Told of a baseline that runs, of what is still there: where it went in the same change, its removal says so itself.

use std::collections::BTreeSet;

use crate::finding::{Finding, Mark};
use crate::model::Consumer;

use super::readers::Target;
use super::scope::Scope;

/// FH3801.
pub(super) fn fields(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (source, number) in scope.live.then(|| taken(&scope.old.model.consumers)).into_iter().flatten() {
        let Some(field) = scope.new.message(source).and_then(|message| message.get_field(number)) else {
            continue;
        };
        findings.extend(unblocked(
            scope,
            field.full_name(),
            scope.new.at_field(&field, "may go"),
            &[Target::Field(source, number)],
        ));
    }
    findings
}

/// FH3802.
pub(super) fn methods(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let consumers = scope.old.model.consumers.iter().filter(|_| scope.live);
    let needs = consumers.flat_map(|consumer| consumer.calls.iter().chain(&consumer.steps));
    let called: BTreeSet<&str> = needs.map(|need| need.method.as_str()).collect();
    for name in called {
        let Some(method) = scope.new.method(name) else { continue };
        findings.extend(unblocked(
            scope,
            name,
            scope.new.at_method(method, "may go"),
            &[Target::Method(name)],
        ));
    }
    findings
}

/// The fields that views and replicas take, by their source.
fn taken(consumers: &[Consumer]) -> BTreeSet<(&str, u32)> {
    let views =
        consumers.iter().flat_map(|consumer| &consumer.views).map(|view| (view.of.as_str(), &view.fields));
    let replicas = consumers
        .iter()
        .flat_map(|consumer| &consumer.replicas)
        .map(|replica| (replica.of.as_str(), &replica.fields));
    let fields = views.chain(replicas);
    fields.flat_map(|(of, fields)| fields.iter().map(move |field| (of, field.number))).collect()
}

/// A note, where somebody declared it and nobody does any more.
fn unblocked(scope: &Scope<'_>, element: &str, here: Mark, targets: &[Target<'_>]) -> Option<Finding> {
    let withdrawn = scope.withdrawn_last(targets);
    let first = withdrawn.first()?;
    let who: Vec<String> = withdrawn.iter().map(|withdrawn| format!("`{}`", withdrawn.consumer)).collect();
    let text =
        format!("nobody declares `{element}` any more: {} has withdrawn the last need", who.join(", "));
    let mut finding = Finding::warning(text).mark(here);
    for line in withdrawn.iter().filter_map(|withdrawn| withdrawn.need.clone()) {
        finding = finding.mark(Mark { label: "withdrawn".to_owned(), ..line });
    }
    let help = format!("once the new `{}` runs everywhere, it may be removed", first.consumer);
    Some(finding.hits(element, Vec::new()).help(help))
}
