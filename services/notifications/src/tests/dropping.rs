//! Recipients who are gone, and recipients who are not known yet.

use freehold_wire::Entity;

use super::*;
use crate::outgoing::PAGE;

/// A user as no copy can decode it: the name is a number.
#[derive(Clone, PartialEq, prost::Message)]
struct Garbled {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(int64, tag = "2")]
    name: i64,
}

impl Entity for Garbled {
    const NAME: &'static str = User::NAME;
    const OWNER: &'static str = User::OWNER;

    fn key(&self) -> &str {
        &self.id
    }

    fn shared(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_mail_to_somebody_who_has_been_erased_is_dropped() {
    on_each_engine(async |bench| {
        bench.shipped("1", "VINET").await;
        bench.shipped("2", "TOMSP").await;
        bench.world.users.erase::<User>("VINET").await;
        bench.caught_up().await;
        bench.file().await.unwrap();
        assert_eq!(bench.states().await, [pb::MailState::Dropped, pb::MailState::Sent]);
        assert_eq!(bench.files().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_mail_to_an_address_that_is_none_is_dropped() {
    on_each_engine(async |bench| {
        bench.world.users.put(customer("VINET", "Paul Henriot", "by pigeon")).await;
        bench.shipped("1", "VINET").await;
        bench.file().await.unwrap();
        assert_eq!((bench.files().len(), bench.states().await), (0, vec![pb::MailState::Dropped]));
    })
    .await;
}

#[tokio::test]
async fn a_mail_to_somebody_unknown_waits_and_holds_nobody_up() {
    on_each_engine(async |bench| {
        let unknown = usize::try_from(PAGE).unwrap() + 1;
        for n in 0..unknown {
            let event = OrderShipped::default().with_order_id(n.to_string()).with_customer_id("HANAR");
            bench.world.orders.emit(event).await;
        }
        bench.shipped("last", "VINET").await;
        assert_eq!(oldest_page_to(bench, "VINET").await, 0, "the planted bug: one page, known or not");
        bench.file().await.unwrap();
        assert_eq!(bench.states().await.last(), Some(&pb::MailState::Sent));
        assert_eq!(bench.files().len(), 1);

        bench.world.users.put(customer("HANAR", "Mario Pontes", "hanar@example.com")).await;
        bench.caught_up().await;
        bench.file().await.unwrap();
        assert_eq!(bench.files().len(), unknown + 1);
        assert!(bench.states().await.iter().all(|state| *state == pb::MailState::Sent));
    })
    .await;
}

/// A change of the customer that the copy cannot read, and a mail to the customer.
async fn garbled(bench: &Bench, customer_id: &str) {
    bench.world.users.put(Garbled { id: customer_id.to_owned(), name: 7 }).await;
    bench.shipped(customer_id, customer_id).await;
    let reads_as_deleted = "SELECT count(CASE WHEN freehold_deleted THEN 1 END) AS n FROM recipient_copy";
    assert_eq!(bench.count(reads_as_deleted).await, 1, "the planted bug: who reads as deleted is erased");
}

/// The copy has a hole where the customer was: that is no reason to give the mail up.
#[tokio::test]
async fn a_mail_to_somebody_whose_change_cannot_be_read_waits_and_holds_nobody_up() {
    on_each_engine(async |bench| {
        garbled(bench, "VINET").await;
        bench.shipped("2", "TOMSP").await;
        bench.file().await.unwrap();
        assert_eq!(bench.states().await, [pb::MailState::Pending, pb::MailState::Sent]);

        bench.world.users.put(customer("VINET", "Paul Henriot", "vinet@example.com")).await;
        bench.caught_up().await;
        bench.file().await.unwrap();
        assert_eq!(bench.states().await, [pb::MailState::Sent; 2]);
    })
    .await;
}

#[tokio::test]
async fn a_mail_to_somebody_whose_change_cannot_be_read_is_dropped_after_the_erasure() {
    on_each_engine(async |bench| {
        garbled(bench, "VINET").await;
        bench.world.users.erase::<User>("VINET").await;
        bench.caught_up().await;
        bench.file().await.unwrap();
        assert_eq!(bench.states().await, [pb::MailState::Dropped]);
    })
    .await;
}

/// The next copy may have filled a hole already that the one that is read still has.
#[tokio::test]
async fn nobody_counts_as_erased_while_the_copy_is_made_anew() {
    on_each_engine(async |bench| {
        garbled(bench, "VINET").await;
        bench.execute("DELETE FROM freehold_undecoded").await;
        bench.execute("UPDATE freehold_replica SET ready = FALSE").await;
        bench.file().await.unwrap();
        assert_eq!(bench.states().await, [pb::MailState::Pending]);
    })
    .await;
}

/// How many of the oldest pending mails are for a customer.
async fn oldest_page_to(bench: &Bench, customer_id: &str) -> i64 {
    const SQL: &str = "SELECT count(CASE WHEN customer_id = $1 THEN 1 END) AS n
                       FROM (SELECT customer_id FROM mail WHERE state = 1 ORDER BY number LIMIT $2) AS page";
    let mut read = bench.store.read().await.unwrap();
    let row = read.one(SQL, vals![customer_id, PAGE]).await.unwrap();
    row.unwrap().get("n").unwrap()
}
