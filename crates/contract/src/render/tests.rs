//! The formats, over findings made by hand: what a change breaks, what it may break, and what no format may stumble over.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use serde_json::Value;

use super::*;
use crate::compat::Outcome;
use crate::compat::waivers::{Waived, Waiver};
use crate::finding::{Affected, Finding, Mark, Severity, Verdict};
use crate::model::Place;
use crate::sources::{Sources, Texts};

const BEFORE: &str = "message Product {\n  string id = 1;\n  string name = 2;\n}\n";
const NOW: &str = "message Product {\n  string id = 1;\n}\n";
const NEEDS: &str = "message ProductCopy {\n  string id = 1;\n  string name = 2;\n}\n";
const CATALOG: &str = "catalog/v1/catalog.proto";
const ORDERS: &str = "orders/v1/needs.proto";

fn sources(catalog: &str) -> Sources {
    [(CATALOG, catalog), (ORDERS, NEEDS)].into_iter().collect()
}

fn mark(file: &str, text: &str, what: &str, baseline: Option<&str>, label: &str) -> Mark {
    let start = text.find(what).unwrap();
    let place = Place::in_text(file, text, start, start + what.len());
    Mark { place, baseline: baseline.map(str::to_owned), label: label.to_owned() }
}

/// The field that orders copies is gone.
fn broken() -> Finding {
    let affected = |consumer: &str, contact: &str, verdict, need| Affected {
        consumer: consumer.to_owned(),
        contact: contact.to_owned(),
        verdict,
        need,
    };
    let need = mark(ORDERS, NEEDS, "string name = 2;", None, "orders copies it");
    Finding {
        element: "catalog.v1.Product.name".to_owned(),
        places: vec![
            mark(CATALOG, BEFORE, "string name = 2;", Some("main"), "was declared here"),
            mark(CATALOG, NOW, "Product", None, "does not have it any more"),
        ],
        affected: vec![
            affected("drivers", "#drivers", Verdict::Unaffected, None),
            affected("rides", "", Verdict::PotentiallyAffected, None),
            affected("orders", "#orders", Verdict::Broken, Some(need)),
        ],
        ..Finding::error("the field `name` of `catalog.v1.Product` is removed")
            .under("FH3001")
            .help("keep it until orders has moved:\n    string name = 2;")
    }
}

/// A file as a whole, one that only the baseline has, in a name that every format has to escape.
fn odd() -> Finding {
    let place = Place::whole("a,b:c%<\"d\">/e f.proto");
    Finding {
        element: "a & b".to_owned(),
        places: vec![Mark { place, baseline: Some("v1".to_owned()), label: String::new() }],
        ..Finding::warning("100 % of `<a & b>` is \"gone\",\u{7} \u{e9}").under("FH3002")
    }
}

/// A rule over one state of the contracts; without any place.
fn plain() -> Finding {
    Finding::error("no place").under("FH4001")
}

fn all() -> Vec<Finding> {
    vec![broken(), odd(), plain()]
}

#[test]
fn people_see_the_lines_of_both_teams_the_consumers_and_the_way_out() {
    let (now, before) = (sources(NOW), sources(BEFORE));
    let texts = Texts::new(&now, [("main", &before)]);
    assert_snapshot!(render_text(&[broken()], texts), @r"
    error[FH3001]: the field `name` of `catalog.v1.Product` is removed
     --> catalog/v1/catalog.proto:3:3 of main
      |
    3 |   string name = 2;
      |   ^^^^^^^^^^^^^^^^ was declared here
      |
     ::: catalog/v1/catalog.proto:1:9
      |
    1 | message Product {
      |         ------- does not have it any more
      |
     ::: orders/v1/needs.proto:3:3
      |
    3 |   string name = 2;
      |   ---------------- orders copies it
      |
      = broken: orders (#orders), by orders/v1/needs.proto:3
      = potentially affected: rides
      = help: keep it until orders has moved:
                  string name = 2;
    ");
}

#[test]
fn a_need_that_is_a_place_of_the_finding_is_shown_once() {
    let mut finding = broken();
    finding.places.extend(finding.affected[2].need.clone());
    let shown = render_text(&[finding], &sources(NOW));
    assert_eq!(shown.matches("orders copies it").count(), 1, "{shown}");
}

#[test]
fn github_gets_one_command_per_finding() {
    assert_snapshot!(render_github_actions(&all(), "proto"), @r#"
    ::error file=proto/catalog/v1/catalog.proto,line=1,col=9,title=FH3001::the field `name` of `catalog.v1.Product` is removed%0Abroken: orders (#orders), by orders/v1/needs.proto:3%0Apotentially affected: rides%0Ahelp: keep it until orders has moved:%0A    string name = 2;
    ::warning file=proto/a%2Cb%3Ac%25<"d">/e f.proto,title=FH3002::100 %25 of `<a & b>` is "gone",� é
    ::error title=FH4001::no place
    "#);
}

#[test]
fn junit_gets_a_case_per_finding() {
    assert_snapshot!(render_junit(&all(), "proto", "freehold compat"), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites tests="3" failures="2" errors="0">
      <testsuite name="freehold compat" tests="3" failures="2" errors="0">
        <testcase classname="FH3001" name="catalog.v1.Product.name" file="proto/catalog/v1/catalog.proto" line="1" column="9">
          <failure type="FH3001" message="the field `name` of `catalog.v1.Product` is removed">the field `name` of `catalog.v1.Product` is removed&#10;broken: orders (#orders), by orders/v1/needs.proto:3&#10;potentially affected: rides&#10;help: keep it until orders has moved:&#10;    string name = 2;</failure>
        </testcase>
        <testcase classname="FH3002" name="a &amp; b" file="proto/a,b:c%&lt;&quot;d&quot;&gt;/e f.proto">
          <system-out>warning: 100 % of `&lt;a &amp; b&gt;` is &quot;gone&quot;,� é</system-out>
        </testcase>
        <testcase classname="FH4001" name="no place">
          <failure type="FH4001" message="no place">no place</failure>
        </testcase>
      </testsuite>
    </testsuites>
    "#);
}

#[test]
fn junit_without_findings_has_a_case_that_passes() {
    assert_snapshot!(render_junit(&[], "proto", "freehold check"), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites tests="1" failures="0" errors="0">
      <testsuite name="freehold check" tests="1" failures="0" errors="0">
        <testcase classname="freehold" name="freehold check"/>
      </testsuite>
    </testsuites>
    "#);
}

#[test]
fn sarif_suppresses_what_is_waived_for_whom_it_is_waived() {
    let waiver = Waiver {
        rule: "FH3001".to_owned(),
        element: "catalog.v1.Product.name".to_owned(),
        consumer: Some("orders".to_owned()),
        reason: "orders is rebuilt".to_owned(),
        expires: "2027-01-31".parse().unwrap(),
        place: Place::in_text("contracts/waivers.toml", "\n[[waiver]]", 1, 3),
    };
    let waived = Waived { waiver, finding: broken() };
    let log: Value = serde_json::from_str(&render_sarif(&[odd()], &[waived], "proto", "0.1.0")).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert!(results[0].get("suppressions").is_none());
    assert_eq!(results[1]["properties"]["consumers"].as_array().unwrap().len(), 1);
    assert_eq!(results[1]["ruleIndex"], 0);
    assert_snapshot!(
        results[1]["suppressions"].to_string(),
        @r#"[{"justification":"orders is rebuilt (until 2027-01-31)","kind":"external","location":{"physicalLocation":{"artifactLocation":{"uri":"contracts/waivers.toml"},"region":{"startLine":2}}},"status":"accepted"}]"#
    );
}

#[test]
fn sarif_has_a_result_per_finding() {
    let log: Value = serde_json::from_str(&render_sarif(&[broken(), odd()], &[], "proto", "0.1.0")).unwrap();
    let run = &log["runs"][0];
    let [broken, odd] = &run["results"].as_array().unwrap()[..] else { panic!("{run}") };
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap().iter().map(|rule| &rule["id"]);
    let rules: Vec<&Value> = rules.collect();
    assert_snapshot!(format!("{broken}\n{odd}\n{rules:?}\n{}", run["columnKind"]), @r##"
    {"level":"error","locations":[{"message":{"text":"does not have it any more"},"physicalLocation":{"artifactLocation":{"uri":"proto/catalog/v1/catalog.proto"},"region":{"startColumn":9,"startLine":1}}}],"message":{"text":"the field `name` of `catalog.v1.Product` is removed\nbroken: orders (#orders), by orders/v1/needs.proto:3\npotentially affected: rides\nhelp: keep it until orders has moved:\n    string name = 2;"},"partialFingerprints":{"ruleAndElement/v1":"FH3001 catalog.v1.Product.name"},"properties":{"consumers":[{"contact":"#drivers","name":"drivers","verdict":"unaffected"},{"contact":"","name":"rides","verdict":"potentially affected"},{"contact":"#orders","name":"orders","verdict":"broken"}],"element":"catalog.v1.Product.name"},"relatedLocations":[{"message":{"text":"was declared here, as of main"},"physicalLocation":{"artifactLocation":{"uri":"proto/catalog/v1/catalog.proto"},"region":{"startColumn":3,"startLine":3}}},{"message":{"text":"orders copies it"},"physicalLocation":{"artifactLocation":{"uri":"proto/orders/v1/needs.proto"},"region":{"startColumn":3,"startLine":3}}}],"ruleId":"FH3001","ruleIndex":0}
    {"level":"warning","locations":[{"message":{"text":"as of v1"},"physicalLocation":{"artifactLocation":{"uri":"proto/a%2Cb%3Ac%25%3C%22d%22%3E/e%20f.proto"}}}],"message":{"text":"100 % of `<a & b>` is \"gone\",� é"},"partialFingerprints":{"ruleAndElement/v1":"FH3002 a & b"},"properties":{"consumers":[],"element":"a & b"},"relatedLocations":[],"ruleId":"FH3002","ruleIndex":1}
    [String("FH3001"), String("FH3002")]
    "unicodeCodePoints"
    "##);
    assert_eq!((log["version"].as_str(), log["runs"].as_array().unwrap().len()), (Some("2.1.0"), 1));
}

#[test]
fn json_says_where_by_one_place_and_by_all() {
    assert_snapshot!(render_json(&all()), @r##"
    {"column":9,"consumers":[{"contact":"#drivers","name":"drivers","need":null,"verdict":"unaffected"},{"contact":"","name":"rides","need":null,"verdict":"potentially affected"},{"contact":"#orders","name":"orders","need":{"column":3,"end":57,"file":"orders/v1/needs.proto","label":"orders copies it","line":3,"start":41},"verdict":"broken"}],"element":"catalog.v1.Product.name","file":"catalog/v1/catalog.proto","help":"keep it until orders has moved:\n    string name = 2;","line":1,"message":"the field `name` of `catalog.v1.Product` is removed","places":[{"baseline":"main","column":3,"end":53,"file":"catalog/v1/catalog.proto","label":"was declared here","line":3,"start":37},{"column":9,"end":15,"file":"catalog/v1/catalog.proto","label":"does not have it any more","line":1,"start":8}],"rule":"FH3001","severity":"error"}
    {"column":0,"consumers":[],"element":"a & b","file":"a,b:c%<\"d\">/e f.proto","help":"","line":0,"message":"100 % of `<a & b>` is \"gone\",\u0007 é","places":[{"baseline":"v1","column":0,"end":0,"file":"a,b:c%<\"d\">/e f.proto","label":"","line":0,"start":0}],"rule":"FH3002","severity":"warning"}
    {"column":0,"file":"","help":"","line":0,"message":"no place","places":[],"rule":"FH4001","severity":"error"}
    "##);
}

/// A finding as every format must say it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Said {
    rule: String,
    severity: String,
    file: String,
    line: String,
    message: bool,
    consumers: bool,
}

fn said(rule: &str, severity: &str, file: &str, line: impl ToString, text: &str) -> Said {
    let finding = all().into_iter().find(|finding| finding.rule == rule).unwrap();
    let line = line.to_string();
    Said {
        rule: rule.to_owned(),
        severity: severity.to_owned(),
        file: file.replace("proto/", ""),
        line: if line == "0" { String::new() } else { line },
        message: text.contains(&finding.message.replace('\u{7}', "\u{fffd}"))
            || text.contains(&finding.message),
        consumers: words::hit(&finding).iter().all(|hit| text.contains(&hit.consumer)),
    }
}

fn of_json(text: &str) -> Vec<Said> {
    let objects = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let of = |object: Value| {
        let word = |key: &str| object[key].as_str().unwrap_or_default().to_owned();
        let text = format!("{} {}", word("message"), object["consumers"]);
        said(
            &word("rule"),
            &word("severity"),
            &word("file"),
            object["line"].as_u64().unwrap_or_default(),
            &text,
        )
    };
    objects.map(of).collect()
}

fn of_github(text: &str) -> Vec<Said> {
    let read =
        |text: &str| text.replace("%0A", "\n").replace("%2C", ",").replace("%3A", ":").replace("%25", "%");
    let of = |line: &str| {
        let (command, message) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
        let (severity, properties) = command.split_once(' ').unwrap();
        let properties: BTreeMap<&str, String> = properties
            .split(',')
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (key, read(value)))
            .collect();
        let of = |key: &str| properties.get(key).cloned().unwrap_or_default();
        said(&of("title"), severity, &of("file"), of("line"), &read(message))
    };
    text.lines().map(of).collect()
}

fn of_sarif(text: &str) -> Vec<Said> {
    let log: Value = serde_json::from_str(text).unwrap();
    let of = |result: &Value| {
        let place = &result["locations"][0]["physicalLocation"];
        let file = place["artifactLocation"]["uri"].as_str().unwrap_or_default();
        let file = ["%3C<", "%3E>", "%22\"", "%20 ", "%2C,", "%3A:", "%25%"]
            .iter()
            .fold(file.to_owned(), |file, code| file.replace(&code[..3], &code[3..]));
        let line = place["region"]["startLine"].as_u64().unwrap_or_default();
        let word = |key: &str| result[key].as_str().unwrap().to_owned();
        said(&word("ruleId"), &word("level"), &file, line, result["message"]["text"].as_str().unwrap())
    };
    log["runs"][0]["results"].as_array().unwrap().iter().map(of).collect()
}

fn of_junit(text: &str) -> Vec<Said> {
    let read = |text: &str| {
        let text = text.replace("&#10;", "\n").replace("&quot;", "\"");
        text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    };
    let of = |case: &str| {
        let attribute = |name: &str| {
            let value =
                case.split_once(&format!(" {name}=\"")).map(|(_, rest)| rest.split('"').next().unwrap());
            value.map(read).unwrap_or_default()
        };
        let severity = if case.contains("<failure") { "error" } else { "warning" };
        said(&attribute("classname"), severity, &attribute("file"), attribute("line"), &read(case))
    };
    text.split("<testcase").skip(1).map(of).collect()
}

/// Planted: a warning that JUnit leaves out; a comma that GitHub takes for the end of the file's name.
#[test]
fn every_format_says_the_same_findings() {
    let findings = all();
    let json = of_json(&render_json(&findings));
    let rules: Vec<&str> = json.iter().map(|said| said.rule.as_str()).collect();
    assert_eq!(rules, ["FH3001", "FH3002", "FH4001"]);
    assert!(json.iter().all(|said| said.message && said.consumers), "{json:#?}");
    assert_eq!(json[0].line, "1", "the place in the contracts at hand comes before that in a baseline");
    assert_eq!(of_github(&render_github_actions(&findings, "proto")), json);
    assert_eq!(of_junit(&render_junit(&findings, "proto", "compat")), json);
    assert_eq!(of_sarif(&render_sarif(&findings, &[], "proto", "0.1.0")), json);

    let texts = sources(NOW);
    let text = render_text(&findings, &texts);
    let heads: Vec<String> =
        findings.iter().map(|finding| format!("{}[{}]: ", finding.severity.as_str(), finding.rule)).collect();
    assert_eq!(
        text.lines().filter(|line| heads.iter().any(|head| line.starts_with(head))).count(),
        heads.len()
    );
    assert!(text.contains("broken: orders (#orders), by orders/v1/needs.proto:3"), "{text}");
}

#[test]
fn consumers_are_listed_by_what_becomes_of_them() {
    let outcome = |consumer: &str, contact: &str, verdict| Outcome {
        consumer: consumer.to_owned(),
        contact: contact.to_owned(),
        verdict,
    };
    let all = [
        outcome("catalog", "#catalog", Verdict::Unaffected),
        outcome("demo", "", Verdict::Broken),
        outcome("orders", "#orders", Verdict::Broken),
    ];
    assert_eq!(render_consumers(&all), "broken: demo, orders (#orders)\nunaffected: catalog\n");
    assert_eq!(render_consumers(&[]), "");
}

#[test]
fn a_place_below_no_folder_and_outside_the_contracts_is_named_as_it_is() {
    assert_eq!(words::path("proto", CATALOG), "proto/catalog/v1/catalog.proto");
    assert_eq!(words::path("./", CATALOG), "./catalog/v1/catalog.proto");
    assert_eq!(
        (words::path(".", CATALOG), words::path("", CATALOG)),
        (CATALOG.to_owned(), CATALOG.to_owned())
    );
    assert_eq!(words::path("proto", "contracts/waivers.toml"), "contracts/waivers.toml");
    assert_eq!(Severity::Note.as_str(), "note");
}
