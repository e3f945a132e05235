//! One state of the contracts, indexed for a comparison: its messages, enums and methods by name, and where they stand.
//!
//! What is built in is left out: no team changes it. So are the messages of needs: they are their consumer's own.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap, HashSet};

use prost::Message as _;
use prost_reflect::{
    EnumDescriptor, FieldDescriptor, FileDescriptor, MessageDescriptor, MethodDescriptor, ServiceDescriptor,
};

use crate::assemble;
use crate::bundled;
use crate::compat::Contract;
use crate::finding::Mark;
use crate::language;
use crate::model::{Consumer, Entity, Event, Model, Owner, Place};
use crate::places::Places;

/// The tag of `value` in the descriptor of an enum.
const VALUE: i32 = 2;

/// A state of the contracts.
pub(super) struct Side<'a> {
    pub(super) model: &'a Model,
    contract: &'a Contract,
    /// What the baseline is called; none for the contracts at hand.
    pub(super) baseline: Option<&'a str>,
    /// The messages that are somebody's contract, without the entries of maps.
    pub(super) messages: Vec<MessageDescriptor>,
    pub(super) enums: Vec<EnumDescriptor>,
    pub(super) services: Vec<ServiceDescriptor>,
    /// The files by package.
    pub(super) packages: BTreeMap<String, Vec<FileDescriptor>>,
    /// The methods by "package.Service/Method".
    methods: BTreeMap<String, MethodDescriptor>,
    pub(super) entities: HashMap<&'a str, &'a Entity>,
    pub(super) events: HashMap<&'a str, &'a Event>,
    owners: HashMap<&'a str, &'a Owner>,
    places: OnceCell<Places>,
}

impl<'a> Side<'a> {
    pub(super) fn new(contract: &'a Contract, baseline: Option<&'a str>) -> Self {
        let model = &contract.model;
        let files: Vec<FileDescriptor> = assemble::files(&model.pool)
            .into_iter()
            .filter(|file| !bundled::is_bundled(file.name()))
            .collect();
        let is_need = |message: &MessageDescriptor| {
            language::view(message).is_some() || language::replica(message).is_some()
        };
        let messages: Vec<MessageDescriptor> =
            files.iter().flat_map(assemble::messages).filter(|message| !is_need(message)).collect();
        let services: Vec<ServiceDescriptor> =
            files.iter().flat_map(|file| file.services().collect::<Vec<_>>()).collect();
        let methods = services.iter().flat_map(|service| service.methods().collect::<Vec<_>>());
        let owners = &model.owners;
        Self {
            model,
            contract,
            baseline,
            enums: enums(&files, &messages),
            methods: methods.map(|method| (assemble::method_name(&method), method)).collect(),
            packages: by_package(files),
            entities: owners
                .iter()
                .flat_map(|owner| &owner.entities)
                .map(|it| (it.name.as_str(), it))
                .collect(),
            events: owners.iter().flat_map(|owner| &owner.events).map(|it| (it.name.as_str(), it)).collect(),
            owners: owners
                .iter()
                .flat_map(|owner| owner.packages.iter().map(move |package| (package.as_str(), owner)))
                .collect(),
            messages,
            services,
            places: OnceCell::new(),
        }
    }

    /// The message of that full name.
    pub(super) fn message(&self, name: &str) -> Option<MessageDescriptor> {
        self.model.pool.get_message_by_name(name)
    }

    /// The enum of that full name.
    pub(super) fn choice(&self, name: &str) -> Option<EnumDescriptor> {
        self.model.pool.get_enum_by_name(name)
    }

    /// The method of that "package.Service/Method".
    pub(super) fn method(&self, name: &str) -> Option<&MethodDescriptor> {
        self.methods.get(name)
    }

    /// The method and its name, both as long-lived as this.
    pub(super) fn find(&self, name: &str) -> Option<(&str, &MethodDescriptor)> {
        self.methods.get_key_value(name).map(|(name, method)| (name.as_str(), method))
    }

    /// All methods, by name.
    pub(super) fn methods(&self) -> impl Iterator<Item = (&str, &MethodDescriptor)> {
        self.methods.iter().map(|(name, method)| (name.as_str(), method))
    }

    /// Who owns the package.
    pub(super) fn owner(&self, package: &str) -> Option<&'a Owner> {
        self.owners.get(package).copied()
    }

    /// Where a consumer's team is reached: what its needs say, or what it says as an owner.
    pub(super) fn contact(&self, consumer: &'a Consumer) -> &'a str {
        let owner = || self.model.owners.iter().find(|owner| owner.name == consumer.name);
        match consumer.contact.as_str() {
            "" => owner().map(|owner| owner.contact.as_str()).unwrap_or_default(),
            contact => contact,
        }
    }

    /// The encoded files by path: what is the same bytes in two states says the same in both.
    pub(super) fn encoded(&self) -> HashMap<String, Vec<u8>> {
        let set = EncodedSet::decode(self.model.descriptors.as_slice()).unwrap_or_default();
        let name = |file: &Vec<u8>| Some(EncodedFile::decode(file.as_slice()).ok()?.name);
        set.file.into_iter().filter_map(|file| Some((name(&file)?, file))).collect()
    }

    /// A place of this state, and what there is to say about it.
    pub(super) fn mark(&self, place: Place, label: impl Into<String>) -> Mark {
        Mark { place, baseline: self.baseline.map(str::to_owned), label: label.into() }
    }

    /// Where things stand; read at the first question, for most comparisons find nothing.
    pub(super) fn places(&self) -> &Places {
        self.places.get_or_init(|| Places::new(&self.model.pool, &self.contract.sources))
    }

    pub(super) fn at_message(&self, message: &MessageDescriptor, label: impl Into<String>) -> Mark {
        self.mark(self.places().message(message), label)
    }

    pub(super) fn at_field(&self, field: &FieldDescriptor, label: impl Into<String>) -> Mark {
        self.mark(self.places().field(field), label)
    }

    pub(super) fn at_method(&self, method: &MethodDescriptor, label: impl Into<String>) -> Mark {
        self.mark(self.places().method(method), label)
    }

    pub(super) fn at_enum(&self, choice: &EnumDescriptor, label: impl Into<String>) -> Mark {
        self.mark(self.places().name(&choice.parent_file(), choice.path()), label)
    }

    /// A value of an enum, by its index in it.
    pub(super) fn at_value(&self, choice: &EnumDescriptor, index: usize, label: impl Into<String>) -> Mark {
        let index = i32::try_from(index).unwrap_or(i32::MAX);
        let path = [choice.path(), &[VALUE, index]].concat();
        self.mark(self.places().statement(&choice.parent_file(), &path), label)
    }
}

/// The files of a `FileDescriptorSet`, each as it is encoded.
#[derive(Clone, PartialEq, prost::Message)]
struct EncodedSet {
    #[prost(bytes = "vec", repeated, tag = "1")]
    file: Vec<Vec<u8>>,
}

/// Of an encoded file only what it is called.
#[derive(Clone, PartialEq, prost::Message)]
struct EncodedFile {
    #[prost(string, tag = "1")]
    name: String,
}

fn by_package(files: Vec<FileDescriptor>) -> BTreeMap<String, Vec<FileDescriptor>> {
    let mut packages: BTreeMap<String, Vec<FileDescriptor>> = BTreeMap::new();
    for file in files {
        packages.entry(file.package_name().to_owned()).or_default().push(file);
    }
    packages
}

fn enums(files: &[FileDescriptor], messages: &[MessageDescriptor]) -> Vec<EnumDescriptor> {
    let top = files.iter().flat_map(|file| file.enums().collect::<Vec<_>>());
    top.chain(messages.iter().flat_map(|message| message.child_enums().collect::<Vec<_>>())).collect()
}

/// The types that a field's type leads to, and no further: the value of a map is one.
pub(super) fn type_of_field(field: &FieldDescriptor) -> Option<String> {
    let kind = field.kind();
    if let Some(message) = kind.as_message() {
        return match message.is_map_entry() {
            true => type_of_field(&message.map_entry_value_field()),
            false => Some(message.full_name().to_owned()),
        };
    }
    kind.as_enum().map(|choice| choice.full_name().to_owned())
}

/// The messages that the entities and events of a state lead to: what is stored, copied and replayed.
pub(super) fn shared(side: &Side<'_>) -> HashSet<String> {
    let mut seen: HashSet<String> = HashSet::new();
    let mut left: Vec<String> =
        side.entities.keys().chain(side.events.keys()).map(|name| (*name).to_owned()).collect();
    while let Some(name) = left.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        let fields = side.message(&name).map(|message| message.fields().collect::<Vec<_>>());
        left.extend(fields.into_iter().flatten().filter_map(|field| type_of_field(&field)));
    }
    seen
}
