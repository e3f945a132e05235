//! FH37xx: events that no longer come, entities that are no longer shared (K9).

use crate::finding::{Finding, Verdict};
use crate::language::{self, number};

use super::readers::{Exposure, Target, Way};
use super::scope::Scope;

/// FH3701.
pub(super) fn events(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (old, new) in scope.message_pairs() {
        let name = old.full_name();
        let Some(was) = scope.old.events.get(name).filter(|_| language::event(&new).is_none()) else {
            continue;
        };
        let before = scope.old.places().message_option(old, &[number::EVENT, 1]);
        let finding = Finding::warning(format!("`{name}` is an event no longer: nobody emits it"))
            .mark(scope.new.at_message(&new, "no event any more"))
            .mark(scope.old.mark(before, "before"))
            .hits(name, scope.affected(&[Target::Type(name)], taken))
            .help(format!(
                "keep it an event, and emit what replaces it beside it:\n    option (freehold.v1.event).of = \"{}\";\n    \
                 option (freehold.v1.event).key = \"{}\";",
                was.of, was.key
            ));
        findings.extend(Some(finding).filter(|finding| scope.tells(finding)));
    }
    findings
}

/// FH3702.
pub(super) fn streams(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (old, new) in scope.message_pairs() {
        let name = old.full_name();
        let both = scope.old.events.get(name).zip(scope.new.events.get(name));
        let Some((was, is)) = both.filter(|(was, is)| was.of != is.of) else { continue };
        let now = scope.new.places().message_option(&new, &[number::EVENT, 1]);
        let before = scope.old.places().message_option(old, &[number::EVENT, 1]);
        let text = format!("`{name}` is an event of `{}` now, and was of `{}`: its views end", is.of, was.of);
        let finding = Finding::warning(text)
            .mark(scope.new.mark(now, "now"))
            .mark(scope.old.mark(before, "before"))
            .hits(name, scope.affected(&[Target::Type(name)], taken))
            .help(format!(
                "keep it, and emit another event about `{}` beside it:\n    option (freehold.v1.event).of = \"{}\";",
                is.of, was.of
            ));
        findings.extend(Some(finding).filter(|finding| scope.tells(finding)));
    }
    findings
}

/// FH3703.
pub(super) fn entities(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (old, new) in scope.message_pairs() {
        let name = old.full_name();
        let Some(was) = scope.old.entities.get(name).filter(|_| language::entity_key(&new).is_none()) else {
            continue;
        };
        let before = scope.old.places().message_option(old, &[number::ENTITY, 1]);
        let finding =
            Finding::warning(format!("`{name}` is an entity no longer: it has no changes and no copies"))
                .mark(scope.new.at_message(&new, "no entity any more"))
                .mark(scope.old.mark(before, "before"))
                .hits(name, scope.affected(&[Target::Type(name)], taken))
                .help(format!(
                    "keep it one until nobody takes it:\n    option (freehold.v1.entity).key = \"{}\";",
                    was.key
                ));
        findings.extend(Some(finding).filter(|finding| scope.tells(finding)));
    }
    findings
}

/// Callers still get the message.
fn taken(exposure: &Exposure<'_>) -> Option<Verdict> {
    (exposure.way == Way::Taken).then_some(Verdict::Broken)
}
