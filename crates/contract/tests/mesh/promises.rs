//! K7: what methods promise their callers.

use crate::rules::{cases, silent};
use crate::{CATALOG, compared, line};

/// Planted: a body that is not compared, and steps that count as calls by HTTP.
#[test]
fn fh3510_a_route_that_callers_may_use() {
    let route = "{ get: \"/v1/prices/{id}\" }";
    cases(
        "routes",
        &[
            (route, "{ get: \"/v2/prices/{id}\" }", &["FH3510 Error orders=broken"]),
            (route, "{ post: \"/v1/prices/{id}\" body: \"*\" }", &["FH3510 Error orders=broken"]),
            (route, "{ get: \"/v1/prices/{currency}\" }", &["FH3510 Error orders=broken"]),
            (route, "{ get: \"/v1/prices/{id}\" response_body: \"cents\" }", &["FH3510 Error orders=broken"]),
            (
                "    option (google.api.http) = { get: \"/v1/prices/{id}\" };\n",
                "",
                &["FH3510 Error orders=broken"],
            ),
        ],
    );
    let more = "{ get: \"/v2/prices/{id}\" additional_bindings { get: \"/v1/prices/{id=*}\" } }";
    silent(&[(CATALOG, route, more)]);
    let posted = |body: &str| format!("{{ post: \"/v1/prices/{{id}}\" body: \"{body}\" }}");
    let (all, one) = (posted("*"), posted("size"));
    let found = compared(&[(CATALOG, route, &all)], &[(CATALOG, route, &one)]).0.findings;
    assert_eq!(found.iter().map(line).collect::<Vec<_>>(), ["FH3510 Error orders=broken"]);
    // A step is called by its saga alone.
    let hold = "rpc Hold(HoldRequest) returns (HoldResponse) {\n";
    let bound = format!("{hold}    option (google.api.http) = {{ post: \"/v1/holds\" body: \"*\" }};\n");
    let found = compared(&[(CATALOG, hold, &bound)], &[]).0.findings;
    assert_eq!(found.iter().map(line).collect::<Vec<_>>(), ["FH3510 Note"]);
}

/// A variable fills a field by its number. Planted: variables that are compared by name.
#[test]
fn a_route_whose_variable_is_called_otherwise_is_the_same_route() {
    let before = [(CATALOG, "string id = 1 [(freehold.v1.field).max_length = 64];", "string id = 1;")];
    let after = [
        (
            CATALOG,
            "string id = 1 [(freehold.v1.field).max_length = 64];",
            "string price_id = 1 [json_name = \"id\"];",
        ),
        (CATALOG, "/v1/prices/{id}", "/v1/prices/{price_id}"),
    ];
    let found = compared(&before, &after).0.findings;
    assert!(found.iter().all(|finding| finding.rule != "FH3510"), "{found:?}");
}

/// K7.
#[test]
fn fh35_a_weaker_promise_breaks_the_callers() {
    let hold = "keyed = true;\n    option (freehold.v1.call).undo = \"Free\";";
    cases(
        "promises",
        &[
            (
                "deadline = { seconds: 1 }",
                "deadline = { nanos: 500000000 }",
                &["FH3501 Error anybody=potentially affected shop=broken"],
            ),
            (
                "option idempotency_level = IDEMPOTENT;",
                "option idempotency_level = IDEMPOTENT;\n    option (freehold.v1.call).min_deadline = { seconds: 1 };",
                &["FH3502 Warning shop=potentially affected"],
            ),
            (
                hold,
                "undo = \"Free\";\n    option idempotency_level = IDEMPOTENT;",
                &["FH3503 Error orders=broken"],
            ),
            (
                "option idempotency_level = IDEMPOTENT;",
                "option (freehold.v1.call).keyed = true;",
                &["FH3504 Error shop=broken"],
            ),
            (
                "    option (freehold.v1.call).cache = { ttl: { seconds: 30 } entity: \"catalog.v1.Product\" };\n",
                "",
                &["FH3505 Error anybody=potentially affected shop=broken"],
            ),
            (
                "ttl: { seconds: 30 }",
                "ttl: { seconds: 60 }",
                &["FH3505 Error anybody=potentially affected shop=broken"],
            ),
            (
                "ttl: { seconds: 30 } entity: \"catalog.v1.Product\"",
                "ttl: { seconds: 30 }",
                &["FH3505 Error anybody=potentially affected shop=broken"],
            ),
            (
                "ttl: { seconds: 30 }",
                "ttl: { seconds: 10 }",
                &["FH3505 Warning anybody=potentially affected shop=potentially affected"],
            ),
            (
                "ttl: { seconds: 30 } entity: \"catalog.v1.Product\"",
                "ttl: { seconds: 10 }",
                &["FH3505 Error anybody=potentially affected shop=broken"],
            ),
            (
                "    option (freehold.v1.call).access = PUBLIC;\n",
                "",
                &["FH3506 Warning anybody=potentially affected"],
            ),
            ("    option (freehold.v1.call).undo = \"Free\";\n", "", &["FH3507 Error orders=broken"]),
            (
                "option idempotency_level = IDEMPOTENT;",
                "option idempotency_level = IDEMPOTENT;\n    option (freehold.v1.call).criticality = SHEDDABLE;",
                &["FH3508 Warning shop=potentially affected"],
            ),
            (
                "(WatchRequest) returns (stream Price) {\n    option idempotency_level = NO_SIDE_EFFECTS;",
                "(WatchRequest) returns (stream Price) {\n    option (freehold.v1.call).at_most_once = true;",
                &["FH3504 Note", "FH3509 Note"],
            ),
        ],
    );
}

/// K7: a promise that gets stronger is told to nobody.
#[test]
fn fh35_a_stronger_promise_is_silent() {
    silent(&[
        (CATALOG, "deadline = { seconds: 1 }", "deadline = { seconds: 3 }"),
        (CATALOG, "option idempotency_level = IDEMPOTENT;", "option idempotency_level = NO_SIDE_EFFECTS;"),
        (
            CATALOG,
            "option idempotency_level = IDEMPOTENT;",
            "option idempotency_level = IDEMPOTENT;\n    option (freehold.v1.call).deadline = { seconds: 2 };",
        ),
        (
            CATALOG,
            "option idempotency_level = IDEMPOTENT;",
            "option idempotency_level = IDEMPOTENT;\n    option (freehold.v1.call).access = PUBLIC;",
        ),
    ]);
}
