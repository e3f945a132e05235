//! FH35xx: what a method promises its callers (K7).
//!
//! A promise that gets weaker breaks whoever relied on it, by name; one that gets stronger is told to nobody. Only what
//! the methods promise is compared, defaults filled in, so it does not matter how it is written.

use std::time::Duration;

use prost_reflect::MethodDescriptor;

use crate::assemble;
use crate::finding::{Finding, Verdict};
use crate::language::number;
use crate::model::{Cache, CallRules, Effect};

use super::readers::{Exposure, Target, Way};
use super::scope::{Scope, breaks, may_break};

/// The numbers of the members of `(freehold.v1.call)`.
mod member {
    pub(super) const DEADLINE: i32 = 1;
    pub(super) const MIN_DEADLINE: i32 = 2;
    pub(super) const KEYED: i32 = 3;
    pub(super) const ACCESS: i32 = 4;
    pub(super) const CACHE: i32 = 5;
    pub(super) const UNDO: i32 = 6;
    pub(super) const CRITICALITY: i32 = 7;
}

/// A method before and now.
struct Pair<'a> {
    name: &'a str,
    old: &'a MethodDescriptor,
    new: &'a MethodDescriptor,
    was: CallRules,
    is: CallRules,
}

type Judge = fn(&Exposure<'_>) -> Option<Verdict>;

/// FH3501.
pub(super) fn deadline(scope: &Scope<'_>) -> Vec<Finding> {
    each(scope, member::DEADLINE, breaks, |pair| {
        let (was, is) = (pair.was.deadline, pair.is.deadline);
        (is < was).then(|| {
            let text = format!(
                "the deadline of `{}` is {}, and was {}: slow calls fail",
                pair.name,
                span(is),
                span(was)
            );
            (
                text,
                format!(
                    "keep it, and answer faster within it:\n    option (freehold.v1.call).deadline = {};",
                    written(was)
                ),
            )
        })
    })
}

/// FH3502.
pub(super) fn min_deadline(scope: &Scope<'_>) -> Vec<Finding> {
    each(scope, member::MIN_DEADLINE, may_break, |pair| {
        let (was, is) = (pair.was.min_deadline, pair.is.min_deadline);
        (is > was).then(|| {
            let text = format!(
                "`{}` wants {} to be left, and wanted {}: calls that come late are refused",
                pair.name,
                span(is),
                span(was)
            );
            (text, "tell the callers: who comes through a chain of calls has less left".to_owned())
        })
    })
}

/// FH3503.
pub(super) fn keyed(scope: &Scope<'_>) -> Vec<Finding> {
    each(scope, member::KEYED, breaks, |pair| {
        let (was, is) = (assemble::effect(pair.old), assemble::effect(pair.new));
        (was == Effect::Keyed && is != Effect::Keyed).then(|| {
            let text = format!("`{}` is no longer keyed: a repeated call takes effect twice", pair.name);
            (text, "keep it:\n    option (freehold.v1.call).keyed = true;".to_owned())
        })
    })
}

/// FH3504.
pub(super) fn idempotency(scope: &Scope<'_>) -> Vec<Finding> {
    each(scope, member::KEYED, breaks, |pair| {
        let (was, is) = (assemble::effect(pair.old), assemble::effect(pair.new));
        let (level, lost) = match (was, is) {
            (Effect::Read, Effect::Read) | (Effect::Idempotent, Effect::Idempotent | Effect::Read) => {
                return None;
            }
            (Effect::Read, _) => ("NO_SIDE_EFFECTS", "callers repeat, hedge and cache it"),
            (Effect::Idempotent, _) => ("IDEMPOTENT", "callers repeat it without a key"),
            _ => return None,
        };
        let text = format!("`{}` is no longer `{level}`: {lost}", pair.name);
        Some((text, format!("keep it:\n    option idempotency_level = {level};")))
    })
}

/// FH3505. An answer that gets older than was promised is wrong; one that is asked for more often is only later.
pub(super) fn cache(scope: &Scope<'_>) -> Vec<Finding> {
    let looser = each(scope, member::CACHE, breaks, |pair| {
        let was = pair.was.cache.as_ref()?;
        let what = match pair.is.cache.as_ref() {
            None => "is gone: callers ask the owner each time".to_owned(),
            Some(is) if is.ttl > was.ttl => {
                format!(
                    "keeps answers for {}, and kept them for {}: they get older",
                    span(is.ttl),
                    span(was.ttl)
                )
            }
            Some(is) if !follows(is, was) => {
                format!("no longer follows `{}`: answers stay although it has changed", was.entity)
            }
            Some(_) => return None,
        };
        Some(kept_cache(pair.name, &what, was))
    });
    let shorter = each(scope, member::CACHE, may_break, |pair| {
        let (was, is) = (pair.was.cache.as_ref()?, pair.is.cache.as_ref()?);
        let what = format!(
            "keeps answers for {}, and kept them for {}: callers ask more",
            span(is.ttl),
            span(was.ttl)
        );
        (is.ttl < was.ttl && follows(is, was)).then(|| kept_cache(pair.name, &what, was))
    });
    [looser, shorter].concat()
}

/// Whether what invalidated an answer still does.
fn follows(is: &Cache, was: &Cache) -> bool {
    was.entity.is_empty() || is.entity == was.entity
}

fn kept_cache(method: &str, what: &str, was: &Cache) -> (String, String) {
    let entity = match was.entity.as_str() {
        "" => String::new(),
        entity => format!(" entity: \"{entity}\""),
    };
    let keep = format!("option (freehold.v1.call).cache = {{ ttl: {}{entity} }};", written(was.ttl));
    (format!("the cache of `{method}` {what}"), format!("keep it:\n    {keep}"))
}

/// FH3506.
pub(super) fn access(scope: &Scope<'_>) -> Vec<Finding> {
    // Who declares it may still call it.
    let undeclared: Judge =
        |exposure| (exposure.name() == super::readers::ANYBODY).then_some(Verdict::Broken);
    each(scope, member::ACCESS, undeclared, |pair| {
        (pair.was.public && !pair.is.public).then(|| {
            let text = format!("`{}` is no longer public: callers that declare no need are refused", pair.name);
            let help = "let each of them declare it in its needs first:\n    option (freehold.v1.calls) = { method: ";
            (text, format!("{help}\"{}\" }};", pair.name))
        })
    })
}

/// FH3507.
pub(super) fn undo(scope: &Scope<'_>) -> Vec<Finding> {
    let steps: Judge = |exposure| (exposure.way == Way::Step).then_some(Verdict::Broken);
    each(scope, member::UNDO, steps, |pair| {
        let was = pair.was.undo.as_deref()?;
        let text = match pair.is.undo.as_deref() {
            Some(is) if is == was => return None,
            Some(is) => format!(
                "`{}` is undone by `{is}`, and was by `{was}`: sagas under way hold to the old one",
                pair.name
            ),
            None => {
                format!("`{}` is undone by nothing any more: sagas under way cannot take it back", pair.name)
            }
        };
        let (_, short) = was.rsplit_once('/')?;
        Some((text, format!("keep it:\n    option (freehold.v1.call).undo = \"{short}\";")))
    })
}

/// FH3508.
pub(super) fn criticality(scope: &Scope<'_>) -> Vec<Finding> {
    each(scope, member::CRITICALITY, may_break, |pair| {
        let (was, is) = (pair.was.criticality, pair.is.criticality);
        (is < was).then(|| {
            let text = format!(
                "`{}` is {}, and was {}: under overload it is refused sooner",
                pair.name,
                level(is),
                level(was)
            );
            (text, format!("keep it:\n    option (freehold.v1.call).criticality = {};", level(was)))
        })
    })
}

/// FH3509.
pub(super) fn at_most_once(scope: &Scope<'_>) -> Vec<Finding> {
    each(scope, 8, breaks, |pair| {
        let (was, is) = (assemble::effect(pair.old), assemble::effect(pair.new));
        (was != Effect::AtMostOnce && is == Effect::AtMostOnce).then(|| {
            let text =
                format!("`{}` sends at most once now: callers no longer resume a broken stream", pair.name);
            (text, "remove the line:\n    option (freehold.v1.call).at_most_once = true;".to_owned())
        })
    })
}

/// A finding for each method of which `weaker` says so, with its sentence and its way out.
fn each(
    scope: &Scope<'_>,
    member: i32,
    judge: Judge,
    weaker: impl Fn(&Pair<'_>) -> Option<(String, String)>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, old, new) in scope.method_pairs() {
        let pair = Pair { name, old, new, was: assemble::call_rules(old), is: assemble::call_rules(new) };
        let Some((text, help)) = weaker(&pair) else { continue };
        let option = [number::CALL, member];
        let (now, before) =
            (scope.new.places().method_option(new, &option), scope.old.places().method_option(old, &option));
        let finding = Finding::warning(text)
            .mark(scope.new.mark(now, "now"))
            .mark(scope.old.mark(before, "before"))
            .hits(name, scope.affected(&[Target::Method(name)], judge))
            .help(help);
        findings.push(finding);
    }
    findings
}

/// "250 ms", "2 s".
fn span(span: Duration) -> String {
    match span.subsec_nanos() {
        0 => format!("{} s", span.as_secs()),
        nanos if nanos % 1_000_000 == 0 => format!("{} ms", span.as_millis()),
        _ => format!("{} ns", span.as_nanos()),
    }
}

/// As the contract language writes it.
fn written(span: Duration) -> String {
    match (span.as_secs(), span.subsec_nanos()) {
        (seconds, 0) => format!("{{ seconds: {seconds} }}"),
        (0, nanos) => format!("{{ nanos: {nanos} }}"),
        (seconds, nanos) => format!("{{ seconds: {seconds} nanos: {nanos} }}"),
    }
}

fn level(criticality: i32) -> &'static str {
    match criticality {
        1 => "SHEDDABLE",
        3 => "CRITICAL",
        _ => "DEFAULT",
    }
}
