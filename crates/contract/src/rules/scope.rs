//! What every rule looks at: the contracts of a tree, their options read once, and the places of all of it.
//!
//! What is built in is left out: nobody of the tree wrote it, so no rule applies to it.

use std::cell::Cell;
use std::collections::BTreeMap;

use prost_reflect::{FieldDescriptor, FileDescriptor, MessageDescriptor, MethodDescriptor};

use crate::assemble;
use crate::bundled;
use crate::editions::tells_absent;
use crate::language::{self, FileWords, MethodWords, number};
use crate::model::Model;
use crate::near;
use crate::places::Places;
use crate::sources::Sources;

/// The contracts of a tree.
pub(super) struct Scope<'a> {
    /// The model that they make.
    pub(super) model: &'a Model,
    /// Where things stand.
    pub(super) places: Places,
    /// The files, by path.
    pub(super) files: Vec<Contract>,
    /// The methods, by "package.Service/Method".
    pub(super) methods: BTreeMap<String, Rpc>,
    /// The views and replicas, as declared.
    pub(super) takings: Vec<Taking>,
    /// The owner of each package.
    pub(super) owners: BTreeMap<String, String>,
    /// The full names of all entities, then those of all events.
    entities: Vec<String>,
    events: Vec<String>,
    /// How many names may still be compared for near matches.
    comparisons: Cell<usize>,
}

/// Names compared in one run. A tree in which everything is misspelled gets its findings in time linear in its size; those
/// at the end come without a suggestion.
const MOST_COMPARISONS: usize = 100_000;

/// A file of the tree.
pub(super) struct Contract {
    pub(super) file: FileDescriptor,
    pub(super) words: FileWords,
    pub(super) messages: Vec<MessageDescriptor>,
}

/// A method, and what it says of its calls.
pub(super) struct Rpc {
    /// "package.Service/Method".
    pub(super) name: String,
    pub(super) method: MethodDescriptor,
    pub(super) words: MethodWords,
    /// Who owns it; empty where nobody does.
    pub(super) owner: String,
}

/// A view or a replica.
pub(super) struct Taking {
    /// The message that declares it.
    pub(super) message: MessageDescriptor,
    /// What is taken, as written.
    pub(super) of: String,
    /// That message; `None` where there is none.
    pub(super) source: Option<MessageDescriptor>,
    /// A replica; otherwise a view.
    pub(super) replica: bool,
    /// The consumer of the file; empty where it names none.
    pub(super) consumer: String,
}

impl<'a> Scope<'a> {
    pub(super) fn new(model: &'a Model, sources: &Sources) -> Self {
        let own = |file: &FileDescriptor| !bundled::is_bundled(file.name());
        let files: Vec<Contract> =
            assemble::files(&model.pool).into_iter().filter(own).map(contract).collect();
        let takings = files.iter().flat_map(takings).collect();
        let owners = assemble::owner_of_package(&model.pool);
        let methods = files.iter().flat_map(|contract| rpcs(contract, &owners)).collect();
        let names = |is: fn(&MessageDescriptor) -> bool| {
            let messages = files.iter().flat_map(|contract| &contract.messages).filter(|message| is(message));
            messages.map(|message| message.full_name().to_owned()).collect()
        };
        let (entities, events) = (names(is_entity), names(is_event));
        let (places, comparisons) = (Places::new(&model.pool, sources), Cell::new(MOST_COMPARISONS));
        Self { model, places, files, methods, takings, owners, entities, events, comparisons }
    }

    /// The candidate nearest to `wanted`; none where nothing is near, or where too much was compared already.
    pub(super) fn nearest<'c>(
        &self,
        wanted: &str,
        candidates: impl IntoIterator<Item = &'c str>,
    ) -> Option<&'c str> {
        let left = self.comparisons.get();
        let counted = Cell::new(0);
        let candidates = candidates.into_iter().take(left).inspect(|_| counted.set(counted.get() + 1));
        let near = near::nearest(wanted, candidates);
        self.comparisons.set(left.saturating_sub(counted.get()));
        near
    }

    /// All messages, those inside messages included.
    pub(super) fn messages(&self) -> impl Iterator<Item = &MessageDescriptor> {
        self.files.iter().flat_map(|contract| &contract.messages)
    }

    /// The message of that full name.
    pub(super) fn message(&self, name: &str) -> Option<MessageDescriptor> {
        self.model.pool.get_message_by_name(name)
    }

    /// Who owns the package of the message; empty where nobody does.
    pub(super) fn owner_of(&self, message: &MessageDescriptor) -> &str {
        self.owner_of_package(message.package_name())
    }

    /// Who owns the package; empty where nobody does.
    pub(super) fn owner_of_package(&self, package: &str) -> &str {
        self.owners.get(package).map(String::as_str).unwrap_or_default()
    }

    /// The full names of all entities.
    pub(super) fn entities(&self) -> impl Iterator<Item = &str> {
        self.entities.iter().map(String::as_str)
    }

    /// The full names of all entities and events.
    pub(super) fn shared(&self) -> impl Iterator<Item = &str> {
        self.entities().chain(self.events.iter().map(String::as_str))
    }
}

impl Taking {
    /// "view" or "replica".
    pub(super) fn kind(&self) -> &'static str {
        if self.replica { "replica" } else { "view" }
    }

    /// The number of the option that declares it.
    pub(super) fn option(&self) -> i32 {
        if self.replica { number::REPLICA } else { number::VIEW }
    }
}

/// Whether the message has the entity option.
pub(super) fn is_entity(message: &MessageDescriptor) -> bool {
    language::entity_key(message).is_some()
}

/// Whether the message has the event option.
pub(super) fn is_event(message: &MessageDescriptor) -> bool {
    language::event(message).is_some()
}

/// A field as its owner would declare it: "repeated catalog.v1.Price prices = 1;".
pub(super) fn declaration(field: &FieldDescriptor, name: &str) -> String {
    format!("{} {name} = {};", type_of(field), field.number())
}

/// A field's type with its label: "optional int64", "map<string, int64>".
pub(crate) fn type_of(field: &FieldDescriptor) -> String {
    let kind = field.kind();
    if field.is_map()
        && let Some(entry) = kind.as_message()
    {
        let (key, value) = (entry.map_entry_key_field(), entry.map_entry_value_field());
        return format!("map<{}, {}>", kind_name(&key), kind_name(&value));
    }
    let label = match tells_absent(field) && kind.as_message().is_none() {
        _ if field.is_list() => "repeated ",
        true => "optional ",
        false => "",
    };
    format!("{label}{}", kind_name(field))
}

fn kind_name(field: &FieldDescriptor) -> String {
    let kind = field.kind();
    match (kind.as_message(), kind.as_enum()) {
        (Some(message), _) => message.full_name().to_owned(),
        (_, Some(choice)) => choice.full_name().to_owned(),
        _ => format!("{kind:?}"),
    }
}

fn contract(file: FileDescriptor) -> Contract {
    Contract { words: language::file(&file), messages: assemble::messages(&file), file }
}

fn rpcs(contract: &Contract, owners: &BTreeMap<String, String>) -> Vec<(String, Rpc)> {
    let owner = owners.get(contract.file.package_name()).cloned().unwrap_or_default();
    let services: Vec<_> = contract.file.services().collect();
    let methods = services.iter().flat_map(|service| service.methods().collect::<Vec<_>>());
    let rpc = |method: MethodDescriptor| {
        let (name, words) = (assemble::method_name(&method), language::method(&method));
        (name.clone(), Rpc { name, method, words, owner: owner.clone() })
    };
    methods.map(rpc).collect()
}

fn takings(contract: &Contract) -> Vec<Taking> {
    let mut found = Vec::new();
    for message in &contract.messages {
        let of = [
            (true, language::replica(message).map(|words| words.of)),
            (false, language::view(message).map(|words| words.of)),
        ];
        for (replica, of) in of {
            let Some(of) = of else { continue };
            let source = contract.file.parent_pool().get_message_by_name(&of);
            let consumer = contract.words.consumer.clone().unwrap_or_default();
            found.push(Taking { message: message.clone(), of, source, replica, consumer });
        }
    }
    found
}
