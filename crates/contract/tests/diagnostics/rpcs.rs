//! FH51xx and FH52xx: methods and pages, as google.aip.dev has them.
//!
//! Each rule fires here, and is silent at the same contract mended.

use insta::assert_snapshot;

use crate::{PRODUCT, catalog, orders, report};

const WRITE: &str = "option (freehold.v1.call).keyed = true;";
const READ: &str = "option idempotency_level = NO_SIDE_EFFECTS;";

/// `orders` with a service of one method, and what else stands in the file.
fn method(signature: &str, options: &str, rest: &str) -> (String, String) {
    let import = "import \"google/api/annotations.proto\";\nimport \"google/protobuf/empty.proto\";\nimport \"google/protobuf/field_mask.proto\";\n";
    let service = format!("service OrdersService {{\n  rpc {signature} {{\n    {options}\n  }}\n}}\n");
    orders(&format!(
        "{import}{service}{rest}\nmessage Order {{\n  option (freehold.v1.entity).key = \"id\";\n  string id = 1;\n  int64 units = 2;\n}}"
    ))
}

#[test]
fn fh5101_what_gets_and_lists_reads() {
    let request = "message GetOrderRequest {\n  string id = 1;\n}";
    assert_snapshot!(report([method("GetOrder(GetOrderRequest) returns (Order)", WRITE, request)]), @r"
    error[FH5101]: `orders.v1.OrdersService/GetOrder` says `Get`, and is a write
      --> orders/v1/orders.proto:9:7
       |
     9 |   rpc GetOrder(GetOrderRequest) returns (Order) {
       |       ^^^^^^^^ reads by its name
    10 |     option (freehold.v1.call).keyed = true;
       |     --------------------------------------- writes
       |
       = help: say that it reads, or name it after what it changes:
                   option idempotency_level = NO_SIDE_EFFECTS;
    ");
    assert_eq!(report([method("GetOrder(GetOrderRequest) returns (Order)", READ, request)]), "");
    let named = request.replace("GetOrder", "GetawayOrder");
    assert_eq!(report([method("GetawayOrder(GetawayOrderRequest) returns (Order)", WRITE, &named)]), "");
}

#[test]
fn fh5102_what_creates_updates_and_deletes_writes() {
    let request = "message DeleteOrderRequest {\n  string id = 1;\n}";
    assert_snapshot!(report([method("DeleteOrder(DeleteOrderRequest) returns (Order)", READ, request)]), @r"
    error[FH5102]: `orders.v1.OrdersService/DeleteOrder` says `Delete`, and claims to have no effect
      --> orders/v1/orders.proto:9:7
       |
     9 |   rpc DeleteOrder(DeleteOrderRequest) returns (Order) {
       |       ^^^^^^^^^^^ writes by its name
    10 |     option idempotency_level = NO_SIDE_EFFECTS;
       |     ------------------------------------------- reads
       |
       = help: clients repeat, hedge and cache what reads; say that it writes:
                   option (freehold.v1.call).keyed = true;
    ");
    assert_eq!(report([method("DeleteOrder(DeleteOrderRequest) returns (Order)", WRITE, request)]), "");
}

#[test]
fn fh5103_each_rpc_has_a_request_of_its_own() {
    let shared = PRODUCT.replace("FreeProduct(FreeProductRequest)", "FreeProduct(HoldProductRequest)");
    assert_snapshot!(report([catalog(&shared)]), @r"
    error[FH5103]: `catalog.v1.CatalogService/FreeProduct` takes the request of `catalog.v1.CatalogService/HoldProduct`
      --> catalog/v1/catalog.proto:28:19
       |
    24 |   rpc HoldProduct(HoldProductRequest) returns (Product) {
       |                   ------------------
    ...
    28 |   rpc FreeProduct(HoldProductRequest) returns (Product) {
       |                   ^^^^^^^^^^^^^^^^^^
       |
       = help: give it a request of its own, which can grow alone:
                   message FreeProductRequest { .. }
    ");
    assert_eq!(report([catalog(PRODUCT)]), "");
}

#[test]
fn fh5104_requests_and_responses_are_named_after_their_rpc() {
    let rest = "message ById {\n  string id = 1;\n}\nmessage OrderResponse {\n  Order order = 1;\n}";
    assert_snapshot!(report([method("GetOrder(ById) returns (OrderResponse)", READ, rest)]), @r"
    warning[FH5104]: `orders.v1.OrdersService/GetOrder` takes `orders.v1.ById`, which is not named after it
     --> orders/v1/orders.proto:9:16
      |
    9 |   rpc GetOrder(ById) returns (OrderResponse) {
      |                ^^^^
      |
      = help: write
                  message GetOrderRequest { .. }

    warning[FH5104]: `orders.v1.OrdersService/GetOrder` returns `orders.v1.OrderResponse`, which is not named after it
     --> orders/v1/orders.proto:9:31
      |
    9 |   rpc GetOrder(ById) returns (OrderResponse) {
      |                               ^^^^^^^^^^^^^
      |
      = help: write
                  message GetOrderResponse { .. }
    ");
    let named = rest.replace("ById", "GetOrderRequest").replace("OrderResponse", "GetOrderResponse");
    assert_eq!(report([method("GetOrder(GetOrderRequest) returns (GetOrderResponse)", READ, &named)]), "");
    let entity = "message GetOrderRequest {\n  string id = 1;\n}";
    assert_eq!(
        report([method("GetOrder(GetOrderRequest) returns (Order)", READ, entity)]),
        "",
        "an entity is a reply"
    );
}

#[test]
fn fh5105_what_is_empty_today_may_grow_tomorrow() {
    let empty = "google.protobuf.Empty";
    assert_snapshot!(report([method(&format!("Refresh({empty}) returns ({empty})"), WRITE, "")]), @r"
    error[FH5105]: `orders.v1.OrdersService/Refresh` takes `google.protobuf.Empty`, which can never have a field
     --> orders/v1/orders.proto:9:15
      |
    9 |   rpc Refresh(google.protobuf.Empty) returns (google.protobuf.Empty) {
      |               ^^^^^^^^^^^^^^^^^^^^^
      |
      = help: give it a message of its own, empty for now:
                  message RefreshRequest {}

    error[FH5105]: `orders.v1.OrdersService/Refresh` returns `google.protobuf.Empty`, which can never have a field
     --> orders/v1/orders.proto:9:47
      |
    9 |   rpc Refresh(google.protobuf.Empty) returns (google.protobuf.Empty) {
      |                                               ^^^^^^^^^^^^^^^^^^^^^
      |
      = help: give it a message of its own, empty for now:
                  message RefreshResponse {}
    ");
    let own = "message RefreshRequest {}\nmessage RefreshResponse {}";
    assert_eq!(report([method("Refresh(RefreshRequest) returns (RefreshResponse)", WRITE, own)]), "");
}

#[test]
fn fh5106_a_get_of_http_writes_nothing() {
    let get = "option (google.api.http) = {\n      post: \"/v1/orders/{id}:ship\" body: \"*\"\n      additional_bindings { get: \"/v1/orders/{id}:ship\" }\n    };";
    let request = "message ShipOrderRequest {\n  string id = 1;\n}";
    let ship =
        |options: &str| report([method("ShipOrder(ShipOrderRequest) returns (Order)", options, request)]);
    assert_snapshot!(ship(&format!("{get}\n    {WRITE}")), @r#"
    error[FH5106]: `orders.v1.OrdersService/ShipOrder` writes, and HTTP reaches it by GET
      --> orders/v1/orders.proto:10:5
       |
    10 |     option (google.api.http) = {
       |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: browsers, crawlers and proxies follow a GET by themselves; write
                   option (google.api.http) = { post: ".." body: "*" };
    "#);
    assert_eq!(ship(&format!("{get}\n    {READ}")), "");
    assert_eq!(ship(&format!("{}\n    {WRITE}", get.replace("get:", "put:"))), "");
}

#[test]
fn fh5107_an_update_tells_what_was_left_out() {
    let request = "message UpdateOrderRequest {
  string id = 1 [(freehold.v1.field).required = true];
  string note = 2;
  Order order = 3;
  repeated string tags = 4;
  bool dry_run = 5;
}";
    let update =
        |request: &str| report([method("UpdateOrder(UpdateOrderRequest) returns (Order)", WRITE, request)]);
    assert_snapshot!(update(request), @r"
    error[FH5107]: `orders.v1.OrdersService/UpdateOrder` cannot tell whether `note` was left out
      --> orders/v1/orders.proto:15:3
       |
    15 |   string note = 2;
       |   ^^^^^^^^^^^^^^^^
       |
       = help: write
                   optional string note = 2;

    error[FH5107]: `orders.v1.OrdersService/UpdateOrder` cannot tell whether `order` was left out
      --> orders/v1/orders.proto:16:3
       |
    16 |   Order order = 3;
       |   ^^^^^^^^^^^^^^^^
       |
       = help: write
                   google.protobuf.FieldMask update_mask = 6;
    ");
    let optional = request.replace("string note", "optional string note").replace("  Order order = 3;\n", "");
    assert_eq!(update(&optional), "");
    assert_eq!(
        update(&request.replace("bool dry_run = 5;", "google.protobuf.FieldMask update_mask = 5;")),
        ""
    );
}

#[test]
fn fh5108_a_keyed_request_holds_no_second_key() {
    let request = "message PayOrderRequest {\n  string id = 1;\n  string request_id = 2;\n}";
    let pay = |options: &str, request: &str| {
        report([method("PayOrder(PayOrderRequest) returns (Order)", options, request)])
    };
    assert_snapshot!(pay(WRITE, request), @r"
    warning[FH5108]: `orders.v1.OrdersService/PayOrder` is keyed, and its request holds a key of its own
      --> orders/v1/orders.proto:15:3
       |
    10 |     option (freehold.v1.call).keyed = true;
       |     --------------------------------------- the key travels beside the request
    ...
    15 |   string request_id = 2;
       |   ^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: remove the field: the client sends the key beside the request, and the same one again
    ");
    assert_eq!(pay(WRITE, &request.replace("request_id", "payment_id")), "");
    assert_eq!(
        pay("option idempotency_level = IDEMPOTENT;", request),
        "",
        "there it may be what makes it repeatable"
    );
}

/// A list with these members in its request and reply.
fn list(request: &str, reply: &str) -> String {
    let rest = format!("message ListOrdersRequest {{\n{request}}}\nmessage ListOrdersResponse {{\n{reply}}}");
    report([method("ListOrders(ListOrdersRequest) returns (ListOrdersResponse)", READ, &rest)])
}

const PAGE: &str = "  int32 page_size = 1;\n  string page_token = 2;\n";
const PAGED: &str = "  repeated Order orders = 1;\n  string next_page_token = 2;\n";

#[test]
fn fh5201_a_list_has_pages() {
    assert_snapshot!(list("  string customer_id = 1;\n", "  repeated Order orders = 1;\n"), @r"
    error[FH5201]: `orders.v1.OrdersService/ListOrders` returns all `orders` at once
      --> orders/v1/orders.proto:9:7
       |
     9 |   rpc ListOrders(ListOrdersRequest) returns (ListOrdersResponse) {
       |       ^^^^^^^^^^ no pages
    ...
    17 |   repeated Order orders = 1;
       |   --------------------------
       |
       = help: add
                   int32 page_size = 2;   // in ListOrdersRequest
                   string page_token = 3;   // in ListOrdersRequest
                   string next_page_token = 2;   // in ListOrdersResponse
    ");
    assert_eq!(list(PAGE, PAGED), "");
    assert_eq!(list("", "  Order order = 1;\n  map<string, string> names = 2;\n"), "", "nothing is listed");
}

#[test]
fn fh5201_a_stream_needs_no_pages() {
    let stream = "ListOrders(ListOrdersRequest) returns (stream ListOrdersResponse)";
    let rest = "message ListOrdersRequest {}\nmessage ListOrdersResponse {\n  repeated Order orders = 1;\n}";
    assert_eq!(report([method(stream, READ, rest)]), "");
}

#[test]
fn fh5202_pages_have_one_type_everywhere() {
    assert_snapshot!(list(&PAGE.replace("int32", "uint64"), &PAGED.replace("string", "bytes")), @r"
    error[FH5202]: `orders.v1.ListOrdersRequest.page_size` is not of the type that every page has
      --> orders/v1/orders.proto:14:3
       |
    14 |   uint64 page_size = 1;
       |   ^^^^^^^^^^^^^^^^^^^^^ `uint64` here
       |
       = help: write
                   int32 page_size = 1;

    error[FH5202]: `orders.v1.ListOrdersResponse.next_page_token` is not of the type that every page has
      --> orders/v1/orders.proto:19:3
       |
    19 |   bytes next_page_token = 2;
       |   ^^^^^^^^^^^^^^^^^^^^^^^^^^ `bytes` here
       |
       = help: write
                   string next_page_token = 2;
    ");
    assert_eq!(list(&PAGE.replace("int32", "optional int32"), PAGED), "");
}

#[test]
fn fh5203_a_page_is_never_refused() {
    let size = "[(freehold.v1.field).min = 1, (freehold.v1.field).max = 100]";
    let request = format!(
        "  int32 page_size = 1 {size};\n  string page_token = 2 [(freehold.v1.field).required = true];\n"
    );
    assert_snapshot!(list(&request, PAGED), @r"
    error[FH5203]: `orders.v1.ListOrdersRequest.page_size` refuses whoever leaves it out
      --> orders/v1/orders.proto:14:24
       |
    14 |   int32 page_size = 1 [(freehold.v1.field).min = 1, (freehold.v1.field).max = 100];
       |                        ^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: the owner takes what suits it; write
                   int32 page_size = 1;

    error[FH5203]: `orders.v1.ListOrdersRequest.page_size` refuses whoever asks for more than there is in a page
      --> orders/v1/orders.proto:14:53
       |
    14 |   int32 page_size = 1 [(freehold.v1.field).min = 1, (freehold.v1.field).max = 100];
       |                                                     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: the owner takes what suits it; write
                   int32 page_size = 1;

    error[FH5203]: `orders.v1.ListOrdersRequest.page_token` refuses whoever leaves it out
      --> orders/v1/orders.proto:15:26
       |
    15 |   string page_token = 2 [(freehold.v1.field).required = true];
       |                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: the owner takes what suits it; write
                   string page_token = 2;
    ");
    let kind = "  int32 page_size = 1 [(freehold.v1.field).min = 0];\n  string page_token = 2 [(freehold.v1.field).max_length = 500];\n";
    assert_eq!(list(kind, PAGED), "");
}

#[test]
fn fh5204_a_batch_has_an_end() {
    let signature = "BatchGetOrders(BatchGetOrdersRequest) returns (BatchGetOrdersResponse)";
    let rest = "message BatchGetOrdersRequest {\n  repeated string ids = 1;\n}\nmessage BatchGetOrdersResponse {\n  repeated Order orders = 1;\n}";
    assert_snapshot!(report([method(signature, READ, rest)]), @r"
    error[FH5204]: `orders.v1.OrdersService/BatchGetOrders` takes as many `ids` as the caller likes
      --> orders/v1/orders.proto:14:3
       |
    14 |   repeated string ids = 1;
       |   ^^^^^^^^^^^^^^^^^^^^^^^^ no end
       |
       = help: say how many at most:
                   [(freehold.v1.field).max_items = 1000]
    ");
    let bounded = rest.replace("ids = 1", "ids = 1 [(freehold.v1.field).max_items = 100]");
    assert_eq!(report([method(signature, READ, &bounded)]), "");
}
