//! The verdict on what stops compiling, held against the compiler.
//!
//! A sample is a folder: the contracts before and after, and `user.rs`, whose modules are one program each. The verdict says
//! of each program whether it compiles after the change, by the items that it names; then rustc says it.

mod compile;
mod sample;

use std::collections::BTreeSet;

use freehold_codegen::semver::{Audience, Step, Verdict, compare, render_json, render_text};

use crate::support::{contracts, model, root};
use sample::Sample;

fn verdict(sample: &Sample) -> Verdict {
    compare(&sample.before, &sample.after).unwrap()
}

/// Planted and found: derives that were no part of the surface (`add_float`), and setters that counted as changed although
/// they take all that they took (`becomes_optional`).
#[test]
fn what_the_verdict_says_stops_compiling_is_what_rustc_refuses() {
    let samples = Sample::all();
    let workspace = compile::Workspace::new(&samples);
    assert_eq!(workspace.refused("before"), BTreeSet::new(), "every program compiles before the change");

    let mut expected = BTreeSet::new();
    for sample in &samples {
        let verdict = verdict(sample);
        let stopped = sample.programs.iter().filter(|program| program.stops(&verdict));
        expected.extend(stopped.map(|program| format!("{}::{}", sample.name, program.name)));
    }
    assert_eq!(workspace.refused("after"), expected, "left: rustc, right: the verdict");
}

#[test]
fn the_verdicts_on_the_samples_read_like_this() {
    let texts = Sample::all()
        .into_iter()
        .map(|sample| format!("{}\n{}", sample.title, render_text(&verdict(&sample), "v1")));
    insta::assert_snapshot!(texts.collect::<Vec<_>>().join("\n"));
}

#[test]
fn for_programs_it_is_one_object_on_a_line() {
    let sample = Sample::all().into_iter().find(|sample| sample.name == "add_rpc").unwrap();
    insta::assert_snapshot!(render_json(&verdict(&sample), "v1"));
}

#[test]
fn contracts_compared_with_themselves_need_no_step() {
    for texts in [contracts(&root().join("proto")), contracts(&crate::support::everything().join("proto"))] {
        let (one, other) = (model(texts.clone()), model(texts));
        assert_eq!(compare(&one, &other).unwrap(), Verdict { changes: Vec::new(), step: Step::None });
    }
}

#[test]
fn a_method_more_is_a_major_step_for_those_who_serve_it_alone() {
    let (before, after) = (crate::support::everything_model(), model(crate::support::extended()));
    let verdict = compare(&before, &after).unwrap();
    assert_eq!(verdict.step_for(Audience::Callers), Step::Minor);
    assert_eq!(verdict.step_for(Audience::Mocks), Step::Minor);
    assert_eq!(verdict.step_for(Audience::Servers), Step::Major);
    let broken: Vec<&str> = verdict.breaking().map(|change| change.element.as_str()).collect();
    assert_eq!(broken, ["everything.v2.EverythingService/Find"]);
}

#[test]
fn every_item_comes_from_an_element_of_the_contracts() {
    let nothing = model([]);
    for texts in [contracts(&root().join("proto")), contracts(&crate::support::everything().join("proto"))] {
        let contract = model(texts);
        let verdict = compare(&nothing, &contract).unwrap();
        assert_eq!(verdict.step, Step::Minor);
        let homeless: Vec<_> = verdict.changes.iter().filter(|change| change.element.is_empty()).collect();
        assert!(homeless.is_empty(), "{homeless:?}");
    }
}
