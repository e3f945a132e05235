//! FH30xx: what is no longer there (K1).
//!
//! What goes with something greater is told once, by the greatest that went: a package, a service, a message. A type that
//! was moved and has kept its shape is not gone.

use std::collections::HashSet;

use prost_reflect::{EnumDescriptor, FieldDescriptor, MessageDescriptor};

use crate::finding::{Affected, Finding, Mark, Severity, Verdict};

use super::readers::{ANYBODY, Target};
use super::scope::{Scope, names, removal};
use super::side::type_of_field;

/// What a kind of element is called.
enum Kind {
    Entity,
    Event,
    Plain,
}

/// FH3001.
pub(super) fn packages(scope: &Scope<'_>) -> Vec<Finding> {
    let gone = scope.old.packages.iter().filter(|(package, _)| is_gone(scope, package));
    let mut findings = Vec::new();
    for (package, files) in gone {
        let inside = |of: &str| of == package;
        let messages = scope.messages().filter(|message| inside(message.package_name()));
        let messages = messages.filter(|message| !lives_on(scope, message, &mut HashSet::new()));
        let methods = scope.methods().filter(|(_, method)| inside(method.parent_service().package_name()));
        let mut targets: Vec<Target<'_>> =
            messages.map(|message| Target::Type(message.full_name())).collect();
        targets.extend(methods.map(|(name, _)| Target::Method(name)));
        let Some(file) = files.first().filter(|_| !targets.is_empty()) else { continue };
        let mark = scope.old.mark(scope.old.places().package(file), "stood here");
        findings.extend(gone_finding(scope, "package", package, vec![mark], &targets, None));
    }
    findings
}

/// FH3002.
pub(super) fn services(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for service in &scope.old.services {
        let (name, file) = (service.full_name(), service.parent_file());
        let is_kept = scope.new.model.pool.get_service_by_name(name).is_some();
        if !scope.live || !scope.has_changed(file.name()) || is_kept || is_gone(scope, service.package_name())
        {
            continue;
        }
        let methods: Vec<String> =
            service.methods().map(|method| format!("{name}/{}", method.name())).collect();
        let targets: Vec<Target<'_>> = methods.iter().map(|method| Target::Method(method)).collect();
        let mark = scope.old.mark(scope.old.places().name(&file, service.path()), "stood here");
        findings.extend(gone_finding(scope, "service", name, vec![mark], &targets, None));
    }
    findings
}

/// FH3003.
pub(super) fn methods(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, method) in scope.methods() {
        let service = scope.new.model.pool.get_service_by_name(method.parent_service().full_name());
        let Some(service) = service.filter(|_| scope.new.method(name).is_none()) else { continue };
        let here = scope.new.places().name(&service.parent_file(), service.path());
        let marks = vec![scope.old.at_method(method, "stood here"), scope.new.mark(here, "no longer here")];
        let targets = [Target::Method(name)];
        findings.extend(gone_finding(scope, "method", name, marks, &targets, None));
    }
    findings
}

/// FH3004.
pub(super) fn entities(scope: &Scope<'_>) -> Vec<Finding> {
    messages_of(scope, &Kind::Entity)
}

/// FH3005.
pub(super) fn events(scope: &Scope<'_>) -> Vec<Finding> {
    messages_of(scope, &Kind::Event)
}

/// FH3006.
pub(super) fn messages(scope: &Scope<'_>) -> Vec<Finding> {
    messages_of(scope, &Kind::Plain)
}

fn messages_of(scope: &Scope<'_>, wanted: &Kind) -> Vec<Finding> {
    let mut findings = Vec::new();
    for message in scope.messages() {
        let name = message.full_name();
        let kind = if scope.old.entities.contains_key(name) {
            Kind::Entity
        } else if scope.old.events.contains_key(name) {
            Kind::Event
        } else {
            Kind::Plain
        };
        let word = match (wanted, &kind) {
            (Kind::Entity, Kind::Entity) => "entity",
            (Kind::Event, Kind::Event) => "event",
            (Kind::Plain, Kind::Plain) => "message",
            _ => continue,
        };
        let outer_gone = message.parent_message().is_some_and(|outer| no_message(scope, &outer));
        let goes_along = outer_gone || is_gone(scope, message.package_name());
        if !no_message(scope, message) || goes_along || (matches!(kind, Kind::Plain) && is_moved(scope, name))
        {
            continue;
        }
        let marks = vec![scope.old.at_message(message, "stood here")];
        findings.extend(gone_finding(scope, word, name, marks, &[Target::Type(name)], None));
    }
    findings
}

/// FH3007.
pub(super) fn fields(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (old, new) in scope.message_pairs() {
        let gone = |field: &FieldDescriptor| {
            new.get_field(field.number()).is_none() && new.get_field_by_name(field.name()).is_none()
        };
        for field in old.fields().filter(gone) {
            let marks = vec![scope.old.at_field(&field, "stood here"), scope.no_longer(&new)];
            let target = Target::Field(old.full_name(), field.number());
            let reserve = format!("reserved {};\n    reserved \"{}\";", field.number(), field.name());
            let finding = gone_finding(scope, "field", field.full_name(), marks, &[target], Some(&reserve));
            let safe = is_reserved(&new, &field);
            findings.extend(finding.filter(|finding| !(safe && finding.affected.is_empty())));
        }
    }
    findings
}

/// FH3008.
pub(super) fn enums(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for choice in scope.enums() {
        let name = choice.full_name();
        let outer_gone = choice.parent_message().is_some_and(|outer| no_message(scope, &outer));
        let goes_along = outer_gone || is_gone(scope, choice.package_name());
        if scope.new.choice(name).is_some() || goes_along || is_moved(scope, name) {
            continue;
        }
        let marks = vec![scope.old.at_enum(choice, "stood here")];
        findings.extend(gone_finding(scope, "enum", name, marks, &[Target::Type(name)], None));
    }
    findings
}

/// FH3009.
pub(super) fn values(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (old, new) in scope.enum_pairs() {
        for (index, value) in old.values().enumerate() {
            let (name, number) = (value.name(), value.number());
            if new.get_value(number).is_some() || new.get_value_by_name(name).is_some() {
                continue;
            }
            let marks = vec![
                scope.old.at_value(old, declared_at(old, name).unwrap_or(index), "stood here"),
                scope.new.at_enum(&new, "no longer here"),
            ];
            let element = format!("{}.{name}", old.full_name());
            let reserve = format!("reserved {number};\n    reserved \"{name}\";");
            let target = [Target::Type(old.full_name())];
            let finding = gone_finding(scope, "value", &element, marks, &target, Some(&reserve));
            let safe = new.reserved_ranges().any(|range| range.contains(&number))
                && new.reserved_names().any(|reserved| reserved == name);
            findings.extend(finding.filter(|finding| !(safe && finding.affected.is_empty())));
        }
    }
    findings
}

/// The index of a value as declared; the descriptors list values by number.
pub(super) fn declared_at(choice: &EnumDescriptor, name: &str) -> Option<usize> {
    choice.enum_descriptor_proto().value.iter().position(|value| value.name() == name)
}

/// The finding about something that is gone: an error where it is declared, otherwise a warning.
fn gone_finding(
    scope: &Scope<'_>,
    kind: &str,
    element: &str,
    marks: Vec<Mark>,
    targets: &[Target<'_>],
    reserve: Option<&str>,
) -> Option<Finding> {
    let affected = scope.affected(targets, removal);
    let is_declared = affected.iter().any(|affected| affected.verdict == Verdict::Broken);
    let withdrawn = scope.withdrawn_last(targets);
    let tail = match (is_declared, withdrawn.is_empty()) {
        (true, _) => String::new(),
        (false, true) if affected.is_empty() => ", and nobody declares it".to_owned(),
        (false, true) => ", and nobody declares it by name".to_owned(),
        (false, false) => {
            let who = names(withdrawn.iter().map(|withdrawn| withdrawn.consumer.as_str()));
            format!(", and who declared it has withdrawn the need: {who}")
        }
    };
    let mut finding = Finding::warning(format!("the {kind} `{element}` is removed{tail}"));
    for mark in marks {
        finding = finding.mark(mark);
    }
    for line in withdrawn.iter().filter_map(|withdrawn| withdrawn.need.clone()) {
        finding = finding.mark(Mark { label: "withdrawn".to_owned(), ..line });
    }
    let help = way_out(&affected, &withdrawn, reserve);
    let finding = finding.hits(element, affected).at_least(Severity::Warning).help(help);
    scope.tells(&finding).then_some(finding)
}

/// The way out, in order.
fn way_out(affected: &[Affected], withdrawn: &[Affected], reserve: Option<&str>) -> String {
    let reserve = reserve.map(|lines| format!("\n    {lines}"));
    if !withdrawn.is_empty() {
        let who = names(withdrawn.iter().map(|withdrawn| withdrawn.consumer.as_str()));
        let then = reserve.map(|lines| format!("; keep its number and name from being used again:{lines}"));
        return format!(
            "roll out {who} first, for what runs of it still reads this{}",
            then.unwrap_or_default()
        );
    }
    match (affected.is_empty(), reserve) {
        (true, Some(lines)) => format!("so that nothing else is taken for it, add{lines}"),
        (true, None) => {
            "whoever needs it and is not in this tree declares it in proto/consumers/<team>/v1/needs.proto; \
                         otherwise nothing is to be done"
                .to_owned()
        }
        (false, reserve) => {
            let then = reserve.map(|lines| format!(", with{lines}")).unwrap_or_default();
            format!(
                "1. put it back, marked `deprecated = true`, and add beside it what replaces it\n\
                 2. move the readers: {}\n\
                 3. once no needs lead to it, remove it{then}",
                readers(affected)
            )
        }
    }
}

/// Who is to be moved, and where that is written.
fn readers(affected: &[Affected]) -> String {
    let reader = |affected: &Affected| match &affected.need {
        Some(need) if !need.place.is_whole() && need.baseline.is_none() => {
            format!("`{}` in {}:{}", affected.consumer, need.place.file, need.place.line)
        }
        _ => format!("`{}`", affected.consumer),
    };
    let named = affected.iter().filter(|affected| affected.consumer != ANYBODY);
    let readers: Vec<String> = named.map(reader).collect();
    if readers.is_empty() { "whoever calls it without a need".to_owned() } else { readers.join(", ") }
}

/// Whether nothing is left of the package. A package of needs alone is its consumer's own.
fn is_gone(scope: &Scope<'_>, package: &str) -> bool {
    !scope.new.packages.contains_key(package)
}

fn no_message(scope: &Scope<'_>, message: &MessageDescriptor) -> bool {
    scope.new.message(message.full_name()).is_none()
}

/// Whether a plain message was moved: by itself, with the one that it is declared in, or with one that holds it.
fn lives_on(scope: &Scope<'_>, message: &MessageDescriptor, seen: &mut HashSet<String>) -> bool {
    let name = message.full_name();
    let shared = scope.old.entities.contains_key(name) || scope.old.events.contains_key(name);
    if shared || !no_message(scope, message) || !seen.insert(name.to_owned()) {
        return false;
    }
    let holders = scope.readers.holders(name).0.iter().filter_map(|(holder, _)| scope.old.message(holder));
    is_moved(scope, name)
        || message.parent_message().into_iter().chain(holders).any(|it| lives_on(scope, &it, seen))
}

/// Whether what held the type holds another one of the same shape.
fn is_moved(scope: &Scope<'_>, name: &str) -> bool {
    let (holders, methods) = scope.readers.holders(name);
    let field_moved = |(holder, number): &(String, u32)| {
        let old = scope.old.message(holder).and_then(|holder| holder.get_field(*number));
        let new = scope.new.message(holder).and_then(|holder| holder.get_field(*number));
        old.zip(new).is_some_and(|(old, new)| {
            type_of_field(&new).is_some_and(|type_name| type_name != name)
                && scope.shapes.same_kind(&old.kind(), &new.kind())
        })
    };
    let method_moved = |method: &String| {
        scope.old.method(method).zip(scope.new.method(method)).is_some_and(|(old, new)| {
            [(old.input(), new.input()), (old.output(), new.output())]
                .iter()
                .any(|(old, new)| old.full_name() == name && scope.shapes.same_message(old, new))
        })
    };
    holders.iter().any(field_moved) || methods.iter().any(|(method, _)| method_moved(method))
}

fn is_reserved(message: &MessageDescriptor, field: &FieldDescriptor) -> bool {
    message.reserved_ranges().any(|range| range.contains(&field.number()))
        && message.reserved_names().any(|name| name == field.name())
}
