//! Two names of a contract that are one in Rust are found before anything is written.

use std::collections::BTreeMap;

use freehold_contract::model::Service;
use proc_macro2::Ident;

use crate::emit::enumeration;
use crate::error::Error;
use crate::items::{Enumeration, Field, Kind, Member, Message, Package, Shape};
use crate::names;

/// Refuses a package in which two things would have the same name.
pub(crate) fn check(package: &Package) -> Result<(), Error> {
    let services = package.services.iter().flat_map(|service| {
        let names = names::service(names::simple(&service.name));
        [names.client, names.stub, names.service, names.server].map(|name| (name, service.name.clone()))
    });
    let modules = package
        .services
        .iter()
        .map(|service| (names::service(names::simple(&service.name)).module, service.name.clone()));
    distinct(types(&package.messages, &package.enums).chain(services))?;
    distinct(modules)?;
    package.services.iter().try_for_each(methods)?;
    inside(&package.messages, &package.enums)
}

fn inside(messages: &[Message], enums: &[Enumeration]) -> Result<(), Error> {
    let with_modules = messages.iter().filter(|message| message.has_module());
    distinct(with_modules.map(|message| (names::nested_module(&message.name), message.full_name.clone())))?;
    for message in messages {
        members(message)?;
        let choices = message.oneofs().map(|oneof| {
            (names::type_name(&oneof.type_name), format!("{}.{}", message.full_name, oneof.name))
        });
        distinct(types(&message.messages, &message.enums).chain(choices))?;
        inside(&message.messages, &message.enums)?;
    }
    for enumeration in enums {
        let values =
            enumeration.values.iter().map(|value| format!("{}.{}", enumeration.full_name, value.name));
        distinct(enumeration::variants(enumeration).into_iter().zip(values))?;
    }
    Ok(())
}

fn types<'a>(
    messages: &'a [Message],
    enums: &'a [Enumeration],
) -> impl Iterator<Item = (Ident, String)> + 'a {
    let messages =
        messages.iter().map(|message| (names::type_name(&message.name), message.full_name.clone()));
    let enums = enums.iter().map(|declared| (names::type_name(&declared.name), declared.full_name.clone()));
    messages.chain(enums)
}

/// The fields of a message, and the methods that are made of them.
fn members(message: &Message) -> Result<(), Error> {
    let spelled = |name: &str| format!("{}.{name}", message.full_name);
    let mut fields = Vec::new();
    let mut methods = Vec::new();
    for member in &message.members {
        match member {
            Member::Field(field) => {
                fields.push((names::field(&field.name), spelled(&field.name)));
                methods.extend(readers(field).into_iter().map(|name| (name, spelled(&field.name))));
                methods.push((names::setter(&field.name), spelled(&field.name)));
            }
            Member::Oneof(oneof) => {
                fields.push((names::field(&oneof.name), spelled(&oneof.name)));
                methods.push((names::setter(&oneof.name), spelled(&oneof.name)));
                let named = || oneof.fields.iter().map(|field| (&field.name, spelled(&field.name)));
                methods.extend(named().map(|(name, spelled)| (names::setter(name), spelled)));
                distinct(named().map(|(name, spelled)| (names::type_name(name), spelled)))?;
            }
        }
    }
    distinct(fields)?;
    distinct(methods)
}

/// The methods that read a field: the accessors of enums, and what prost makes of what may be unset.
fn readers(field: &Field) -> Vec<Ident> {
    let own = names::field(&field.name);
    match (&field.kind, field.shape) {
        (Kind::Enumeration(_), Shape::Optional) => vec![own, names::optional_accessor(&field.name)],
        (Kind::Enumeration(_), Shape::Plain | Shape::Repeated { .. }) => vec![own],
        (Kind::Scalar(_), Shape::Optional) => vec![own],
        _ => Vec::new(),
    }
}

fn methods(service: &Service) -> Result<(), Error> {
    let methods = || service.methods.iter();
    distinct(methods().map(|method| (names::method(&method.name), method.full_name.clone())))?;
    distinct(methods().map(|method| (names::constant(&method.name), method.full_name.clone())))
}

fn distinct(items: impl IntoIterator<Item = (Ident, String)>) -> Result<(), Error> {
    let mut seen: BTreeMap<Ident, String> = BTreeMap::new();
    for (name, second) in items {
        if let Some(first) = seen.insert(name.clone(), second.clone()) {
            return Err(Error::Collision { name: name.to_string(), first, second });
        }
    }
    Ok(())
}
