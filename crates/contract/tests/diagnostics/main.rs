//! What people see: each rule's diagnostic as it is printed, the source line underlined, with the fix to paste.
//!
//! Every rule has a test here that breaks a sound tree in one place; `a_sound_tree_has_no_findings` is its counterpart.

mod calls;
mod lints;
mod ownership;
mod rules;
mod source;
mod streams;
mod takings;
mod tree;

use freehold_contract::{Finding, Sources, check, load, render_text};

/// A sound owner to take from: an entity, an event and a service.
const PRODUCT: &str = r#"
message Product {
  option (freehold.v1.entity).key = "id";
  string id = 1;
  string name = 2;
  int64 price_cents = 3;
  int64 cost_cents = 4 [(freehold.v1.field).private = true];
  string buyer_email = 5 [(freehold.v1.field).personal = true];
}
message PriceChanged {
  option (freehold.v1.event).of = "catalog.v1.Product";
  option (freehold.v1.event).key = "product_id";
  string product_id = 1;
  int64 new_cents = 2;
}
service CatalogService {
  rpc GetProduct(GetProductRequest) returns (Product) {
    option idempotency_level = NO_SIDE_EFFECTS;
  }
  rpc HoldProduct(GetProductRequest) returns (Product) {
    option (freehold.v1.call).keyed = true;
    option (freehold.v1.call).undo = "FreeProduct";
  }
  rpc FreeProduct(GetProductRequest) returns (Product) {
    option (freehold.v1.call).keyed = true;
  }
}
message GetProductRequest {
  string id = 1;
}
"#;

/// catalog/v1/catalog.proto, owned by `catalog`, with this after its options.
fn catalog(rest: &str) -> (String, String) {
    let owner = "option (freehold.v1.owner) = \"catalog\";\noption (freehold.v1.contact) = \"#catalog\";";
    contract("catalog/v1/catalog.proto", "catalog.v1", owner, rest)
}

/// orders/v1/orders.proto, owned by `orders`, with this after its options.
fn orders(rest: &str) -> (String, String) {
    contract("orders/v1/orders.proto", "orders.v1", "option (freehold.v1.owner) = \"orders\";", rest)
}

/// orders/v1/needs.proto, the needs of `orders`, with this after its options.
fn needs(rest: &str) -> (String, String) {
    contract("orders/v1/needs.proto", "orders.v1", "option (freehold.v1.consumer) = \"orders\";", rest)
}

/// A file of the contract language.
fn contract(path: &str, package: &str, option: &str, rest: &str) -> (String, String) {
    let head = "syntax = \"proto3\";\n";
    let import = "import \"freehold/v1/contract.proto\";\n";
    (path.to_owned(), format!("{head}package {package};\n{import}{option}\n{}\n", rest.trim()))
}

/// All findings of a tree.
fn findings(sources: &Sources) -> Vec<Finding> {
    load(sources).map_or_else(|findings| findings, |model| check(&model, sources))
}

/// All findings of a tree, as they are printed.
fn report(files: impl IntoIterator<Item = (String, String)>) -> String {
    let sources: Sources = files.into_iter().collect();
    render_text(&findings(&sources), &sources)
}

#[test]
fn a_sound_tree_has_no_findings() {
    let order = r#"
        message Order {
          option (freehold.v1.entity).key = "id";
          string id = 1;
          repeated string lines = 2 [(freehold.v1.field).max_items = 10];
        }
        service OrdersService {
          rpc GetOrder(Order) returns (Order) { option idempotency_level = NO_SIDE_EFFECTS; }
          rpc Watch(Order) returns (stream Order) { option (freehold.v1.call).at_most_once = true; }
        }"#;
    let taken = r#"
        option (freehold.v1.calls) = { method: "catalog.v1.CatalogService/GetProduct" from: "GetOrder" };
        option (freehold.v1.steps) = "catalog.v1.CatalogService/HoldProduct";
        message ProductCopy {
          option (freehold.v1.replica) = { of: ".catalog.v1.Product" max_staleness: { seconds: 5 } };
          string product_id = 1;
          string buyer_email = 5;
        }
        message PriceChangedView {
          option (freehold.v1.view).of = "catalog.v1.PriceChanged";
          int64 new_cents = 2;
        }
        message ProductView {
          option (freehold.v1.view).of = "catalog.v1.Product";
          string buyer_email = 5;
        }"#;
    assert_eq!(report([catalog(PRODUCT), orders(order), needs(taken)]), "");
}
