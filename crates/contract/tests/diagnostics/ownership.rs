//! FH20xx: who owns what.

use insta::assert_snapshot;

use crate::{PRODUCT, catalog, contract, needs, report};

/// K13.
#[test]
fn fh2001_a_second_owner_of_a_package_is_refused() {
    let second =
        contract("catalog/v1/more.proto", "catalog.v1", "option (freehold.v1.owner) = \"shop\";", "");
    assert_snapshot!(report([catalog(PRODUCT), second]), @r#"
    error[FH2001]: the package `catalog.v1` has two owners: `catalog` and `shop`
     --> catalog/v1/more.proto:4:1
      |
    4 | option (freehold.v1.owner) = "shop";
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ second owner
      |
     ::: catalog/v1/catalog.proto:4:1
      |
    4 | option (freehold.v1.owner) = "catalog";
      | --------------------------------------- first owner
      |
      = help: a package and all its entities belong to one service; write
                  option (freehold.v1.owner) = "catalog";
              or move the file to a package of `shop`
    "#);
}

#[test]
fn fh2002_a_service_an_entity_and_an_event_want_an_owner() {
    let stray =
        contract("shop/v1/shop.proto", "shop.v1", "", PRODUCT.replace("catalog.v1", "shop.v1").as_str());
    assert_snapshot!(report([stray]), @r#"
    error[FH2002]: the entity `Product` is in the package `shop.v1`, which nobody owns
     --> shop/v1/shop.proto:5:9
      |
    5 | message Product {
      |         ^^^^^^^ whose is it?
      |
      = help: name the service that owns the package, once, in one of its files:
                  option (freehold.v1.owner) = "shop";

    error[FH2002]: the event `PriceChanged` is in the package `shop.v1`, which nobody owns
      --> shop/v1/shop.proto:13:9
       |
    13 | message PriceChanged {
       |         ^^^^^^^^^^^^ whose is it?
       |
       = help: name the service that owns the package, once, in one of its files:
                   option (freehold.v1.owner) = "shop";

    error[FH2002]: the service `CatalogService` is in the package `shop.v1`, which nobody owns
      --> shop/v1/shop.proto:19:9
       |
    19 | service CatalogService {
       |         ^^^^^^^^^^^^^^ whose is it?
       |
       = help: name the service that owns the package, once, in one of its files:
                   option (freehold.v1.owner) = "shop";
    "#);
}

#[test]
fn fh2003_an_empty_file_has_no_package() {
    assert_snapshot!(report([("shop/v1/shop.proto".to_owned(), String::new())]), @r#"
    error[FH2003]: `shop/v1/shop.proto` has no package
     --> shop/v1/shop.proto
      |
      = help: begin the file with
                  syntax = "proto3";
                  package shop.v1;
    "#);
}

#[test]
fn fh2004_a_consumer_declares_its_needs_in_one_file() {
    let second =
        contract("orders/v1/more.proto", "orders.v1", "option (freehold.v1.consumer) = \"orders\";", "");
    assert_snapshot!(report([needs(""), second]), @r#"
    error[FH2004]: the needs of `orders` are declared in two files
     --> orders/v1/needs.proto:4:1
      |
    4 | option (freehold.v1.consumer) = "orders";
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ second
      |
     ::: orders/v1/more.proto:4:1
      |
    4 | option (freehold.v1.consumer) = "orders";
      | ----------------------------------------- first
      |
      = help: declare all needs of a consumer in one file, needs.proto
    "#);
}

#[test]
fn fh2005_names_are_plain_words() {
    let owner = contract("a/v1/a.proto", "a.v1", "option (freehold.v1.owner) = \"My Shop\";", "");
    let consumer = contract("b/v1/b.proto", "b.v1", "option (freehold.v1.consumer) = \"\";", "");
    assert_snapshot!(report([owner, consumer]), @r#"
    error[FH2005]: `My Shop` is no name for the owner
     --> a/v1/a.proto:4:1
      |
    4 | option (freehold.v1.owner) = "My Shop";
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: a name is a lower-case letter, then letters, digits and `_`:
                  option (freehold.v1.owner) = "my_shop";

    error[FH2005]: the consumer has no name
     --> b/v1/b.proto:4:1
      |
    4 | option (freehold.v1.consumer) = "";
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: a name is a lower-case letter, then letters, digits and `_`:
                  option (freehold.v1.consumer) = "b";
    "#);
}
