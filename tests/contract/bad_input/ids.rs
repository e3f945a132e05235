//! Ids that nobody has: NOT_FOUND, unless the RPC has a better answer.

use freehold_sdk::orders::v1::{NewLine, PlaceOrderRequest};
use freehold_testkit::mounted::{refusal, wrong_fields};
use freehold_wire::prost::Message;
use freehold_wire::reason;
use tonic::Code;

use super::Services;
use crate::contract::rpcs;
use crate::mesh::shared;
use crate::messages::sound;
use crate::world::USERS;

/// What an RPC does about an id that nobody has, where it does not answer NOT_FOUND.
enum Unknown {
    /// It makes what has that id, or marks that it shall not come to be.
    Made,
    /// It leaves out what it does not find.
    Left,
    /// It cannot be without what the id names: FAILED_PRECONDITION for this reason.
    Wanted(&'static str),
    /// It wants two ids that differ, and all ids are one here: this field is named.
    Alike(&'static str),
}

/// The RPCs that answer otherwise than by NOT_FOUND.
const OTHERWISE: [(&str, Unknown); 36] = [
    ("catalog.v1.CatalogService/BatchGetPrices", Unknown::Left),
    ("catalog.v1.CatalogService/BatchGetProducts", Unknown::Left),
    ("catalog.v1.CatalogService/CreateProduct", Unknown::Made),
    ("catalog.v1.CatalogService/FindProducts", Unknown::Left),
    ("catalog.v1.CatalogService/ListProducts", Unknown::Left),
    ("catalog.v1.CatalogService/ListSales", Unknown::Left),
    ("catalog.v1.CatalogService/RebuildSales", Unknown::Made),
    ("catalog.v1.CatalogService/ReinstateProduct", Unknown::Made),
    ("drivers.v1.DriversService/BatchGetDrivers", Unknown::Left),
    ("drivers.v1.DriversService/BatchGetLocations", Unknown::Left),
    ("drivers.v1.DriversService/ListDrivers", Unknown::Left),
    ("drivers.v1.DriversService/RegisterDriver", Unknown::Made),
    ("gateway.v1.GatewayService/ReplaceProduct", Unknown::Alike("by_product_id")),
    ("inventory.v1.InventoryService/BatchGetStock", Unknown::Left),
    ("inventory.v1.InventoryService/ListStock", Unknown::Left),
    ("inventory.v1.InventoryService/Release", Unknown::Made),
    ("inventory.v1.InventoryService/Reserve", Unknown::Wanted("INSUFFICIENT_STOCK")),
    ("inventory.v1.InventoryService/Restock", Unknown::Made),
    ("notifications.v1.NotificationsService/CountMails", Unknown::Left),
    ("notifications.v1.NotificationsService/ListMails", Unknown::Left),
    ("orders.v1.OrdersService/GetBasket", Unknown::Left),
    ("orders.v1.OrdersService/ListOrders", Unknown::Left),
    ("orders.v1.OrdersService/PlaceOrder", Unknown::Wanted("CUSTOMER_UNKNOWN")),
    ("orders.v1.OrdersService/ReplaceInBaskets", Unknown::Alike("by_product_id")),
    ("orders.v1.OrdersService/RestoreInBaskets", Unknown::Made),
    ("orders.v1.OrdersService/SaveBasket", Unknown::Made),
    ("payments.v1.PaymentsService/Authorise", Unknown::Wanted("ACCOUNT_UNKNOWN")),
    ("payments.v1.PaymentsService/Deposit", Unknown::Wanted("ACCOUNT_UNKNOWN")),
    ("payments.v1.PaymentsService/OpenAccount", Unknown::Made),
    ("payments.v1.PaymentsService/Refund", Unknown::Made),
    ("payments.v1.PaymentsService/Void", Unknown::Made),
    ("rides.v1.RidesService/ListRides", Unknown::Left),
    ("rides.v1.RidesService/RequestRide", Unknown::Wanted("RIDER_UNKNOWN")),
    ("users.v1.UsersService/BatchGetUsers", Unknown::Left),
    ("users.v1.UsersService/ListUsers", Unknown::Left),
    ("users.v1.UsersService/RegisterUser", Unknown::Made),
];

#[tokio::test]
async fn an_id_that_nobody_has_is_not_found_or_not_enough() {
    let mesh = shared().await;
    let services = Services::of(&mesh).await;
    for rpc in rpcs() {
        let otherwise =
            OTHERWISE.iter().find(|(name, _)| *name == rpc.full_name()).map(|(_, unknown)| unknown);
        if let Some(Unknown::Made) = otherwise {
            continue;
        }
        let answer = services.call(&rpc, sound(&rpc.request(), "nobody").encode_to_vec()).await;
        match otherwise {
            Some(Unknown::Left) => assert!(answer.is_ok(), "{}: {answer:?}", rpc.full_name()),
            Some(Unknown::Wanted(because)) => {
                let wanted = (Code::FailedPrecondition, (*because).to_owned());
                assert_eq!(refusal(answer), wanted, "{}", rpc.full_name());
            }
            Some(Unknown::Alike(field)) => assert_eq!(wrong_fields(answer), [*field], "{}", rpc.full_name()),
            _ => assert_eq!(refusal(answer), (Code::NotFound, "NOT_FOUND".to_owned()), "{}", rpc.full_name()),
        }
    }
    let known = |name: &str| rpcs().iter().any(|rpc| rpc.full_name() == name);
    assert!(OTHERWISE.iter().all(|(name, _)| known(name)), "the table names an RPC that there is not");
}

#[tokio::test]
async fn an_order_for_a_product_that_there_is_not_is_refused_by_its_id() {
    let mesh = shared().await;
    let services = Services::of(&mesh).await;
    let place =
        rpcs().into_iter().find(|rpc| rpc.full_name() == "orders.v1.OrdersService/PlaceOrder").unwrap();
    let lines = [NewLine::default().with_product_id("no-such-product").with_units(1)];
    let order =
        PlaceOrderRequest::default().with_id("of-nothing").with_customer_id(USERS[0]).with_lines(lines);
    let refused = services.call(&place, order.encode_to_vec()).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason::of(&refused).as_str()),
        (Code::FailedPrecondition, "PRODUCT_UNKNOWN")
    );
    assert!(refused.message().contains("`no-such-product`"), "{refused}");
}
