//! From resolved descriptors to the model: who owns what, and what each consumer takes.
//!
//! The model says what the contracts say, also where that is wrong: a name that leads nowhere stays as it is written,
//! with an empty owner, and the rules report it. Of two owners of a package the one of the first file, by path, counts.

use std::collections::BTreeMap;

use prost_reflect::{DescriptorPool, FileDescriptor, MessageDescriptor, MethodDescriptor, ServiceDescriptor};

use crate::language::{self, ViewWords, number};
use crate::model::{
    Cache, CallRules, Consumer, Effect, Entity, Event, Field, Method, Model, Need, Owner, Replica, Service,
    View,
};
use crate::places::Places;
use crate::sources::Sources;

/// The model of a pool; places are empty where its texts are not known.
pub(crate) fn model(pool: DescriptorPool, sources: &Sources) -> Model {
    let places = Places::new(&pool, sources);
    let descriptors = pool.encode_to_vec();
    let assembly = Assembly { pool: &pool, places: &places, owners: owner_of_package(&pool) };
    let owners = assembly.owners();
    let consumers = assembly.consumers();
    Model { pool, descriptors, owners, consumers }
}

/// The files of a pool by path.
pub(crate) fn files(pool: &DescriptorPool) -> Vec<FileDescriptor> {
    let mut files: Vec<FileDescriptor> = pool.files().collect();
    files.sort_by(|left, right| left.name().cmp(right.name()));
    files
}

/// The messages of a file as declared, each one before those inside it; entries of maps are none.
pub(crate) fn messages(file: &FileDescriptor) -> Vec<MessageDescriptor> {
    let mut found = Vec::new();
    let mut stack: Vec<MessageDescriptor> = file.messages().collect();
    stack.reverse();
    while let Some(message) = stack.pop() {
        let children: Vec<MessageDescriptor> =
            message.child_messages().filter(|child| !child.is_map_entry()).collect();
        stack.extend(children.into_iter().rev());
        found.push(message);
    }
    found
}

/// The owner of each package.
pub(crate) fn owner_of_package(pool: &DescriptorPool) -> BTreeMap<String, String> {
    let mut owners = BTreeMap::new();
    for file in files(pool) {
        if let Some(owner) = language::file(&file).owner {
            owners.entry(file.package_name().to_owned()).or_insert(owner);
        }
    }
    owners
}

/// The services of a package, whether anybody owns it or not: those of the contract language are served by every owner.
/// Places are empty.
#[must_use]
pub fn services(pool: &DescriptorPool, package: &str) -> Vec<Service> {
    let places = Places::new(pool, &Sources::default());
    let assembly = Assembly { pool, places: &places, owners: owner_of_package(pool) };
    let files = files(pool).into_iter().filter(|file| file.package_name() == package);
    files
        .flat_map(|file| file.services().map(|service| assembly.service(&service)).collect::<Vec<_>>())
        .collect()
}

/// "package.Service/Method".
pub(crate) fn method_name(method: &MethodDescriptor) -> String {
    format!("{}/{}", method.parent_service().full_name(), method.name())
}

struct Assembly<'a> {
    pool: &'a DescriptorPool,
    places: &'a Places,
    owners: BTreeMap<String, String>,
}

impl Assembly<'_> {
    fn owners(&self) -> Vec<Owner> {
        let mut owners: BTreeMap<&str, Owner> = BTreeMap::new();
        for (package, name) in &self.owners {
            let owner = owners.entry(name).or_insert_with(|| empty_owner(name));
            owner.packages.push(package.clone());
        }
        for file in files(self.pool) {
            let name = self.owners.get(file.package_name());
            let Some(owner) = name.and_then(|name| owners.get_mut(name.as_str())) else { continue };
            let words = language::file(&file);
            if owner.contact.is_empty() && words.owner.is_some() {
                owner.contact = words.contact;
            }
            owner.services.extend(file.services().map(|service| self.service(&service)));
            let messages = messages(&file);
            owner.entities.extend(messages.iter().filter_map(|message| self.entity(message)));
            owner.events.extend(messages.iter().filter_map(|message| self.event(message)));
        }
        owners.into_values().collect()
    }

    fn consumers(&self) -> Vec<Consumer> {
        let mut consumers: Vec<Consumer> =
            files(self.pool).iter().filter_map(|file| self.consumer(file)).collect();
        consumers.sort_by(|left, right| (&left.name, &left.file).cmp(&(&right.name, &right.file)));
        consumers
    }

    fn service(&self, service: &ServiceDescriptor) -> Service {
        let file = service.parent_file();
        Service {
            name: service.full_name().to_owned(),
            package: service.package_name().to_owned(),
            docs: self.places.docs(&file, service.path()),
            methods: service.methods().map(|method| self.method(&method)).collect(),
            place: self.places.name(&file, service.path()),
        }
    }

    fn method(&self, method: &MethodDescriptor) -> Method {
        Method {
            name: method.name().to_owned(),
            full_name: method_name(method),
            docs: self.places.docs(&method.parent_service().parent_file(), method.path()),
            request: method.input().full_name().to_owned(),
            reply: method.output().full_name().to_owned(),
            client_streaming: method.is_client_streaming(),
            server_streaming: method.is_server_streaming(),
            effect: effect(method),
            rules: self.rules(method),
            place: self.places.method(method),
        }
    }

    fn rules(&self, method: &MethodDescriptor) -> CallRules {
        let mut rules = call_rules(method);
        if let Some(cache) = &mut rules.cache {
            self.owner_of(method.parent_service().package_name()).clone_into(&mut cache.owner);
        }
        rules
    }

    fn entity(&self, message: &MessageDescriptor) -> Option<Entity> {
        let key = language::entity_key(message)?;
        let place = self.places.message(message);
        Some(Entity { name: message.full_name().to_owned(), key, fields: fields(message), place })
    }

    fn event(&self, message: &MessageDescriptor) -> Option<Event> {
        let words = language::event(message)?;
        let place = self.places.message(message);
        let name = message.full_name().to_owned();
        Some(Event { name, of: words.of, key: words.key, fields: fields(message), place })
    }

    fn consumer(&self, file: &FileDescriptor) -> Option<Consumer> {
        let words = language::file(file);
        let name = words.consumer?;
        let place = |option, index| self.places.file_option(file, &[option, index]);
        let calls = words.calls.into_iter().zip(0..).map(|(call, index)| Need {
            method: call.method,
            from: call.from,
            place: place(number::CALLS, index),
        });
        let steps = words.steps.into_iter().zip(0..).map(|(method, index)| Need {
            method,
            from: String::new(),
            place: place(number::STEPS, index),
        });
        let messages = messages(file);
        Some(Consumer {
            name,
            package: file.package_name().to_owned(),
            file: file.name().to_owned(),
            contact: words.contact,
            calls: calls.collect(),
            steps: steps.collect(),
            views: messages.iter().filter_map(|message| self.view(message)).collect(),
            replicas: messages.iter().filter_map(|message| self.replica(message)).collect(),
        })
    }

    fn view(&self, message: &MessageDescriptor) -> Option<View> {
        let ViewWords { of, upcast } = language::view(message)?;
        let source = self.pool.get_message_by_name(&of);
        let event = source.as_ref().and_then(language::event);
        Some(View {
            name: message.full_name().to_owned(),
            entity: event.map(|event| event.of).unwrap_or_else(|| of.clone()),
            owner: source
                .as_ref()
                .map(|source| self.owner_of(source.package_name()).to_owned())
                .unwrap_or_default(),
            of,
            upcast,
            fields: taken(message, source.as_ref()),
            place: self.places.message(message),
        })
    }

    fn replica(&self, message: &MessageDescriptor) -> Option<Replica> {
        let words = language::replica(message)?;
        let source = self.pool.get_message_by_name(&words.of);
        Some(Replica {
            name: message.full_name().to_owned(),
            owner: source
                .as_ref()
                .map(|source| self.owner_of(source.package_name()).to_owned())
                .unwrap_or_default(),
            key: source.as_ref().and_then(|source| key_of_copy(message, source)).unwrap_or_default(),
            of: words.of,
            fields: taken(message, source.as_ref()),
            max_staleness: words.max_staleness.and_then(language::span),
            when_stale: words.when_stale,
            place: self.places.message(message),
        })
    }

    fn owner_of(&self, package: &str) -> &str {
        self.owners.get(package).map_or("", String::as_str)
    }
}

fn empty_owner(name: &str) -> Owner {
    Owner {
        name: name.to_owned(),
        contact: String::new(),
        packages: Vec::new(),
        services: Vec::new(),
        entities: Vec::new(),
        events: Vec::new(),
    }
}

/// A live stream is never resumed, whatever else it says; of the rest the promise that asks least of the owner counts.
pub(crate) fn effect(method: &MethodDescriptor) -> Effect {
    let words = language::method(method);
    match (words.at_most_once, words.read, words.keyed, words.idempotent) {
        (true, ..) => Effect::AtMostOnce,
        (_, true, ..) => Effect::Read,
        (_, _, true, _) => Effect::Keyed,
        (_, _, _, true) => Effect::Idempotent,
        _ => Effect::Undeclared,
    }
}

/// How a method may be called, with defaults filled in; whose it is, the package says.
pub(crate) fn call_rules(method: &MethodDescriptor) -> CallRules {
    let words = language::method(method);
    let (service, reply) = (method.parent_service(), method.output());
    CallRules {
        deadline: words.deadline.and_then(language::span).unwrap_or(Model::default_deadline()),
        min_deadline: words.min_deadline.and_then(language::span).unwrap_or_default(),
        public: words.public,
        cache: words.cache.map(|cache| Cache {
            ttl: cache.ttl.and_then(language::span).unwrap_or_default(),
            key: (reply.full_name() == cache.entity).then(|| key_number(&reply)).flatten(),
            entity: cache.entity,
            owner: String::new(),
        }),
        undo: words.undo.map(|undo| format!("{}/{undo}", service.full_name())),
        criticality: if words.criticality == 0 { 2 } else { words.criticality },
    }
}

fn fields(message: &MessageDescriptor) -> Vec<Field> {
    taken(message, None)
}

/// The fields of a message as declared; whether one of a view or replica is private or personal, its source says.
fn taken(message: &MessageDescriptor, source: Option<&MessageDescriptor>) -> Vec<Field> {
    let field = |number: i32| {
        let field = message.get_field(u32::try_from(number).ok()?)?;
        let declared = source.and_then(|source| source.get_field(field.number()));
        let rules = language::field_rules(declared.as_ref().unwrap_or(&field));
        let name = field.name().to_owned();
        Some(Field { name, number: field.number(), private: rules.private, personal: rules.personal })
    };
    message.descriptor_proto().field.iter().filter_map(|declared| field(declared.number())).collect()
}

fn key_number(entity: &MessageDescriptor) -> Option<u32> {
    Some(entity.get_field_by_name(&language::entity_key(entity)?)?.number())
}

/// A copy may give the key another name; its number stays.
fn key_of_copy(copy: &MessageDescriptor, source: &MessageDescriptor) -> Option<String> {
    let key = source.get_field_by_name(&language::entity_key(source)?)?;
    Some(copy.get_field(key.number())?.name().to_owned())
}
