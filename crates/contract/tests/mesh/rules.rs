//! K2 to K6, K8, K9 and K16: each rule on one change of the tree, whom it hits, and the page that people see.

use insta::assert_snapshot;

use crate::{CATALOG, Edit, NEEDS, SHOP, lines, page};

/// Holds the findings of each change against what is expected, and their pages against a snapshot.
pub(crate) fn cases(name: &str, cases: &[(&str, &str, &[&str])]) {
    let mut pages = String::new();
    for (from, to, expected) in cases {
        let edits = [(CATALOG, *from, *to)];
        assert_eq!(lines(&edits), *expected, "{from} -> {to}");
        pages.push_str(&page(&edits));
    }
    assert_snapshot!(name, pages);
}

/// Changes that nobody is told of.
pub(crate) fn silent(changes: &[Edit<'_>]) {
    for change in changes {
        assert_eq!(page(&[*change]), "", "{change:?}");
    }
}

/// K2. Planted: a number compared by name alone is a removal and an addition.
#[test]
fn fh31_a_number_is_for_ever() {
    cases(
        "numbers",
        &[
            (
                "int32 price_cents = 3;",
                "string colour = 3;",
                &["FH3101 Error anybody=potentially affected orders=broken shop=broken"],
            ),
            ("string reason = 3;", "bool urgent = 3;", &["FH3101 Error"]),
            ("int32 new_cents = 2;", "int32 new_cents = 7;", &["FH3102 Error orders=broken"]),
            (
                "reserved 20 to 29, 31;",
                "reserved 20 to 24, 26 to 29, 31;\n  string depth = 25;",
                &["FH3103 Error anybody=potentially affected shop=potentially affected"],
            ),
            (
                "reserved \"weight\";",
                "string weight = 12;",
                &["FH3103 Error anybody=potentially affected shop=potentially affected"],
            ),
            (
                "  reserved \"STATE_LOST\";\n  STATE_UNSPECIFIED = 0;\n",
                "  STATE_UNSPECIFIED = 0;\n  STATE_LOST = 3;\n",
                &[
                    "FH3103 Error anybody=potentially affected orders=potentially affected shop=potentially affected",
                    "FH3304 Warning anybody=potentially affected orders=potentially affected shop=potentially affected",
                ],
            ),
            (
                "reserved 20 to 29, 31;",
                "reserved 20 to 24, 31;",
                &[
                    "FH3104 Error anybody=potentially affected orders=potentially affected shop=potentially affected",
                ],
            ),
            (
                "reserved \"STATE_LOST\";",
                "",
                &[
                    "FH3104 Error anybody=potentially affected orders=potentially affected shop=potentially affected",
                ],
            ),
            (
                "STATE_ENDED = 2;",
                "STATE_ENDED = 3;",
                &["FH3105 Error anybody=potentially affected orders=broken shop=broken"],
            ),
            ("DEPOT_SOUTH = 2;", "DEPOT_EAST = 2;", &["FH3106 Note"]),
            (
                "STATE_ENDED = 2;",
                "STATE_OVER = 2;",
                &["FH3106 Error anybody=potentially affected orders=broken shop=broken"],
            ),
        ],
    );
    silent(&[
        (CATALOG, "reserved 20 to 29, 31;", "reserved 20 to 31;"),
        (CATALOG, "reserved 20 to 29, 31;", "reserved 20 to 24, 25 to 29, 31;"),
    ]);
}

/// K3.
#[test]
fn fh32_types_are_judged_by_wire_and_by_json_in_each_direction() {
    cases(
        "types",
        &[
            ("int32 new_cents = 2;", "string new_cents = 2;", &["FH3201 Error orders=broken"]),
            ("int32 cents = 2;", "int64 cents = 2;", &["FH3201 Error orders=broken"]),
            ("int32 cents = 2;", "uint32 cents = 2;", &["FH3201 Warning orders=potentially affected"]),
            ("int64 count = 1;", "sint64 count = 1;", &["FH3201 Error shop=broken"]),
            ("string reason = 3;", "bytes reason = 3;", &["FH3201 Note"]),
            ("string prefix = 1;", "repeated string prefix = 1;", &["FH3202 Error shop=broken"]),
            ("int64 at_ms = 4", "optional int64 at_ms = 4", &["FH3205 Warning orders=potentially affected"]),
            (
                "optional int32 rank = 10;",
                "int32 rank = 10;",
                &["FH3205 Error anybody=potentially affected shop=broken"],
            ),
            (
                "  string currency = 2;\n  repeated string tags",
                "  repeated string tags",
                &["FH3007 Error orders=broken"],
            ),
            ("int32 cents = 2;", "int32 cents = 2 [json_name = \"price\"];", &["FH3204 Error orders=broken"]),
            ("int32 new_cents = 2;", "int32 now_cents = 2;", &["FH3204 Warning orders=potentially affected"]),
            ("int64 count = 1;", "int64 total = 1;", &["FH3204 Error shop=broken"]),
            (
                "rpc Count(CountRequest) returns",
                "rpc Count(WatchRequest) returns",
                &["FH3207 Error shop=broken"],
            ),
            (
                "rpc GetPrice(GetPriceRequest) returns (Price)",
                "rpc GetPrice(GetPriceRequest) returns (stream Price)",
                &["FH3208 Error orders=broken"],
            ),
        ],
    );
}

/// K3: what a caller sends may get wider, and what nobody takes may change at will.
#[test]
fn fh32_what_arrives_all_the_same_is_silent() {
    let packed = "repeated int32 sizes = 12;";
    silent(&[(CATALOG, "string supplier = 11;", &format!("string supplier = 11;\n  {packed}"))]);
    let tags = "repeated string tags = 3 [(freehold.v1.field).max_items = 10];";
    assert_eq!(
        lines(&[(CATALOG, tags, "repeated bytes tags = 3 [(freehold.v1.field).max_items = 10];")]),
        ["FH3201 Error orders=broken"]
    );
    // int32 to int64 in a request: by wire it is extended, by JSON a number is read.
    let request = [(
        CATALOG,
        "int64 at_ms = 4 [(freehold.v1.field).min = 0];",
        "sfixed64 at_ms = 4 [(freehold.v1.field).min = 0];",
    )];
    assert_eq!(lines(&request), ["FH3201 Error orders=broken"]);
}

/// K3: two fields that were free of each other become a choice, and the other way round.
#[test]
fn fh3203_a_field_that_joins_or_leaves_a_oneof() {
    let apart = "  oneof by {\n    string region = 6;\n    string shop = 7;\n  }\n";
    let free = "  string region = 6;\n  string shop = 7;\n";
    let found = lines(&[(CATALOG, apart, free)]);
    assert!(found.contains(&"FH3203 Warning orders=potentially affected".to_owned()), "{found:?}");
    let discount = "  oneof discount {\n    int32 percent = 5;\n    int32 off_cents = 6;\n  }\n";
    let free = "  int32 percent = 5;\n  int32 off_cents = 6;\n";
    assert_snapshot!(page(&[(CATALOG, discount, free)]));
}

/// K4.
#[test]
fn fh33_what_an_old_peer_would_refuse_or_drop() {
    cases(
        "checks",
        &[
            (
                "string currency = 2;\n  repeated",
                "string currency = 2 [(freehold.v1.field).required = true];\n  repeated",
                &["FH3301 Error orders=broken"],
            ),
            (
                "message CountRequest {\n",
                "message CountRequest {\n  string scope = 2 [(freehold.v1.field).required = true];\n",
                &["FH3301 Error shop=broken"],
            ),
            ("max_length = 64", "max_length = 32", &["FH3302 Error orders=broken"]),
            ("max_items = 10", "max_items = 9", &["FH3302 Error orders=broken"]),
            ("(freehold.v1.field).min = 0", "(freehold.v1.field).min = 1", &["FH3302 Error orders=broken"]),
            (
                "(freehold.v1.field).max = 100",
                "(freehold.v1.field).max = 200",
                &["FH3303 Warning anybody=potentially affected shop=potentially affected"],
            ),
            (
                "STATE_ENDED = 2;",
                "STATE_ENDED = 2;\n  STATE_PAUSED = 3;",
                &[
                    "FH3304 Warning anybody=potentially affected orders=potentially affected shop=potentially affected",
                ],
            ),
            (
                "int32 off_cents = 6;",
                "int32 off_cents = 6;\n    string coupon = 7;",
                &["FH3305 Error orders=broken"],
            ),
        ],
    );
    silent(&[
        (CATALOG, "max_length = 64", "max_length = 128"),
        (CATALOG, "string reason = 3;", "string reason = 3 [(freehold.v1.field).max_length = 5];"),
        (CATALOG, "string shop = 7;", "string shop = 7;\n    string stall = 8;"),
        (CATALOG, "DEPOT_SOUTH = 2;", "DEPOT_SOUTH = 2;\n  DEPOT_EAST = 3;"),
    ]);
}

/// K5.
#[test]
fn fh340_another_owner_ends_what_is_kept_by_its_name() {
    cases(
        "owners",
        &[
            (
                "owner) = \"catalog\"",
                "owner) = \"products\"",
                &["FH3401 Error anybody=potentially affected orders=broken shop=broken"],
            ),
            (
                "option (freehold.v1.owner) = \"catalog\";\n",
                "",
                &["FH3402 Error anybody=potentially affected orders=broken shop=broken"],
            ),
        ],
    );
    silent(&[(CATALOG, "contact) = \"#catalog\"", "contact) = \"#products\"")]);
}

/// K6.
#[test]
fn fh341_another_key_is_another_order() {
    cases(
        "keys",
        &[
            ("entity).key = \"id\"", "entity).key = \"sku\"", &["FH3411 Error orders=broken"]),
            (
                "  option (freehold.v1.event).key = \"product_id\";\n  string product_id = 1;\n  int32 new_cents",
                "  option (freehold.v1.event).key = \"sku\";\n  string product_id = 1;\n  int32 new_cents",
                &["FH3412 Error orders=broken"],
            ),
            (
                "  option (freehold.v1.event).key = \"product_id\";\n  string product_id = 1;\n  Depot",
                "  option (freehold.v1.event).key = \"place\";\n  string product_id = 1;\n  string place = 3;\n  Depot",
                &["FH3412 Error"],
            ),
        ],
    );
}

/// K8.
#[test]
fn fh36_a_field_that_is_kept_back_breaks_whoever_declared_it() {
    cases(
        "privacy",
        &[
            (
                "string name = 2;",
                "string name = 2 [(freehold.v1.field).private = true];",
                &["FH3601 Error anybody=potentially affected orders=broken shop=potentially affected"],
            ),
            (
                "int32 new_cents = 2;",
                "int32 new_cents = 2 [(freehold.v1.field).personal = true];",
                &["FH3602 Error orders=broken"],
            ),
            (
                "string name = 2;",
                "string name = 2 [(freehold.v1.field).personal = true];",
                &["FH3602 Error orders=broken"],
            ),
        ],
    );
    silent(&[
        (CATALOG, "string reason = 3;", "string reason = 3 [(freehold.v1.field).private = true];"),
        (CATALOG, "string supplier = 11;", "string supplier = 11 [(freehold.v1.field).personal = true];"),
    ]);
}

/// K9.
#[test]
fn fh37_an_event_that_no_longer_comes_breaks_its_views() {
    let event = "  option (freehold.v1.event).of = \"catalog.v1.Product\";\n  option (freehold.v1.event).key = \"product_id\";\n";
    let price = format!("message PriceChanged {{\n{event}");
    let stock = format!("message StockMoved {{\n{event}");
    let moved = price.replace("catalog.v1.Product", "catalog.v1.Other")
        .replace("message PriceChanged", "message Other {\n  option (freehold.v1.entity).key = \"id\";\n  string id = 1;\n}\nmessage PriceChanged");
    cases(
        "events",
        &[
            (&price, "message PriceChanged {\n", &["FH3701 Error orders=broken"]),
            (&stock, "message StockMoved {\n", &["FH3701 Note"]),
            (&price, &moved, &["FH3702 Error orders=broken"]),
            ("  option (freehold.v1.entity).key = \"id\";\n", "", &["FH3703 Error orders=broken"]),
        ],
    );
}

/// K16.
#[test]
fn fh38_the_last_need_that_goes_is_told() {
    let name = (NEEDS, "  string name = 2;\n", "");
    assert_snapshot!(page(&[name]));
    let count = "option (freehold.v1.calls) = { method: \"catalog.v1.CatalogService/Count\" };\n";
    assert_snapshot!(page(&[(SHOP, count, "")]));
    let other = (
        SHOP,
        "option (freehold.v1.consumer)",
        "option (freehold.v1.calls) = { method: \"catalog.v1.CatalogService/GetPrice\" };\noption (freehold.v1.consumer)",
    );
    let price = (
        NEEDS,
        "option (freehold.v1.calls) = { method: \"catalog.v1.CatalogService/GetPrice\" from: \"Place\" };\n",
        "",
    );
    assert_eq!(lines(&[other, price]), [""; 0], "shop still calls it");
}

/// K15.
#[test]
fn what_is_only_written_in_another_way_is_silent() {
    silent(&[
        (CATALOG, "message Product {", "// Something that is sold.\nmessage Product {"),
        (CATALOG, "string supplier = 11;", "string supplier = 11 [deprecated = true];"),
        (CATALOG, "  string id = 1;\n  string name = 2;\n", "  string name = 2;\n  string id = 1;\n"),
        (CATALOG, "string supplier = 11;", "string supplier = 11;\n  string colour = 12;"),
        (
            CATALOG,
            "option idempotency_level = IDEMPOTENT;",
            "option idempotency_level = IDEMPOTENT; option deprecated = true;",
        ),
        (CATALOG, "entity).key = \"id\"", "entity) = { key: \"id\" }"),
        (CATALOG, "message HoldRequest {\n", "message HoldRequest {\n  message Inner { string id = 1; }\n"),
        (NEEDS, "  int32 price_cents = 3;\n", "  int32 price_cents = 3;\n  string category = 4;\n"),
    ]);
}
