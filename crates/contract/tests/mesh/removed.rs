//! K1: what is removed breaks whoever declares it, by name; otherwise it is a warning.

use insta::assert_snapshot;

use crate::{CATALOG, NEEDS, SHOP, lines, page};

const AUDIT: &str = "service AuditService {
  rpc Audit(CountRequest) returns (CountResponse) {
    option idempotency_level = NO_SIDE_EFFECTS;
  }
}
";

/// K1.
#[test]
fn fh3007_a_field_that_orders_copies_breaks_orders_by_name() {
    assert_snapshot!(page(&[(CATALOG, "  string name = 2;\n", "")]));
}

/// K1.
#[test]
fn fh3007_a_field_that_nobody_declares_is_a_warning() {
    assert_snapshot!(page(&[(CATALOG, "  string reason = 3;\n", "")]));
}

#[test]
fn fh3007_a_field_that_nobody_declares_is_safe_once_it_is_reserved() {
    let reserved = "  reserved 3;\n  reserved \"reason\";\n";
    assert_eq!(page(&[(CATALOG, "  string reason = 3;\n", reserved)]), "");
}

#[test]
fn fh3007_a_caller_that_gets_an_entity_has_not_named_its_fields() {
    assert_eq!(
        lines(&[(CATALOG, "  string category = 4;\n", "")]),
        ["FH3007 Warning anybody=potentially affected shop=potentially affected"]
    );
}

/// A message that only travels in a call has no other way to be declared than by the call.
#[test]
fn fh3007_a_field_of_a_reply_or_a_request_breaks_its_callers() {
    assert_eq!(lines(&[(CATALOG, "  int32 cents = 2;\n", "")]), ["FH3007 Error orders=broken"]);
    assert_eq!(lines(&[(CATALOG, "  string prefix = 1;\n", "")]), ["FH3007 Error shop=broken"]);
}

/// K16: the last reader went in the same change.
#[test]
fn fh3007_a_field_whose_last_reader_has_withdrawn_its_need_is_a_warning() {
    let edits = [(CATALOG, "  string sku = 4;\n", ""), (NEEDS, "  int32 new_cents = 2;\n", "")];
    assert_snapshot!(page(&[edits[1], (CATALOG, "  int32 new_cents = 2;\n", "")]));
    assert_eq!(lines(&edits[..1]), ["FH3007 Warning"]);
}

#[test]
fn fh3003_a_method_that_is_called_breaks_its_callers() {
    let get = "  rpc Count(CountRequest) returns (CountResponse) {\n    option idempotency_level = IDEMPOTENT;\n  }\n";
    assert_snapshot!(page(&[(CATALOG, get, "")]));
    let watch = "  rpc Watch(WatchRequest) returns (stream Price) {\n    option idempotency_level = NO_SIDE_EFFECTS;\n  }\n";
    assert_eq!(lines(&[(CATALOG, watch, "")]), ["FH3003 Warning"]);
}

/// The compensation of a step is called too.
#[test]
fn fh3003_the_undo_of_a_step_breaks_whoever_has_the_step() {
    let free = "  rpc Free(FreeRequest) returns (FreeResponse) {\n    option (freehold.v1.call).keyed = true;\n  }\n";
    let lines = lines(&[(CATALOG, free, "")]);
    assert!(lines.contains(&"FH3003 Error orders=broken".to_owned()), "{lines:?}");
}

#[test]
fn fh3002_a_service_goes_with_its_methods_and_is_told_once() {
    assert_snapshot!(page(&[(CATALOG, AUDIT, "")]));
    let called = (
        SHOP,
        "option (freehold.v1.consumer)",
        "option (freehold.v1.calls) = { method: \"catalog.v1.AuditService/Audit\" };\noption (freehold.v1.consumer)",
    );
    assert_eq!(lines(&[called, (CATALOG, AUDIT, "")]), ["FH3002 Error shop=broken"]);
}

#[test]
fn fh3004_an_entity_that_is_copied_breaks_whoever_copies_it() {
    let gone = "message Product {\n  option (freehold.v1.entity).key = \"id\";";
    let lines = lines(&[
        (CATALOG, gone, "message Item {\n  option (freehold.v1.entity).key = \"id\";"),
        (CATALOG, "returns (Product)", "returns (Item)"),
    ]);
    assert!(
        lines.contains(
            &"FH3004 Error anybody=potentially affected orders=broken shop=potentially affected".to_owned()
        ),
        "{lines:?}"
    );
}

#[test]
fn fh3005_an_event_that_is_viewed_breaks_its_readers() {
    assert_snapshot!(page(&[(CATALOG, "message PriceChanged {", "message PriceSet {")]));
}

#[test]
fn fh3006_a_message_that_a_reply_leads_to_breaks_its_callers() {
    let edits = [
        (
            CATALOG,
            "  string id = 1 [(freehold.v1.field).max_length = 64];\n  string currency = 2;\n",
            "  string id = 1 [(freehold.v1.field).max_length = 64];\n  string currency = 2;\n",
        ),
        (
            CATALOG,
            "message Size {\n  int32 width = 1 [(freehold.v1.field).max = 100];\n  int32 height = 2 [(freehold.v1.field).required = true];\n}\n",
            "",
        ),
        (CATALOG, "  Size size = 6;\n", ""),
        (CATALOG, "  Size size = 5;\n", ""),
    ];
    assert_snapshot!(page(&edits));
}

/// K15.
#[test]
fn fh3006_a_message_that_was_moved_and_kept_its_shape_is_not_gone() {
    let size = "message Size {\n  int32 width = 1 [(freehold.v1.field).max = 100];\n  int32 height = 2 [(freehold.v1.field).required = true];\n}\n";
    let moved = size.replace("message Size", "message Extent");
    let edits = [
        (CATALOG, size, moved.as_str()),
        (CATALOG, "  Size size = 6;\n", "  Extent size = 6;\n"),
        (CATALOG, "  Size size = 5;\n", "  Extent size = 5;\n"),
    ];
    assert_eq!(page(&edits), "");
}

#[test]
fn fh3008_an_enum_that_nobody_declares_is_a_warning() {
    let depot = "enum Depot {\n  DEPOT_UNSPECIFIED = 0;\n  DEPOT_NORTH = 1;\n  DEPOT_SOUTH = 2;\n}\n";
    assert_snapshot!(page(&[
        (CATALOG, depot, ""),
        (CATALOG, "  Depot depot = 2;\n", "  reserved 2;\n  reserved \"depot\";\n")
    ]));
}

#[test]
fn fh3009_a_value_that_a_copy_may_hold_breaks_it() {
    assert_snapshot!(page(&[(CATALOG, "  STATE_ENDED = 2;\n", "")]));
}

#[test]
fn fh3009_a_value_that_nobody_declares_is_safe_once_it_is_reserved() {
    assert_eq!(lines(&[(CATALOG, "  DEPOT_SOUTH = 2;\n", "")]), ["FH3009 Warning"]);
    let reserved = "  reserved 2;\n  reserved \"DEPOT_SOUTH\";\n";
    assert_eq!(page(&[(CATALOG, "  DEPOT_SOUTH = 2;\n", reserved)]), "");
}

#[test]
fn fh3001_a_package_is_told_once_with_everybody_who_took_of_it() {
    let (report, text) = crate::compared(
        &[],
        &[(CATALOG, include_str!("tree/catalog.proto"), ""), (NEEDS, include_str!("tree/needs.proto"), "")],
    );
    assert_eq!(report.findings.len(), 1);
    assert_snapshot!(text);
}
