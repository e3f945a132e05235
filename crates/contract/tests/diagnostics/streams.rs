//! FH21xx: entities and events.

use insta::assert_snapshot;

use crate::{PRODUCT, catalog, contract, orders, report};

#[test]
fn fh2101_an_entity_key_that_is_no_field_suggests_the_nearest() {
    let entity = r#"message Order {
  option (freehold.v1.entity).key = "idd";
  string id = 1;
}"#;
    assert_snapshot!(report([orders(entity)]), @r#"
    error[FH2101]: the entity `orders.v1.Order` has no field `idd` to be its key
     --> orders/v1/orders.proto:6:3
      |
    6 |   option (freehold.v1.entity).key = "idd";
      |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: did you mean this?
                  option (freehold.v1.entity).key = "id";
    "#);
}

#[test]
fn fh2101_an_entity_without_any_key_gets_one_suggested() {
    let entity = r#"message Order {
  option (freehold.v1.entity) = {};
  int64 total = 1;
}"#;
    assert_snapshot!(report([orders(entity)]), @r#"
    error[FH2101]: the entity `orders.v1.Order` does not say which field is its key
     --> orders/v1/orders.proto:6:3
      |
    6 |   option (freehold.v1.entity) = {};
      |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: a key is a string field:
                  option (freehold.v1.entity).key = "id";
                  string id = 1;
    "#);
}

#[test]
fn fh2102_an_entity_key_is_a_plain_string() {
    let entity = r#"message Order {
  option (freehold.v1.entity).key = "id";
  int64 id = 1;
}
message Basket {
  option (freehold.v1.entity).key = "id";
  optional string id = 1;
}"#;
    assert_snapshot!(report([orders(entity)]), @r#"
    error[FH2102]: the key `orders.v1.Order.id` is not a plain string
     --> orders/v1/orders.proto:7:3
      |
    6 |   option (freehold.v1.entity).key = "id";
      |   --------------------------------------- the key
    7 |   int64 id = 1;
      |   ^^^^^^^^^^^^^ `int64` here
      |
      = help: write
                  string id = 1;

    error[FH2102]: the key `orders.v1.Basket.id` is not a plain string
      --> orders/v1/orders.proto:11:3
       |
    10 |   option (freehold.v1.entity).key = "id";
       |   --------------------------------------- the key
    11 |   optional string id = 1;
       |   ^^^^^^^^^^^^^^^^^^^^^^^ `optional string` here
       |
       = help: write
                   string id = 1;
    "#);
}

/// K11.
#[test]
fn fh2103_an_event_of_what_does_not_exist_suggests_the_nearest() {
    assert_snapshot!(report([catalog(&PRODUCT.replace("\"catalog.v1.Product\"", "\"catalog.v1.Prodct\""))]), @r#"
    error[FH2103]: the event `catalog.v1.PriceChanged` is about `catalog.v1.Prodct`, which does not exist
      --> catalog/v1/catalog.proto:15:3
       |
    15 |   option (freehold.v1.event).of = "catalog.v1.Prodct";
       |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: did you mean this?
                   option (freehold.v1.event).of = "catalog.v1.Product";
    "#);
}

#[test]
fn fh2103_an_event_of_what_is_not_an_entity_is_refused() {
    let event = r#"message Paid {
  option (freehold.v1.event) = { of: "orders.v1.Bill" key: "id" };
  string id = 1;
}
message Bill {}"#;
    assert_snapshot!(report([orders(event)]), @r#"
    error[FH2103]: the event `orders.v1.Paid` is about `orders.v1.Bill`, which is not an entity
     --> orders/v1/orders.proto:6:3
      |
    6 |   option (freehold.v1.event) = { of: "orders.v1.Bill" key: "id" };
      |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    ...
    9 | message Bill {}
      |         ---- has no `(freehold.v1.entity).key`
      |
      = help: name an entity of the same owner; a message becomes one by
                  option (freehold.v1.entity).key = "id";
    "#);
}

#[test]
fn fh2104_an_event_key_that_is_no_field_suggests_the_nearest() {
    assert_snapshot!(report([catalog(&PRODUCT.replace("\"product_id\"", "\"prodct_id\""))]), @r#"
    error[FH2104]: the event `catalog.v1.PriceChanged` has no field `prodct_id` to be its key
      --> catalog/v1/catalog.proto:16:3
       |
    16 |   option (freehold.v1.event).key = "prodct_id";
       |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: did you mean this?
                   option (freehold.v1.event).key = "product_id";
    "#);
}

#[test]
fn fh2105_an_event_key_is_a_plain_string() {
    assert_snapshot!(report([catalog(&PRODUCT.replace("string product_id = 1", "int64 product_id = 1"))]), @r#"
    error[FH2105]: the key `catalog.v1.PriceChanged.product_id` is not a plain string
      --> catalog/v1/catalog.proto:17:3
       |
    16 |   option (freehold.v1.event).key = "product_id";
       |   ---------------------------------------------- the key
    17 |   int64 product_id = 1;
       |   ^^^^^^^^^^^^^^^^^^^^^ `int64` here
       |
       = help: write
                   string product_id = 1;
    "#);
}

/// K13.
#[test]
fn fh2106_an_event_of_anothers_entity_is_refused() {
    let event = r#"message Discontinued {
  option (freehold.v1.event).of = "catalog.v1.Product";
  option (freehold.v1.event).key = "id";
  string id = 1;
}"#;
    assert_snapshot!(report([catalog(PRODUCT), orders(event)]), @r#"
    error[FH2106]: the event `orders.v1.Discontinued` is about `catalog.v1.Product`, which `catalog` owns
     --> orders/v1/orders.proto:6:3
      |
    6 |   option (freehold.v1.event).of = "catalog.v1.Product";
      |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ in a package of `orders`
      |
     ::: catalog/v1/catalog.proto:6:9
      |
    6 | message Product {
      |         ------- owned by `catalog`
      |
      = help: only an owner emits events about its entities: move the event to the package `catalog.v1`
    "#);
}

#[test]
fn fh2106_an_event_in_another_package_of_the_same_owner_stands() {
    let event = r#"message Discontinued {
  option (freehold.v1.event).of = "catalog.v1.Product";
  option (freehold.v1.event).key = "id";
  string id = 1;
}"#;
    let next = contract(
        "catalog/v2/catalog.proto",
        "catalog.v2",
        "option (freehold.v1.owner) = \"catalog\";",
        event,
    );
    assert_eq!(report([catalog(PRODUCT), next]), "");
}

#[test]
fn fh2107_a_message_is_one_thing() {
    let both = r#"message Order {
  option (freehold.v1.entity).key = "id";
  option (freehold.v1.event).of = "orders.v1.Order";
  option (freehold.v1.event).key = "id";
  string id = 1;
}"#;
    assert_snapshot!(report([orders(both)]), @r#"
    error[FH2107]: `orders.v1.Order` is an entity and an event at once
     --> orders/v1/orders.proto:7:3
      |
    6 |   option (freehold.v1.entity).key = "id";
      |   --------------------------------------- an entity
    7 |   option (freehold.v1.event).of = "orders.v1.Order";
      |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ an event
      |
      = help: give each a message of its own
    "#);
}

#[test]
fn fh2108_a_key_that_is_personal_or_private_is_refused() {
    let hidden = r#"message Order {
  option (freehold.v1.entity).key = "email";
  string email = 1 [(freehold.v1.field).max_length = 200, (freehold.v1.field).personal = true];
}
message Basket {
  option (freehold.v1.entity).key = "id";
  string id = 1 [(freehold.v1.field) = { private: true }];
}"#;
    assert_snapshot!(report([orders(hidden)]), @r"
    error[FH2108]: the key `orders.v1.Order.email` is personal
     --> orders/v1/orders.proto:7:59
      |
    7 |   string email = 1 [(freehold.v1.field).max_length = 200, (freehold.v1.field).personal = true];
      |                                                           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: a key names its entity to everyone, in every event and for ever; make the key an id that tells nothing:
                  string email = 1;

    error[FH2108]: the key `orders.v1.Basket.id` is private
      --> orders/v1/orders.proto:11:18
       |
    11 |   string id = 1 [(freehold.v1.field) = { private: true }];
       |                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: a key names its entity to everyone, in every event and for ever; make the key an id that tells nothing:
                   string id = 1;
    ");
}

#[test]
fn fh2109_a_personal_field_of_an_event_is_a_warning() {
    let event =
        PRODUCT.replace("int64 new_cents = 2;", "string who = 2 [(freehold.v1.field).personal = true];");
    assert_snapshot!(report([catalog(&event)]), @r"
    warning[FH2109]: `catalog.v1.PriceChanged.who` is personal, so no view of this event may read it
      --> catalog/v1/catalog.proto:18:19
       |
    18 |   string who = 2 [(freehold.v1.field).personal = true];
       |                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ personal fields travel only in changes
       |
       = help: leave it out of the event; consumers read it as a view or replica of `catalog.v1.Product`
    ");
}
