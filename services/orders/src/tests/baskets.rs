//! Baskets: kept, refused, and their lines moved from one product to another, all or none, and back.

use std::collections::BTreeMap;

use freehold_testkit::mounted::{refusal, wrong_fields};
use freehold_wire::Session;
use tokio::task::JoinSet;

use super::*;
use crate::basket::{BasketLine, Exchange, Replacement, State};
use crate::store::{baskets, replacements};

#[tokio::test]
async fn a_basket_is_what_was_saved_last() {
    on_each_engine(async |bench| {
        assert!(bench.basket("VINET").await.is_empty());
        for lines in [&[("42", 10), ("11", 12)][..], &[("42", 3)], &[]] {
            let saved = bench.save("VINET", lines).await.unwrap();
            assert_eq!(saved.customer_id, "VINET");
            assert_eq!(bench.basket("VINET").await, held(lines));
        }
        let told = bench.events().await;
        assert!(told.is_empty(), "a basket is nobody else's business: {told:?}");
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_ordered_is_not_kept() {
    on_each_engine(async |bench| {
        bench.save("VINET", &[("11", 1)]).await.unwrap();
        let save = async |customer, lines| refusal(bench.save(customer, lines).await);
        assert_eq!(save("NOBODY", &[("11", 1)][..]).await, refused("CUSTOMER_UNKNOWN"));
        assert_eq!(save("VINET", &[("99", 1)]).await, refused("PRODUCT_UNKNOWN"));
        assert_eq!(save("VINET", &[("11", 1), ("5", 1)]).await, refused("PRODUCT_DISCONTINUED"));
        assert_eq!(bench.basket("VINET").await, held(&[("11", 1)]));
        let twice = bench.save("VINET", &[("11", 1), ("42", 1), ("11", 2)]).await;
        assert_eq!(wrong_fields(twice), ["lines[2].product_id"]);
        assert_eq!(wrong_fields(bench.save("", &[("", 0)]).await).len(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_replacement_moves_the_lines_of_all_baskets_and_of_no_order() {
    on_each_engine(async |bench| {
        let placed = bench.place(wanted("10248")).await.unwrap();
        bench.save("VINET", &[("11", 12), ("42", 10)]).await.unwrap();
        bench.save("TOMSP", &[("11", 1)]).await.unwrap();
        let replaced = bench.replace("r-1", "11", "42").await.unwrap();
        assert_eq!(replaced.state().unwrap(), pb::ReplacementState::Moved);
        assert_eq!(replaced.moved_baskets, 2);
        assert_eq!(bench.basket("VINET").await, held(&[("42", 22)]), "two lines have become one");
        assert_eq!(bench.basket("TOMSP").await, held(&[("42", 1)]));
        assert_eq!(bench.replace("r-1", "11", "42").await.unwrap(), replaced);
        assert_eq!(bench.get("10248").await.unwrap(), placed);
        assert_eq!(bench.world.others.asked("10248").len(), 3, "neither stock nor money was touched");
    })
    .await;
}

#[tokio::test]
async fn an_order_that_is_being_placed_keeps_its_lines() {
    on_each_engine(async |bench| {
        bench.world.others.hold(true);
        let server = bench.server.clone();
        let placing = tokio::spawn(async move { server.call(&methods::PLACE_ORDER, wanted("10248")).await });
        eventually("an order under way", SOON, async || bench.get("10248").await.ok()).await;
        bench.replace("r-1", "11", "42").await.unwrap();
        bench.world.others.hold(false);
        let placed = placing.await.unwrap().unwrap();
        assert_eq!(placed.state().unwrap(), pb::OrderState::Confirmed);
        assert_eq!(placed.lines[0].product_id, "11");
    })
    .await;
}

#[tokio::test]
async fn a_restoration_leaves_every_basket_as_it_was() {
    on_each_engine(async |bench| {
        bench.save("VINET", &[("11", 12), ("42", 10)]).await.unwrap();
        bench.save("TOMSP", &[("11", 1)]).await.unwrap();
        bench.replace("r-1", "11", "42").await.unwrap();
        for _ in 0..2 {
            let restored = bench.restore("r-1", "11", "42").await.unwrap();
            assert_eq!(restored.state().unwrap(), pb::ReplacementState::Restored);
            assert_eq!(bench.basket("VINET").await, held(&[("11", 12), ("42", 10)]));
            assert_eq!(bench.basket("TOMSP").await, held(&[("11", 1)]));
        }
        assert_eq!(refusal(bench.replace("r-1", "11", "42").await), refused("ALREADY_RESTORED"));
        assert_eq!(bench.replace("r-2", "11", "42").await.unwrap().moved_baskets, 2, "another one may");
    })
    .await;
}

#[tokio::test]
async fn a_replacement_that_comes_after_its_restoration_is_refused() {
    on_each_engine(async |bench| {
        bench.save("VINET", &[("11", 12)]).await.unwrap();
        bench.restore("r-1", "11", "42").await.unwrap();
        assert_eq!(refusal(bench.replace("r-1", "11", "42").await), refused("ALREADY_RESTORED"));
        assert_eq!(bench.basket("VINET").await, held(&[("11", 12)]));
    })
    .await;
}

#[tokio::test]
async fn a_basket_that_was_saved_since_is_not_restored() {
    on_each_engine(async |bench| {
        bench.save("VINET", &[("11", 12)]).await.unwrap();
        bench.replace("r-1", "11", "42").await.unwrap();
        bench.save("VINET", &[("42", 5)]).await.unwrap();
        bench.restore("r-1", "11", "42").await.unwrap();
        assert_eq!(bench.basket("VINET").await, held(&[("42", 5)]));
    })
    .await;
}

#[tokio::test]
async fn a_line_that_was_moved_on_is_not_moved_back_from_where_it_was() {
    on_each_engine(async |bench| {
        bench.world.catalog.put(product("43", "Ipoh Coffee", 1400)).await;
        bench.copied().await;
        bench.save("VINET", &[("11", 12)]).await.unwrap();
        bench.replace("r-1", "11", "42").await.unwrap();
        bench.replace("r-2", "42", "43").await.unwrap();
        bench.restore("r-1", "11", "42").await.unwrap();
        assert_eq!(bench.basket("VINET").await, held(&[("43", 12)]), "no unit is there twice");
    })
    .await;
}

#[tokio::test]
async fn a_replaced_product_is_not_kept_any_more_until_it_is_restored() {
    on_each_engine(async |bench| {
        bench.replace("r-1", "11", "42").await.unwrap();
        assert_eq!(refusal(bench.save("VINET", &[("11", 1)]).await), refused("PRODUCT_DISCONTINUED"));
        assert_eq!(refusal(bench.replace("r-2", "11", "42").await), refused("ALREADY_REPLACED"));
        let to_it = bench.replace("r-3", "42", "11").await;
        assert!(["PRICE_TOO_HIGH", "PRODUCT_DISCONTINUED"].contains(&&*refusal(to_it).1));
        bench.restore("r-1", "11", "42").await.unwrap();
        bench.save("VINET", &[("11", 1)]).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_cannot_take_a_product_s_place_is_refused_with_nothing_moved() {
    on_each_engine(async |bench| {
        for (id, cents) in [("a tenth", 1540), ("more", 1541)] {
            bench.world.catalog.put(product(id, id, cents)).await;
        }
        bench.copied().await;
        bench.save("VINET", &[("42", 10)]).await.unwrap();
        for (by, reason) in
            [("99", "PRODUCT_UNKNOWN"), ("5", "PRODUCT_DISCONTINUED"), ("more", "PRICE_TOO_HIGH")]
        {
            assert_eq!(refusal(bench.replace(by, "42", by).await), refused(reason));
        }
        assert_eq!(refusal(bench.replace("r-1", "99", "42").await), refused("PRODUCT_UNKNOWN"));
        assert_eq!(wrong_fields(bench.replace("r-1", "42", "42").await), ["by_product_id"]);
        assert_eq!(bench.basket("VINET").await, held(&[("42", 10)]));
        bench.replace("r-1", "42", "a tenth").await.unwrap();
        assert_eq!(refusal(bench.replace("r-1", "42", "more").await), refused("REPLACEMENT_CONFLICT"));
        assert_eq!(refusal(bench.restore("r-1", "11", "42").await), refused("REPLACEMENT_CONFLICT"));
    })
    .await;
}

/// The caller has seen that the new product was discontinued: so has whoever decides.
#[tokio::test]
async fn a_replacement_sees_what_its_caller_has_seen() {
    on_each_engine(async |bench| {
        for round in 0..10 {
            let id = format!("new-{round}");
            bench.world.catalog.put(product(&id, &id, 1400)).await;
            bench.copied().await;
            let ended = product(&id, &id, 1400).with_state(ProductState::Discontinued);
            let seen = bench.world.catalog.put(ended).await;
            let caller = bench.server.clone().having_seen(&Session::of([seen]));
            let answer = caller.call(&methods::REPLACE_IN_BASKETS, replace(&id, "42", &id)).await;
            assert_eq!(refusal(answer), refused("PRODUCT_DISCONTINUED"));
        }
    })
    .await;
}

/// Whoever saves while products are replaced to and fro: no unit is lost, and none is there twice.
#[tokio::test(flavor = "multi_thread")]
async fn units_are_conserved_whoever_saves_meanwhile() {
    on_each_engine(async |bench| {
        for id in ["a", "b"] {
            bench.world.catalog.put(product(id, id, 1400)).await;
        }
        bench.copied().await;
        let mut busy = JoinSet::new();
        for customer in ["VINET", "TOMSP"] {
            let server = bench.server.clone();
            busy.spawn(async move {
                for units in 1..=40 {
                    let lines = [("a", units), ("b", 100)];
                    let saved = server.call(&methods::SAVE_BASKET, save(customer, &lines)).await;
                    assert!(saved.is_ok() || refusal(saved).1 == "PRODUCT_DISCONTINUED");
                }
            });
        }
        for round in 0..20 {
            let id = format!("r-{round}");
            bench.replace(&id, "a", "b").await.unwrap();
            bench.restore(&id, "a", "b").await.unwrap();
        }
        busy.join_all().await;
        for customer in ["VINET", "TOMSP"] {
            let basket: BTreeMap<_, _> = bench.basket(customer).await.into_iter().collect();
            assert_eq!(basket["b"], 100, "{basket:?}");
            assert!((1..=40).contains(&basket["a"]), "{basket:?}");
        }
    })
    .await;
}

/// The planted bug: who moves lines and keeps no record of which, and so moves all of them back.
#[tokio::test]
async fn without_a_record_a_restoration_takes_what_was_there_before() {
    on_each_engine(async |bench| {
        bench.save("VINET", &[("11", 12), ("42", 10)]).await.unwrap();
        move_without_a_record(bench, "11", "42").await;
        move_without_a_record(bench, "42", "11").await;
        assert_eq!(bench.basket("VINET").await, held(&[("11", 22)]));
    })
    .await;
}

async fn move_without_a_record(bench: &Bench, from: &'static str, to: &'static str) {
    let unit = async move |work: &mut Work| -> Result<(), StoreError> {
        let mut lines = baskets::lines(work, "VINET").await?;
        let moved: i64 = lines.extract_if(.., |line| line.product_id == from).map(|line| line.units).sum();
        match lines.iter_mut().find(|line| line.product_id == to) {
            Some(line) => line.units += moved,
            None => lines.push(BasketLine { product_id: to.to_owned(), units: moved }),
        }
        baskets::save(work, "VINET", &lines).await
    };
    bench.store.unit(&context(), unit).await.unwrap();
}

/// A replacement is found again as it was written, on each engine.
#[tokio::test]
async fn a_replacement_is_kept_for_ever() {
    on_each_engine(async |bench| {
        bench.replace("r-1", "11", "42").await.unwrap();
        let found = replacements::find(&mut bench.store.read().await.unwrap(), "r-1").await.unwrap();
        let [id, product_id, by_product_id] = ["r-1", "11", "42"].map(str::to_owned);
        let exchange = Exchange { id, product_id, by_product_id };
        assert_eq!(found, Some(Replacement { exchange, state: State::Moved, moved_baskets: 0 }));
    })
    .await;
}

impl Bench {
    async fn save(&self, customer: &str, lines: &[(&str, i64)]) -> Result<pb::Basket, Status> {
        self.server.call(&methods::SAVE_BASKET, save(customer, lines)).await
    }

    /// What is in a basket, by product.
    async fn basket(&self, customer: &str) -> Vec<(String, i64)> {
        let request = pb::GetBasketRequest::default().with_customer_id(customer);
        let basket = self.server.call(&methods::GET_BASKET, request).await.unwrap();
        basket.lines.into_iter().map(|line| (line.product_id, line.units)).collect()
    }

    async fn replace(&self, id: &str, product: &str, by: &str) -> Result<pb::Replacement, Status> {
        self.server.call(&methods::REPLACE_IN_BASKETS, replace(id, product, by)).await
    }

    async fn restore(&self, id: &str, product: &str, by: &str) -> Result<pb::Replacement, Status> {
        let request = pb::RestoreInBasketsRequest::default()
            .with_id(id)
            .with_product_id(product)
            .with_by_product_id(by);
        self.server.call(&methods::RESTORE_IN_BASKETS, request).await
    }
}

fn save(customer: &str, lines: &[(&str, i64)]) -> pb::SaveBasketRequest {
    let line = |(product, units): &(&str, i64)| {
        pb::BasketLine::default().with_product_id(*product).with_units(*units)
    };
    pb::SaveBasketRequest::default().with_customer_id(customer).with_lines(lines.iter().map(line))
}

fn replace(id: &str, product: &str, by: &str) -> pb::ReplaceInBasketsRequest {
    pb::ReplaceInBasketsRequest::default().with_id(id).with_product_id(product).with_by_product_id(by)
}

/// Lines by product.
fn held(lines: &[(&str, i64)]) -> Vec<(String, i64)> {
    let mut lines: Vec<_> = lines.iter().map(|(product, units)| ((*product).to_owned(), *units)).collect();
    lines.sort();
    lines
}
