//! FH36xx: fields that are kept back (K8).
//!
//! A private field never leaves its owner, so whoever declared it gets nothing any more. A personal one is in no event;
//! in changes and copies it stays, but it is a person's from now on: erasable, and never logged. Who took it before has
//! not agreed to that, so it breaks too, by name.

use crate::finding::{Finding, Verdict};
use crate::language::{self, FieldRules, number};

use super::readers::{Exposure, Target, Way};
use super::scope::{Scope, removal};

/// FH3601.
pub(super) fn private(scope: &Scope<'_>) -> Vec<Finding> {
    let help =
        "keep it shared until nobody declares it; a new private field beside it can hold what must not leave";
    set(
        scope,
        6,
        |rules| rules.private,
        "is private now: it no longer leaves its owner",
        help,
        |exposure| (exposure.way != Way::Sent).then(|| removal(exposure)).flatten(),
    )
}

/// FH3602.
pub(super) fn personal(scope: &Scope<'_>) -> Vec<Finding> {
    let text = "is personal now: in no event, erasable, and never logged";
    let help = "declare the personal field beside it, let the readers declare that one, then remove this one";
    set(
        scope,
        7,
        |rules| rules.personal,
        text,
        help,
        |exposure| (exposure.way == Way::Taken).then_some(Verdict::Broken),
    )
}

fn set(
    scope: &Scope<'_>,
    option: i32,
    has: fn(&FieldRules) -> bool,
    text: &str,
    help: &str,
    judge: fn(&Exposure<'_>) -> Option<Verdict>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (old, new) in scope.field_pairs() {
        if has(&language::field_rules(&old)) || !has(&language::field_rules(&new)) {
            continue;
        }
        let target = [Target::Field(old.parent_message().full_name(), old.number())];
        let place = scope.new.places().field_option(&new, &[number::FIELD, option]);
        let finding = Finding::warning(format!("`{}` {text}", new.full_name()))
            .mark(scope.new.mark(place, "now"))
            .mark(scope.old.at_field(&old, "before"))
            .hits(new.full_name(), scope.affected(&target, judge))
            .help(help);
        // What nobody declares may be kept back.
        findings.extend(Some(finding).filter(|finding| !finding.affected.is_empty()));
    }
    findings
}
