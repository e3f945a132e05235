//! How a relay begins: refused by an unsafe bus, patient with one that is away.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use freehold_wire::Context;
use freehold_wire::operations::OperationsService;
use freehold_wire::pb::ListRelaysRequest;

use super::holding::told;
use super::*;
use crate::Operations;
use crate::bus::memory::Memory;
use crate::bus::{Finding, Packet, Prepared, Tail};
use crate::fixture::{CONTRACT, Owner, SOON, eventually};

#[derive(Debug)]
struct Unsafe;

#[async_trait]
impl Bus for Unsafe {
    fn name(&self) -> &'static str {
        "unsafe"
    }

    async fn prepare(&self, _: &str) -> Result<Prepared, BusError> {
        let finding =
            Finding { setting: "storage", found: "memory".to_owned(), problem: "a restart loses it" };
        Err(BusError::Unsafe(finding))
    }

    async fn publish(&self, _: &str, _: Vec<Packet>) -> Result<(), BusError> {
        Ok(())
    }

    async fn open(&self, _: &str, _: &str, _: &BTreeSet<&'static str>) -> Result<Box<dyn Tail>, BusError> {
        Err(BusError::Away("it is no bus".to_owned(), None))
    }
}

#[tokio::test]
async fn an_unsafe_bus_is_refused_at_the_start_by_its_setting() {
    let owner = Owner::open().await;
    let refused = Relay::new(owner.store.clone(), &CONTRACT, Arc::new(Unsafe)).start().await;
    let told = told(&refused.err().unwrap());
    assert_eq!(told, "the bus is not safe: `storage` is memory: a restart loses it");
}

/// What `freehold relay status` shows: how far, how far behind, who, and what keeps it.
#[tokio::test]
async fn a_bus_that_is_away_shows_in_the_relays_standing_until_it_is_back() {
    let (owner, memory) = (Owner::open().await, Memory::new());
    memory.away(true);
    let relay = Relay::new(owner.store.clone(), &CONTRACT, Arc::new(memory.clone())).start().await.unwrap();
    owner.place_all(2, 2).await;
    let operations = Operations::new(owner.store.clone());
    let standing = async || {
        let operator = Context::new("operator", SOON);
        let mut standings =
            operations.list_relays(operator, ListRelaysRequest::default()).await.unwrap().relays;
        standings.pop().unwrap_or_default()
    };
    eventually("the problem", async || standing().await.problem == "the bus is away: nobody answers").await;
    let away = standing().await;
    assert_eq!((away.bus.as_str(), away.behind, away.behind_since.is_some()), ("memory", 4, true));
    assert_eq!((away.holder.len(), away.fence), (16, 1));
    memory.away(false);
    eventually("the relay", async || standing().await.behind == 0).await;
    let there = standing().await;
    assert_eq!((there.problem.as_str(), there.position.unwrap().mark, there.behind_since), ("", 4, None));
    relay.stop().await;
}
