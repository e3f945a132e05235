//! What a server must know of the contracts: its methods, its entities, and who declared which need of them.
//! The generator writes one constant of this for the whole mesh; access is decided from it and from nothing else.

use crate::method::{Access, Rules};

/// The contracts of a mesh.
#[derive(Debug, Clone, Copy)]
pub struct Contract {
    /// All services, in the order of their ports.
    pub owners: &'static [Owner],
    /// All consumers and their needs, by name.
    pub consumers: &'static [Consumer],
    /// The encoded `google.protobuf.FileDescriptorSet` of all contracts, custom options included.
    pub descriptors: &'static [u8],
}

/// A service that owns a package.
#[derive(Debug, Clone, Copy)]
pub struct Owner {
    /// Its name: "catalog".
    pub name: &'static str,
    /// Where its team is reached.
    pub contact: &'static str,
    /// Its gRPC services by full name: "catalog.v1.CatalogService".
    pub services: &'static [&'static str],
    /// Its methods.
    pub methods: &'static [Rules],
    /// Its entities.
    pub entities: &'static [SharedType],
    /// Its events.
    pub events: &'static [SharedType],
}

/// An entity or an event as its owner shares it.
#[derive(Debug, Clone, Copy)]
pub struct SharedType {
    /// The full name: "catalog.v1.Product".
    pub name: &'static str,
    /// The entity whose stream it belongs to; an entity's own name for an entity.
    pub entity: &'static str,
    /// The numbers of the fields that may leave the owner.
    pub shared: &'static [u32],
    /// Whether some of them are about a person, and may have to be erased.
    pub personal: bool,
}

/// A consumer and what it declared.
#[derive(Debug, Clone, Copy)]
pub struct Consumer {
    /// Its name, as it calls itself in `freehold-caller`.
    pub name: &'static str,
    /// The file that declares its needs: "orders/v1/needs.proto".
    pub file: &'static str,
    /// The methods it calls, "package.Service/Method", steps of sagas and their compensations included.
    pub calls: &'static [&'static str],
    /// What it reads of others' events and entities.
    pub entitlements: &'static [Entitlement],
}

/// A consumer's declared view or replica of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entitlement {
    /// The event or entity, by full name.
    pub of: &'static str,
    /// The numbers of the declared fields.
    pub fields: &'static [u32],
    /// What it is for.
    pub purpose: Purpose,
}

/// What a consumer does with a type that it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It reacts to events.
    View,
    /// It keeps a copy.
    Replica,
}

impl Contract {
    /// The owner of that name.
    #[must_use]
    pub fn owner(&self, name: &str) -> Option<&'static Owner> {
        self.owners.iter().find(|owner| owner.name == name)
    }

    /// The consumer of that name.
    #[must_use]
    pub fn consumer(&self, name: &str) -> Option<&'static Consumer> {
        self.consumers.iter().find(|consumer| consumer.name == name)
    }

    /// The rules of the method at a path, "/package.Service/Method".
    #[must_use]
    pub fn method(&self, path: &str) -> Option<&'static Rules> {
        self.owners.iter().flat_map(|owner| owner.methods).find(|rules| rules.path == path)
    }

    /// Whether `caller` may call the method.
    ///
    /// # Errors
    /// The sentence that the refused caller gets; it names the line that is missing.
    pub fn permit(&self, caller: Option<&str>, rules: &Rules) -> Result<(), String> {
        if rules.access == Access::Public {
            return Ok(());
        }
        let method = rules.name();
        let Some(name) = caller else {
            return Err(format!("{method} is for declared consumers; name yourself in `freehold-caller`"));
        };
        let line = format!("option (freehold.v1.calls) = {{ method: \"{method}\" }};");
        match self.consumer(name) {
            None => Err(format!(
                "no contract declares a consumer `{name}`; a needs.proto of its own wants `{line}`"
            )),
            Some(consumer) if consumer.calls.contains(&method) => Ok(()),
            Some(consumer) => {
                Err(format!("`{name}` does not declare this call; add to {}: {line}", consumer.file))
            }
        }
    }

    /// What `consumer` declared of the type, for that purpose.
    #[must_use]
    pub fn entitlement(&self, consumer: &str, of: &str, purpose: Purpose) -> Option<&'static Entitlement> {
        let entitlements = self.consumer(consumer)?.entitlements;
        entitlements.iter().find(|entitlement| entitlement.of == of && entitlement.purpose == purpose)
    }
}
