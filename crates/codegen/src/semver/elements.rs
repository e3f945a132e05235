//! What of the contracts an item of the SDK comes from.
//!
//! In: the packages that the generator writes from, and the names that it gives. Out: an element by the path of an item.

use std::collections::BTreeMap;

use freehold_contract::model::Service;
use proc_macro2::Ident;

use crate::emit::enumeration;
use crate::items::{Enumeration, Member, Message, Package};
use crate::names;
use crate::semver::spell::SDK;

/// The elements of the contracts by the paths of what they become in Rust.
#[derive(Debug, Default)]
pub(crate) struct Elements(BTreeMap<String, String>);

impl Elements {
    /// The elements of all packages.
    pub(crate) fn of(packages: &[Package]) -> Self {
        let mut elements = Self::default();
        for package in packages {
            let mut path = SDK.to_owned();
            for (module, name) in names::package_modules(&package.name).iter().zip(prefixes(&package.name)) {
                path = elements.add(&path, module, name);
            }
            elements.types(&path, &package.messages, &package.enums);
            for service in &package.services {
                elements.service(&path, service);
            }
        }
        elements
    }

    /// The element that an item comes from: its own, or that of what it belongs to.
    pub(crate) fn of_item(&self, path: &str) -> &str {
        let mut path = path.split_once(": ").map_or(path, |(own, _)| own);
        loop {
            if let Some(element) = self.0.get(path) {
                return element;
            }
            let Some((above, _)) = path.rsplit_once("::") else { return "" };
            path = above;
        }
    }

    fn add(&mut self, parent: &str, name: &Ident, element: &str) -> String {
        let path = format!("{parent}::{name}");
        self.0.insert(path.clone(), element.to_owned());
        path
    }

    fn types(&mut self, path: &str, messages: &[Message], enums: &[Enumeration]) {
        for message in messages {
            self.message(path, message);
        }
        for declared in enums {
            let path = self.add(path, &names::type_name(&declared.name), &declared.full_name);
            for (value, variant) in declared.values.iter().zip(enumeration::variants(declared)) {
                self.add(&path, &variant, &format!("{}.{}", declared.full_name, value.name));
            }
        }
    }

    fn message(&mut self, path: &str, message: &Message) {
        let own = self.add(path, &names::type_name(&message.name), &message.full_name);
        let inside = self.add(path, &names::nested_module(&message.name), &message.full_name);
        self.types(&inside, &message.messages, &message.enums);
        for member in &message.members {
            let (name, fields) = match member {
                Member::Field(field) => (&field.name, [].as_slice()),
                Member::Oneof(oneof) => (&oneof.name, oneof.fields.as_slice()),
            };
            let element = format!("{}.{name}", message.full_name);
            for item in [names::field(name), names::setter(name), names::optional_accessor(name)] {
                self.add(&own, &item, &element);
            }
            for field in fields {
                self.add(&own, &names::setter(&field.name), &format!("{}.{}", message.full_name, field.name));
            }
            if let Member::Oneof(oneof) = member {
                let choice = self.add(&inside, &names::type_name(&oneof.type_name), &element);
                for field in fields {
                    let element = format!("{}.{}", message.full_name, field.name);
                    self.add(&choice, &names::type_name(&field.name), &element);
                }
            }
        }
    }

    fn service(&mut self, path: &str, service: &Service) {
        let names = names::service(names::simple(&service.name));
        let methods = format!("{path}::methods");
        let constants = self.add(&methods, &names.module, &service.name);
        let types = [names.client, names.stub, names.service, names.server];
        let types = types.map(|name| self.add(path, &name, &service.name));
        for method in &service.methods {
            self.add(&constants, &names::constant(&method.name), &method.full_name);
            for path in &types {
                self.add(path, &names::method(&method.name), &method.full_name);
            }
        }
    }
}

/// "shop", "shop.v1" of "shop.v1".
fn prefixes(package: &str) -> impl Iterator<Item = &str> {
    let ends = package.match_indices('.').map(|(end, _)| end).chain([package.len()]);
    ends.map(|end| &package[..end])
}
