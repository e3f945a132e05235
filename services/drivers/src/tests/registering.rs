//! Registering, updating, and saying who may take rides.

use freehold_testkit::mounted::{refusal, wrong_fields};
use freehold_wire::Entity;
use freehold_wire::prost::Message;
use tonic::Code;

use super::*;

#[tokio::test]
async fn a_registered_driver_is_read_as_registered_and_in_good_standing() {
    on_each_engine(async |bench| {
        let registered = bench.register(ada()).await.unwrap();
        assert_eq!(registered, bench.get("ada").await.unwrap());
        let driver = registered.driver.as_ref().unwrap();
        assert_eq!((driver.name.as_str(), driver.phone.as_str()), ("Ada Lovelace", "+44 20 7946 0001"));
        assert_eq!(registered.vehicle, ada().vehicle);
        assert_eq!(registered.standing(), Ok(pb::Standing::Good));
        assert_eq!(registered.rating, Some(pb::Rating::default()));
    })
    .await;
}

#[tokio::test]
async fn an_id_names_one_driver_for_ever() {
    on_each_engine(async |bench| {
        let taken = || (Code::FailedPrecondition, "DRIVER_EXISTS".to_owned());
        bench.register(ada()).await.unwrap();
        assert_eq!(refusal(bench.register(ada()).await), taken());
        bench.erase("ada").await.unwrap();
        assert_eq!(refusal(bench.register(ada()).await), taken());
    })
    .await;
}

#[tokio::test]
async fn what_an_update_does_not_set_stays() {
    on_each_engine(async |bench| {
        bench.register(ada()).await.unwrap();
        let update = || pb::UpdateDriverRequest::default().with_id("ada");
        let van = pb::Vehicle::default().with_plate("B-AL 1843").with_seats(8);
        let updated = bench.update(update().with_vehicle(van.clone())).await.unwrap();
        assert_eq!(updated.vehicle, Some(van));
        assert_eq!(updated.driver.unwrap().name, "Ada Lovelace");
        let updated = bench.update(update().with_phone("+44 20 7946 0002")).await.unwrap();
        assert_eq!(updated.driver.unwrap().phone, "+44 20 7946 0002");
        assert_eq!(updated.vehicle.unwrap().seats, 8);
    })
    .await;
}

/// What changes often is not told: whoever copies drivers hears of names, numbers and permits alone.
#[tokio::test]
async fn others_hear_of_who_a_driver_is_and_of_the_permit_and_of_nothing_else() {
    on_each_engine(async |bench| {
        bench.register(ada()).await.unwrap();
        let van = pb::Vehicle::default().with_plate("B-AL 1843").with_seats(8);
        bench.update(pb::UpdateDriverRequest::default().with_id("ada").with_vehicle(van)).await.unwrap();
        bench.rate("ada", "ride-1", 5).await.unwrap();
        bench.seen("ada", [NOW]).await;
        bench.change_standing("ada", pb::Standing::Suspended).await.unwrap();
        bench.change_standing("ada", pb::Standing::Suspended).await.unwrap();
        let events = bench.events().await;
        let told: Vec<_> = events.iter().map(|event| (event.r#type.as_str(), event.version)).collect();
        assert_eq!(told, [(pb::Driver::NAME, 1), (pb::Permit::NAME, 1), (pb::Permit::NAME, 2)]);
        let last = pb::Permit::decode(events[2].data.as_deref().unwrap()).unwrap();
        assert_eq!((last.driver_id.as_str(), last.standing()), ("ada", Ok(pb::Standing::Suspended)));
    })
    .await;
}

#[tokio::test]
async fn an_unknown_driver_is_not_found() {
    on_each_engine(async |bench| {
        let not_found = (Code::NotFound, "NOT_FOUND".to_owned());
        let update = pb::UpdateDriverRequest::default().with_id("ada").with_name("Ada");
        assert_eq!(refusal(bench.get("ada").await), not_found);
        assert_eq!(refusal(bench.update(update).await), not_found);
        assert_eq!(refusal(bench.change_standing("ada", pb::Standing::Good).await), not_found);
        assert_eq!(refusal(bench.rate("ada", "ride-1", 5).await), not_found);
        assert_eq!(refusal(bench.erase("ada").await), not_found);
        assert_eq!(refusal(bench.locate("ada").await), not_found);
        let track = pb::ListTrackRequest::default().with_driver_id("ada");
        assert_eq!(refusal(bench.track(track).await), not_found);
    })
    .await;
}

#[tokio::test]
async fn bad_input_is_refused_by_the_names_of_its_fields() {
    on_each_engine(async |bench| {
        let empty = pb::RegisterDriverRequest::default();
        assert_eq!(wrong_fields(bench.register(empty).await), ["id", "name", "phone", "vehicle"]);
        let sled = pb::Vehicle::default();
        let bare = bench.register(ada().with_vehicle(sled)).await;
        assert_eq!(wrong_fields(bare), ["vehicle.plate", "vehicle.seats"]);
        assert_eq!(wrong_fields(bench.register(ada().with_phone("call me")).await), ["phone"]);
        let update = || pb::UpdateDriverRequest::default().with_id("ada");
        assert_eq!(wrong_fields(bench.update(update().with_name("")).await), ["name"]);
        assert_eq!(wrong_fields(bench.update(update().with_phone("")).await), ["phone"]);
        assert_eq!(wrong_fields(bench.change_standing("ada", pb::Standing::Unspecified).await), ["standing"]);
        let mut invented = pb::ChangeStandingRequest::default().with_id("ada");
        invented.standing = 7;
        let invented = bench.server.call(&methods::CHANGE_STANDING, invented).await;
        assert_eq!(wrong_fields(invented), ["standing"]);
        assert!(bench.events().await.is_empty());
    })
    .await;
}
