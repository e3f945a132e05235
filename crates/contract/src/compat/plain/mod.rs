//! What a change of plain Protobuf breaks, whoever reads it: the rules that `buf breaking` publishes, under its ids and
//! in its four categories, so that a team can move over.
//!
//! In go two schemas; out come findings in the order of the files at hand. A rule is a row of `RULES`; the checks stand in
//! files by what they look at. tests/compat/protobuf holds pairs of trees for every rule, and a test that compares each
//! finding's rule, file and line with that checker's own.
//! **Invariant:** a schema compared with itself breaks nothing, in any category.

mod change;
mod defaults;
mod deleted;
mod enums;
mod fields;
mod files;
mod messages;
mod numbers;
mod report;
mod rules;
mod services;
mod strings;
mod types;

pub use rules::{RULES, Rule};

use crate::compat::Category;
use crate::finding::Finding;
use crate::schema::Schema;
use change::Change;
use report::Report;
use rules::Check;

/// What of `previous`, which findings call `baseline`, is broken in `current` by the rules of a category.
#[must_use]
pub fn compare(previous: &Schema, current: &Schema, category: Category, baseline: &str) -> Vec<Finding> {
    let rules: Vec<&'static Rule> = RULES.iter().filter(|rule| rule.categories.contains(&category)).collect();
    let change = Change::new(previous, current);
    let mut report = Report::new(baseline);
    for rule in &rules {
        report.rule = rule.id;
        if let Check::Tree(check) = rule.check {
            check(&change, &mut report);
        }
    }
    compare_pairs(&change, &rules, &mut report);
    report.findings()
}

/// Holds every pair against the rules of its kind: the pairs outermost, so that each is visited once.
fn compare_pairs(change: &Change, rules: &[&'static Rule], report: &mut Report) {
    let pick = |wanted: fn(&Check) -> bool| -> Vec<&'static Rule> {
        rules.iter().copied().filter(|rule| wanted(&rule.check)).collect()
    };
    let of_files = pick(|check| matches!(check, Check::File(_) | Check::FileOption(_)));
    for pair in change.files() {
        report.each(&of_files, |check, report| match check {
            Check::File(check) => check(&pair, report),
            Check::FileOption(option) => option.check(&pair, report),
            _ => {}
        });
    }
    let (of_messages, of_fields) =
        (pick(|check| matches!(check, Check::Message(_))), pick(|check| matches!(check, Check::Field(_))));
    let check_field = |pair: &change::FieldPair, report: &mut Report| {
        report.each(&of_fields, |check, report| {
            if let Check::Field(check) = check {
                check(change, pair, report);
            }
        });
    };
    for pair in change.messages() {
        report.each(&of_messages, |check, report| {
            if let Check::Message(check) = check {
                check(change, &pair, report);
            }
        });
        change.fields(&pair).for_each(|pair| check_field(&pair, report));
    }
    change.extensions().for_each(|pair| check_field(&pair, report));
    let of_enums = pick(|check| matches!(check, Check::Enum(_)));
    for pair in change.enums() {
        report.each(&of_enums, |check, report| {
            if let Check::Enum(check) = check {
                check(&pair, report);
            }
        });
    }
    compare_services(change, &pick(|check| matches!(check, Check::Service(_) | Check::Method(_))), report);
}

fn compare_services(change: &Change, rules: &[&'static Rule], report: &mut Report) {
    for pair in change.services() {
        report.each(rules, |check, report| {
            if let Check::Service(check) = check {
                check(&pair, report);
            }
        });
        for pair in change::methods(&pair) {
            report.each(rules, |check, report| {
                if let Check::Method(check) = check {
                    check(&pair, report);
                }
            });
        }
    }
}
