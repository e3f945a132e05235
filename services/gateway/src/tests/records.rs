//! What the gateway's database holds: sagas and idempotency records, and nothing else.

use freehold_store::{Queries, vals};

use super::*;

/// The tables that hold something after pages and replacements, of all that there are.
const HOLDING: [&str; 6] = [
    "freehold_epoch",
    "freehold_idempotency",
    "freehold_migration",
    "freehold_saga",
    "freehold_saga_step",
    "freehold_store",
];

#[tokio::test]
async fn the_database_holds_sagas_and_idempotency_records_and_nothing_else() {
    let database = engines::sqlite();
    let bench = Bench::start(&database, World::new()).await;
    bench.page(page()).await.unwrap();
    bench.server.keyed(&methods::REPLACE_PRODUCT, "k1", replace("r-1")).await.unwrap();
    let mut read = bench.store.read().await.unwrap();
    let sql =
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let tables: Vec<String> =
        read.all(sql, vals![]).await.unwrap().iter().map(|row| row.get("name").unwrap()).collect();
    assert!(tables.iter().all(|table| table.starts_with("freehold_")), "no table of its own: {tables:?}");
    let mut holding = Vec::new();
    for table in &tables {
        let count: &'static str = format!("SELECT COUNT(*) AS n FROM {table}").leak();
        let rows: i64 = read.one(count, vals![]).await.unwrap().unwrap().get("n").unwrap();
        if rows > 0 {
            holding.push(table.as_str());
        }
    }
    assert_eq!(holding, HOLDING);
    drop(read);
    bench.stop().await;
}
