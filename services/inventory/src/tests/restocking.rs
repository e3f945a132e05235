//! Deliveries: each is booked once.

use freehold_testkit::mounted::{refusal, wrong_fields};
use freehold_wire::{Entity, Event};
use tonic::Code;

use super::*;

#[tokio::test]
async fn a_delivery_is_booked_once_under_any_key() {
    on_each_engine(async |bench| {
        let request = || restock("d1", "1", 10);
        let (first, _) = bench.server.keyed(&methods::RESTOCK, "k1", request()).await.unwrap();
        let (second, replayed) = bench.server.keyed(&methods::RESTOCK, "k2", request()).await.unwrap();
        assert!(!replayed, "another key, another call");
        assert_eq!(first, second);
        bench.restock("d1", "1", 10).await.unwrap();
        assert_eq!(bench.units("1").await, (10, 0));
    })
    .await;
}

#[tokio::test]
async fn a_delivery_of_another_content_is_a_conflict() {
    on_each_engine(async |bench| {
        let conflict = || (Code::FailedPrecondition, "DELIVERY_CONFLICT".to_owned());
        bench.restock("d1", "1", 10).await.unwrap();
        assert_eq!(refusal(bench.restock("d1", "1", 11).await), conflict());
        assert_eq!(refusal(bench.restock("d1", "2", 10).await), conflict());
        assert_eq!(bench.units("1").await, (10, 0));
        assert_eq!(refusal(bench.stock("2").await).0, Code::NotFound);
    })
    .await;
}

#[tokio::test]
async fn a_delivery_is_told_beside_the_change_of_the_stock() {
    on_each_engine(async |bench| {
        bench.restock("d1", "1", 10).await.unwrap();
        let events = bench.events().await;
        let told: Vec<_> = events.iter().map(|event| (event.r#type.as_str(), event.version)).collect();
        assert_eq!(told, [(pb::Stock::NAME, 1), (pb::StockReceived::NAME, 2)]);
    })
    .await;
}

/// The deliveries of many come in at the same time, each of them more than once.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_bookings_of_one_delivery_one_counts() {
    on_each_engine(async |bench| {
        let mut bookings = tokio::task::JoinSet::new();
        for n in 0..24 {
            let (server, delivery) = (bench.server.clone(), format!("d{}", n % 4));
            bookings.spawn(async move { server.call(&methods::RESTOCK, restock(&delivery, "1", 5)).await });
        }
        for booked in bookings.join_all().await {
            booked.unwrap();
        }
        assert_eq!(bench.units("1").await, (20, 0));
    })
    .await;
}

#[tokio::test]
async fn bad_input_is_refused_by_the_names_of_its_fields() {
    on_each_engine(async |bench| {
        let none = restock("", "", 0);
        let refused = bench.server.call(&methods::RESTOCK, none).await;
        assert_eq!(wrong_fields(refused), ["product_id", "units", "delivery_id"]);
        assert_eq!(wrong_fields(bench.restock("d1", "1", 1_000_001).await), ["units"]);
        assert_eq!(wrong_fields(bench.stock("").await), ["product_id"]);
    })
    .await;
}
