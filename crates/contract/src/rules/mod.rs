//! The rules of the contract language, one row each: id, category, purpose, check.
//!
//! FH1xxx: it does not compile. FH2xxx: the contracts contradict each other. FH4xxx: it is legal and still wrong. FH5xxx:
//! it is not shaped as contracts are everywhere else. A check looks at the whole tree and reports all it finds, so one run
//! shows everything. docs/rules/ has a page for each row.

mod calls;
mod chains;
mod effects;
mod fields;
mod needs;
mod ownership;
mod scope;
mod streams;
mod style;
mod takings;
mod times;

use crate::finding::{Finding, Severity};
use crate::model::Model;
use crate::sources::Sources;
use scope::Scope;
pub(crate) use scope::type_of;

/// A rule.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// "FH2305". Never used again for another rule.
    pub id: &'static str,
    /// What kind of rule it is.
    pub category: Category,
    /// What it refuses, in half a sentence.
    pub purpose: &'static str,
    check: Option<Check>,
}

/// What kind of rule it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// FH1xxx: the texts compile.
    Source,
    /// FH2xxx: the contracts fit together.
    Structure,
    /// FH4xxx: what is declared can be meant.
    Lint,
    /// FH5xxx: what is named and shaped as everywhere else.
    Style,
}

type Check = fn(&Scope<'_>) -> Vec<Finding>;

/// All rules, by id.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    source("FH1001", "a text that is not Protobuf, or that names what does not exist"),
    source("FH1002", "two files under one path"),
    source("FH1003", "a file too long or too deeply nested to be compiled"),
    source("FH1004", "an import of a file that does not exist"),
    source("FH1005", "files that import each other in a circle"),
    source("FH1006", "a copy of the contract language that is not the one built in"),

    structure("FH2001", "a package with two owners", ownership::two_owners),
    structure("FH2002", "a service, entity or event in a package that nobody owns", ownership::nobody_owns),
    structure("FH2003", "a file without a package", ownership::no_package),
    structure("FH2004", "a consumer that is declared twice", ownership::consumer_twice),
    structure("FH2005", "a name of an owner or consumer that is no plain word", ownership::plain_names),

    structure("FH2101", "an entity whose key is none of its fields", streams::entity_key_missing),
    structure("FH2102", "an entity whose key is not a string", streams::entity_key_type),
    structure("FH2103", "an event of something that is not an entity", streams::event_of),
    structure("FH2104", "an event whose key is none of its fields", streams::event_key_missing),
    structure("FH2105", "an event whose key is not a string", streams::event_key_type),
    structure("FH2106", "an event outside the packages of its entity's owner", streams::event_outside),
    structure("FH2107", "a message that is two things at once", streams::two_things),
    structure("FH2108", "a key that is private or personal", streams::hidden_key),
    structure("FH2109", "a personal field of an event, which no view may read", streams::personal_event_field),

    structure("FH2201", "a declared call of a method that does not exist", calls::unknown_call),
    structure("FH2202", "a saga step of a method that does not exist", calls::unknown_step),
    structure("FH2203", "a `from` that is none of the consumer's own methods", calls::unknown_from),
    structure("FH2204", "a call or step of oneself", calls::of_oneself),
    structure("FH2205", "a need that is declared twice", needs::declared_twice),
    structure("FH2206", "a need in a file that names no consumer", needs::nobody_needs),
    structure("FH2207", "a cache for an entity that does not exist", calls::unknown_cache_entity),
    structure("FH2208", "an `undo` that is no other method of the same service", calls::unknown_undo),

    structure("FH2301", "a view or replica of something that does not exist", takings::unknown_source),
    structure("FH2302", "a view or replica of something that is not shared that way", takings::unshared_source),
    structure("FH2303", "a view or replica of one's own data", takings::of_oneself),
    structure("FH2304", "a view or replica that names a private field", takings::private_field),
    structure("FH2305", "a view or replica that names a field that does not exist", takings::missing_field),
    structure("FH2306", "a view or replica that gives a field another type", takings::other_type),
    structure("FH2307", "a view or replica that gives a field another number", takings::other_number),
    structure("FH2308", "a view that reads a personal field of an event", takings::personal_field),
    structure("FH2309", "a replica without the key of its entity", takings::no_key),

    lint("FH4001", "a write that does not say how it may be repeated", effects::undeclared_write),
    lint("FH4002", "a saga step without a compensation", effects::step_without_undo),
    lint("FH4003", "a method that promises two things that exclude each other", effects::contradiction),
    lint("FH4004", "a cache on a write", effects::cached_write),
    lint("FH4005", "a stream that is keyed or a saga step", effects::stream_once),
    lint("FH4006", "an `undo` that is a read, or of a read", effects::undo_of_reads),
    lint("FH4007", "an `undo` that must not be repeated", effects::undo_once),
    lint("FH4008", "a call without a stream that says `at_most_once`", effects::unary_once),

    lint("FH4101", "a span of time that is zero, negative or beyond all reason", times::out_of_range),
    lint("FH4102", "a least deadline above the deadline", times::impossible_deadline),

    lint("FH4201", "a limit on a field that has nothing to be limited that way", fields::misplaced_limit),
    lint("FH4202", "a least value above the greatest", fields::empty_range),
    lint("FH4203", "a private field where nothing keeps it private", fields::unkept_secret),

    lint("FH4301", "synchronous calls that go round in a circle", chains::circle),
    lint("FH4302", "a chain of calls that needs more time than its caller has", chains::too_deep),
    lint("FH4303", "a call that may take longer than the method that makes it", chains::outlasting),

    style("FH5001", "a package that does not end with its version", style::names::unversioned_package),
    style("FH5002", "a file outside the folder of its package", style::names::misplaced_file),
    style("FH5003", "a file name that is not in lower_snake_case", style::names::file_names),
    style("FH5004", "a message, enum, service or RPC that is not named in UpperCamelCase", style::names::type_names),
    style("FH5005", "a field name that is not in lower_snake_case", style::names::field_names),
    style("FH5006", "an enum value that is not named after its enum, in UPPER_SNAKE_CASE", style::names::value_names),
    style("FH5007", "an enum whose zero means something", style::names::meaningful_zero),

    style("FH5101", "a `Get`, `List`, `Search` or `BatchGet` that is a write", style::methods::writing_read),
    style("FH5102", "a `Create`, `Update` or `Delete` that claims to read", style::methods::reading_write),
    style("FH5103", "a request that two RPCs share", style::methods::shared_request),
    style("FH5104", "a request or response that is not named after its RPC", style::methods::other_names),
    style("FH5105", "an RPC that takes or returns Protobuf's Empty", style::methods::empty),
    style("FH5106", "a write that HTTP reaches by GET", style::methods::write_by_get),
    style("FH5107", "an `Update` that cannot tell what its caller left out", style::methods::blind_update),
    style("FH5108", "an idempotency key inside a keyed request", style::methods::second_key),

    style("FH5201", "a `List` that returns all at once", style::paging::unpaged),
    style("FH5202", "a page size or page token of another type", style::paging::other_types),
    style("FH5203", "a page size or page token that refuses its caller", style::paging::refusing),
    style("FH5204", "a batch without an end", style::paging::boundless_batch),

    style("FH5301", "a time or a span of time as a number without its unit", style::fields::unitless_time),
    style("FH5302", "money as a floating-point number", style::fields::rounded_money),
    style("FH5303", "a field that may be anything", style::fields::any),
];

/// Holds the contracts against every rule. The sources are those that the model was loaded from.
///
/// All findings, by place; none means that the contracts stand.
#[must_use]
pub fn check(model: &Model, sources: &Sources) -> Vec<Finding> {
    let scope = Scope::new(model, sources);
    let mut findings = Vec::new();
    for rule in RULES {
        let found = rule.check.map(|check| check(&scope)).unwrap_or_default();
        findings.extend(found.into_iter().map(|finding| finding.under(rule.id)));
    }
    findings.sort_by(Finding::by_place);
    findings
}

/// Whether a finding keeps contracts from being generated, drawn or exported: an error, except of style, which `check`
/// alone holds.
#[must_use]
pub fn refuses(finding: &Finding) -> bool {
    let is_style = |rule: &Rule| rule.id == finding.rule && rule.category == Category::Style;
    finding.severity == Severity::Error && !RULES.iter().any(is_style)
}

const fn source(id: &'static str, purpose: &'static str) -> Rule {
    Rule { id, category: Category::Source, purpose, check: None }
}

const fn structure(id: &'static str, purpose: &'static str, check: Check) -> Rule {
    Rule { id, category: Category::Structure, purpose, check: Some(check) }
}

const fn lint(id: &'static str, purpose: &'static str, check: Check) -> Rule {
    Rule { id, category: Category::Lint, purpose, check: Some(check) }
}

const fn style(id: &'static str, purpose: &'static str, check: Check) -> Rule {
    Rule { id, category: Category::Style, purpose, check: Some(check) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_ascend_and_begin_with_the_number_of_their_category() {
        assert!(RULES.is_sorted_by(|left, right| left.id < right.id));
        for rule in RULES {
            let first = match rule.category {
                Category::Source => "FH1",
                Category::Structure => "FH2",
                Category::Lint => "FH4",
                Category::Style => "FH5",
            };
            assert!(rule.id.starts_with(first) && rule.id.len() == 6, "{}", rule.id);
        }
    }
}
