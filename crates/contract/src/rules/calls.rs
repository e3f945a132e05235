//! Declared calls, saga steps, and what methods name: all of it exists, and nobody calls itself through the mesh.

use std::collections::{BTreeMap, BTreeSet};

use super::scope::{Scope, is_entity};
use crate::finding::Finding;
use crate::language::number;
use crate::model::{Consumer, Need};

/// The tags of `entity` in a cache and of `undo`, in the option of a call.
const CACHE_ENTITY: &[i32] = &[number::CALL, 5, 2];
const UNDO: &[i32] = &[number::CALL, 6];

/// FH2201.
pub(super) fn unknown_call(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (consumer, call) in needs(scope, |consumer| &consumer.calls) {
        if scope.methods.contains_key(&call.method) {
            continue;
        }
        let from = if call.from.is_empty() { String::new() } else { format!(" from: \"{}\"", call.from) };
        let line = |method: &str| format!("option (freehold.v1.calls) = {{ method: \"{method}\"{from} }};");
        findings.push(unknown(scope, "call", consumer, call, line));
    }
    findings
}

/// FH2202.
pub(super) fn unknown_step(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (consumer, step) in needs(scope, |consumer| &consumer.steps) {
        if !scope.methods.contains_key(&step.method) {
            let line = |method: &str| format!("option (freehold.v1.steps) = \"{method}\";");
            findings.push(unknown(scope, "step", consumer, step, line));
        }
    }
    findings
}

/// FH2203.
pub(super) fn unknown_from(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut methods: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for rpc in scope.methods.values() {
        methods.entry(&rpc.owner).or_default().insert(rpc.method.name());
    }
    let none = BTreeSet::new();
    for (consumer, call) in needs(scope, |consumer| &consumer.calls).filter(|(_, call)| !call.from.is_empty())
    {
        let own = methods.get(consumer.name.as_str()).unwrap_or(&none);
        if own.contains(call.from.as_str()) {
            continue;
        }
        let line = |from: &str| {
            format!("option (freehold.v1.calls) = {{ method: \"{}\" from: \"{from}\" }};", call.method)
        };
        let help = match scope.nearest(&call.from, own.iter().copied()) {
            Some(near) => format!("did you mean this?\n    {}", line(near)),
            None => format!(
                "leave it out where no RPC makes the call:\n    option (freehold.v1.calls) = {{ method: \"{}\" }};",
                call.method
            ),
        };
        let message = format!("`{}` has no method `{}` to call from", consumer.name, call.from);
        findings.push(
            Finding::error(message)
                .at(call.place.clone(), "`from` names one of the consumer's own methods")
                .help(help),
        );
    }
    findings
}

/// FH2204.
pub(super) fn of_oneself(scope: &Scope<'_>) -> Vec<Finding> {
    let calls = needs(scope, |consumer| &consumer.calls).map(|need| ("call", need));
    let steps = needs(scope, |consumer| &consumer.steps).map(|need| ("step", need));
    let mut findings = Vec::new();
    for (kind, (consumer, need)) in calls.chain(steps) {
        let Some(rpc) = scope.methods.get(&need.method) else { continue };
        if rpc.owner == consumer.name {
            let finding =
                Finding::error(format!("`{}` declares a {kind} of its own `{}`", consumer.name, need.method))
                    .at(need.place.clone(), "of oneself")
                    .at(scope.places.method(&rpc.method), "");
            findings.push(
                finding.help("remove the line: a service reaches its own data by calling its own function"),
            );
        }
    }
    findings
}

/// FH2207.
pub(super) fn unknown_cache_entity(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rpc in scope.methods.values() {
        let Some(entity) = rpc.words.cache.as_ref().map(|cache| cache.entity.as_str()) else { continue };
        if entity.is_empty() || scope.message(entity).is_some_and(|message| is_entity(&message)) {
            continue;
        }
        let place = scope.places.method_option(&rpc.method, CACHE_ENTITY);
        let help = match scope.nearest(entity, scope.entities()) {
            Some(near) => {
                format!("did you mean this?\n    option (freehold.v1.call).cache.entity = \"{near}\";")
            }
            None => "name an entity by its full name, or leave it out: the answer then lives for its `ttl`"
                .to_owned(),
        };
        let message = format!("the cache of `{}` watches `{entity}`, which is not an entity", rpc.name);
        findings.push(Finding::error(message).at(place, "").help(help));
    }
    findings
}

/// FH2208.
pub(super) fn unknown_undo(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rpc in scope.methods.values() {
        let Some(undo) = rpc.words.undo.as_deref() else { continue };
        let service = rpc.method.parent_service();
        let own: Vec<_> = service.methods().collect();
        let others = || own.iter().map(|method| method.name()).filter(|name| *name != rpc.method.name());
        if others().any(|name| name == undo) {
            continue;
        }
        let message = if undo == rpc.method.name() {
            format!("`{}` is its own `undo`", rpc.name)
        } else {
            format!("`{}` is undone by `{undo}`, which `{}` does not have", rpc.name, service.full_name())
        };
        let help = match scope.nearest(undo, others()) {
            Some(near) => format!("did you mean this?\n    option (freehold.v1.call).undo = \"{near}\";"),
            None => "name the method of the same service that takes back what this one did".to_owned(),
        };
        findings
            .push(Finding::error(message).at(scope.places.method_option(&rpc.method, UNDO), "").help(help));
    }
    findings
}

fn needs<'a>(
    scope: &'a Scope<'_>,
    list: fn(&Consumer) -> &Vec<Need>,
) -> impl Iterator<Item = (&'a Consumer, &'a Need)> {
    scope
        .model
        .consumers
        .iter()
        .flat_map(move |consumer| list(consumer).iter().map(move |need| (consumer, need)))
}

fn unknown(
    scope: &Scope<'_>,
    kind: &str,
    consumer: &Consumer,
    need: &Need,
    line: impl Fn(&str) -> String,
) -> Finding {
    let others = scope.methods.iter().filter(|(_, rpc)| rpc.owner != consumer.name);
    let help = match scope.nearest(&need.method, others.map(|(name, _)| name.as_str())) {
        Some(near) => format!("did you mean this?\n    {}", line(near)),
        None => format!(
            "name a method as package.Service/Method:\n    {}",
            line("inventory.v1.InventoryService/Reserve")
        ),
    };
    Finding::error(format!(
        "`{}` declares a {kind} of `{}`, which does not exist",
        consumer.name, need.method
    ))
    .at(need.place.clone(), "no such method")
    .help(help)
}
