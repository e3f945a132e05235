//! How products sell: what the events of orders lead to, how it is listed, and that a rebuild says the same.

use std::time::Duration;

use freehold_events::bus::Choice;
use freehold_events::feed::Feed;
use freehold_sdk::orders::v1::{OrderCancelled, OrderConfirmed, OrderLine, OrderPlaced, OrderRejected};
use freehold_sdk::{CONTRACT, Mesh};
use freehold_server::Server;
use freehold_store::{StoreError, Work, outbox, vals};
use freehold_testkit::mounted::wrong_fields;
use freehold_testkit::{Owner, Served, eventually};
use freehold_wire::feed::FeedServiceServer;
use freehold_wire::{Context, reason};
use tonic::Code;

use super::*;
use crate::Inside;
use crate::month::Month;
use crate::store::sales;

const SOON: Duration = Duration::from_secs(60);

/// The service beside the orders that it follows.
struct Shop {
    orders: Served,
    store: Store,
    inside: freehold_events::Handle,
    server: Mounted<CatalogServiceServer<Grpc>>,
}

async fn in_each_shop(test: impl AsyncFn(&Shop)) {
    for database in engines::each().await {
        eprintln!("on {database}");
        let orders = Owner::open("orders", &freehold_events::MIGRATIONS).await.serve(|store| {
            let feed = Feed::new(store, &CONTRACT).unwrap();
            Server::new("orders", &CONTRACT).serve(FeedServiceServer::new(feed))
        });
        let orders = orders.await;
        let store = freehold_testkit::open(crate::options(database.url())).await;
        let Inside { grpc, following } =
            Inside::start(&store, Mesh::fixed(crate::NAME, [orders.place()]), &Choice::default()).unwrap();
        let server = Mounted::new(CatalogServiceServer::new(grpc), "backoffice");
        let shop = Shop { orders, store, inside: following, server };
        test(&shop).await;
        shop.inside.stop().await;
        shop.store.close().await;
        shop.orders.end().await;
    }
}

impl Shop {
    /// An order of those products, units and cents.
    async fn placed(&self, id: &str, lines: &[(&str, i64, i64)]) {
        let line = |&(product, units, cents): &(&str, i64, i64)| {
            OrderLine::default().with_product_id(product).with_units(units).with_line_cents(cents)
        };
        let placed = OrderPlaced::default().with_order_id(id).with_lines(lines.iter().map(line));
        self.orders.emit(placed).await;
    }

    /// The same, and confirmed; the month in which it was.
    async fn sold(&self, id: &str, lines: &[(&str, i64, i64)]) -> String {
        self.placed(id, lines).await;
        let confirmed = self.orders.emit(OrderConfirmed::default().with_order_id(id)).await;
        let at_ms = confirmed.time.unwrap().seconds * 1000;
        Month::of(at_ms).unwrap().as_str().to_owned()
    }

    async fn list(&self, request: pb::ListSalesRequest) -> Result<pb::ListSalesResponse, Status> {
        self.server.call(&methods::LIST_SALES, request).await
    }

    /// The sums over all months: orders, units, cents.
    async fn sales(&self, product_id: &str) -> (i64, i64, i64) {
        self.inside.caught_up(SOON).await.unwrap();
        let all = self.list(pb::ListSalesRequest::default().with_product_id(product_id)).await.unwrap();
        let sum = |of: fn(&pb::MonthlySales) -> i64| all.sales.iter().map(of).sum();
        (sum(|month| month.orders), sum(|month| month.units), sum(|month| month.cents))
    }

    async fn rebuild(&self, why: &str, key: &str) -> Result<i64, Status> {
        let request = pb::RebuildSalesRequest::default().with_reason(why);
        let reply = self.server.keyed(&methods::REBUILD_SALES, key, request).await;
        reply.map(|(reply, _)| reply.generation)
    }

    async fn generation(&self) -> i64 {
        self.list(pb::ListSalesRequest::default().with_product_id("1")).await.unwrap().generation
    }
}

#[tokio::test]
async fn what_was_confirmed_and_not_cancelled_counts_as_sold() {
    in_each_shop(async |shop| {
        let month = shop.sold("o1", &[("1", 2, 3600), ("2", 1, 500)]).await;
        shop.sold("o2", &[("1", 3, 5400)]).await;
        shop.sold("o3", &[("1", 10, 18000), ("3", 1, 1)]).await;
        shop.placed("o4", &[("1", 100, 100)]).await;
        shop.placed("o5", &[("1", 100, 100)]).await;
        shop.orders.emit(OrderRejected::default().with_order_id("o5")).await;
        shop.orders.emit(OrderCancelled::default().with_order_id("o3")).await;
        assert_eq!(shop.sales("1").await, (2, 5, 9000));
        assert_eq!(shop.sales("2").await, (1, 1, 500));
        assert_eq!(shop.sales("3").await, (0, 0, 0));
        let listed = shop.list(pb::ListSalesRequest::default().with_product_id("2")).await.unwrap();
        assert_eq!(listed.sales[0].month, month);
        let gone = shop.list(pb::ListSalesRequest::default().with_product_id("3")).await.unwrap();
        assert!(gone.sales.is_empty(), "a month in which nothing is left is none");
        let row = shop.store.read().await.unwrap();
        assert_eq!(
            count(row, "SELECT count(*) AS n FROM order_sale WHERE order_id IN ('o3', 'o5')").await,
            0
        );
    })
    .await;
}

async fn count(mut read: freehold_store::Read, sql: &'static str) -> i64 {
    use freehold_store::Queries;
    read.one(sql, vals![]).await.unwrap().unwrap().get("n").unwrap()
}

/// Orders in several months, which no clock of a test makes.
async fn sell_over_the_year(store: &Store) {
    let unit = async |work: &mut Work| {
        for (order, month) in
            [("a", "2025-11"), ("b", "2025-12"), ("c", "2026-01"), ("d", "2026-01"), ("e", "2026-03")]
        {
            let month = Month::parse(month).unwrap();
            sales::place(work, 1, order, "1", 1, 100).await?;
            assert!(sales::confirm(work, 1, order, &month).await?);
        }
        Ok(())
    };
    store.unit::<_, StoreError, _>(&Context::new("catalog", SOON), unit).await.unwrap();
}

#[tokio::test]
async fn sales_are_listed_by_month_between_two_months_and_in_pages() {
    in_each_shop(async |shop| {
        shop.inside.caught_up(SOON).await.unwrap();
        sell_over_the_year(&shop.store).await;
        let ask = pb::ListSalesRequest::default().with_product_id("1");
        let months = |page: &pb::ListSalesResponse| {
            page.sales.iter().map(|month| (month.month.clone(), month.orders)).collect::<Vec<_>>()
        };
        let of = |months: &[(&str, i64)]| {
            months.iter().map(|(month, orders)| ((*month).to_owned(), *orders)).collect::<Vec<_>>()
        };
        let all = [("2025-11", 1), ("2025-12", 1), ("2026-01", 2), ("2026-03", 1)];
        assert_eq!(months(&shop.list(ask.clone()).await.unwrap()), of(&all));
        let span = ask.clone().with_from_month("2025-12").with_to_month("2026-02");
        assert_eq!(months(&shop.list(span.clone()).await.unwrap()), of(&all[1..3]));
        let first = shop.list(ask.clone().with_page_size(3)).await.unwrap();
        assert_eq!(months(&first), of(&all[..3]));
        let token = first.next_page_token;
        let last = shop.list(ask.clone().with_page_size(3).with_page_token(token.as_str())).await.unwrap();
        assert_eq!((months(&last), last.next_page_token.as_str()), (of(&all[3..]), ""));
        assert_eq!(wrong_fields(shop.list(span.with_page_token(token)).await), ["page_token"]);
    })
    .await;
}

#[tokio::test]
async fn a_month_that_is_none_is_refused_by_the_name_of_its_field() {
    in_each_shop(async |shop| {
        let ask = pb::ListSalesRequest::default().with_product_id("1");
        assert_eq!(wrong_fields(shop.list(ask.clone().with_from_month("2026-13")).await), ["from_month"]);
        assert_eq!(wrong_fields(shop.list(ask.clone().with_to_month("July")).await), ["to_month"]);
        let backwards = ask.with_from_month("2026-02").with_to_month("2026-01");
        assert_eq!(wrong_fields(shop.list(backwards).await), ["to_month"]);
    })
    .await;
}

/// E44 in the service: the sales that were built anew are those that were read, and the same key begins one rebuild.
#[tokio::test]
async fn sales_that_are_built_anew_say_the_same() {
    in_each_shop(async |shop| {
        for order in 0..30 {
            let id = format!("o{order}");
            shop.sold(&id, &[("1", order, order * 100), ("2", 1, 7)]).await;
            if order % 3 == 0 {
                shop.orders.emit(OrderCancelled::default().with_order_id(id)).await;
            }
        }
        let before = (shop.sales("1").await, shop.sales("2").await);
        assert_eq!(before.1, (20, 20, 140));
        for _ in 0..2 {
            assert_eq!(shop.rebuild("a doubt", "k1").await.unwrap(), 2);
        }
        eventually("the swap", SOON, async || (shop.generation().await == 2).then_some(())).await;
        assert_eq!((shop.sales("1").await, shop.sales("2").await), before);
        shop.sold("late", &[("2", 1, 7)]).await;
        assert_eq!(shop.sales("2").await, (21, 21, 147), "and it goes on");
        assert_eq!(shop.rebuild("another doubt", "k1").await.unwrap_err().code(), Code::FailedPrecondition);
    })
    .await;
}

#[tokio::test]
async fn a_rebuild_is_refused_where_events_are_no_longer_kept_and_the_sales_stay() {
    in_each_shop(async |shop| {
        shop.sold("o1", &[("1", 2, 3600)]).await;
        assert_eq!(shop.sales("1").await, (1, 2, 3600));
        shop.orders.unit(async |work: &mut Work| outbox::purge(work, i64::MAX, i64::MAX).await).await;
        let refused = shop.rebuild("a doubt", "k1").await.unwrap_err();
        let why = (refused.code(), reason::of(&refused));
        assert_eq!(why, (Code::FailedPrecondition, "HISTORY_PURGED".to_owned()), "{refused}");
        assert_eq!((shop.generation().await, shop.sales("1").await), (1, (1, 2, 3600)));
    })
    .await;
}

/// What contradicts the history is a dead letter, not a sale that nobody placed.
#[tokio::test]
async fn a_confirmation_of_nothing_waits_for_somebody_to_look_at_it() {
    in_each_shop(async |shop| {
        shop.orders.emit(OrderConfirmed::default().with_order_id("ghost")).await;
        shop.sold("o1", &[("1", 2, 3600)]).await;
        assert_eq!(shop.sales("1").await, (1, 2, 3600));
        let status = shop.inside.status().await.unwrap().remove(0);
        assert_eq!((status.subscription.as_str(), status.dead_letters), ("catalog/sales/1", 1));
    })
    .await;
}
