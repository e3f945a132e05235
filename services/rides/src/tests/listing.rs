//! The list: own rides with others' names, joined in SQL, whoever else is there.

use freehold_sdk::drivers::v1::Standing;
use freehold_testkit::mounted::{refusal, wrong_fields};
use freehold_wire::Session;
use freehold_wire::page::next_token;

use super::*;

fn page(size: i32, token: &str) -> pb::ListRidesRequest {
    pb::ListRidesRequest::default().with_page_size(size).with_page_token(token)
}

fn of(rider: &str, driver: &str) -> pb::ListRidesRequest {
    page(2, "").with_rider_id(rider).with_driver_id(driver)
}

/// Lists all pages; their sizes, and the ids.
async fn list(bench: &Bench, mut request: pb::ListRidesRequest) -> (Vec<usize>, Vec<String>) {
    let (mut sizes, mut ids) = (Vec::new(), Vec::new());
    loop {
        let answer = bench.server.call(&methods::LIST_RIDES, request.clone()).await.unwrap();
        sizes.push(answer.rides.len());
        ids.extend(answer.rides.into_iter().map(|ride| ride.id));
        if answer.next_page_token.is_empty() {
            return (sizes, ids);
        }
        request = request.with_page_token(answer.next_page_token);
    }
}

/// The first ride of the list.
async fn first(bench: &Bench) -> pb::RideSummary {
    let mut answer = bench.server.call(&methods::LIST_RIDES, page(1, "")).await.unwrap();
    answer.rides.swap_remove(0)
}

#[tokio::test]
async fn a_listed_ride_has_the_names_of_its_rider_and_its_driver() {
    on_each_engine(async |bench| {
        let requested = bench.request(wanted("r1")).await.unwrap();
        let listed = first(bench).await;
        assert_eq!((listed.rider_id.as_str(), listed.rider_name.as_str()), ("VINET", "Paul Henriot"));
        assert_eq!((listed.driver_id.as_str(), listed.driver_name.as_str()), ("", ""));
        assert_eq!(listed.requested_ms, requested.requested_ms);
        bench.accept("r1", "ada").await.unwrap();
        let listed = first(bench).await;
        assert_eq!((listed.driver_id.as_str(), listed.driver_name.as_str()), ("ada", "Ada Lovelace"));
        assert_eq!(listed.state().unwrap(), pb::RideState::Accepted);
        bench.world.users.erase::<User>("VINET").await;
        bench.world.drivers.erase::<Driver>("ada").await;
        bench.copied().await;
        let listed = first(bench).await;
        assert_eq!((listed.rider_name.as_str(), listed.driver_name.as_str()), ("", ""));
    })
    .await;
}

#[tokio::test]
async fn pages_hold_every_ride_once_in_the_order_of_their_ids() {
    on_each_engine(async |bench| {
        bench.world.drivers.put(permit("bob", Standing::Good)).await;
        bench.copied().await;
        for id in ["b", "a", "Z", "10", "9"] {
            let rider = if id == "a" { "TOMSP" } else { "VINET" };
            bench.request(wanted(id).with_rider_id(rider)).await.unwrap();
        }
        for (id, driver) in [("a", "ada"), ("10", "ada"), ("9", "bob")] {
            bench.accept(id, driver).await.unwrap();
        }
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        assert_eq!(list(bench, page(2, "")).await, (vec![2, 2, 1], ids(&["10", "9", "Z", "a", "b"])));
        assert_eq!(list(bench, page(5, "")).await.0, [5], "a full last page leads nowhere");
        assert_eq!(list(bench, of("VINET", "")).await, (vec![2, 2], ids(&["10", "9", "Z", "b"])));
        assert_eq!(list(bench, of("", "ada")).await, (vec![2], ids(&["10", "a"])));
        assert_eq!(list(bench, of("VINET", "ada")).await.1, ids(&["10"]));
        assert_eq!(list(bench, of("NOBODY", "")).await.1, ids(&[]));
    })
    .await;
}

#[tokio::test]
async fn a_wrong_page_is_refused_by_the_name_of_its_field() {
    on_each_engine(async |bench| {
        for id in ["r1", "r2"] {
            bench.accepted(id).await;
        }
        let list = async |request| bench.server.call(&methods::LIST_RIDES, request).await;
        let token = list(of("VINET", "ada").with_page_size(1)).await.unwrap().next_page_token;
        list(of("VINET", "ada").with_page_token(token.as_str())).await.unwrap();
        for (rider, driver) in [("VINET", ""), ("", "ada"), ("ada", "VINET"), ("TOMSP", "ada"), ("", "")] {
            let other = of(rider, driver).with_page_token(token.as_str());
            assert_eq!(wrong_fields(list(other).await), ["page_token"], "{rider} {driver}");
        }
        assert_eq!(wrong_fields(list(page(1, "nonsense")).await), ["page_token"]);
        assert_eq!(wrong_fields(list(page(1, &next_token("drivers", "r1"))).await), ["page_token"]);
        assert_eq!(wrong_fields(list(page(-1, "")).await), ["page_size"]);
    })
    .await;
}

#[tokio::test]
async fn names_are_as_new_as_what_their_reader_has_seen_or_the_list_is_refused() {
    on_each_engine(async |bench| {
        bench.accepted("r1").await;
        let rename = async |round: u32| {
            Session::of([bench.world.drivers.put(driver("ada", &format!("Ada {round}"))).await])
        };
        for round in 0..10 {
            let reader = bench.server.clone().having_seen(&rename(round).await);
            let answer = reader.call(&methods::LIST_RIDES, page(1, "")).await.unwrap();
            assert_eq!(answer.rides[0].driver_name, format!("Ada {round}"));
        }
        bench.world.drivers.leave().await;
        let reader = bench.server.clone().having_seen(&rename(10).await);
        let behind = refusal(reader.call(&methods::LIST_RIDES, page(1, "")).await);
        assert_eq!(behind, unavailable("COPY_BEHIND"), "rather than an older name");
        assert_eq!(first(bench).await.driver_name, "Ada 9", "for whoever has seen no other");
    })
    .await;
}
