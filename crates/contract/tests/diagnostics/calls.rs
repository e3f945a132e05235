//! FH22xx: declared calls, steps, and the names in the options of methods.

use insta::assert_snapshot;

use crate::{PRODUCT, catalog, needs, orders, report};

/// K11.
#[test]
fn fh2201_a_call_of_what_does_not_exist_suggests_the_nearest() {
    let call = "option (freehold.v1.calls) = { method: \"catalog.v1.CatalogService/GetProdct\" };";
    assert_snapshot!(report([catalog(PRODUCT), needs(call)]), @r#"
    error[FH2201]: `orders` declares a call of `catalog.v1.CatalogService/GetProdct`, which does not exist
     --> orders/v1/needs.proto:5:1
      |
    5 | option (freehold.v1.calls) = { method: "catalog.v1.CatalogService/GetProdct" };
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ no such method
      |
      = help: did you mean this?
                  option (freehold.v1.calls) = { method: "catalog.v1.CatalogService/GetProduct" };
    "#);
}

/// K11.
#[test]
fn fh2201_a_call_of_nothing_near_shows_the_form() {
    assert_snapshot!(report([needs("option (freehold.v1.calls) = { method: \"weather\" };")]), @r#"
    error[FH2201]: `orders` declares a call of `weather`, which does not exist
     --> orders/v1/needs.proto:5:1
      |
    5 | option (freehold.v1.calls) = { method: "weather" };
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ no such method
      |
      = help: name a method as package.Service/Method:
                  option (freehold.v1.calls) = { method: "inventory.v1.InventoryService/Reserve" };
    "#);
}

/// K11.
#[test]
fn fh2202_a_step_that_does_not_exist_suggests_the_nearest() {
    let step = "option (freehold.v1.steps) = \"catalog.v1.CatalogService.HoldProduct\";";
    assert_snapshot!(report([catalog(PRODUCT), needs(step)]), @r#"
    error[FH2202]: `orders` declares a step of `catalog.v1.CatalogService.HoldProduct`, which does not exist
     --> orders/v1/needs.proto:5:1
      |
    5 | option (freehold.v1.steps) = "catalog.v1.CatalogService.HoldProduct";
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ no such method
      |
      = help: did you mean this?
                  option (freehold.v1.steps) = "catalog.v1.CatalogService/HoldProduct";
    "#);
}

#[test]
fn fh2203_a_call_from_a_method_that_the_consumer_does_not_have() {
    let service = r#"message Order { string id = 1; }
service OrdersService {
  rpc GetOrder(GetOrderRequest) returns (Order) { option idempotency_level = NO_SIDE_EFFECTS; }
}
message GetOrderRequest { string id = 1; }"#;
    let calls = r#"
option (freehold.v1.calls) = { method: "catalog.v1.CatalogService/GetProduct" from: "GetOrders" };
option (freehold.v1.calls) = { method: "catalog.v1.CatalogService/GetProduct" from: "Nightly" };"#;
    assert_snapshot!(report([catalog(PRODUCT), orders(service), needs(calls)]), @r#"
    error[FH2203]: `orders` has no method `GetOrders` to call from
     --> orders/v1/needs.proto:5:1
      |
    5 | option (freehold.v1.calls) = { method: "catalog.v1.CatalogService/GetProduct" from: "GetOrders" };
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `from` names one of the consumer's own methods
      |
      = help: did you mean this?
                  option (freehold.v1.calls) = { method: "catalog.v1.CatalogService/GetProduct" from: "GetOrder" };

    error[FH2203]: `orders` has no method `Nightly` to call from
     --> orders/v1/needs.proto:6:1
      |
    6 | option (freehold.v1.calls) = { method: "catalog.v1.CatalogService/GetProduct" from: "Nightly" };
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `from` names one of the consumer's own methods
      |
      = help: leave it out where no RPC makes the call:
                  option (freehold.v1.calls) = { method: "catalog.v1.CatalogService/GetProduct" };
    "#);
}

/// K11.
#[test]
fn fh2204_a_call_and_a_step_of_oneself_are_refused() {
    let service = r#"message Order { string id = 1; }
service OrdersService {
  rpc Hold(HoldRequest) returns (Order) {
    option (freehold.v1.call) = { keyed: true undo: "Free" };
  }
  rpc Free(FreeRequest) returns (Order) { option (freehold.v1.call).keyed = true; }
}
message HoldRequest { string id = 1; }
message FreeRequest { string id = 1; }"#;
    let own = r#"
option (freehold.v1.calls) = { method: "orders.v1.OrdersService/Free" };
option (freehold.v1.steps) = "orders.v1.OrdersService/Hold";"#;
    assert_snapshot!(report([orders(service), needs(own)]), @r#"
    error[FH2204]: `orders` declares a call of its own `orders.v1.OrdersService/Free`
      --> orders/v1/needs.proto:5:1
       |
     5 | option (freehold.v1.calls) = { method: "orders.v1.OrdersService/Free" };
       | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ of oneself
       |
      ::: orders/v1/orders.proto:10:7
       |
    10 |   rpc Free(FreeRequest) returns (Order) { option (freehold.v1.call).keyed = true; }
       |       ----
       |
       = help: remove the line: a service reaches its own data by calling its own function

    error[FH2204]: `orders` declares a step of its own `orders.v1.OrdersService/Hold`
     --> orders/v1/needs.proto:6:1
      |
    6 | option (freehold.v1.steps) = "orders.v1.OrdersService/Hold";
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ of oneself
      |
     ::: orders/v1/orders.proto:7:7
      |
    7 |   rpc Hold(HoldRequest) returns (Order) {
      |       ----
      |
      = help: remove the line: a service reaches its own data by calling its own function
    "#);
}

#[test]
fn fh2205_each_need_is_declared_once() {
    let twice = r#"
option (freehold.v1.calls) = { method: "catalog.v1.CatalogService/GetProduct" };
option (freehold.v1.calls) = { method: "catalog.v1.CatalogService/GetProduct" };
option (freehold.v1.steps) = "catalog.v1.CatalogService/HoldProduct";
option (freehold.v1.steps) = "catalog.v1.CatalogService/HoldProduct";
message One {
  option (freehold.v1.replica).of = "catalog.v1.Product";
  string id = 1;
}
message Two {
  option (freehold.v1.replica).of = "catalog.v1.Product";
  string id = 1;
}"#;
    assert_snapshot!(report([catalog(PRODUCT), needs(twice)]), @r#"
    error[FH2205]: `orders` declares a call of `catalog.v1.CatalogService/GetProduct` twice
     --> orders/v1/needs.proto:6:1
      |
    5 | option (freehold.v1.calls) = { method: "catalog.v1.CatalogService/GetProduct" };
      | -------------------------------------------------------------------------------- first here
    6 | option (freehold.v1.calls) = { method: "catalog.v1.CatalogService/GetProduct" };
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ again here
      |
      = help: remove one of the two

    error[FH2205]: `orders` declares a step `catalog.v1.CatalogService/HoldProduct` twice
     --> orders/v1/needs.proto:8:1
      |
    7 | option (freehold.v1.steps) = "catalog.v1.CatalogService/HoldProduct";
      | --------------------------------------------------------------------- first here
    8 | option (freehold.v1.steps) = "catalog.v1.CatalogService/HoldProduct";
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ again here
      |
      = help: remove one of the two

    error[FH2205]: `orders` declares a replica of `catalog.v1.Product` twice
      --> orders/v1/needs.proto:13:9
       |
     9 | message One {
       |         --- first here
    ...
    13 | message Two {
       |         ^^^ again here
       |
       = help: remove one of the two
    "#);
}

#[test]
fn fh2206_needs_stand_in_a_file_that_says_whose_they_are() {
    let stray = r#"
option (freehold.v1.steps) = "catalog.v1.CatalogService/HoldProduct";
message ProductView {
  option (freehold.v1.view).of = "catalog.v1.Product";
}"#;
    assert_snapshot!(report([catalog(PRODUCT), orders(stray)]), @r#"
    error[FH2206]: a step `catalog.v1.CatalogService/HoldProduct` is declared in a file that does not say who needs it
     --> orders/v1/orders.proto:5:1
      |
    5 | option (freehold.v1.steps) = "catalog.v1.CatalogService/HoldProduct";
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: declare needs in a file of their own, needs.proto, that names the consumer:
                  option (freehold.v1.consumer) = "orders";

    error[FH2206]: the view `ProductView` is declared in a file that does not say who needs it
     --> orders/v1/orders.proto:7:3
      |
    7 |   option (freehold.v1.view).of = "catalog.v1.Product";
      |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: declare needs in a file of their own, needs.proto, that names the consumer:
                  option (freehold.v1.consumer) = "orders";
    "#);
}

/// K11.
#[test]
fn fh2207_a_cache_of_what_is_not_an_entity_suggests_the_nearest() {
    let cached = PRODUCT.replacen(
        "NO_SIDE_EFFECTS;",
        "NO_SIDE_EFFECTS;\n    option (freehold.v1.call).cache = { ttl: { seconds: 30 } entity: \"Product\" };",
        1,
    );
    assert_snapshot!(report([catalog(&cached)]), @r#"
    error[FH2207]: the cache of `catalog.v1.CatalogService/GetProduct` watches `Product`, which is not an entity
      --> catalog/v1/catalog.proto:23:5
       |
    23 |     option (freehold.v1.call).cache = { ttl: { seconds: 30 } entity: "Product" };
       |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: did you mean this?
                   option (freehold.v1.call).cache.entity = "catalog.v1.Product";
    "#);
}

/// K11.
#[test]
fn fh2208_an_undo_that_does_not_exist_suggests_the_nearest() {
    assert_snapshot!(report([catalog(&PRODUCT.replace("\"FreeProduct\"", "\"FreProduct\""))]), @r#"
    error[FH2208]: `catalog.v1.CatalogService/HoldProduct` is undone by `FreProduct`, which `catalog.v1.CatalogService` does not have
      --> catalog/v1/catalog.proto:26:5
       |
    26 |     option (freehold.v1.call).undo = "FreProduct";
       |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: did you mean this?
                   option (freehold.v1.call).undo = "FreeProduct";
    "#);
}

#[test]
fn fh2208_no_method_undoes_itself() {
    assert_snapshot!(report([catalog(&PRODUCT.replace("\"FreeProduct\"", "\"HoldProduct\""))]), @r#"
    error[FH2208]: `catalog.v1.CatalogService/HoldProduct` is its own `undo`
      --> catalog/v1/catalog.proto:26:5
       |
    26 |     option (freehold.v1.call).undo = "HoldProduct";
       |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: name the method of the same service that takes back what this one did
    "#);
}

/// Every call is misspelled: 1000 names against 1000 names are more comparisons than one run makes.
#[test]
fn a_tree_in_which_every_name_is_wrong_gets_its_findings_and_the_first_suggestions() {
    let mut service = "service OrdersService {\n".to_owned();
    let (mut requests, mut calls) = (String::new(), String::new());
    for index in 0..1000 {
        let read = "option idempotency_level = NO_SIDE_EFFECTS;";
        service.push_str(&format!("  rpc Ship{index}(Ship{index}Request) returns (Order) {{ {read} }}\n"));
        requests.push_str(&format!("message Ship{index}Request {{}}\n"));
        let method = format!("orders.v1.OrdersService/Shipp{index}");
        calls.push_str(&format!("option (freehold.v1.calls) = {{ method: \"{method}\" }};\n"));
    }
    let shop = crate::contract(
        "shop/v1/needs.proto",
        "shop.v1",
        "option (freehold.v1.consumer) = \"shop\";",
        &calls,
    );
    let report = report([orders(&format!("{service}}}\n{requests}message Order {{}}")), shop]);
    let suggested = report.matches("did you mean this?").count();
    assert_eq!((report.matches("error[FH2201]").count(), suggested), (1000, 100));
}
