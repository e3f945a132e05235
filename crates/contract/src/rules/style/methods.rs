//! FH51xx: a method does what its name says, and can grow without hurting its callers.

use std::collections::BTreeMap;

use prost_reflect::{FieldDescriptor, MessageDescriptor};

use super::words::begins_with;
use super::{next_number, rpcs};
use crate::editions::tells_absent;
use crate::finding::Finding;
use crate::language::{self, number};
use crate::rules::scope::{Rpc, Scope, declaration, is_entity};

const READS: [&str; 4] = ["Get", "List", "Search", "BatchGet"];
const WRITES: [&str; 8] =
    ["Create", "Update", "Delete", "Undelete", "Purge", "BatchCreate", "BatchUpdate", "BatchDelete"];
const EMPTY: &str = "google.protobuf.Empty";
const FIELD_MASK: &str = "google.protobuf.FieldMask";
/// The standard option `idempotency_level`.
const IDEMPOTENCY_LEVEL: &[i32] = &[34];
const KEYED: &[i32] = &[number::CALL, 3];

/// FH5101. What says nothing at all is FH4001's.
pub(in crate::rules) fn writing_read(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rpc in rpcs(scope).filter(|rpc| !rpc.words.read && (rpc.words.keyed || rpc.words.idempotent)) {
        let Some(verb) = verb(rpc, &READS) else { continue };
        let option = if rpc.words.keyed { KEYED } else { IDEMPOTENCY_LEVEL };
        let finding = Finding::error(format!("`{}` says `{verb}`, and is a write", rpc.name))
            .at(scope.places.method(&rpc.method), "reads by its name")
            .at(scope.places.method_option(&rpc.method, option), "writes");
        findings.push(finding.help(
            "say that it reads, or name it after what it changes:\n    option idempotency_level = NO_SIDE_EFFECTS;",
        ));
    }
    findings
}

/// FH5102.
pub(in crate::rules) fn reading_write(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rpc in rpcs(scope).filter(|rpc| rpc.words.read) {
        let Some(verb) = verb(rpc, &WRITES) else { continue };
        let finding = Finding::error(format!("`{}` says `{verb}`, and claims to have no effect", rpc.name))
            .at(scope.places.method(&rpc.method), "writes by its name")
            .at(scope.places.method_option(&rpc.method, IDEMPOTENCY_LEVEL), "reads");
        findings.push(finding.help(
            "clients repeat, hedge and cache what reads; say that it writes:\n    option (freehold.v1.call).keyed = true;",
        ));
    }
    findings
}

/// FH5103. Of those that share a request it belongs to the one that it is named after, or else to the first.
pub(in crate::rules) fn shared_request(scope: &Scope<'_>) -> Vec<Finding> {
    let mut takers: BTreeMap<String, Vec<&Rpc>> = BTreeMap::new();
    for rpc in rpcs(scope).filter(|rpc| rpc.method.input().full_name() != EMPTY) {
        takers.entry(rpc.method.input().full_name().to_owned()).or_default().push(rpc);
    }
    let mut findings = Vec::new();
    for (request, takers) in takers.iter().filter(|(_, takers)| takers.len() > 1) {
        let named = |rpc: &&&Rpc| request.ends_with(&format!(".{}Request", rpc.method.name()));
        let Some(first) = takers.iter().find(named).or(takers.first()) else { continue };
        for rpc in takers.iter().filter(|rpc| rpc.name != first.name) {
            let finding = Finding::error(format!("`{}` takes the request of `{}`", rpc.name, first.name))
                .at(scope.places.method_type(&rpc.method, false), "")
                .at(scope.places.method_type(&first.method, false), "");
            findings.push(finding.help(format!(
                "give it a request of its own, which can grow alone:\n    message {}Request {{ .. }}",
                rpc.method.name()
            )));
        }
    }
    findings
}

/// FH5104. A request that two RPCs share is FH5103's.
pub(in crate::rules) fn other_names(scope: &Scope<'_>) -> Vec<Finding> {
    let mut callers: BTreeMap<String, usize> = BTreeMap::new();
    for rpc in rpcs(scope) {
        *callers.entry(rpc.method.input().full_name().to_owned()).or_default() += 1;
    }
    let mut findings = Vec::new();
    for rpc in rpcs(scope) {
        let (name, request, reply) = (rpc.method.name(), rpc.method.input(), rpc.method.output());
        let shared = callers.get(request.full_name()).is_some_and(|callers| *callers > 1);
        if !shared && request.full_name() != EMPTY && request.name() != format!("{name}Request") {
            findings.push(misnamed(scope, rpc, &request, "Request"));
        }
        if reply.name().ends_with("Response") && reply.name() != format!("{name}Response") {
            findings.push(misnamed(scope, rpc, &reply, "Response"));
        }
    }
    findings
}

/// FH5105.
pub(in crate::rules) fn empty(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rpc in rpcs(scope) {
        let sides = [(rpc.method.input(), "takes", "Request"), (rpc.method.output(), "returns", "Response")];
        for (message, does, what) in sides.into_iter().filter(|(message, ..)| message.full_name() == EMPTY) {
            let finding = Finding::error(format!(
                "`{}` {does} `{}`, which can never have a field",
                rpc.name,
                message.full_name()
            ))
            .at(scope.places.method_type(&rpc.method, what == "Response"), "");
            findings.push(finding.help(format!(
                "give it a message of its own, empty for now:\n    message {}{what} {{}}",
                rpc.method.name()
            )));
        }
    }
    findings
}

/// FH5106.
pub(in crate::rules) fn write_by_get(scope: &Scope<'_>) -> Vec<Finding> {
    let writes = rpcs(scope).filter(|rpc| !rpc.words.read && (rpc.words.keyed || rpc.words.idempotent));
    let finding = |rpc: &Rpc| {
        Finding::error(format!("`{}` writes, and HTTP reaches it by GET", rpc.name))
            .at(scope.places.method_option(&rpc.method, &[number::HTTP]), "")
            .help("browsers, crawlers and proxies follow a GET by themselves; write\n    option (google.api.http) = { post: \"..\" body: \"*\" };")
    };
    writes.filter(|rpc| language::has_http_get(&rpc.method)).map(finding).collect()
}

/// FH5107. A field mask says it for all of the request.
pub(in crate::rules) fn blind_update(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rpc in rpcs(scope).filter(|rpc| begins_with(rpc.method.name(), "Update")) {
        let request = rpc.method.input();
        let is = |field: &FieldDescriptor, wanted: &str| {
            field.kind().as_message().is_some_and(|message| message.full_name() == wanted)
        };
        if request.fields().any(|field| is(&field, FIELD_MASK)) {
            continue;
        }
        for field in request.fields().filter(is_blind) {
            let message = format!("`{}` cannot tell whether `{}` was left out", rpc.name, field.name());
            let line = match field.kind().as_message() {
                Some(_) => format!("{FIELD_MASK} update_mask = {};", next_number(&request)),
                None => format!("optional {}", declaration(&field, field.name())),
            };
            let finding = Finding::error(message).at(scope.places.field(&field), "");
            findings.push(finding.help(format!("write\n    {line}")));
        }
    }
    findings
}

/// FH5108.
pub(in crate::rules) fn second_key(scope: &Scope<'_>) -> Vec<Finding> {
    const NAMES: [&str; 3] = ["request_id", "idempotency_key", "idempotency_token"];
    let mut findings = Vec::new();
    for rpc in rpcs(scope).filter(|rpc| rpc.words.keyed) {
        for field in NAMES.iter().filter_map(|name| rpc.method.input().get_field_by_name(name)) {
            let message = format!("`{}` is keyed, and its request holds a key of its own", rpc.name);
            let finding = Finding::warning(message)
                .at(scope.places.field(&field), "")
                .at(scope.places.method_option(&rpc.method, KEYED), "the key travels beside the request");
            findings.push(finding.help(
                "remove the field: the client sends the key beside the request, and the same one again",
            ));
        }
    }
    findings
}

fn verb<'a>(rpc: &Rpc, verbs: &[&'a str]) -> Option<&'a str> {
    verbs.iter().copied().find(|verb| begins_with(rpc.method.name(), verb))
}

fn misnamed(scope: &Scope<'_>, rpc: &Rpc, message: &MessageDescriptor, what: &str) -> Finding {
    let (name, does) = (rpc.method.name(), if what == "Response" { "returns" } else { "takes" });
    Finding::warning(format!("`{}` {does} `{}`, which is not named after it", rpc.name, message.full_name()))
        .at(scope.places.method_type(&rpc.method, what == "Response"), "")
        .help(format!("write\n    message {name}{what} {{ .. }}"))
}

/// A zero that was sent and one that was not look alike; in a whole entity every field does.
fn is_blind(field: &FieldDescriptor) -> bool {
    const SWITCHES: [&str; 4] = ["allow_missing", "validate_only", "dry_run", "force"];
    if field.is_list()
        || field.is_map()
        || language::field_rules(field).required && field.kind().as_message().is_none()
    {
        return false;
    }
    match field.kind().as_message() {
        Some(message) => is_entity(message),
        None => !tells_absent(field) && !SWITCHES.contains(&field.name()),
    }
}
