//! FH23xx: views and replicas.

use insta::assert_snapshot;

use crate::{PRODUCT, catalog, needs, orders, report};

/// A replica of a product with these fields.
fn copy(fields: &str) -> (String, String) {
    needs(&format!(
        "message ProductCopy {{\n  option (freehold.v1.replica).of = \"catalog.v1.Product\";\n{fields}\n}}"
    ))
}

/// A view of a changed price with these fields.
fn view(fields: &str) -> (String, String) {
    needs(&format!(
        "message PriceView {{\n  option (freehold.v1.view).of = \"catalog.v1.PriceChanged\";\n{fields}\n}}"
    ))
}

/// K11.
#[test]
fn fh2301_a_view_and_a_replica_of_what_does_not_exist_suggest_the_nearest() {
    let wrong = r#"
message ProductCopy {
  option (freehold.v1.replica) = {
    of: "catalog.v2.Product"
    max_staleness: { seconds: 5 }
  };
  string id = 1;
}
message PriceView {
  option (freehold.v1.view).of = "catalog.v1.PriceChange";
}
message Nothing {
  option (freehold.v1.view).of = "";
}"#;
    assert_snapshot!(report([catalog(PRODUCT), needs(wrong)]), @r#"
    error[FH2301]: the replica `orders.v1.ProductCopy` takes `catalog.v2.Product`, which does not exist
     --> orders/v1/needs.proto:6:3
      |
    6 |   option (freehold.v1.replica) = {
      |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: did you mean this?
                  option (freehold.v1.replica).of = "catalog.v1.Product";

    error[FH2301]: the view `orders.v1.PriceView` takes `catalog.v1.PriceChange`, which does not exist
      --> orders/v1/needs.proto:13:3
       |
    13 |   option (freehold.v1.view).of = "catalog.v1.PriceChange";
       |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: did you mean this?
                   option (freehold.v1.view).of = "catalog.v1.PriceChanged";

    error[FH2301]: the view `orders.v1.Nothing` does not say what it takes
      --> orders/v1/needs.proto:16:3
       |
    16 |   option (freehold.v1.view).of = "";
       |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: name an event or an entity of another owner by its full name
    "#);
}

#[test]
fn fh2302_what_is_taken_is_shared() {
    let wrong = r#"
message PriceCopy {
  option (freehold.v1.replica).of = "catalog.v1.PriceChanged";
  string product_id = 1;
}
message RequestView {
  option (freehold.v1.view).of = "catalog.v1.GetProductRequest";
  string id = 1;
}"#;
    assert_snapshot!(report([catalog(PRODUCT), needs(wrong)]), @r#"
    error[FH2302]: the replica `orders.v1.PriceCopy` copies `catalog.v1.PriceChanged`, which is an event
      --> orders/v1/needs.proto:6:3
       |
     6 |   option (freehold.v1.replica).of = "catalog.v1.PriceChanged";
       |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
      ::: catalog/v1/catalog.proto:14:9
       |
    14 | message PriceChanged {
       |         ------------ declared here
       |
       = help: events are viewed, entities are copied:
                   option (freehold.v1.replica).of = "catalog.v1.Product";
                   option (freehold.v1.view).of = "catalog.v1.PriceChanged";

    error[FH2302]: the view `orders.v1.RequestView` takes `catalog.v1.GetProductRequest`, which is neither an entity nor an event
      --> orders/v1/needs.proto:10:3
       |
    10 |   option (freehold.v1.view).of = "catalog.v1.GetProductRequest";
       |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
      ::: catalog/v1/catalog.proto:32:9
       |
    32 | message GetProductRequest {
       |         ----------------- declared here
       |
       = help: name an event or an entity of another owner by its full name
    "#);
}

/// K11.
#[test]
fn fh2303_a_replica_of_ones_own_entity_is_refused() {
    let entity = r#"message Order {
  option (freehold.v1.entity).key = "id";
  string id = 1;
}"#;
    let own = r#"message OrderCopy {
  option (freehold.v1.replica).of = "orders.v1.Order";
  string id = 1;
}"#;
    assert_snapshot!(report([orders(entity), needs(own)]), @r#"
    error[FH2303]: the replica `orders.v1.OrderCopy` takes `orders.v1.Order`, which `orders` owns itself
     --> orders/v1/needs.proto:6:3
      |
    6 |   option (freehold.v1.replica).of = "orders.v1.Order";
      |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
     ::: orders/v1/orders.proto:5:9
      |
    5 | message Order {
      |         ----- one's own
      |
      = help: remove the message: an owner reads its own tables
    "#);
}

/// K10.
#[test]
fn fh2304_a_private_field_cannot_be_copied() {
    assert_snapshot!(report([catalog(PRODUCT), copy("  string id = 1;\n  int64 cost_cents = 4;")]), @r"
    error[FH2304]: `orders.v1.ProductCopy.cost_cents` names a field that `catalog.v1.Product` keeps to itself
      --> orders/v1/needs.proto:8:3
       |
     8 |   int64 cost_cents = 4;
       |   ^^^^^^^^^^^^^^^^^^^^^ private at its owner
       |
      ::: catalog/v1/catalog.proto:11:3
       |
    11 |   int64 cost_cents = 4 [(freehold.v1.field).private = true];
       |   ----------------------------------------------------------
       |
       = help: remove the field; if you need it, ask `catalog` (#catalog) to share it
    ");
}

/// K10.
#[test]
fn fh2305_a_field_that_does_not_exist_suggests_the_nearest() {
    assert_snapshot!(report([catalog(PRODUCT), copy("  string id = 1;\n  int64 pirce_cents = 9;")]), @r"
    error[FH2305]: `orders.v1.ProductCopy.pirce_cents` is field 9, which `catalog.v1.Product` does not have
     --> orders/v1/needs.proto:8:3
      |
    8 |   int64 pirce_cents = 9;
      |   ^^^^^^^^^^^^^^^^^^^^^^ no such field
      |
     ::: catalog/v1/catalog.proto:6:9
      |
    6 | message Product {
      |         ------- declared here
      |
      = help: did you mean this?
                  int64 price_cents = 3;
    ");
}

/// K10.
#[test]
fn fh2305_a_field_of_nothing_near_lists_what_is_shared() {
    assert_snapshot!(report([catalog(PRODUCT), view("  string reason = 7;")]), @r"
    error[FH2305]: `orders.v1.PriceView.reason` is field 7, which `catalog.v1.PriceChanged` does not have
      --> orders/v1/needs.proto:7:3
       |
     7 |   string reason = 7;
       |   ^^^^^^^^^^^^^^^^^^ no such field
       |
      ::: catalog/v1/catalog.proto:14:9
       |
    14 | message PriceChanged {
       |         ------------ declared here
       |
       = help: it shares these fields:
                   string product_id = 1;
                   int64 new_cents = 2;
    ");
}

/// K10.
#[test]
fn fh2306_a_field_of_another_type_shows_both() {
    let fields = "  string id = 1;\n  optional string name = 2;\n  double price_cents = 3;";
    assert_snapshot!(report([catalog(PRODUCT), copy(fields)]), @r"
    error[FH2306]: `orders.v1.ProductCopy.name` has another type than in `catalog.v1.Product`
     --> orders/v1/needs.proto:8:3
      |
    8 |   optional string name = 2;
      |   ^^^^^^^^^^^^^^^^^^^^^^^^^ `optional string` here
      |
     ::: catalog/v1/catalog.proto:9:3
      |
    9 |   string name = 2;
      |   ---------------- `string` at its owner
      |
      = help: write
                  string name = 2;

    error[FH2306]: `orders.v1.ProductCopy.price_cents` has another type than in `catalog.v1.Product`
      --> orders/v1/needs.proto:9:3
       |
     9 |   double price_cents = 3;
       |   ^^^^^^^^^^^^^^^^^^^^^^^ `double` here
       |
      ::: catalog/v1/catalog.proto:10:3
       |
    10 |   int64 price_cents = 3;
       |   ---------------------- `int64` at its owner
       |
       = help: write
                   int64 price_cents = 3;
    ");
}

/// K10.
#[test]
fn fh2307_a_field_of_another_number_shows_both() {
    assert_snapshot!(report([catalog(PRODUCT), copy("  string id = 1;\n  string name = 6;")]), @r"
    error[FH2307]: `orders.v1.ProductCopy.name` has another number than in `catalog.v1.Product`
     --> orders/v1/needs.proto:8:3
      |
    8 |   string name = 6;
      |   ^^^^^^^^^^^^^^^^ 6 here
      |
     ::: catalog/v1/catalog.proto:9:3
      |
    9 |   string name = 2;
      |   ---------------- 2 at its owner
      |
      = help: write
                  string name = 2;
    ");
}

/// K10.
#[test]
fn fh2308_a_view_of_an_event_cannot_read_what_is_personal() {
    let event =
        PRODUCT.replace("int64 new_cents = 2;", "string who = 2 [(freehold.v1.field).personal = true];");
    assert_snapshot!(report([catalog(&event), view("  string who = 2;")]), @r#"
    warning[FH2109]: `catalog.v1.PriceChanged.who` is personal, so no view of this event may read it
      --> catalog/v1/catalog.proto:18:19
       |
    18 |   string who = 2 [(freehold.v1.field).personal = true];
       |                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ personal fields travel only in changes
       |
       = help: leave it out of the event; consumers read it as a view or replica of `catalog.v1.Product`

    error[FH2308]: `orders.v1.PriceView.who` reads a personal field of the event `catalog.v1.PriceChanged`
      --> orders/v1/needs.proto:7:3
       |
     7 |   string who = 2;
       |   ^^^^^^^^^^^^^^^ personal at its owner
       |
      ::: catalog/v1/catalog.proto:18:3
       |
    18 |   string who = 2 [(freehold.v1.field).personal = true];
       |   -----------------------------------------------------
       |
       = help: personal fields are erased, events are not: read it from the changes of the entity
                   option (freehold.v1.view).of = "catalog.v1.Product";
    "#);
}

#[test]
fn fh2309_a_replica_without_the_key_is_refused() {
    assert_snapshot!(report([catalog(PRODUCT), copy("  string name = 2;")]), @r"
    error[FH2309]: the replica `orders.v1.ProductCopy` leaves out the key of `catalog.v1.Product`
     --> orders/v1/needs.proto:5:9
      |
    5 | message ProductCopy {
      |         ^^^^^^^^^^^ needs the key
      |
     ::: catalog/v1/catalog.proto:8:3
      |
    8 |   string id = 1;
      |   -------------- the key
      |
      = help: add
                  string id = 1;
    ");
}

/// An owner with a field of each kind, and a replica of it.
const KINDS: &str = r#"message Order {
  option (freehold.v1.entity).key = "id";
  string id = 1;
  map<string, Line> lines = 2;
  repeated string tags = 3;
  State state = 4;
  oneof paid { int64 cents = 5; }
}
message Line {}
enum State { STATE_UNSPECIFIED = 0; }"#;
const COPY_OF_KINDS: &str = r#"
import "orders/v1/orders.proto";
message OrderCopy {
  option (freehold.v1.replica).of = "orders.v1.Order";
  string id = 1;
  map<string, orders.v1.Line> lines = 2;
  repeated string tags = 3;
  orders.v1.State state = 4;
  optional int64 cents = 5;
}"#;

fn shop(rest: &str) -> (String, String) {
    crate::contract("shop/v1/needs.proto", "shop.v1", "option (freehold.v1.consumer) = \"shop\";", rest)
}

#[test]
fn fields_of_every_kind_can_be_copied() {
    assert_eq!(report([orders(KINDS), shop(COPY_OF_KINDS)]), "");
}

#[test]
fn fh2306_maps_lists_enums_and_presence_belong_to_the_type() {
    let other = COPY_OF_KINDS
        .replace("map<string, orders.v1.Line>", "map<string, string>")
        .replace("repeated string tags", "string tags")
        .replace("orders.v1.State state", "int32 state")
        .replace("optional int64 cents", "int64 cents");
    assert_snapshot!(report([orders(KINDS), shop(&other)]), @r"
    error[FH2306]: `shop.v1.OrderCopy.lines` has another type than in `orders.v1.Order`
     --> shop/v1/needs.proto:9:3
      |
    9 |   map<string, string> lines = 2;
      |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `map<string, string>` here
      |
     ::: orders/v1/orders.proto:8:3
      |
    8 |   map<string, Line> lines = 2;
      |   ---------------------------- `map<string, orders.v1.Line>` at its owner
      |
      = help: write
                  map<string, orders.v1.Line> lines = 2;

    error[FH2306]: `shop.v1.OrderCopy.tags` has another type than in `orders.v1.Order`
      --> shop/v1/needs.proto:10:3
       |
    10 |   string tags = 3;
       |   ^^^^^^^^^^^^^^^^ `string` here
       |
      ::: orders/v1/orders.proto:9:3
       |
     9 |   repeated string tags = 3;
       |   ------------------------- `repeated string` at its owner
       |
       = help: write
                   repeated string tags = 3;

    error[FH2306]: `shop.v1.OrderCopy.state` has another type than in `orders.v1.Order`
      --> shop/v1/needs.proto:11:3
       |
    11 |   int32 state = 4;
       |   ^^^^^^^^^^^^^^^^ `int32` here
       |
      ::: orders/v1/orders.proto:10:3
       |
    10 |   State state = 4;
       |   ---------------- `orders.v1.State` at its owner
       |
       = help: write
                   orders.v1.State state = 4;

    error[FH2306]: `shop.v1.OrderCopy.cents` has another type than in `orders.v1.Order`
      --> shop/v1/needs.proto:12:3
       |
    12 |   int64 cents = 5;
       |   ^^^^^^^^^^^^^^^^ `int64` here
       |
      ::: orders/v1/orders.proto:11:16
       |
    11 |   oneof paid { int64 cents = 5; }
       |                ---------------- `optional int64` at its owner
       |
       = help: write
                   optional int64 cents = 5;
    ");
}
