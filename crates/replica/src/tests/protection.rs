//! R10: a copy is written by its applier and by nobody else.

use freehold_store::{Constraint, Engine, StoreError};

use crate::fixture::{Catalog, ProductCopy, SOON, Shop, Way};
use freehold_testkit::engines;

const WRITES: [&str; 4] = [
    "INSERT INTO product_copy (id, freehold_version, freehold_deleted) VALUES ('x', 1, FALSE)",
    "UPDATE product_copy SET name = 'forged'",
    "UPDATE product_copy SET freehold_version = 0",
    "DELETE FROM product_copy",
];

/// R10: refused by the database, from the first start on and behind each new copy.
#[tokio::test]
async fn nobody_but_the_applier_writes_a_copy() {
    for database in engines::each().await {
        let (catalog, shop) = (Catalog::open().await, Shop::on(database).await);
        catalog.put_all(0..3, 1).await;
        let way = Way::sound(catalog.feed());
        let replica = shop.copy::<ProductCopy>(&way).await;
        assert!(shop.exec(WRITES[0]).await.is_err(), "an empty copy too");
        let handle = shop.start(&replica, &way);
        handle.caught_up(SOON).await.unwrap();
        for write in WRITES {
            let refused = shop.exec(write).await.unwrap_err();
            assert!(
                matches!(refused, StoreError::Constraint { kind: Constraint::Other, .. }),
                "{write}: {refused:?}"
            );
            assert!(
                refused
                    .to_string()
                    .contains("product_copy is a copy of c.v1.Product that only its applier writes"),
                "{refused}"
            );
        }
        assert_eq!(shop.rows().await, catalog.rows().await);
        catalog.put(0, 2).await;
        handle.caught_up(SOON).await.unwrap();
        assert_eq!(shop.rows().await, catalog.rows().await, "its applier goes on");
        handle.stop().await;
    }
}

/// R10: the planted bug, a copy without its triggers, takes a write.
#[tokio::test]
async fn a_copy_without_its_triggers_would_take_a_write() {
    let (catalog, shop) = (Catalog::open().await, Shop::open().await);
    catalog.put_all(0..3, 1).await;
    let (_, handle) = shop.copied::<ProductCopy>(&Way::sound(catalog.feed())).await;
    handle.stop().await;
    let unprotected = match shop.store.engine() {
        Engine::Sqlite => "DROP TRIGGER product_copy_no_update",
        Engine::Postgres => "DROP TRIGGER product_copy_only_applier ON product_copy",
    };
    shop.exec(unprotected).await.unwrap();
    assert_eq!(shop.exec(WRITES[1]).await.unwrap(), 3);
}
