//! What becomes of events: one mail each, by the event's id, however often it comes.

use super::*;

#[tokio::test]
async fn each_event_becomes_one_mail_by_its_id() {
    on_each_engine(async |bench| {
        let orders = &bench.world.orders;
        let confirmed = OrderConfirmed::default().with_order_id("1").with_customer_id("VINET");
        let rejected = OrderRejected::default().with_order_id("2").with_customer_id("TOMSP");
        let cancelled = OrderCancelled::default().with_order_id("1").with_customer_id("VINET");
        let ids = [
            orders.emit(confirmed.with_total_cents(39_200)).await.id,
            orders.emit(rejected.with_reason("INSUFFICIENT_STOCK")).await.id,
            orders.emit(cancelled).await.id,
            bench.shipped("3", "NOBODY").await,
        ];
        let expected = [
            ("VINET", "1", "Your order 1 is confirmed"),
            ("TOMSP", "2", "Your order 2 could not be taken"),
            ("VINET", "1", "Your order 1 is cancelled"),
            ("NOBODY", "3", "Your order 3 is on its way"),
        ];
        let mail = |(id, (customer, order, subject)): (String, _)| {
            pb::Mail::default()
                .with_id(id)
                .with_customer_id(customer)
                .with_order_id(order)
                .with_subject(subject)
                .with_state(pb::MailState::Pending)
        };
        let expected: Vec<pb::Mail> =
            ids.into_iter().zip::<[(&str, &str, &str); 4]>(expected).map(mail).collect();
        assert_eq!(bench.mails().await, expected);
    })
    .await;
}

/// The consumer forgets what it has seen. That the event does come again shows in the mail that is gone by then.
#[tokio::test]
async fn an_event_that_comes_again_changes_nothing() {
    for database in engines::each().await {
        eprintln!("on {database}");
        let bench = Bench::start(&database, World::open().await).await;
        let (first, gone) = (bench.shipped("1", "VINET").await, bench.shipped("2", "VINET").await);
        bench.file().await.unwrap();
        let forgets = [
            "DELETE FROM freehold_position WHERE owner = 'orders'",
            "DELETE FROM freehold_inbox WHERE entity = 'orders.v1.Order'",
            "DELETE FROM mail WHERE order_id = '2'",
        ];
        let world = bench.stop_and(&forgets).await;

        let bench = Bench::start(&database, world).await;
        let mails = bench.mails().await.into_iter();
        let mails: Vec<_> = mails.map(|mail| (mail.state().unwrap(), mail.id)).collect();
        assert_eq!(mails, [(pb::MailState::Sent, first), (pb::MailState::Pending, gone)]);
        bench.stop().await.end().await;
    }
}
