//! K7: what methods promise their callers.

use crate::CATALOG;
use crate::rules::{cases, silent};

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
