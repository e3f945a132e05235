//! `freehold explain`: the page of a rule, and the list of all.

use crate::repository::Repository;

#[test]
fn a_rule_is_explained_by_its_page() {
    let here = Repository::empty();
    let ended = here.run(&["explain", "fh2305"]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(ended.out.starts_with("## FH2305: ") && ended.out.contains("```proto"), "{}", ended.out);
}

#[test]
fn a_rule_of_the_mesh_is_explained_with_its_way_out() {
    let here = Repository::empty();
    let ended = here.run(&["explain", "FH3003"]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(ended.out.starts_with("## FH3003: a method that is no longer there\n"), "{}", ended.out);
    assert!(ended.out.contains("*Way out:*") && !ended.out.contains("FH3004"), "{}", ended.out);
}

#[test]
fn all_rules_are_listed_with_what_they_refuse() {
    let here = Repository::empty();
    let ended = here.run(&["explain"]);
    assert_eq!(ended.code, Some(0));
    for line in ["FH1001  ", "FH2305  a view or replica that names a field that does not exist", "FH4001  "] {
        assert!(ended.out.lines().any(|shown| shown.starts_with(line)), "{line} in\n{}", ended.out);
    }
    let json = here.run(&["explain", "-o", "json"]);
    assert_eq!(json.findings().len(), ended.out.lines().count());
}

#[test]
fn an_unknown_rule_is_refused_with_a_near_one() {
    let here = Repository::empty();
    here.run(&["explain", "FH23055"]).refused("there is no rule `FH23055`; did you mean `FH2305`?");
    here.run(&["explain", "nothing"]).refused("`freehold explain` lists all");
}
