//! Waivers: a break that a team accepts for a while is shown and not refused; one day later it is refused again.

use crate::repository::{Ended, Repository};

const CATALOG: &str = "proto/catalog/v1/catalog.proto";
/// Orders keeps a copy of it.
const NAME: &str = "  // The name that orders show.\n  string name = 2;\n";
const FILE: &str = "contracts/waivers.toml";

fn waiver(consumer: &str, expires: &str) -> String {
    format!(
        "[[waiver]]\nrule = \"FH3007\"\nelement = \"catalog.v1.Product.name\"\nconsumer = \"{consumer}\"\n\
         reason = \"it is rebuilt without it\"\nexpires = {expires}\n"
    )
}

/// Without the name of a product, which breaks some; a waiver for each of them.
fn broken(expires: &str) -> (Repository, String) {
    let repository = Repository::of_this_project();
    repository.edit(CATALOG, NAME, "");
    let ended = compat(&repository, &["--error-format", "json"]);
    assert_eq!(ended.code, Some(12), "{ended:#?}");
    let findings = ended.findings();
    let gone = findings.iter().find(|it| it["element"] == "catalog.v1.Product.name").unwrap();
    let hit = gone["consumers"].as_array().unwrap().iter().filter(|hit| hit["verdict"] == "broken");
    let names: Vec<&str> = hit.map(|hit| hit["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"orders"), "{names:?}");
    let waivers = names.iter().map(|name| waiver(name, expires)).collect();
    (repository, waivers)
}

fn compat(repository: &Repository, more: &[&str]) -> Ended {
    repository.run(&[&["compat", "--against", "main"], more].concat())
}

#[test]
fn a_waived_break_is_shown_with_its_reason_and_refuses_nothing() {
    let (repository, waivers) = broken("2999-01-31");
    repository.write(FILE, &waivers);
    let ended = compat(&repository, &[]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let line =
        "waived until 2999-01-31: FH3007 of `catalog.v1.Product.name` for orders: it is rebuilt without it\n";
    assert!(ended.out.contains(line), "{}", ended.out);
    assert!(!ended.out.contains("broken: "), "{}", ended.out);
    assert!(ended.err.ends_with(" waived\n") && ended.err.contains("0 errors"), "{}", ended.err);

    let json = compat(&repository, &["-o", "json"]);
    let objects = json.findings();
    let orders = objects.iter().find(|object| object["waived"]["consumer"] == "orders").unwrap();
    assert_eq!(
        (&orders["waived"]["line"], &orders["waived"]["file"]),
        (&1.into(), &FILE.into()),
        "{json:#?}"
    );
    let sarif = compat(&repository, &["--error-format", "sarif"]);
    assert!(!sarif.out.contains("waived until") && sarif.err.contains(line), "{sarif:#?}");
    assert!(
        sarif.out.contains("\"suppressions\"") && sarif.out.contains("it is rebuilt without it"),
        "{sarif:#?}"
    );
}

#[test]
fn a_file_of_another_name_is_asked_for() {
    let (repository, waivers) = broken("2999-01-31");
    repository.write("ours.toml", &waivers);
    assert_eq!(compat(&repository, &[]).code, Some(12));
    assert_eq!(compat(&repository, &["--waivers", "ours.toml"]).code, Some(0));
    compat(&repository, &["--waivers", "theirs.toml"]).refused("failed to read `theirs.toml`");
    let category = compat(&repository, &["--waivers", "ours.toml", "--category", "WIRE"]);
    assert_eq!(category.code, Some(2), "{category:#?}");
}

/// Planted: a day that is always the first of 1970.
#[test]
fn a_waiver_that_has_expired_refuses_again_and_says_so() {
    let (repository, waivers) = broken("2020-01-31");
    repository.write(FILE, &waivers);
    let ended = compat(&repository, &[]);
    assert_eq!(ended.code, Some(12), "{ended:#?}");
    assert!(ended.out.contains("; its waiver ended on 2020-01-31\n"), "{}", ended.out);
    assert!(
        ended.out.contains("broken: orders (#orders)") && !ended.out.contains("waived until"),
        "{}",
        ended.out
    );
}

/// Planted: a page without the text of the waivers.
#[test]
fn a_waiver_of_nothing_is_a_warning_at_its_line() {
    let repository = Repository::of_this_project();
    repository.write(FILE, waiver("orders", "2999-01-31"));
    let ended = compat(&repository, &[]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    for said in
        ["warning[FH3901]: ", "for `orders` waives nothing", "contracts/waivers.toml:1:1", "[[waiver]]"]
    {
        assert!(ended.out.contains(said), "{said} in\n{}", ended.out);
    }
    let github = compat(&repository, &["--error-format", "github-actions"]);
    assert!(github.out.starts_with("::warning file=contracts/waivers.toml,line=1,"), "{}", github.out);
}

#[test]
fn a_file_that_is_not_understood_is_refused_with_its_line() {
    let repository = Repository::of_this_project();
    repository.write(FILE, waiver("orders", "soon"));
    compat(&repository, &[]).refused("failed to read contracts/waivers.toml:6: ");
    repository.write(FILE, waiver("orders", "2999-01-31").replace("reason", "because"));
    compat(&repository, &[]).refused("contracts/waivers.toml:5: unknown field `because`");
    repository.write(FILE, [0xff, 0xfe]);
    compat(&repository, &[]).refused("`contracts/waivers.toml` is not UTF-8");
}

/// Planted: the waivers are held against the findings of texts that do not compile.
#[test]
fn contracts_that_do_not_compile_say_nothing_of_waivers() {
    let repository = Repository::of_this_project();
    repository.write(FILE, waiver("orders", "2999-01-31"));
    repository.write("proto/rubbish.proto", "syntax = ;");
    let ended = compat(&repository, &[]);
    assert_eq!(ended.code, Some(10), "{ended:#?}");
    assert!(!ended.out.contains("FH3901"), "{}", ended.out);
}
