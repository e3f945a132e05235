//! Entities and events: each has a key that is one of its own string fields, and an event belongs to its entity's owner.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use super::scope::{Scope, declaration, is_entity, type_of};
use crate::editions::tells_absent;
use crate::finding::Finding;
use crate::language::{self, EventWords, number};

/// The tags of `key` and `of` in the options.
const ENTITY_KEY: &[i32] = &[number::ENTITY, 1];
const EVENT_OF: &[i32] = &[number::EVENT, 1];
const EVENT_KEY: &[i32] = &[number::EVENT, 2];

/// FH2101.
pub(super) fn entity_key_missing(scope: &Scope<'_>) -> Vec<Finding> {
    let missing = entities(scope).filter(|(message, key)| message.get_field_by_name(key).is_none());
    missing.map(|(message, key)| missing_key(scope, message, &key, "entity", ENTITY_KEY)).collect()
}

/// FH2102.
pub(super) fn entity_key_type(scope: &Scope<'_>) -> Vec<Finding> {
    let typed = entities(scope).filter_map(|(message, key)| not_text(message.get_field_by_name(&key)?));
    typed.map(|field| wrong_key(scope, &field, ENTITY_KEY)).collect()
}

/// FH2103.
pub(super) fn event_of(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (message, event) in events(scope) {
        let found = scope.message(&event.of);
        if found.as_ref().is_some_and(is_entity) {
            continue;
        }
        let place = scope.places.message_option(message, EVENT_OF);
        let name = message.full_name();
        let finding = match (event.of.as_str(), found) {
            ("", _) => Finding::error(format!("the event `{name}` does not say which entity it is about"))
                .at(place, ""),
            (of, None) => Finding::error(format!("the event `{name}` is about `{of}`, which does not exist"))
                .at(place, ""),
            (of, Some(found)) => {
                Finding::error(format!("the event `{name}` is about `{of}`, which is not an entity"))
                    .at(place, "")
                    .at(scope.places.message(&found), "has no `(freehold.v1.entity).key`")
            }
        };
        let help = match scope.nearest(&event.of, scope.entities()) {
            Some(near) => format!("did you mean this?\n    option (freehold.v1.event).of = \"{near}\";"),
            None => "name an entity of the same owner; a message becomes one by\n    option (freehold.v1.entity).key = \"id\";".to_owned(),
        };
        findings.push(finding.help(help));
    }
    findings
}

/// FH2104.
pub(super) fn event_key_missing(scope: &Scope<'_>) -> Vec<Finding> {
    let missing = events(scope).filter(|(message, event)| message.get_field_by_name(&event.key).is_none());
    missing.map(|(message, event)| missing_key(scope, message, &event.key, "event", EVENT_KEY)).collect()
}

/// FH2105.
pub(super) fn event_key_type(scope: &Scope<'_>) -> Vec<Finding> {
    let typed = events(scope).filter_map(|(message, event)| not_text(message.get_field_by_name(&event.key)?));
    typed.map(|field| wrong_key(scope, &field, EVENT_KEY)).collect()
}

/// FH2106.
pub(super) fn event_outside(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (message, event) in events(scope) {
        let Some(entity) = scope.message(&event.of).filter(is_entity) else { continue };
        let (owner, stranger) = (scope.owner_of(&entity), scope.owner_of(message));
        if owner == stranger || owner.is_empty() {
            continue;
        }
        let text = format!(
            "the event `{}` is about `{}`, which `{owner}` owns",
            message.full_name(),
            entity.full_name()
        );
        let finding = Finding::error(text)
            .at(scope.places.message_option(message, EVENT_OF), format!("in a package of `{stranger}`"))
            .at(scope.places.message(&entity), format!("owned by `{owner}`"));
        findings.push(finding.help(format!(
            "only an owner emits events about its entities: move the event to the package `{}`",
            entity.package_name()
        )));
    }
    findings
}

/// FH2107.
pub(super) fn two_things(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for message in scope.messages() {
        let kinds = [
            ("an entity", number::ENTITY, is_entity(message)),
            ("an event", number::EVENT, language::event(message).is_some()),
            ("a replica", number::REPLICA, language::replica(message).is_some()),
            ("a view", number::VIEW, language::view(message).is_some()),
        ];
        let mut is = kinds.into_iter().filter(|(_, _, is)| *is);
        if let (Some((one, first, _)), Some((other, second, _))) = (is.next(), is.next()) {
            let finding = Finding::error(format!("`{}` is {one} and {other} at once", message.full_name()))
                .at(scope.places.message_option(message, &[second, 1]), other)
                .at(scope.places.message_option(message, &[first, 1]), one);
            findings.push(finding.help("give each a message of its own"));
        }
    }
    findings
}

/// FH2108.
pub(super) fn hidden_key(scope: &Scope<'_>) -> Vec<Finding> {
    let of_entities = entities(scope).map(|(message, key)| message.get_field_by_name(&key));
    let of_events = events(scope).map(|(message, event)| message.get_field_by_name(&event.key));
    let mut findings = Vec::new();
    for field in of_entities.chain(of_events).flatten() {
        let rules = language::field_rules(&field);
        let (word, tag) = match (rules.private, rules.personal) {
            (true, _) => ("private", 6),
            (_, true) => ("personal", 7),
            _ => continue,
        };
        let finding = Finding::error(format!("the key `{}` is {word}", field.full_name()))
            .at(scope.places.field_option(&field, &[number::FIELD, tag]), "");
        findings.push(finding.help(format!(
            "a key names its entity to everyone, in every event and for ever; make the key an id that tells nothing:\n    {}",
            declaration(&field, field.name())
        )));
    }
    findings
}

/// FH2109.
pub(super) fn personal_event_field(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (message, event) in events(scope) {
        for field in message
            .fields()
            .filter(|field| language::field_rules(field).personal && field.name() != event.key)
        {
            let finding = Finding::warning(format!(
                "`{}` is personal, so no view of this event may read it",
                field.full_name()
            ))
            .at(
                scope.places.field_option(&field, &[number::FIELD, 7]),
                "personal fields travel only in changes",
            );
            findings.push(finding.help(format!(
                "leave it out of the event; consumers read it as a view or replica of `{}`",
                event.of
            )));
        }
    }
    findings
}

fn entities<'a>(scope: &'a Scope<'_>) -> impl Iterator<Item = (&'a MessageDescriptor, String)> {
    scope.messages().filter_map(|message| Some((message, language::entity_key(message)?)))
}

fn events<'a>(scope: &'a Scope<'_>) -> impl Iterator<Item = (&'a MessageDescriptor, EventWords)> {
    scope.messages().filter_map(|message| Some((message, language::event(message)?)))
}

/// The field, unless it is one plain string.
fn not_text(field: FieldDescriptor) -> Option<FieldDescriptor> {
    let text = field.kind() == Kind::String && !field.is_list() && !tells_absent(&field);
    (!text).then_some(field)
}

fn missing_key(
    scope: &Scope<'_>,
    message: &MessageDescriptor,
    key: &str,
    kind: &str,
    option: &[i32],
) -> Finding {
    let place = scope.places.message_option(message, option);
    let name = message.full_name();
    let text = match key {
        "" => format!("the {kind} `{name}` does not say which field is its key"),
        _ => format!("the {kind} `{name}` has no field `{key}` to be its key"),
    };
    let fields: Vec<FieldDescriptor> = message.fields().collect();
    let names = || fields.iter().filter(|field| field.kind() == Kind::String).map(FieldDescriptor::name);
    let help = match scope.nearest(key, names()).or_else(|| names().next()) {
        Some(near) => format!("did you mean this?\n    option (freehold.v1.{kind}).key = \"{near}\";"),
        None => format!(
            "a key is a string field:\n    option (freehold.v1.{kind}).key = \"id\";\n    string id = 1;"
        ),
    };
    Finding::error(text).at(place, "").help(help)
}

fn wrong_key(scope: &Scope<'_>, field: &FieldDescriptor, option: &[i32]) -> Finding {
    let (name, number) = (field.name(), field.number());
    Finding::error(format!("the key `{}` is not a plain string", field.full_name()))
        .at(scope.places.field(field), format!("`{}` here", type_of(field)))
        .at(scope.places.message_option(field.parent_message(), option), "the key")
        .help(format!("write\n    string {name} = {number};"))
}
