//! Who shares what with whom: the model of the contracts, told from one end to the other of each arrow.
//!
//! Plain data in a fixed order (owners and consumers by name, what they declare as declared), so that every format
//! written from it is the same bytes every time. It is also the JSON format.

use std::time::Duration;

use freehold_contract::Model;
use freehold_contract::model::{self, WhenStale};
use serde::Serialize;

/// The map of a mesh.
#[derive(Debug, Serialize)]
pub(crate) struct Map {
    /// The services that own something.
    pub(crate) owners: Vec<Owner>,
    /// The consumers that own nothing here.
    pub(crate) outside: Vec<Outside>,
    /// Who calls whom.
    pub(crate) calls: Vec<Call>,
    /// Who reads whose events.
    pub(crate) views: Vec<View>,
    /// Who copies whose entities.
    pub(crate) replicas: Vec<Replica>,
}

/// A service that owns something.
#[derive(Debug, Serialize)]
pub(crate) struct Owner {
    pub(crate) name: String,
    pub(crate) contact: String,
    pub(crate) services: Vec<String>,
    pub(crate) entities: Vec<String>,
    pub(crate) events: Vec<String>,
    /// The methods that anybody may call, declared or not.
    pub(crate) public: Vec<String>,
}

/// A consumer that owns nothing here.
#[derive(Debug, Serialize)]
pub(crate) struct Outside {
    pub(crate) name: String,
    pub(crate) contact: String,
    /// The file of its needs.
    pub(crate) file: String,
}

/// A declared call.
#[derive(Debug, Serialize)]
pub(crate) struct Call {
    pub(crate) consumer: String,
    pub(crate) owner: String,
    pub(crate) method: String,
    /// The consumer's own RPC that makes it, where one is named.
    pub(crate) from: Option<String>,
    /// Whether a saga makes it.
    pub(crate) step: bool,
    /// The method that takes a step back.
    pub(crate) undo: Option<String>,
}

/// A declared view.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    pub(crate) consumer: String,
    pub(crate) owner: String,
    /// The message that declares it.
    pub(crate) view: String,
    /// What is read.
    pub(crate) of: String,
    pub(crate) fields: Vec<String>,
}

/// A declared replica.
#[derive(Debug, Serialize)]
pub(crate) struct Replica {
    pub(crate) consumer: String,
    pub(crate) owner: String,
    /// The message that declares it.
    pub(crate) replica: String,
    /// What is copied.
    pub(crate) of: String,
    pub(crate) fields: Vec<String>,
    /// The level that a read of it has where it asks for none: "bounded" under a greatest age, else "eventual".
    pub(crate) level: &'static str,
    pub(crate) max_staleness_ms: Option<u64>,
    /// What a read does when the copy does not meet its level in time: ASK_OWNER, SERVE_STALE or FAIL.
    pub(crate) when_stale: &'static str,
}

impl Map {
    /// The map of a model.
    pub(crate) fn of(model: &Model) -> Self {
        let owns = |name: &str| model.owners.iter().any(|owner| owner.name == name);
        let consumers = &model.consumers;
        Self {
            owners: model.owners.iter().map(owner).collect(),
            outside: consumers.iter().filter(|consumer| !owns(&consumer.name)).map(outside).collect(),
            calls: consumers.iter().flat_map(|consumer| calls(model, consumer)).collect(),
            views: consumers.iter().flat_map(views).collect(),
            replicas: consumers.iter().flat_map(replicas).collect(),
        }
    }

    /// The names of all who own or take something: owners first.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let outside = self.outside.iter().map(|outside| outside.name.as_str());
        self.owners.iter().map(|owner| owner.name.as_str()).chain(outside)
    }
}

impl Call {
    /// The call in a few words: its method, and the RPC that makes it.
    pub(crate) fn label(&self) -> String {
        let from = self.from.as_ref().map_or_else(String::new, |from| format!(" from {from}"));
        format!("{}{from}", short(&self.method))
    }
}

impl Replica {
    /// The copy in a few words: of what, and how old.
    pub(crate) fn label(&self) -> String {
        format!("copy of {}, {}", short(&self.of), self.promise())
    }

    /// Its level, and what a read does that it does not suffice.
    pub(crate) fn promise(&self) -> String {
        let age = self.max_staleness_ms.map(|age| format!(" to {:?}", Duration::from_millis(age)));
        format!("{}{}, else {}", self.level, age.unwrap_or_default(), self.when_stale)
    }
}

/// What a name ends with: "Product" of "catalog.v1.Product", "GetProduct" of "catalog.v1.CatalogService/GetProduct".
pub(crate) fn short(name: &str) -> &str {
    name.rsplit(['.', '/']).next().unwrap_or(name)
}

fn owner(owner: &model::Owner) -> Owner {
    let methods = owner.services.iter().flat_map(|service| &service.methods);
    Owner {
        name: owner.name.clone(),
        contact: owner.contact.clone(),
        services: owner.services.iter().map(|service| service.name.clone()).collect(),
        entities: owner.entities.iter().map(|entity| entity.name.clone()).collect(),
        events: owner.events.iter().map(|event| event.name.clone()).collect(),
        public: methods.filter(|method| method.rules.public).map(|method| method.full_name.clone()).collect(),
    }
}

fn outside(consumer: &model::Consumer) -> Outside {
    let model::Consumer { name, contact, file, .. } = consumer;
    Outside { name: name.clone(), contact: contact.clone(), file: file.clone() }
}

fn calls(model: &Model, consumer: &model::Consumer) -> Vec<Call> {
    let needs = consumer.calls.iter().map(|need| (need, false));
    let needs = needs.chain(consumer.steps.iter().map(|need| (need, true)));
    let call = |(need, step): (&model::Need, bool)| {
        let (owner, method) = callee(model, &need.method)?;
        Some(Call {
            consumer: consumer.name.clone(),
            owner: owner.name.clone(),
            method: need.method.clone(),
            from: (!need.from.is_empty()).then(|| need.from.clone()),
            step,
            undo: method.rules.undo.clone().filter(|_| step),
        })
    };
    needs.filter_map(call).collect()
}

fn callee<'a>(model: &'a Model, method: &str) -> Option<(&'a model::Owner, &'a model::Method)> {
    let methods = |owner: &'a model::Owner| owner.services.iter().flat_map(|service| &service.methods);
    let of = |owner| methods(owner).find(|known| known.full_name == method).map(|method| (owner, method));
    model.owners.iter().find_map(of)
}

fn views(consumer: &model::Consumer) -> Vec<View> {
    let view = |view: &model::View| View {
        consumer: consumer.name.clone(),
        owner: view.owner.clone(),
        view: view.name.clone(),
        of: view.of.clone(),
        fields: names(&view.fields),
    };
    consumer.views.iter().map(view).collect()
}

fn replicas(consumer: &model::Consumer) -> Vec<Replica> {
    let replica = |replica: &model::Replica| Replica {
        consumer: consumer.name.clone(),
        owner: replica.owner.clone(),
        replica: replica.name.clone(),
        of: replica.of.clone(),
        fields: names(&replica.fields),
        level: if replica.max_staleness.is_some() { "bounded" } else { "eventual" },
        max_staleness_ms: replica.max_staleness.and_then(|age| age.as_millis().try_into().ok()),
        when_stale: match replica.when_stale {
            WhenStale::AskOwner => "ASK_OWNER",
            WhenStale::ServeStale => "SERVE_STALE",
            WhenStale::Fail => "FAIL",
        },
    };
    consumer.replicas.iter().map(replica).collect()
}

fn names(fields: &[model::Field]) -> Vec<String> {
    fields.iter().map(|field| field.name.clone()).collect()
}
