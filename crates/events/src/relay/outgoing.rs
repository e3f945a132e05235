//! What of an event goes on a bus: the shared fields of its type, and nothing about a person.
//!
//! Data about a person may have to be erased, and a bus cannot be relied on to forget: it stays with its owner, and the
//! letter says that there is some. So does data that is larger than the bus takes. **Invariant:** a private or a personal
//! field is in no letter.

use std::collections::BTreeMap;

use freehold_wire::Contract;
use freehold_wire::pb::{Envelope, Position};
use prost_types::Timestamp;

use crate::bus::{Letter, Packet, Published};
use crate::feed::{fields, told};

/// Makes letters of an owner's events.
#[derive(Debug)]
pub(crate) struct Outgoing {
    owner: String,
    /// The shared fields of the types whose data goes on the bus.
    shared: BTreeMap<&'static str, &'static [u32]>,
    largest: usize,
    published: Published,
}

impl Outgoing {
    /// Goes on after a mark, on a bus that takes so many bytes of data.
    pub(crate) fn new(contract: &'static Contract, owner: &str, largest: usize, mark: i64) -> Self {
        let types =
            contract.owner(owner).into_iter().flat_map(|owner| owner.entities.iter().chain(owner.events));
        let shared = types.filter(|of| !of.personal).map(|of| (of.name, of.shared)).collect();
        Self { owner: owner.to_owned(), shared, largest, published: Published::up_to(mark) }
    }

    /// The letter of the next event.
    pub(crate) fn event(&mut self, event: Envelope) -> Packet {
        let mut event = told(event);
        let mut withheld = false;
        if let Some(data) = event.data.take() {
            let kept = self.shared.get(event.r#type.as_str()).map(|shared| fields::keep(shared, &data));
            match kept {
                Some(Ok(kept)) if kept.len() <= self.largest => event.data = Some(kept),
                _ => withheld = true,
            }
        }
        let before = self.published.clone();
        self.published.add(&event.entity, event.position.unwrap_or_default().mark);
        Letter::Event { event: Box::new(event), before, withheld }.pack()
    }

    /// The letter that says how far it has come.
    pub(crate) fn beat(&self, position: Position, time: Timestamp) -> Packet {
        let before = self.published.clone();
        Letter::Beat { owner: self.owner.clone(), position, time, before }.pack()
    }
}

#[cfg(test)]
mod tests {
    use freehold_wire::contract::{Owner, SharedType};

    use super::*;
    use crate::fixture::{Order, Placed};
    use prost::Message;

    static CONTRACT: Contract = Contract {
        owners: &[Owner {
            name: "orders",
            contact: "",
            services: &[],
            methods: &[],
            entities: &[SharedType {
                name: "o.v1.Order",
                entity: "o.v1.Order",
                shared: &[1, 2],
                personal: true,
            }],
            events: &[SharedType {
                name: "o.v1.Placed",
                entity: "o.v1.Order",
                shared: &[1],
                personal: false,
            }],
        }],
        consumers: &[],
        descriptors: &[],
    };

    fn packet(kind: &str, data: Vec<u8>) -> Packet {
        let event = Envelope::default()
            .with_source("orders")
            .with_entity("o.v1.Order")
            .with_type(kind)
            .with_dataschema(kind)
            .with_data(data);
        Outgoing::new(&CONTRACT, "orders", 20, 0).event(event)
    }

    fn is_withheld(packet: &Packet) -> bool {
        packet.body.is_empty() && packet.headers.iter().any(|(name, _)| *name == "ce-withheld")
    }

    #[test]
    fn only_shared_fields_go_on_a_bus() {
        let placed = Placed { order_id: "k".to_owned(), cents: 5, note: "private".to_owned() };
        let packet = packet("o.v1.Placed", placed.encode_to_vec());
        let kept = Placed { order_id: "k".to_owned(), ..Placed::default() };
        assert_eq!((packet.body.clone(), is_withheld(&packet)), (kept.encode_to_vec(), false));
    }

    #[test]
    fn what_is_about_a_person_or_too_large_or_unknown_stays_with_its_owner() {
        let order = Order { id: "k".to_owned(), state: "new".to_owned(), secret: String::new() };
        assert!(is_withheld(&packet("o.v1.Order", order.encode_to_vec())), "personal");
        let large = Placed { order_id: "x".repeat(30), ..Placed::default() };
        assert!(is_withheld(&packet("o.v1.Placed", large.encode_to_vec())), "too large");
        assert!(is_withheld(&packet("o.v1.Gone", large.encode_to_vec())), "not in the contract");
        assert!(is_withheld(&packet("o.v1.Placed", vec![0xff])), "no message");
    }
}
