//! What people see: each rule's diagnostic as it is printed, the source line underlined, with the fix to paste.
//!
//! Every rule has a test here that breaks a sound tree in one place; `a_sound_tree_has_no_findings` is its counterpart.

mod calls;
mod chains;
mod lints;
mod ownership;
mod pages;
mod rpcs;
mod rules;
mod source;
mod streams;
mod style;
mod takings;
mod tree;

use freehold_contract::{Finding, Sources, check, load, render_json, render_text, render_text_color};
use insta::assert_snapshot;

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
  rpc HoldProduct(HoldProductRequest) returns (Product) {
    option (freehold.v1.call).keyed = true;
    option (freehold.v1.call).undo = "FreeProduct";
  }
  rpc FreeProduct(FreeProductRequest) returns (Product) {
    option (freehold.v1.call).keyed = true;
  }
}
message GetProductRequest {
  string id = 1;
}
message HoldProductRequest {
  string id = 1;
}
message FreeProductRequest {
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
          rpc GetOrder(GetOrderRequest) returns (Order) { option idempotency_level = NO_SIDE_EFFECTS; }
          rpc Watch(WatchRequest) returns (stream Order) { option (freehold.v1.call).at_most_once = true; }
        }
        message GetOrderRequest { string id = 1; }
        message WatchRequest { string id = 1; }"#;
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

/// Two files, three rules, one run.
#[test]
fn findings_of_several_rules_in_several_files_are_all_reported() {
    let service = "message ShipRequest { string id = 1; }\nmessage Order {}\nservice OrdersService {\n  rpc Ship(ShipRequest) returns (Order);\n}";
    let taken = r#"
option (freehold.v1.steps) = "catalog.v1.CatalogService/FreeProduct";
message ProductCopy {
  option (freehold.v1.replica).of = "catalog.v1.Product";
  int64 cost_cents = 4;
}"#;
    let sources: Sources = [catalog(PRODUCT), orders(service), needs(taken)].into_iter().collect();
    let found = findings(&sources);
    let rules: Vec<(&str, &str)> =
        found.iter().map(|finding| (finding.rule, finding.places[0].place.file.as_str())).collect();
    let (needs, orders) = ("orders/v1/needs.proto", "orders/v1/orders.proto");
    assert_eq!(rules, [("FH4002", needs), ("FH2309", needs), ("FH2304", needs), ("FH4001", orders)]);
}

#[test]
fn a_program_reads_an_object_per_line() {
    let sources: Sources =
        [catalog(&PRODUCT.replace("\"FreeProduct\"", "\"FreProduct\""))].into_iter().collect();
    assert_snapshot!(render_json(&findings(&sources)), @r#"
    {"column":5,"file":"catalog/v1/catalog.proto","help":"did you mean this?\n    option (freehold.v1.call).undo = \"FreeProduct\";","line":26,"message":"`catalog.v1.CatalogService/HoldProduct` is undone by `FreProduct`, which `catalog.v1.CatalogService` does not have","places":[{"column":5,"end":870,"file":"catalog/v1/catalog.proto","label":"","line":26,"start":824}],"rule":"FH2208","severity":"error"}
    "#);
}

#[test]
fn a_terminal_gets_colours() {
    let file = [("a.proto".to_owned(), "package a; messag".to_owned())];
    let sources: Sources = file.into_iter().collect();
    assert_snapshot!(render_text_color(&findings(&sources), &sources).replace('\u{1b}', "ESC"), @r"
    ESC[1;31merror[FH1001]ESC[0mESC[1m: expected 'enum', 'extend', 'import', 'message', 'option', 'service', 'package' or ';', but found 'messag'ESC[0m
     ESC[1;34m-->ESC[0m a.proto:1:12
      ESC[1;34m|ESC[0m
    ESC[1;34m1 |ESC[0m package a; messag
      ESC[1;34m|ESC[0m            ESC[1;31m^^^^^^ found hereESC[0m
      ESC[1;34m|ESC[0m
    ");
}
