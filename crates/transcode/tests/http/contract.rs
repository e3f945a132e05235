//! The library's contract, compiled here as the generator would write it down.

use std::sync::LazyLock;

use freehold_contract::Sources;
use freehold_contract::model::{Effect, Model};
use freehold_wire::contract::{Consumer, Contract, Owner};
use freehold_wire::{Access, Criticality, Retry, Rules};

/// The contract.
pub(crate) static CONTRACT: LazyLock<&'static Contract> = LazyLock::new(|| {
    let files = [
        ("library/v1/library.proto", include_str!("library.proto")),
        ("reader/v1/needs.proto", include_str!("needs.proto")),
    ];
    let sources: Sources = files.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect();
    of(freehold_contract::load(&sources).expect("the library's contract compiles"))
});

/// A model as constants; it lasts as long as the tests do.
pub(crate) fn of(model: Model) -> &'static Contract {
    let owners: Vec<Owner> = model.owners.iter().map(owner).collect();
    let consumers: Vec<Consumer> = model.consumers.iter().map(consumer).collect();
    leak(Contract {
        owners: owners.leak(),
        consumers: consumers.leak(),
        descriptors: model.descriptors.leak(),
    })
}

fn owner(owner: &freehold_contract::model::Owner) -> Owner {
    let services: Vec<&str> = owner.services.iter().map(|service| text(&service.name)).collect();
    let methods = owner.services.iter().flat_map(|service| &service.methods);
    let methods: Vec<Rules> = methods.map(rules).collect();
    Owner {
        name: text(&owner.name),
        contact: "",
        services: services.leak(),
        methods: methods.leak(),
        entities: &[],
        events: &[],
    }
}

fn rules(method: &freehold_contract::model::Method) -> Rules {
    Rules {
        path: text(&format!("/{}", method.full_name)),
        deadline: method.rules.deadline,
        min_deadline: method.rules.min_deadline,
        retry: match method.effect {
            Effect::Read | Effect::Idempotent => Retry::Safe,
            Effect::Keyed => Retry::Keyed,
            Effect::AtMostOnce | Effect::Undeclared => Retry::Never,
        },
        access: if method.rules.public { Access::Public } else { Access::Declared },
        cache: None,
        criticality: match method.rules.criticality {
            1 => Criticality::Sheddable,
            3 => Criticality::Critical,
            _ => Criticality::Default,
        },
        streams: method.client_streaming || method.server_streaming,
    }
}

fn consumer(consumer: &freehold_contract::model::Consumer) -> Consumer {
    let calls: Vec<&str> = consumer.calls.iter().map(|call| text(&call.method)).collect();
    Consumer {
        name: text(&consumer.name),
        file: "reader/v1/needs.proto",
        calls: calls.leak(),
        entitlements: &[],
    }
}

fn text(text: &str) -> &'static str {
    text.to_owned().leak()
}

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}
