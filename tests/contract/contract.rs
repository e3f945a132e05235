//! The contracts as the tests read them: from the texts in proto/, and not from what was generated of them.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use freehold_contract::model::{Consumer, Effect, Method, Model, Owner, Service};
use freehold_contract::{Sources, load};
use prost_reflect::MessageDescriptor;

/// The package of the contract language itself.
const LANGUAGE: &str = "freehold.v1";

/// The contracts of the repository.
pub(crate) static MODEL: LazyLock<Model> =
    LazyLock::new(|| model(texts()).unwrap_or_else(|findings| panic!("{findings}")));

/// The services of the language: the feed of every owner, and the directory of the mesh.
static LANGUAGE_SERVICES: LazyLock<Vec<Service>> =
    LazyLock::new(|| freehold_contract::services(&MODEL.pool, LANGUAGE));

/// An RPC and whose it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rpc {
    pub(crate) owner: &'static Owner,
    pub(crate) method: &'static Method,
}

impl Rpc {
    /// "package.Service/Method".
    pub(crate) fn full_name(&self) -> &'static str {
        &self.method.full_name
    }

    /// The shape of its request.
    pub(crate) fn request(&self) -> MessageDescriptor {
        message(&self.method.request)
    }

    /// Whether it is a write under an idempotency key.
    pub(crate) fn is_keyed(&self) -> bool {
        self.method.effect == Effect::Keyed
    }

    /// A consumer that may call it.
    pub(crate) fn caller(&self) -> &'static str {
        let mut consumers = MODEL.consumers.iter();
        let caller = consumers.find(|consumer| declares(&MODEL, consumer, self.full_name()));
        match caller {
            Some(consumer) => &consumer.name,
            None if self.method.rules.public => "demo",
            None => panic!("{}: no consumer declares it, so nobody can call it", self.full_name()),
        }
    }
}

/// Every RPC of every owner.
pub(crate) fn rpcs() -> Vec<Rpc> {
    let of = |owner: &'static Owner| {
        let methods = owner.services.iter().flat_map(|service| &service.methods);
        methods.map(move |method| Rpc { owner, method })
    };
    MODEL.owners.iter().flat_map(of).collect()
}

/// The methods of one service of the language, "Feed" or "Directory".
pub(crate) fn language(service: &str) -> &'static [Method] {
    let name = format!("{LANGUAGE}.{service}");
    let service = LANGUAGE_SERVICES.iter().find(|service| service.name == name);
    &service.expect("the language has the service").methods
}

/// The owners that have something to share, and so serve a feed.
pub(crate) fn sharing() -> impl Iterator<Item = &'static Owner> {
    MODEL.owners.iter().filter(|owner| !owner.entities.is_empty() || !owner.events.is_empty())
}

/// Every name that a caller may give itself: of consumers, of owners, of nobody; and none.
pub(crate) fn callers() -> Vec<Option<&'static str>> {
    let consumers = MODEL.consumers.iter().map(|consumer| consumer.name.as_str());
    let owners = MODEL.owners.iter().map(|owner| owner.name.as_str());
    let mut names: Vec<_> = consumers.chain(owners).chain(["stranger"]).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(Some).chain([None]).collect()
}

/// The consumer of that name.
pub(crate) fn consumer(name: &str) -> Option<&'static Consumer> {
    MODEL.consumers.iter().find(|consumer| consumer.name == name)
}

/// Whether the consumer's needs name the method: as a call, as a saga's step, or as what takes such a step back.
pub(crate) fn declares(model: &Model, consumer: &Consumer, method: &str) -> bool {
    let methods = model.owners.iter().flat_map(|owner| &owner.services).flat_map(|service| &service.methods);
    let undone = methods.filter(|known| known.rules.undo.as_deref() == Some(method));
    let mut steps = undone.map(|known| known.full_name.as_str()).chain([method]);
    consumer.calls.iter().any(|need| need.method == method)
        || steps.any(|step| consumer.steps.iter().any(|need| need.method == step))
}

/// The shape of a message by its full name.
pub(crate) fn message(name: &str) -> MessageDescriptor {
    MODEL.pool.get_message_by_name(name).unwrap_or_else(|| panic!("no contract has the message {name}"))
}

/// The model of a tree of texts.
pub(crate) fn model(texts: Vec<(String, String)>) -> Result<Model, String> {
    let sources: Sources = texts.into_iter().collect();
    load(&sources).map_err(|findings| freehold_contract::render_text(&findings, &sources))
}

/// The texts in proto/, by the paths that imports name them by.
pub(crate) fn texts() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto");
    let (mut texts, mut folders) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the contracts are there") {
            let path = entry.expect("the folder is read").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&root).expect("it is below the root").display().to_string();
                texts.push((name, fs::read_to_string(&path).expect("the contract is read")));
            }
        }
    }
    texts.sort();
    texts
}
