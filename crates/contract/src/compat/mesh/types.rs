//! FH32xx: another type, label, oneof, name, presence or default (K3).
//!
//! A change is judged by wire and by JSON, in each direction in which the field travels: what a caller sends is read by
//! the owner, what the owner sends by old readers, and what is replayed both ways. Every method answers HTTP/JSON, so a
//! call breaks where either encoding does; events and changes travel by wire alone.

use prost_reflect::{Cardinality, FieldDescriptor, MessageDescriptor, MethodDescriptor, OneofDescriptor};

use crate::editions::{is_closed, tells_absent};
use crate::finding::{Affected, Finding, Verdict};
use crate::rules::type_of;

use super::encodings::{Outcome, by_json, by_wire};
use super::readers::{Exposure, Target, Way};
use super::scope::{Scope, breaks};
use super::shape::{default, oneof, same_oneof};

/// FH3201.
pub(super) fn kinds(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (old, new) in scope.field_pairs().filter(|(old, new)| is_same(scope, old, new)) {
        let differs = |(was, is): &(FieldDescriptor, FieldDescriptor)| {
            !scope.shapes.same_kind(&was.kind(), &is.kind()) || was.is_group() != is.is_group()
        };
        let parts: Vec<_> = parts(&old, &new).filter(differs).collect();
        if parts.is_empty() {
            continue;
        }
        let affected = affected(scope, &old, |exposure| {
            if exposure.way == Way::Taken && still_declared_as_before(scope, exposure, &new) {
                return Some(Verdict::Broken);
            }
            let outcomes = parts.iter().map(|(was, is)| arrives(scope, exposure.way, was, is));
            outcomes.max().and_then(Outcome::verdict)
        });
        let (was, is) = (type_of(&old), type_of(&new));
        let message = format!("the type of `{}` changes from `{was}` to `{is}`", old.full_name());
        findings.extend(changed(scope, &old, &new, message, affected));
    }
    findings
}

/// What becomes of a value that travels that way, once its type has changed.
fn arrives(scope: &Scope<'_>, way: Way, was: &FieldDescriptor, is: &FieldDescriptor) -> Outcome {
    let wire = |writer, reader| by_wire(writer, reader, &scope.shapes);
    match way {
        Way::Sent => wire(was, is).max(by_json(was, is, true)),
        // By JSON the keys of a map are texts to everybody.
        Way::Received => {
            wire(is, was).max(by_json(is, was, is.parent_message().is_map_entry() && is.number() == 1))
        }
        Way::Taken => wire(is, was).max(wire(was, is)),
        Way::Called | Way::Step => Outcome::Safe,
    }
}

/// FH3202.
pub(super) fn cardinalities(scope: &Scope<'_>) -> Vec<Finding> {
    let differs = |old: &FieldDescriptor, new: &FieldDescriptor| {
        is_same(scope, old, new) && (old.is_list() != new.is_list() || old.is_map() != new.is_map())
    };
    each(scope, differs, breaks, |old, new| {
        format!(
            "`{}` is `{}` and was `{}`: one becomes many, or many one",
            old.full_name(),
            type_of(new),
            type_of(old)
        )
    })
}

/// FH3203.
pub(super) fn oneofs(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (old, new) in scope.field_pairs().filter(|(old, new)| is_same(scope, old, new)) {
        let (was, is) = (oneof(&old), oneof(&new));
        // A oneof that gains or loses a second member ties this field to others only by that change, told there.
        if (was.is_none() && is.is_none()) || is_tied_by_others(&old, &new) {
            continue;
        }
        let (leaves, joins) = (was.is_some(), is.is_some());
        let affected = affected(scope, &old, |exposure| {
            Some(match (exposure.way, leaves, joins) {
                (Way::Sent, true, false) | (Way::Received, false, true) => Verdict::PotentiallyAffected,
                _ => Verdict::Broken,
            })
        });
        let name = |oneof: Option<OneofDescriptor>| oneof.map(|oneof| oneof.name().to_owned());
        let message = match (name(was), name(is)) {
            (None, Some(is)) => format!(
                "`{}` joins the oneof `{is}`: set with another, one of the two is lost",
                old.full_name()
            ),
            (Some(was), None) => format!(
                "`{}` leaves the oneof `{was}`: set with another, old peers lose one of the two",
                old.full_name()
            ),
            (was, is) => format!(
                "`{}` moves from the oneof `{}` to `{}`",
                old.full_name(),
                was.unwrap_or_default(),
                is.unwrap_or_default()
            ),
        };
        findings.extend(changed(scope, &old, &new, message, affected));
    }
    findings
}

/// FH3204.
pub(super) fn json_names(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let pairs = scope.field_pairs().filter(|(old, new)| {
        let renamed = old.name() != new.name() || old.json_name() != new.json_name();
        renamed && !is_reused(scope, old, new)
    });
    for (old, new) in pairs {
        let other_key = old.json_name() != new.json_name();
        let affected = affected(scope, &old, |exposure| match exposure.way {
            Way::Sent | Way::Received => other_key.then_some(Verdict::Broken),
            Way::Taken if keeps_the_name(scope, exposure, &old) => Some(Verdict::PotentiallyAffected),
            _ => None,
        });
        let message = if old.name() == new.name() {
            format!(
                "the JSON name of `{}` changes from `{}` to `{}`",
                old.full_name(),
                old.json_name(),
                new.json_name()
            )
        } else {
            format!(
                "field {} of `{}` is called `{}` now, and was `{}`: by wire the same, by JSON not",
                old.number(),
                old.parent_message().full_name(),
                new.name(),
                old.name()
            )
        };
        let help = format!(
            "keep what JSON calls it:\n    {} [json_name = \"{}\"];",
            declaration(&new),
            old.json_name()
        );
        findings.extend(changed(scope, &old, &new, message, affected).map(|finding| finding.help(help)));
    }
    findings
}

/// FH3205.
pub(super) fn presence(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let single = |field: &FieldDescriptor| !field.is_list() && !field.is_map();
    for (old, new) in
        scope.field_pairs().filter(|(old, new)| is_same(scope, old, new) && single(old) && single(new))
    {
        let must = |field: &FieldDescriptor| field.cardinality() == Cardinality::Required;
        let (verdicts, what): (fn(Way) -> Option<Verdict>, &str) =
            match ((tells_absent(&old), must(&old)), (tells_absent(&new), must(&new))) {
                (was, is) if was == is => continue,
                ((_, false), (_, true)) => (
                    |way| (way != Way::Received).then_some(Verdict::Broken),
                    "must be there by wire from now on: what leaves it out is refused",
                ),
                ((_, true), (_, false)) => (
                    |way| (way != Way::Sent).then_some(Verdict::Broken),
                    "need not be there any more: old readers refuse what leaves it out",
                ),
                ((true, _), (false, _)) => (
                    |_| Some(Verdict::Broken),
                    "no longer tells zero from absent: a zero that was set is lost",
                ),
                _ => (
                    |_| Some(Verdict::PotentiallyAffected),
                    "tells zero from absent from now on: a zero of an old peer reads as absent",
                ),
            };
        let affected = affected(scope, &old, |exposure| verdicts(exposure.way));
        findings.extend(changed(scope, &old, &new, format!("`{}` {what}", old.full_name()), affected));
    }
    findings
}

/// FH3206.
pub(super) fn defaults(scope: &Scope<'_>) -> Vec<Finding> {
    let differs = |old: &FieldDescriptor, new: &FieldDescriptor| {
        is_same(scope, old, new) && default(old) != default(new)
    };
    each(scope, differs, breaks, |old, new| {
        let shown = |field: &FieldDescriptor| {
            default(field).map_or_else(|| "none".to_owned(), |it| format!("`{it}`"))
        };
        format!("the default of `{}` changes from {} to {}", old.full_name(), shown(old), shown(new))
    })
}

/// FH3207.
pub(super) fn messages_of_methods(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, old, new) in scope.method_pairs() {
        for (word, was, is) in [("request", old.input(), new.input()), ("reply", old.output(), new.output())]
        {
            if was.full_name() == is.full_name() || scope.shapes.same_message(&was, &is) {
                continue;
            }
            let (was, is) = (was.full_name(), is.full_name());
            let message =
                format!("the {word} of `{name}` changes from `{was}` to `{is}`, which has another shape");
            findings.push(changed_method(scope, name, old, new, message));
        }
    }
    findings
}

/// FH3208.
pub(super) fn streams(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, old, new) in scope.method_pairs() {
        for (word, was, is) in [
            ("request", old.is_client_streaming(), new.is_client_streaming()),
            ("reply", old.is_server_streaming(), new.is_server_streaming()),
        ] {
            if was != is {
                let how = if is { "becomes a stream" } else { "is no stream any more" };
                let message = format!("the {word} of `{name}` {how}");
                findings.push(changed_method(scope, name, old, new, message));
            }
        }
    }
    findings
}

/// FH3209.
pub(super) fn closed_enums(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (old, new) in scope.enum_pairs().filter(|(old, new)| is_closed(old) != is_closed(new)) {
        let target = [Target::Type(old.full_name())];
        let affected = scope.affected(&target, |_| Some(Verdict::PotentiallyAffected));
        let how = if is_closed(&new) {
            "is closed now: what it does not know is dropped"
        } else {
            "is open now: unknown numbers come through"
        };
        let finding = Finding::warning(format!("the enum `{}` {how}", old.full_name()))
            .mark(scope.new.at_enum(&new, "now"))
            .mark(scope.old.at_enum(old, "before"))
            .hits(old.full_name(), affected)
            .help("declare it in a file of the same syntax or features as before");
        findings.extend(Some(finding).filter(|finding| scope.tells(finding)));
    }
    findings
}

/// A finding for each pair of fields that differs, with one verdict for whoever has to do with it.
fn each(
    scope: &Scope<'_>,
    differs: impl Fn(&FieldDescriptor, &FieldDescriptor) -> bool,
    judge: fn(&Exposure<'_>) -> Option<Verdict>,
    message: impl Fn(&FieldDescriptor, &FieldDescriptor) -> String,
) -> Vec<Finding> {
    let pairs = scope.field_pairs().filter(|(old, new)| differs(old, new));
    pairs
        .filter_map(|(old, new)| {
            let affected = affected(scope, &old, judge);
            changed(scope, &old, &new, message(&old, &new), affected)
        })
        .collect()
}

fn affected<'a>(
    scope: &Scope<'a>,
    field: &FieldDescriptor,
    judge: impl Fn(&Exposure<'a>) -> Option<Verdict>,
) -> Vec<Affected> {
    scope.affected(&[Target::Field(field.parent_message().full_name(), field.number())], judge)
}

/// A change that hits nobody, whichever way it is read, is none.
fn changed(
    scope: &Scope<'_>,
    old: &FieldDescriptor,
    new: &FieldDescriptor,
    message: String,
    affected: Vec<Affected>,
) -> Option<Finding> {
    let finding = Finding::warning(message)
        .mark(scope.new.at_field(new, "now"))
        .mark(scope.old.at_field(old, "before"))
        .hits(old.full_name(), affected)
        .help(format!(
            "put it back, and add the new beside it under a number of its own:\n    {} {}_new = ..;",
            type_of(new),
            new.name()
        ));
    scope.tells(&finding).then_some(finding)
}

fn changed_method(
    scope: &Scope<'_>,
    name: &str,
    old: &MethodDescriptor,
    new: &MethodDescriptor,
    message: String,
) -> Finding {
    Finding::warning(message)
        .mark(scope.new.at_method(new, "now"))
        .mark(scope.old.at_method(old, "before"))
        .hits(name, scope.affected(&[Target::Method(name)], breaks))
        .help("put it back, and add a method beside it that does it the new way; then move the callers")
}

/// Whether it is still the same field, under whichever name.
fn is_same(scope: &Scope<'_>, old: &FieldDescriptor, new: &FieldDescriptor) -> bool {
    !is_reused(scope, old, new)
}

/// Whether the number means something else now: another name, and another type, or the old name lives on elsewhere.
pub(super) fn is_reused(scope: &Scope<'_>, old: &FieldDescriptor, new: &FieldDescriptor) -> bool {
    old.name() != new.name()
        && (new.parent_message().get_field_by_name(old.name()).is_some()
            || old.is_list() != new.is_list()
            || !scope.shapes.same_kind(&old.kind(), &new.kind()))
}

/// What of the one is to be held against what of the other: the fields, or what their maps hold, and under which keys.
fn parts(
    old: &FieldDescriptor,
    new: &FieldDescriptor,
) -> impl Iterator<Item = (FieldDescriptor, FieldDescriptor)> + use<> {
    let entry = |field: &FieldDescriptor| field.kind().as_message().filter(|_| field.is_map()).cloned();
    let (was, is) = (entry(old), entry(new));
    let keys = was.as_ref().zip(is.as_ref());
    let keys = keys.map(|(was, is)| (was.map_entry_key_field(), is.map_entry_key_field()));
    let value = |entry: Option<MessageDescriptor>, field: &FieldDescriptor| {
        entry.map_or_else(|| field.clone(), |entry| entry.map_entry_value_field())
    };
    keys.into_iter().chain([(value(was, old), value(is, new))])
}

/// Whether the very field is taken, and its line still says another type than its owner.
fn still_declared_as_before(scope: &Scope<'_>, exposure: &Exposure<'_>, new: &FieldDescriptor) -> bool {
    let line = exposure.taken.and_then(|(message, number)| scope.new.message(message)?.get_field(number));
    line.is_some_and(|line| line.number() == new.number() && type_of(&line) != type_of(new))
}

/// Whether the line of the needs still says the old name.
fn keeps_the_name(scope: &Scope<'_>, exposure: &Exposure<'_>, old: &FieldDescriptor) -> bool {
    let line = exposure.taken.and_then(|(message, number)| scope.new.message(message)?.get_field(number));
    line.is_some_and(|line| line.name() == old.name())
}

/// Whether the field stays in its oneof, and only what else is in there has changed.
fn is_tied_by_others(old: &FieldDescriptor, new: &FieldDescriptor) -> bool {
    old.containing_oneof().zip(new.containing_oneof()).is_some_and(|(old, new)| same_oneof(&old, &new))
}

fn declaration(field: &FieldDescriptor) -> String {
    format!("{} {} = {}", type_of(field), field.name(), field.number())
}
