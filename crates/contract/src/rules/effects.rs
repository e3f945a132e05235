//! What methods do: a write says how it may be repeated, a saga step how it is taken back, and no promise excludes another.

use super::scope::{Rpc, Scope};
use crate::finding::Finding;
use crate::language::number;

/// The standard option `idempotency_level`.
const IDEMPOTENCY_LEVEL: &[i32] = &[34];
const KEYED: &[i32] = &[number::CALL, 3];
const CACHE: &[i32] = &[number::CALL, 5];
const UNDO: &[i32] = &[number::CALL, 6];
const AT_MOST_ONCE: &[i32] = &[number::CALL, 8];

/// FH4001. A stream is a write too, unless it says otherwise.
pub(super) fn undeclared_write(scope: &Scope<'_>) -> Vec<Finding> {
    let silent = |rpc: &&Rpc| {
        let words = &rpc.words;
        !(words.read || words.keyed || words.idempotent || words.at_most_once)
    };
    let finding = |rpc: &Rpc| {
        Finding::error(format!("`{}` does not say whether it may be repeated", rpc.name))
            .at(scope.places.method(&rpc.method), "a write?")
            .help(if is_stream(rpc) { STREAM_HELP } else { WRITE_HELP })
    };
    scope.methods.values().filter(silent).map(finding).collect()
}

const WRITE_HELP: &str = "say one of\n    \
    option idempotency_level = NO_SIDE_EFFECTS;   // it reads\n    \
    option (freehold.v1.call).keyed = true;       // it writes, once per idempotency key\n    \
    option idempotency_level = IDEMPOTENT;        // it writes, and twice is as good as once";

const STREAM_HELP: &str = "say one of\n    \
    option idempotency_level = NO_SIDE_EFFECTS;       // it reads\n    \
    option idempotency_level = IDEMPOTENT;            // it writes, and twice is as good as once\n    \
    option (freehold.v1.call).at_most_once = true;    // it is live: nothing is ever sent again";

/// FH4002.
pub(super) fn step_without_undo(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for consumer in &scope.model.consumers {
        for step in &consumer.steps {
            let Some(rpc) = scope.methods.get(&step.method).filter(|rpc| rpc.words.undo.is_none()) else {
                continue;
            };
            let finding = Finding::error(format!("the step `{}` has no compensation", step.method))
                .at(step.place.clone(), "cannot be taken back")
                .at(scope.places.method(&rpc.method), "names no `undo`");
            findings.push(finding.help(format!(
                "name the method that takes it back, in `{}`:\n    option (freehold.v1.call).undo = \"Undo{}\";\n\
                 a read has nothing to take back; declare it as a call:\n    option (freehold.v1.calls) = {{ method: \"{}\" }};",
                rpc.method.name(),
                rpc.method.name(),
                step.method
            )));
        }
    }
    findings
}

/// FH4003.
pub(super) fn contradiction(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rpc in scope.methods.values().filter(|rpc| rpc.words.keyed) {
        let (other, place) = match (rpc.words.read, rpc.words.at_most_once) {
            (true, _) => ("a read has nothing to take once", IDEMPOTENCY_LEVEL),
            (_, true) => ("what is sent once is never repeated under a key", AT_MOST_ONCE),
            _ => continue,
        };
        let finding = Finding::error(format!("`{}` is keyed, and {other}", rpc.name))
            .at(scope.places.method_option(&rpc.method, KEYED), "this")
            .at(scope.places.method_option(&rpc.method, place), "and this");
        findings.push(finding.help("remove one of the two lines"));
    }
    findings
}

/// FH4004.
pub(super) fn cached_write(scope: &Scope<'_>) -> Vec<Finding> {
    let cached = |rpc: &&Rpc| rpc.words.cache.is_some() && !rpc.words.read;
    let finding = |rpc: &Rpc| {
        Finding::error(format!("`{}` is cached, but it is not a read", rpc.name))
            .at(scope.places.method_option(&rpc.method, CACHE), "")
            .help("remove the cache, or say that the method reads:\n    option idempotency_level = NO_SIDE_EFFECTS;")
    };
    scope.methods.values().filter(cached).map(finding).collect()
}

/// FH4005. A key stands for one request and one reply that is kept.
pub(super) fn stream_once(scope: &Scope<'_>) -> Vec<Finding> {
    let keyed = scope.methods.values().filter(|rpc| is_stream(rpc) && rpc.words.keyed).map(|rpc| {
        Finding::error(format!("`{}` is a stream, and a key stands for one request and one reply", rpc.name))
            .at(scope.places.method_option(&rpc.method, KEYED), "")
            .help("give each message of the stream an id that makes it repeatable:\n    option idempotency_level = IDEMPOTENT;")
    });
    let steps = scope.model.consumers.iter().flat_map(|consumer| &consumer.steps).filter_map(|step| {
        let rpc = scope.methods.get(&step.method).filter(|rpc| is_stream(rpc))?;
        let finding = Finding::error(format!("the step `{}` is a stream", step.method))
            .at(step.place.clone(), "")
            .at(scope.places.method(&rpc.method), "streams");
        Some(finding.help("a step is one request and one reply; declare the stream as a call"))
    });
    keyed.chain(steps).collect()
}

/// FH4006.
pub(super) fn undo_of_reads(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rpc in scope.methods.values() {
        let Some(undo) = rpc.words.undo.as_deref() else { continue };
        let name = format!("{}/{undo}", rpc.method.parent_service().full_name());
        let undoing = scope.methods.get(&name).filter(|undoing| undoing.words.read);
        let message = match (rpc.words.read, undoing) {
            (true, _) => format!("`{}` is a read; there is nothing to undo", rpc.name),
            (_, Some(_)) => format!("`{}` is undone by `{undo}`, which is a read", rpc.name),
            _ => continue,
        };
        let mut finding = Finding::error(message).at(scope.places.method_option(&rpc.method, UNDO), "");
        if let Some(undoing) = undoing {
            finding = finding.at(scope.places.method_option(&undoing.method, IDEMPOTENCY_LEVEL), "reads");
        }
        findings
            .push(finding.help("name the write that takes back what this method did, or remove the line"));
    }
    findings
}

/// FH4007. A saga repeats a compensation until it is answered; what neither is keyed nor idempotent would take back twice.
pub(super) fn undo_once(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rpc in scope.methods.values() {
        let Some(undo) = rpc.words.undo.as_deref() else { continue };
        let name = format!("{}/{undo}", rpc.method.parent_service().full_name());
        let once =
            scope.methods.get(&name).filter(|undoing| undoing.words.at_most_once || is_stream(undoing));
        let Some(undoing) = once.filter(|undoing| !undoing.words.read) else { continue };
        let (place, label) = match undoing.words.at_most_once {
            true => (scope.places.method_option(&undoing.method, AT_MOST_ONCE), "never sent again"),
            false => (scope.places.method(&undoing.method), "streams"),
        };
        let message = format!("`{}` is undone by `{undo}`, which must not be repeated", rpc.name);
        let finding =
            Finding::error(message).at(scope.places.method_option(&rpc.method, UNDO), "").at(place, label);
        findings.push(finding.help(format!(
            "make `{undo}` one request and one reply, and say that it may be repeated:\n    \
             option (freehold.v1.call).keyed = true;"
        )));
    }
    findings
}

/// FH4008. Otherwise a write could say this to escape FH4001. One that is keyed too is FH4003's.
pub(super) fn unary_once(scope: &Scope<'_>) -> Vec<Finding> {
    let unary = |rpc: &&Rpc| rpc.words.at_most_once && !rpc.words.keyed && !is_stream(rpc);
    let finding = |rpc: &Rpc| {
        Finding::error(format!("`{}` streams nothing, and is to be sent at most once", rpc.name))
            .at(scope.places.method_option(&rpc.method, AT_MOST_ONCE), "")
            .help("an answer that is lost leaves the caller without a way to ask again; make the write repeatable:\n    \
             option (freehold.v1.call).keyed = true;")
    };
    scope.methods.values().filter(unary).map(finding).collect()
}

fn is_stream(rpc: &Rpc) -> bool {
    rpc.method.is_client_streaming() || rpc.method.is_server_streaming()
}
