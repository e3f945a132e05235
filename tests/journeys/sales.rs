//! E44 over processes: the sales are built anew while orders go on, and though the mesh is killed over it.

use freehold_sdk::Mesh;
use freehold_sdk::catalog::v1::{CatalogClient, ListSalesRequest, RebuildSalesRequest};
use freehold_testkit::{PATIENCE, Process, Scratch, eventually};

use crate::mesh::{Up, finish, freehold, is_sound};
use crate::records::Records;

const GENERATION: &str = "SELECT generation FROM freehold_projection WHERE state = 'read'";

/// Readers see a generation that grows and sums that do not shrink but by cancelled orders; `verify` compares them with
/// the orders.
#[tokio::test]
async fn sales_are_built_anew_while_orders_go_on_and_a_mesh_is_killed_over_it() {
    let scratch = Scratch::new("sales");
    let records = Records::of(&scratch.join("data"));
    let mut up = Up::start(scratch.path()).await;
    let demo = order(&scratch, &up, "1");
    happened(&records, "SELECT 1 FROM sale LIMIT 1").await;
    rebuild(&up).await;
    happened(&records, "SELECT 1 FROM freehold_projection WHERE generation = 2").await;
    up.process.kill();
    drop(demo);

    let up = Up::start(scratch.path()).await;
    let demo = order(&scratch, &up, "2");
    happened(&records, "SELECT 1 FROM freehold_projection WHERE generation = 2 AND state = 'read'").await;
    let next = rebuild(&up).await;
    eventually("the swap", PATIENCE, async || {
        (records.number("catalog", GENERATION) == Some(next)).then_some(())
    })
    .await;
    let demo = finish(demo).await;
    assert_eq!(demo.code, Some(0), "{demo:#?}");
    let product = records.text("catalog", "SELECT product_id FROM sale ORDER BY product_id LIMIT 1").unwrap();
    let listed = catalog(&up).list_sales(ListSalesRequest::default().with_product_id(product)).await.unwrap();
    assert_eq!((listed.generation, listed.sales.is_empty()), (next, false));
    is_sound(scratch.path()).await;
    happened(&records, "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM freehold_projection WHERE state = 'left')")
        .await;
    is_sound(scratch.path()).await;
}

/// A demo that orders beside the test, under a seed of its own.
fn order(scratch: &Scratch, up: &Up, seed: &str) -> Process {
    let arguments = ["demo", "--mesh", &up.directory, "--orders", "60", "--workers", "8", "--seed", seed];
    Process::start(&mut freehold(scratch.path(), &arguments))
}

fn catalog(up: &Up) -> CatalogClient {
    let url = up.services["catalog"].clone();
    let mesh = Mesh::fixed("backoffice", [("catalog", url)]);
    CatalogClient::connect(&mesh).unwrap().with_deadline(PATIENCE)
}

async fn rebuild(up: &Up) -> i64 {
    let request = RebuildSalesRequest::default().with_reason("a test");
    catalog(up).rebuild_sales(request).await.unwrap().generation
}

async fn happened(records: &Records, sql: &str) {
    eventually(sql, PATIENCE, async || records.number("catalog", sql)).await;
}
