//! Views and replicas: what they take exists, is another's, is shared, and has the same fields at its owner.

use prost_reflect::{FieldDescriptor, MessageDescriptor};

use super::scope::{Scope, Taking, declaration, is_entity, is_event, type_of};
use crate::finding::Finding;
use crate::language;

/// FH2301.
pub(super) fn unknown_source(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for taking in scope.takings.iter().filter(|taking| taking.source.is_none()) {
        let (kind, name) = (taking.kind(), taking.message.full_name());
        let message = match taking.of.as_str() {
            "" => format!("the {kind} `{name}` does not say what it takes"),
            of => format!("the {kind} `{name}` takes `{of}`, which does not exist"),
        };
        findings.push(at_option(scope, taking, Finding::error(message)).help(nearest(scope, taking)));
    }
    findings
}

/// FH2302.
pub(super) fn unshared_source(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (taking, source) in sourced(scope) {
        let shared = is_entity(source) || (is_event(source) && !taking.replica);
        if shared {
            continue;
        }
        let (kind, name, of) = (taking.kind(), taking.message.full_name(), source.full_name());
        let (message, help) = if is_event(source) {
            let entity = language::event(source).map(|event| event.of).unwrap_or_default();
            let line = format!("option (freehold.v1.replica).of = \"{entity}\";");
            let text = format!("the replica `{name}` copies `{of}`, which is an event");
            (
                text,
                format!(
                    "events are viewed, entities are copied:\n    {line}\n    option (freehold.v1.view).of = \"{of}\";"
                ),
            )
        } else {
            (
                format!("the {kind} `{name}` takes `{of}`, which is neither an entity nor an event"),
                nearest(scope, taking),
            )
        };
        let finding = at_option(scope, taking, Finding::error(message));
        findings.push(finding.at(scope.places.message(source), "declared here").help(help));
    }
    findings
}

/// FH2303.
pub(super) fn of_oneself(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (taking, source) in sourced(scope) {
        let owner = scope.owner_of(source);
        if owner.is_empty() || owner != taking.consumer {
            continue;
        }
        let (kind, name) = (taking.kind(), taking.message.full_name());
        let message =
            format!("the {kind} `{name}` takes `{}`, which `{owner}` owns itself", source.full_name());
        let finding =
            at_option(scope, taking, Finding::error(message)).at(scope.places.message(source), "one's own");
        findings.push(finding.help("remove the message: an owner reads its own tables"));
    }
    findings
}

/// FH2304.
pub(super) fn private_field(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (taking, field, verdict) in judged(scope) {
        let Verdict::Private(own) = verdict else { continue };
        let finding = Finding::error(format!(
            "`{}` names a field that `{}` keeps to itself",
            field.full_name(),
            of(taking)
        ))
        .at(scope.places.field(&field), "private at its owner")
        .at(scope.places.field(&own), "");
        let owner = scope.owner_of(own.parent_message());
        findings.push(finding.help(format!(
            "remove the field; if you need it, ask `{owner}`{} to share it",
            contact(scope, owner)
        )));
    }
    findings
}

/// FH2305.
pub(super) fn missing_field(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (taking, field, verdict) in judged(scope) {
        let (Verdict::Missing, Some(source)) = (verdict, &taking.source) else { continue };
        let shared: Vec<FieldDescriptor> =
            source.fields().filter(|own| !language::field_rules(own).private).collect();
        let near = scope.nearest(field.name(), shared.iter().map(FieldDescriptor::name));
        let help = match near.and_then(|near| source.get_field_by_name(near)) {
            Some(own) => format!("did you mean this?\n    {}", declaration(&own, own.name())),
            None => {
                let lines = shared.iter().map(|own| format!("\n    {}", declaration(own, own.name())));
                format!("it shares these fields:{}", lines.collect::<String>())
            }
        };
        let message = format!(
            "`{}` is field {}, which `{}` does not have",
            field.full_name(),
            field.number(),
            source.full_name()
        );
        let finding = Finding::error(message).at(scope.places.field(&field), "no such field");
        findings.push(finding.at(scope.places.message(source), "declared here").help(help));
    }
    findings
}

/// FH2306.
pub(super) fn other_type(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (taking, field, verdict) in judged(scope) {
        let Verdict::Type(own) = verdict else { continue };
        let message = format!("`{}` has another type than in `{}`", field.full_name(), of(taking));
        let finding = Finding::error(message)
            .at(scope.places.field(&field), format!("`{}` here", type_of(&field)))
            .at(scope.places.field(&own), format!("`{}` at its owner", type_of(&own)));
        findings.push(finding.help(format!("write\n    {}", declaration(&own, field.name()))));
    }
    findings
}

/// FH2307.
pub(super) fn other_number(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (taking, field, verdict) in judged(scope) {
        let Verdict::Number(own) = verdict else { continue };
        let message = format!("`{}` has another number than in `{}`", field.full_name(), of(taking));
        let finding = Finding::error(message)
            .at(scope.places.field(&field), format!("{} here", field.number()))
            .at(scope.places.field(&own), format!("{} at its owner", own.number()));
        findings.push(finding.help(format!("write\n    {}", declaration(&own, own.name()))));
    }
    findings
}

/// FH2308.
pub(super) fn personal_field(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (taking, source) in sourced(scope).filter(|(taking, source)| !taking.replica && is_event(source)) {
        for field in taking.message.fields() {
            let Some(own) = counterpart(&field, source).filter(|own| language::field_rules(own).personal)
            else {
                continue;
            };
            let entity = language::event(source).map(|event| event.of).unwrap_or_default();
            let message = format!(
                "`{}` reads a personal field of the event `{}`",
                field.full_name(),
                source.full_name()
            );
            let finding = Finding::error(message)
                .at(scope.places.field(&field), "personal at its owner")
                .at(scope.places.field(&own), "");
            findings.push(finding.help(format!(
                "personal fields are erased, events are not: read it from the changes of the entity\n    \
                 option (freehold.v1.view).of = \"{entity}\";"
            )));
        }
    }
    findings
}

/// FH2309.
pub(super) fn no_key(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (taking, source) in sourced(scope).filter(|(taking, _)| taking.replica) {
        let key = language::entity_key(source).and_then(|key| source.get_field_by_name(&key));
        let Some(key) = key.filter(|key| taking.message.get_field(key.number()).is_none()) else { continue };
        let message = format!(
            "the replica `{}` leaves out the key of `{}`",
            taking.message.full_name(),
            source.full_name()
        );
        let finding = Finding::error(message)
            .at(scope.places.message(&taking.message), "needs the key")
            .at(scope.places.field(&key), "the key");
        findings.push(finding.help(format!("add\n    {}", declaration(&key, key.name()))));
    }
    findings
}

/// What there is to say about a field of a view or replica; one thing at most, so that one mistake is reported once.
enum Verdict {
    Fits,
    Missing,
    Private(FieldDescriptor),
    Type(FieldDescriptor),
    Number(FieldDescriptor),
}

fn judged<'a>(scope: &'a Scope<'_>) -> impl Iterator<Item = (&'a Taking, FieldDescriptor, Verdict)> {
    sourced(scope).flat_map(|(taking, source)| {
        taking.message.fields().map(move |field| {
            let verdict = judge(&field, source);
            (taking, field, verdict)
        })
    })
}

fn judge(field: &FieldDescriptor, source: &MessageDescriptor) -> Verdict {
    let Some(own) = counterpart(field, source) else { return Verdict::Missing };
    if language::field_rules(&own).private {
        Verdict::Private(own)
    } else if own.number() != field.number() {
        Verdict::Number(own)
    } else if type_of(&own) != type_of(field) {
        Verdict::Type(own)
    } else {
        Verdict::Fits
    }
}

/// The field that is meant: of the same name, or else, since a copy may rename, of the same number.
fn counterpart(field: &FieldDescriptor, source: &MessageDescriptor) -> Option<FieldDescriptor> {
    source.get_field_by_name(field.name()).or_else(|| source.get_field(field.number()))
}

/// The views and replicas whose source exists.
fn sourced<'a>(scope: &'a Scope<'_>) -> impl Iterator<Item = (&'a Taking, &'a MessageDescriptor)> {
    scope.takings.iter().filter_map(|taking| Some((taking, taking.source.as_ref()?)))
}

fn at_option(scope: &Scope<'_>, taking: &Taking, finding: Finding) -> Finding {
    finding.at(scope.places.message_option(&taking.message, &[taking.option(), 1]), "")
}

fn nearest(scope: &Scope<'_>, taking: &Taking) -> String {
    let near = match taking.replica {
        true => scope.nearest(&taking.of, scope.entities()),
        false => scope.nearest(&taking.of, scope.shared()),
    };
    match (near, taking.kind()) {
        (Some(near), kind) => format!("did you mean this?\n    option (freehold.v1.{kind}).of = \"{near}\";"),
        (None, "replica") => "name an entity of another owner by its full name".to_owned(),
        (None, _) => "name an event or an entity of another owner by its full name".to_owned(),
    }
}

fn of(taking: &Taking) -> &str {
    &taking.of
}

fn contact(scope: &Scope<'_>, owner: &str) -> String {
    let owner = scope.model.owners.iter().find(|known| known.name == owner);
    let contact = owner.map(|owner| owner.contact.as_str()).filter(|contact| !contact.is_empty());
    contact.map(|contact| format!(" ({contact})")).unwrap_or_default()
}
