//! Several baselines: calls are judged against what runs, events and copies against every release.

use freehold_contract::compat::{Life, mesh};

use crate::{CATALOG, NEEDS, baseline, edited};

fn found(before: &[crate::Edit<'_>], after: &[crate::Edit<'_>]) -> Vec<String> {
    let main = baseline("main", edited(&[]), Life::Live);
    let released = baseline("v1", edited(before), Life::Released);
    let report = mesh(&[released, main], &edited(after));
    report.findings.iter().map(|finding| format!("{} {}", finding.rule, finding.element)).collect()
}

#[test]
fn an_event_is_replayed_from_every_release_and_a_call_is_not() {
    let event = (CATALOG, "int32 new_cents = 2;", "string new_cents = 2;");
    assert_eq!(found(&[event], &[]), ["FH3201 catalog.v1.PriceChanged.new_cents"]);
    let reply = (CATALOG, "int32 cents = 2;", "string cents = 2;");
    assert_eq!(found(&[reply], &[]), [""; 0]);
}

#[test]
fn what_two_baselines_have_in_common_is_told_once_and_what_was_given_up_stays_given_up() {
    let field = (CATALOG, "  string name = 2;\n", "");
    assert_eq!(found(&[], &[field]), ["FH3007 catalog.v1.Product.name"]);
    let extra = (CATALOG, "string reason = 3;", "string reason = 3;\n  string note = 9;");
    assert_eq!(found(&[extra], &[]), [""; 0], "v1 had a field that nobody declares");
    let needs = (NEEDS, "  int32 new_cents = 2;\n", "");
    assert_eq!(found(&[], &[needs]), ["FH3801 catalog.v1.PriceChanged.new_cents"]);
}
