//! FH4xxx: what is legal and still wrong.

use insta::assert_snapshot;

use crate::{PRODUCT, catalog, needs, orders, report};

/// A service with one method that has these options.
fn method(signature: &str, options: &str) -> (String, String) {
    let name = signature.split('(').next().unwrap_or_default();
    orders(&format!(
        "message Order {{ string id = 1; }}\nservice OrdersService {{\n  rpc {signature} {{\n{options}\n  }}\n}}\nmessage {name}Request {{ string id = 1; }}"
    ))
}

/// K14.
#[test]
fn fh4001_a_write_that_says_nothing_is_refused() {
    assert_snapshot!(report([method("Ship(ShipRequest) returns (Order)", "    option (freehold.v1.call).deadline = { seconds: 1 };")]), @r"
    error[FH4001]: `orders.v1.OrdersService/Ship` does not say whether it may be repeated
     --> orders/v1/orders.proto:7:7
      |
    7 |   rpc Ship(ShipRequest) returns (Order) {
      |       ^^^^ a write?
      |
      = help: say one of
                  option idempotency_level = NO_SIDE_EFFECTS;   // it reads
                  option (freehold.v1.call).keyed = true;       // it writes, once per idempotency key
                  option idempotency_level = IDEMPOTENT;        // it writes, and twice is as good as once
    ");
}

/// K14.
#[test]
fn fh4001_a_stream_that_says_nothing_is_refused() {
    assert_snapshot!(report([method("Watch(WatchRequest) returns (stream Order)", "")]), @r"
    error[FH4001]: `orders.v1.OrdersService/Watch` does not say whether it may be repeated
     --> orders/v1/orders.proto:7:7
      |
    7 |   rpc Watch(WatchRequest) returns (stream Order) {
      |       ^^^^^ a write?
      |
      = help: say one of
                  option idempotency_level = NO_SIDE_EFFECTS;       // it reads
                  option idempotency_level = IDEMPOTENT;            // it writes, and twice is as good as once
                  option (freehold.v1.call).at_most_once = true;    // it is live: nothing is ever sent again
    ");
}

/// K14.
#[test]
fn fh4002_a_step_without_a_compensation_is_refused() {
    let step = "option (freehold.v1.steps) = \"catalog.v1.CatalogService/FreeProduct\";";
    assert_snapshot!(report([catalog(PRODUCT), needs(step)]), @r#"
    error[FH4002]: the step `catalog.v1.CatalogService/FreeProduct` has no compensation
      --> orders/v1/needs.proto:5:1
       |
     5 | option (freehold.v1.steps) = "catalog.v1.CatalogService/FreeProduct";
       | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ cannot be taken back
       |
      ::: catalog/v1/catalog.proto:28:7
       |
    28 |   rpc FreeProduct(FreeProductRequest) returns (Product) {
       |       ----------- names no `undo`
       |
       = help: name the method that takes it back, in `FreeProduct`:
                   option (freehold.v1.call).undo = "UndoFreeProduct";
               a read has nothing to take back; declare it as a call:
                   option (freehold.v1.calls) = { method: "catalog.v1.CatalogService/FreeProduct" };
    "#);
}

#[test]
fn fh4003_a_keyed_read_and_a_keyed_live_stream_contradict_themselves() {
    let read = "    option idempotency_level = NO_SIDE_EFFECTS;\n    option (freehold.v1.call).keyed = true;";
    assert_snapshot!(report([method("Get(GetRequest) returns (Order)", read)]), @r"
    error[FH4003]: `orders.v1.OrdersService/Get` is keyed, and a read has nothing to take once
     --> orders/v1/orders.proto:9:5
      |
    8 |     option idempotency_level = NO_SIDE_EFFECTS;
      |     ------------------------------------------- and this
    9 |     option (freehold.v1.call).keyed = true;
      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this
      |
      = help: remove one of the two lines
    ");
    let live = "    option (freehold.v1.call) = { keyed: true at_most_once: true };";
    assert_snapshot!(report([method("Ship(ShipRequest) returns (Order)", live)]), @r"
    error[FH4003]: `orders.v1.OrdersService/Ship` is keyed, and what is sent once is never repeated under a key
     --> orders/v1/orders.proto:8:5
      |
    8 |     option (freehold.v1.call) = { keyed: true at_most_once: true };
      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this
      |     --------------------------------------------------------------- and this
      |
      = help: remove one of the two lines
    ");
}

#[test]
fn fh4004_a_cache_on_a_write_is_refused() {
    let cached = "    option (freehold.v1.call).keyed = true;\n    option (freehold.v1.call).cache = { ttl: { seconds: 30 } };";
    assert_snapshot!(report([method("Ship(ShipRequest) returns (Order)", cached)]), @r"
    error[FH4004]: `orders.v1.OrdersService/Ship` is cached, but it is not a read
     --> orders/v1/orders.proto:9:5
      |
    9 |     option (freehold.v1.call).cache = { ttl: { seconds: 30 } };
      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: remove the cache, or say that the method reads:
                  option idempotency_level = NO_SIDE_EFFECTS;
    ");
}

#[test]
fn fh4005_a_stream_is_neither_keyed_nor_a_step() {
    let keyed = "    option (freehold.v1.call).keyed = true;\n    option (freehold.v1.call).undo = \"Down\";\n  }\n  \
                 rpc Down(DownRequest) returns (Order) {\n    option (freehold.v1.call).keyed = true;";
    let (path, text) = method("Up(stream UpRequest) returns (Order)", keyed);
    let text = format!("{text}message DownRequest {{ string id = 1; }}\n");
    let step = "option (freehold.v1.consumer) = \"shop\";\noption (freehold.v1.steps) = \"orders.v1.OrdersService/Up\";";
    let shop = crate::contract("shop/v1/needs.proto", "shop.v1", "", step);
    assert_snapshot!(report([(path, text), shop]), @r#"
    error[FH4005]: `orders.v1.OrdersService/Up` is a stream, and a key stands for one request and one reply
     --> orders/v1/orders.proto:8:5
      |
    8 |     option (freehold.v1.call).keyed = true;
      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: give each message of the stream an id that makes it repeatable:
                  option idempotency_level = IDEMPOTENT;

    error[FH4005]: the step `orders.v1.OrdersService/Up` is a stream
     --> shop/v1/needs.proto:6:1
      |
    6 | option (freehold.v1.steps) = "orders.v1.OrdersService/Up";
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
     ::: orders/v1/orders.proto:7:7
      |
    7 |   rpc Up(stream UpRequest) returns (Order) {
      |       -- streams
      |
      = help: a step is one request and one reply; declare the stream as a call
    "#);
}

#[test]
fn fh4006_a_read_neither_undoes_nor_is_undone() {
    let product = PRODUCT.replace("\"FreeProduct\"", "\"GetProduct\"").replacen(
        "NO_SIDE_EFFECTS;",
        "NO_SIDE_EFFECTS;\n    option (freehold.v1.call).undo = \"FreeProduct\";",
        1,
    );
    assert_snapshot!(report([catalog(&product)]), @r#"
    error[FH4006]: `catalog.v1.CatalogService/GetProduct` is a read; there is nothing to undo
      --> catalog/v1/catalog.proto:23:5
       |
    23 |     option (freehold.v1.call).undo = "FreeProduct";
       |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: name the write that takes back what this method did, or remove the line

    error[FH4006]: `catalog.v1.CatalogService/HoldProduct` is undone by `GetProduct`, which is a read
      --> catalog/v1/catalog.proto:27:5
       |
    22 |     option idempotency_level = NO_SIDE_EFFECTS;
       |     ------------------------------------------- reads
    ...
    27 |     option (freehold.v1.call).undo = "GetProduct";
       |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: name the write that takes back what this method did, or remove the line
    "#);
}

#[test]
fn fh4101_spans_of_time_are_more_than_nothing() {
    let spans = "    option idempotency_level = NO_SIDE_EFFECTS;
    option (freehold.v1.call).deadline = {};
    option (freehold.v1.call).min_deadline = { nanos: -1 };
    option (freehold.v1.call).cache = { entity: \"\" };";
    assert_snapshot!(report([method("Get(GetRequest) returns (Order)", spans)]), @r#"
    error[FH4101]: the deadline of `orders.v1.OrdersService/Get` is zero
     --> orders/v1/orders.proto:9:5
      |
    9 |     option (freehold.v1.call).deadline = {};
      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write
                  option (freehold.v1.call).deadline = { seconds: 2 };

    error[FH4101]: the least deadline of `orders.v1.OrdersService/Get` is negative
      --> orders/v1/orders.proto:10:5
       |
    10 |     option (freehold.v1.call).min_deadline = { nanos: -1 };
       |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: write
                   option (freehold.v1.call).min_deadline = { nanos: 50000000 };

    error[FH4101]: the time to live of the cache of `orders.v1.OrdersService/Get` is zero
      --> orders/v1/orders.proto:11:5
       |
    11 |     option (freehold.v1.call).cache = { entity: "" };
       |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: write
                   option (freehold.v1.call).cache = { ttl: { seconds: 30 } };
    "#);
    let copy = "message ProductCopy {
  option (freehold.v1.replica).of = \"catalog.v1.Product\";
  option (freehold.v1.replica).max_staleness = { seconds: 99999999999 };
  string id = 1;
}";
    assert_snapshot!(report([catalog(PRODUCT), needs(copy)]), @r"
    error[FH4101]: the greatest staleness of `orders.v1.ProductCopy` is longer than five hundred years
     --> orders/v1/needs.proto:7:3
      |
    7 |   option (freehold.v1.replica).max_staleness = { seconds: 99999999999 };
      |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write
                  option (freehold.v1.replica).max_staleness = { seconds: 5 };
    ");
}

#[test]
fn fh4102_a_least_deadline_above_the_deadline_refuses_every_call() {
    let spans = "    option idempotency_level = NO_SIDE_EFFECTS;
    option (freehold.v1.call).deadline = { nanos: 250000000 };
    option (freehold.v1.call).min_deadline = { seconds: 1 };";
    assert_snapshot!(report([method("Get(GetRequest) returns (Order)", spans)]), @r"
    error[FH4102]: `orders.v1.OrdersService/Get` is refused with less than 1s left, and its deadline is 250ms
      --> orders/v1/orders.proto:10:5
       |
     9 |     option (freehold.v1.call).deadline = { nanos: 250000000 };
       |     ----------------------------------------------------------
    10 |     option (freehold.v1.call).min_deadline = { seconds: 1 };
       |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the least that must be left
       |
       = help: raise the deadline or lower `min_deadline`: as it stands every call is refused
    ");
    let default = "    option idempotency_level = NO_SIDE_EFFECTS;
    option (freehold.v1.call).min_deadline = { seconds: 3 };";
    assert_snapshot!(report([method("Get(GetRequest) returns (Order)", default)]), @r"
    error[FH4102]: `orders.v1.OrdersService/Get` is refused with less than 3s left, and its deadline is 2s
     --> orders/v1/orders.proto:9:5
      |
    7 |   rpc Get(GetRequest) returns (Order) {
      |       --- two seconds where none is declared
    ...
    9 |     option (freehold.v1.call).min_deadline = { seconds: 3 };
      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the least that must be left
      |
      = help: raise the deadline or lower `min_deadline`: as it stands every call is refused
    ");
}

#[test]
fn fh4201_a_limit_fits_the_type_of_its_field() {
    let limits = r#"message Order {
  int64 total = 1 [(freehold.v1.field).max_length = 5];
  string name = 2 [(freehold.v1.field).min = 1, (freehold.v1.field).max_items = 3];
  repeated int64 lines = 3 [(freehold.v1.field).max = 9];
  bool paid = 4 [(freehold.v1.field).max = 9];
}"#;
    assert_snapshot!(report([orders(limits)]), @r"
    error[FH4201]: `max_length` limits a field that is a string or bytes, and `orders.v1.Order.total` is not
     --> orders/v1/orders.proto:6:20
      |
    6 |   int64 total = 1 [(freehold.v1.field).max_length = 5];
      |                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ on `int64`
      |
      = help: this field can be limited by
                  [(freehold.v1.field).min = 0, (freehold.v1.field).max = 100]

    error[FH4201]: `min` limits a field that is a number, and `orders.v1.Order.name` is not
     --> orders/v1/orders.proto:7:20
      |
    7 |   string name = 2 [(freehold.v1.field).min = 1, (freehold.v1.field).max_items = 3];
      |                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^ on `string`
      |
      = help: this field can be limited by
                  [(freehold.v1.field).max_length = 100]

    error[FH4201]: `max_items` limits a field that is repeated or a map, and `orders.v1.Order.name` is not
     --> orders/v1/orders.proto:7:49
      |
    7 |   string name = 2 [(freehold.v1.field).min = 1, (freehold.v1.field).max_items = 3];
      |                                                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ on `string`
      |
      = help: this field can be limited by
                  [(freehold.v1.field).max_length = 100]

    error[FH4201]: `max` limits a field that is a number, and `orders.v1.Order.lines` is not
     --> orders/v1/orders.proto:8:29
      |
    8 |   repeated int64 lines = 3 [(freehold.v1.field).max = 9];
      |                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^ on `repeated int64`
      |
      = help: this field can be limited by
                  [(freehold.v1.field).max_items = 100]

    error[FH4201]: `max` limits a field that is a number, and `orders.v1.Order.paid` is not
     --> orders/v1/orders.proto:9:18
      |
    9 |   bool paid = 4 [(freehold.v1.field).max = 9];
      |                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^ on `bool`
      |
      = help: remove the limit; a field of this type can only be
                  [(freehold.v1.field).required = true]
    ");
}

#[test]
fn fh4201_a_length_limits_the_items_of_a_list() {
    let limits = r#"message Order {
  repeated string tags = 1 [(freehold.v1.field).max_length = 5];
  repeated bytes seals = 2 [(freehold.v1.field).max_length = 5, (freehold.v1.field).max = 9];
  map<string, string> notes = 3 [(freehold.v1.field).max_length = 5];
}"#;
    assert_snapshot!(report([orders(limits)]), @r"
    error[FH4201]: `max` limits a field that is a number, and `orders.v1.Order.seals` is not
     --> orders/v1/orders.proto:7:65
      |
    7 |   repeated bytes seals = 2 [(freehold.v1.field).max_length = 5, (freehold.v1.field).max = 9];
      |                                                                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^ on `repeated bytes`
      |
      = help: this field can be limited by
                  [(freehold.v1.field).max_items = 100, (freehold.v1.field).max_length = 100]

    error[FH4201]: `max_length` limits a field that is a string or bytes, and `orders.v1.Order.notes` is not
     --> orders/v1/orders.proto:8:34
      |
    8 |   map<string, string> notes = 3 [(freehold.v1.field).max_length = 5];
      |                                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ on `map<string, string>`
      |
      = help: this field can be limited by
                  [(freehold.v1.field).max_items = 100]
    ");
}

#[test]
fn fh4202_a_least_value_above_the_greatest_is_refused() {
    let range =
        "message Order {\n  int64 total = 1 [(freehold.v1.field).min = 10, (freehold.v1.field).max = 1];\n}";
    assert_snapshot!(report([orders(range)]), @r"
    error[FH4202]: no value of `orders.v1.Order.total` is both at least 10 and at most 1
     --> orders/v1/orders.proto:6:20
      |
    6 |   int64 total = 1 [(freehold.v1.field).min = 10, (freehold.v1.field).max = 1];
      |                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |                                                  ---------------------------
      |
      = help: write
                  [(freehold.v1.field).min = 1, (freehold.v1.field).max = 10]
    ");
}

#[test]
fn fh4203_a_secret_in_a_message_that_is_not_shared_by_itself_is_refused() {
    let address = "message Address {\n  string street = 1 [(freehold.v1.field).private = true];\n}";
    assert_snapshot!(report([orders(address)]), @r"
    error[FH4203]: `orders.v1.Address.street` is private, but nothing keeps it so
     --> orders/v1/orders.proto:6:22
      |
    6 |   string street = 1 [(freehold.v1.field).private = true];
      |                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ in neither an entity nor an event
      |
      = help: only fields of entities and events are held back; make the field private that holds this message there:
                  [(freehold.v1.field).private = true]
    ");
}

/// K14.
#[test]
fn fh4007_an_undo_that_is_sent_once_or_streams_is_refused() {
    let free = "  rpc FreeProduct(FreeProductRequest) returns (Product) {\n    option (freehold.v1.call).keyed = true;";
    assert!(PRODUCT.contains(free));
    let streams = free.replace("(Product)", "(stream Product)");
    let once = streams.replace("keyed", "at_most_once");
    let idempotent = streams.replace("(freehold.v1.call).keyed = true", "idempotency_level = IDEMPOTENT");
    assert_snapshot!(report([catalog(&PRODUCT.replace(free, &once))]), @r#"
    error[FH4007]: `catalog.v1.CatalogService/HoldProduct` is undone by `FreeProduct`, which must not be repeated
      --> catalog/v1/catalog.proto:26:5
       |
    26 |     option (freehold.v1.call).undo = "FreeProduct";
       |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    ...
    29 |     option (freehold.v1.call).at_most_once = true;
       |     ---------------------------------------------- never sent again
       |
       = help: make `FreeProduct` one request and one reply, and say that it may be repeated:
                   option (freehold.v1.call).keyed = true;
    "#);
    assert_snapshot!(report([catalog(&PRODUCT.replace(free, &idempotent))]), @r#"
    error[FH4007]: `catalog.v1.CatalogService/HoldProduct` is undone by `FreeProduct`, which must not be repeated
      --> catalog/v1/catalog.proto:26:5
       |
    26 |     option (freehold.v1.call).undo = "FreeProduct";
       |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    ...
    28 |   rpc FreeProduct(FreeProductRequest) returns (stream Product) {
       |       ----------- streams
       |
       = help: make `FreeProduct` one request and one reply, and say that it may be repeated:
                   option (freehold.v1.call).keyed = true;
    "#);
}

/// K14.
#[test]
fn fh4008_a_call_that_is_sent_at_most_once_streams() {
    let once = "    option (freehold.v1.call).at_most_once = true;";
    assert_snapshot!(report([method("Ship(ShipRequest) returns (Order)", once)]), @r"
    error[FH4008]: `orders.v1.OrdersService/Ship` streams nothing, and is to be sent at most once
     --> orders/v1/orders.proto:8:5
      |
    8 |     option (freehold.v1.call).at_most_once = true;
      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: an answer that is lost leaves the caller without a way to ask again; make the write repeatable:
                  option (freehold.v1.call).keyed = true;
    ");
    assert_eq!(report([method("Ship(ShipRequest) returns (stream Order)", once)]), "");
}
