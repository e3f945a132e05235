//! A service that ends with an order under way goes on with it when it starts again.

use super::*;

#[tokio::test]
async fn an_order_under_way_is_ended_after_a_restart() {
    for database in engines::each().await {
        eprintln!("on {database}");
        let bench = Bench::start(&database, World::open().await).await;
        bench.world.others.hold(true);
        let server = bench.server.clone();
        let placing = tokio::spawn(async move { server.call(&methods::PLACE_ORDER, wanted("10248")).await });
        let others = bench.world.others.clone();
        eventually("a step under way", SOON, async || others.asked("10248").pop()).await;
        let world = bench.stop().await;
        placing.await.unwrap().unwrap_err();
        assert_eq!(others.hold_for("10248"), ("nothing", "nothing"));
        others.hold(false);

        let bench = Bench::start(&database, world).await;
        let order = bench.place(wanted("10248")).await.unwrap();
        assert_eq!(order.state().unwrap(), pb::OrderState::Confirmed);
        assert_eq!(others.hold_for("10248"), ("reserve", "capture"));
        assert_eq!(bench.sagas().await, 1);
        bench.stop().await.end().await;
    }
}
