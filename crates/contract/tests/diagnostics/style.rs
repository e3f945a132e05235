//! FH50xx and FH53xx: packages, files, names and fields, as google.aip.dev has them.
//!
//! Each rule fires here, and is silent at the same contract mended; those of methods and pages stand in rpcs.rs.

use insta::assert_snapshot;

use crate::{PRODUCT, catalog, contract, needs, orders, report};

const OWNER: &str = "option (freehold.v1.owner) = \"orders\";";

#[test]
fn fh5001_a_package_ends_with_its_version() {
    assert_snapshot!(report([contract("orders/orders.proto", "orders", OWNER, "")]), @r"
    error[FH5001]: the package `orders` has no version
     --> orders/orders.proto:2:1
      |
    2 | package orders;
      | ^^^^^^^^^^^^^^^
      |
      = help: a second version will stand beside the first; name it from the start:
                  package orders.v1;
    ");
    assert_eq!(report([contract("orders/v1beta1/orders.proto", "orders.v1beta1", OWNER, "")]), "");
    let consumer = "option (freehold.v1.consumer) = \"team\";";
    assert_eq!(
        report([contract("team/needs.proto", "team", consumer, "")]),
        "",
        "nobody reads of a consumer"
    );
}

#[test]
fn fh5002_a_file_lies_in_the_folder_of_its_package() {
    assert_snapshot!(report([contract("shop/orders.proto", "orders.v1", OWNER, "")]), @r"
    error[FH5002]: `shop/orders.proto` holds the package `orders.v1`, which is not its folder
     --> shop/orders.proto:2:1
      |
    2 | package orders.v1;
      | ^^^^^^^^^^^^^^^^^^
      |
      = help: move the file to
                  orders/v1/orders.proto
    ");
    assert_eq!(report([contract("orders/v1/any.proto", "orders.v1", OWNER, "")]), "");
}

#[test]
fn fh5003_a_file_has_a_plain_name() {
    assert_snapshot!(report([contract("orders/v1/OrderLines.proto", "orders.v1", OWNER, "")]), @r"
    warning[FH5003]: the file name `OrderLines.proto` is not in lower_snake_case
     --> orders/v1/OrderLines.proto
      |
      = help: rename it to
                  order_lines.proto
    ");
    assert_eq!(report([contract("orders/v1/order_lines.proto", "orders.v1", OWNER, "")]), "");
}

#[test]
fn fh5004_types_and_rpcs_are_named_in_camel_case() {
    let names = "message order_line {\n  string id = 1;\n  enum state {\n    STATE_UNSPECIFIED = 0;\n  }\n}
service orders {\n  rpc get_line(get_lineRequest) returns (order_line) {\n    option idempotency_level = NO_SIDE_EFFECTS;\n  }\n}
message get_lineRequest {\n  string id = 1;\n}";
    assert_snapshot!(report([orders(names)]), @r"
    warning[FH5004]: the message `order_line` is not named in UpperCamelCase
     --> orders/v1/orders.proto:5:9
      |
    5 | message order_line {
      |         ^^^^^^^^^^
      |
      = help: write
                  OrderLine

    warning[FH5004]: the enum `state` is not named in UpperCamelCase
     --> orders/v1/orders.proto:7:8
      |
    7 |   enum state {
      |        ^^^^^
      |
      = help: write
                  State

    warning[FH5004]: the service `orders` is not named in UpperCamelCase
      --> orders/v1/orders.proto:11:9
       |
    11 | service orders {
       |         ^^^^^^
       |
       = help: write
                   Orders

    warning[FH5004]: the RPC `get_line` is not named in UpperCamelCase
      --> orders/v1/orders.proto:12:7
       |
    12 |   rpc get_line(get_lineRequest) returns (order_line) {
       |       ^^^^^^^^
       |
       = help: write
                   GetLine

    warning[FH5004]: the message `get_lineRequest` is not named in UpperCamelCase
      --> orders/v1/orders.proto:16:9
       |
    16 | message get_lineRequest {
       |         ^^^^^^^^^^^^^^^
       |
       = help: write
                   GetLineRequest
    ");
    let named = names
        .replace("get_line", "GetLine")
        .replace("order_line", "HTTPLine")
        .replace("service orders", "service Orders");
    assert_eq!(report([orders(&named.replace("enum state", "enum State"))]), "");
}

#[test]
fn fh5005_fields_are_named_in_snake_case() {
    let fields = "message Order {\n  string orderId = 1;\n  repeated int64 line_1 = 2;\n  oneof way {\n    string Road = 3;\n  }\n}";
    assert_snapshot!(report([orders(fields)]), @r"
    error[FH5005]: the field `orders.v1.Order.orderId` is not in lower_snake_case
     --> orders/v1/orders.proto:6:10
      |
    6 |   string orderId = 1;
      |          ^^^^^^^
      |
      = help: write
                  string order_id = 1;

    error[FH5005]: the field `orders.v1.Order.line_1` is not in lower_snake_case
     --> orders/v1/orders.proto:7:18
      |
    7 |   repeated int64 line_1 = 2;
      |                  ^^^^^^
      |
      = help: write
                  repeated int64 line1 = 2;

    error[FH5005]: the field `orders.v1.Order.Road` is not in lower_snake_case
     --> orders/v1/orders.proto:9:12
      |
    9 |     string Road = 3;
      |            ^^^^
      |
      = help: write
                  string road = 3;
    ");
    let named = fields.replace("orderId", "order_id").replace("line_1", "line1").replace("Road", "road_e7");
    assert_eq!(report([orders(&named)]), "");
}

/// A copy has the names of its source, so only the source is told.
#[test]
fn fh5005_a_copy_of_a_badly_named_field_is_not_told() {
    let product = PRODUCT.replace("string name = 2;", "string fullName = 2;");
    let copy = "message ProductCopy {\n  option (freehold.v1.replica).of = \"catalog.v1.Product\";\n  string id = 1;\n  string fullName = 2;\n}";
    let report = report([catalog(&product), needs(copy)]);
    assert_eq!(
        (report.matches("FH5005").count(), report.matches("catalog.v1.Product.fullName").count()),
        (1, 1),
        "{report}"
    );
}

#[test]
fn fh5006_values_begin_with_the_name_of_their_enum() {
    let values = "enum OrderState {\n  ORDER_STATE_UNSPECIFIED = 0;\n  PAID = 1;\n  ORDER_STATE_Sent = 2;\n}";
    assert_snapshot!(report([orders(values)]), @r"
    warning[FH5006]: the value `PAID` of `orders.v1.OrderState` does not begin with the name of its enum
     --> orders/v1/orders.proto:7:3
      |
    7 |   PAID = 1;
      |   ^^^^
      |
      = help: write
                  ORDER_STATE_PAID = 1;

    warning[FH5006]: the value `ORDER_STATE_Sent` of `orders.v1.OrderState` is not in UPPER_SNAKE_CASE
     --> orders/v1/orders.proto:8:3
      |
    8 |   ORDER_STATE_Sent = 2;
      |   ^^^^^^^^^^^^^^^^
      |
      = help: write
                  ORDER_STATE_SENT = 2;
    ");
    let named = values.replace("PAID", "ORDER_STATE_PAID").replace("Sent", "SENT");
    assert_eq!(report([orders(&named)]), "");
    assert_eq!(
        report([orders("enum HTTP2Mode {\n  HTTP_2_MODE_NONE = 0;\n}")]),
        "",
        "acronyms are split as you like"
    );
}

#[test]
fn fh5007_the_zero_of_an_enum_says_nothing() {
    let zero = "enum OrderState {\n  ORDER_STATE_PAID = 0;\n  ORDER_STATE_SENT = 1;\n}";
    assert_snapshot!(report([orders(zero)]), @r"
    error[FH5007]: the zero of `orders.v1.OrderState` is `ORDER_STATE_PAID`, so what nobody has set reads as that
     --> orders/v1/orders.proto:6:3
      |
    6 |   ORDER_STATE_PAID = 0;
      |   ^^^^^^^^^^^^^^^^
      |
      = help: let zero say that nothing was said:
                  ORDER_STATE_UNSPECIFIED = 0;
    ");
    for nothing in ["UNSPECIFIED", "UNKNOWN", "NONE"] {
        assert_eq!(report([orders(&zero.replace("PAID", nothing))]), "");
    }
}

#[test]
fn fh5301_a_time_says_its_unit() {
    let times = "message Order {\n  int64 create_time = 1;\n  uint32 paid_at = 2;\n  double timeout = 3;\n}";
    assert_snapshot!(report([orders(times)]), @r"
    error[FH5301]: `orders.v1.Order.create_time` is a number of nobody knows what
     --> orders/v1/orders.proto:6:3
      |
    6 |   int64 create_time = 1;
      |   ^^^^^^^^^^^^^^^^^^^^^^ seconds? milliseconds?
      |
      = help: say it by the type, or else in the name:
                  google.protobuf.Timestamp create_time = 1;
                  int64 create_ms = 1;

    error[FH5301]: `orders.v1.Order.paid_at` is a number of nobody knows what
     --> orders/v1/orders.proto:7:3
      |
    7 |   uint32 paid_at = 2;
      |   ^^^^^^^^^^^^^^^^^^^ seconds? milliseconds?
      |
      = help: say it by the type, or else in the name:
                  google.protobuf.Timestamp paid_at = 2;
                  int64 paid_ms = 2;

    error[FH5301]: `orders.v1.Order.timeout` is a number of nobody knows what
     --> orders/v1/orders.proto:8:3
      |
    8 |   double timeout = 3;
      |   ^^^^^^^^^^^^^^^^^^^ seconds? milliseconds?
      |
      = help: say it by the type, or else in the name:
                  google.protobuf.Duration timeout = 3;
                  int64 timeout_ms = 3;
    ");
    let told = "message Order {\n  int64 created_ms = 1;\n  string paid_at = 2;\n  int32 timeout_seconds = 3;\n  int64 at = 4;\n}";
    assert_eq!(report([orders(told)]), "");
}

#[test]
fn fh5302_money_is_counted() {
    let money = "message Order {\n  double unit_price = 1;\n  float total_amount = 2;\n}";
    assert_snapshot!(report([orders(money)]), @r"
    error[FH5302]: `orders.v1.Order.unit_price` is money, and is rounded
     --> orders/v1/orders.proto:6:3
      |
    6 |   double unit_price = 1;
      |   ^^^^^^^^^^^^^^^^^^^^^^ 0.1 + 0.2 is not 0.3 here
      |
      = help: count the smallest unit instead:
                  int64 unit_price_cents = 1;

    error[FH5302]: `orders.v1.Order.total_amount` is money, and is rounded
     --> orders/v1/orders.proto:7:3
      |
    7 |   float total_amount = 2;
      |   ^^^^^^^^^^^^^^^^^^^^^^^ 0.1 + 0.2 is not 0.3 here
      |
      = help: count the smallest unit instead:
                  int64 total_amount_cents = 2;
    ");
    assert_eq!(
        report([orders("message Order {\n  int64 price_cents = 1;\n  double amount_ratio = 2;\n}")]),
        ""
    );
}

#[test]
fn fh5303_a_field_is_something() {
    let any = "import \"google/protobuf/any.proto\";\nmessage Order {\n  google.protobuf.Any detail = 1;\n}";
    assert_snapshot!(report([orders(any)]), @r"
    error[FH5303]: `orders.v1.Order.detail` may be anything, so no contract says what it is
     --> orders/v1/orders.proto:7:3
      |
    7 |   google.protobuf.Any detail = 1;
      |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: name what it can be:
                  oneof value { .. }
    ");
    assert_eq!(report([orders("message Order {\n  oneof detail {\n    string note = 1;\n  }\n}")]), "");
}

/// A vendored file is its authors' business: only what an owner or a consumer declares is judged.
#[test]
fn what_nobody_owns_is_not_judged() {
    let vendored = "message color_value {\n  double Price = 1;\n}\nenum Shade {\n  DARK = 0;\n}";
    assert_eq!(report([contract("vendored/Color.proto", "google.kind", "", vendored)]), "");
}
