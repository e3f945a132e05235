//! What a caller may take from a feed: decided from the contract, and from nothing else.
//!
//! A subscription gets, per type that it asks for, the union of the fields that its consumer declared of it; of the same
//! entities everything else comes as headers only, other entities not at all. **Invariant:** a field that no view and no
//! replica of the caller declares, or that the owner keeps private, is in no grant.

use std::collections::{BTreeMap, BTreeSet};

use freehold_wire::contract::{Consumer, Owner, Purpose, SharedType};
use freehold_wire::pb::Envelope;
use freehold_wire::reason::{self, Reason};
use freehold_wire::{Caller, Contract, Rules, Shares};
use tonic::Status;

use super::fields::{self, Malformed};

/// What one subscription gets.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    /// The wanted types, each with the numbers of the fields that leave.
    types: BTreeMap<&'static str, Vec<u32>>,
    /// The entities whose streams they belong to.
    entities: BTreeSet<&'static str>,
    /// The keys that the subscriber asked for.
    shares: Shares,
}

impl Grant {
    /// The fields of an event's or change's type; `None` where it goes as headers only.
    pub(crate) fn fields(&self, of: &str) -> Option<&[u32]> {
        self.types.get(of).map(Vec::as_slice)
    }

    /// Whether the stream of this entity's key belongs to the subscription.
    pub(crate) fn concerns(&self, entity: &str, key: &str) -> bool {
        self.entities.contains(entity) && self.shares.has(key)
    }

    /// The same for the keys of a mask alone; 0 is all of them.
    pub(crate) fn of_shares(self, mask: u64) -> Self {
        let shares = if mask == 0 { Shares::ALL } else { Shares::of_bits(mask) };
        Self { shares, ..self }
    }

    /// The entities whose streams belong to the subscription.
    pub(crate) fn entities(&self) -> &BTreeSet<&'static str> {
        &self.entities
    }

    /// The event as the subscription may see it; `None` for another entity's.
    ///
    /// # Errors
    /// [`Malformed`] where its data is no message.
    pub(crate) fn cut(&self, mut event: Envelope) -> Result<Option<Envelope>, Malformed> {
        if !self.concerns(&event.entity, &event.subject) {
            return Ok(None);
        }
        match (self.fields(&event.r#type), event.data.take()) {
            (Some(allowed), Some(data)) => event.data = Some(fields::keep(allowed, &data)?),
            _ => event.dataschema.clear(),
        }
        Ok(Some(event))
    }
}

/// The access rules of one owner's feed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Access {
    contract: &'static Contract,
    owner: &'static Owner,
}

impl Access {
    /// The rules of `owner`'s feed; `None` where the contract has no such owner.
    pub(crate) fn of(contract: &'static Contract, owner: &str) -> Option<Self> {
        contract.owner(owner).map(|owner| Self { contract, owner })
    }

    /// What the subscription gets.
    ///
    /// # Errors
    /// INVALID_ARGUMENT for a type that the owner does not share; PERMISSION_DENIED naming the missing line.
    pub(crate) fn subscribe(&self, caller: &Caller, name: &str, types: &[String]) -> Result<Grant, Status> {
        let consumer = self.subscriber(caller, name)?;
        let mut grant = Grant { types: BTreeMap::new(), entities: BTreeSet::new(), shares: Shares::ALL };
        for (index, asked) in types.iter().enumerate() {
            let shared = self.shared(asked).ok_or_else(|| self.unknown(&format!("types[{index}]"), asked))?;
            let fields = declared(consumer, shared, &[Purpose::View, Purpose::Replica]);
            grant.types.insert(shared.name, fields.ok_or_else(|| undeclared(consumer, shared))?);
            grant.entities.insert(shared.entity);
        }
        Ok(grant)
    }

    /// What a watch over an entity gets: headers, for callers who may keep answers about it.
    ///
    /// # Errors
    /// INVALID_ARGUMENT for what is no entity of the owner; PERMISSION_DENIED where no method that the caller may call
    /// has a cache that ends with its changes.
    pub(crate) fn watch(&self, caller: &Caller, entity: &str) -> Result<Grant, Status> {
        let shared = self.owner.entities.iter().find(|shared| shared.name == entity);
        let shared = shared.ok_or_else(|| self.unknown("entity", entity))?;
        let keeps = |rules: &&Rules| rules.cache.is_some_and(|cache| cache.entity == entity);
        let mut cached = self.owner.methods.iter().filter(keeps);
        if cached.any(|rules| self.contract.permit(caller.name(), rules).is_ok()) {
            return Ok(Grant {
                types: BTreeMap::new(),
                entities: BTreeSet::from([shared.name]),
                shares: Shares::ALL,
            });
        }
        let message = format!("no method that you may call has a cache for {entity}");
        Err(Reason::PermissionDenied.because("NOT_CACHED", message))
    }

    /// The fields that the caller may copy of an entity.
    ///
    /// # Errors
    /// INVALID_ARGUMENT for what is no entity of the owner; PERMISSION_DENIED naming the missing line.
    pub(crate) fn copy(&self, caller: &Caller, entity: &str) -> Result<Vec<u32>, Status> {
        let consumer = self.consumer(caller)?;
        let entities = self.owner.entities;
        let shared = entities.iter().find(|shared| shared.name == entity);
        let shared = shared.ok_or_else(|| self.unknown("entity", entity))?;
        declared(consumer, shared, &[Purpose::Replica]).ok_or_else(|| not_copied(consumer, shared))
    }

    /// The consumer behind a call about the subscription `name`.
    ///
    /// # Errors
    /// PERMISSION_DENIED where the caller is no consumer, or the subscription is not its own.
    pub(crate) fn subscriber(&self, caller: &Caller, name: &str) -> Result<&'static Consumer, Status> {
        let consumer = self.consumer(caller)?;
        let own = name.strip_prefix(consumer.name).and_then(|rest| rest.strip_prefix('/'));
        match own {
            Some(purpose) if !purpose.is_empty() => Ok(consumer),
            _ => {
                let wanted =
                    format!("`{name}` is not yours: it must begin with `{}/` and go on", consumer.name);
                Err(Reason::PermissionDenied.because("FOREIGN_SUBSCRIPTION", wanted))
            }
        }
    }

    /// Whether data of the type is about a person, and may have to be erased.
    pub(crate) fn is_personal(&self, name: &str) -> bool {
        self.shared(name).is_some_and(|shared| shared.personal)
    }

    fn consumer(&self, caller: &Caller) -> Result<&'static Consumer, Status> {
        let Some(name) = caller.name() else {
            let message = "a feed is for declared consumers; name yourself in `freehold-caller`";
            return Err(Reason::PermissionDenied.because("ANONYMOUS", message));
        };
        let unknown = || {
            let message =
                format!("no contract declares a consumer `{name}`; it wants a needs.proto of its own");
            Reason::PermissionDenied.because("UNKNOWN_CONSUMER", message)
        };
        self.contract.consumer(name).ok_or_else(unknown)
    }

    fn shared(&self, name: &str) -> Option<&'static SharedType> {
        self.owner.entities.iter().chain(self.owner.events).find(|shared| shared.name == name)
    }

    fn unknown(&self, field: &str, asked: &str) -> Status {
        let asked: String = asked.chars().take(200).collect();
        reason::bad_field(field, format!("`{}` shares no `{asked}`", self.owner.name))
    }
}

/// The fields of `shared` that the consumer declared for one of these purposes.
fn declared(consumer: &Consumer, shared: &SharedType, purposes: &[Purpose]) -> Option<Vec<u32>> {
    let suits =
        |need: &&freehold_wire::Entitlement| need.of == shared.name && purposes.contains(&need.purpose);
    let needs: Vec<_> = consumer.entitlements.iter().filter(suits).collect();
    if needs.is_empty() {
        return None;
    }
    let numbers = needs.iter().flat_map(|need| need.fields).copied();
    Some(
        numbers
            .filter(|number| shared.shared.contains(number))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
    )
}

fn undeclared(consumer: &Consumer, shared: &SharedType) -> Status {
    let (name, of) = (short(shared.name), shared.name);
    let line = format!("message {name}View {{ option (freehold.v1.view).of = \"{of}\"; }}");
    refuse(consumer, "read", of, &line)
}

fn not_copied(consumer: &Consumer, shared: &SharedType) -> Status {
    let (name, of) = (short(shared.name), shared.name);
    let line = format!("message {name}Copy {{ option (freehold.v1.replica).of = \"{of}\"; }}");
    refuse(consumer, "copy", of, &line)
}

fn refuse(consumer: &Consumer, verb: &str, of: &str, line: &str) -> Status {
    let (name, file) = (consumer.name, consumer.file);
    let message =
        format!("`{name}` does not declare to {verb} {of}; add to {file}, with the fields it wants: {line}");
    Reason::PermissionDenied.because("UNDECLARED", message)
}

fn short(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use freehold_wire::Entitlement;
    use tonic::Code;

    use super::*;

    static CONTRACT: Contract = Contract {
        owners: &[Owner {
            name: "catalog",
            contact: "",
            services: &[],
            methods: &[],
            entities: &[SharedType {
                name: "c.v1.Product",
                entity: "c.v1.Product",
                shared: &[1, 2, 3],
                personal: false,
            }],
            events: &[
                SharedType {
                    name: "c.v1.PriceChanged",
                    entity: "c.v1.Product",
                    shared: &[1, 2],
                    personal: false,
                },
                SharedType {
                    name: "c.v1.Discontinued",
                    entity: "c.v1.Product",
                    shared: &[1],
                    personal: false,
                },
            ],
        }],
        consumers: &[Consumer {
            name: "orders",
            file: "orders/v1/needs.proto",
            calls: &[],
            entitlements: &[
                Entitlement { of: "c.v1.PriceChanged", fields: &[1], purpose: Purpose::View },
                Entitlement { of: "c.v1.Product", fields: &[1, 2, 9], purpose: Purpose::Replica },
                Entitlement { of: "c.v1.Product", fields: &[1, 3], purpose: Purpose::View },
            ],
        }],
        descriptors: &[],
    };

    fn access() -> Access {
        Access::of(&CONTRACT, "catalog").unwrap()
    }

    fn orders() -> Caller {
        Caller::Named("orders".into())
    }

    fn subscribe(name: &str, types: &[&str]) -> Result<Grant, Status> {
        access().subscribe(&orders(), name, &types.iter().map(|&of| of.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_grant_is_what_was_declared_and_is_shared() {
        let grant = subscribe("orders/views", &["c.v1.PriceChanged", "c.v1.Product"]).unwrap();
        assert_eq!(grant.fields("c.v1.PriceChanged"), Some(&[1][..]));
        assert_eq!(grant.fields("c.v1.Product"), Some(&[1, 2, 3][..]), "9 is not shared by its owner");
        assert_eq!(grant.fields("c.v1.Discontinued"), None);
        assert!(grant.concerns("c.v1.Product", "p") && !grant.concerns("c.v1.Stock", "p"));
        assert_eq!(access().copy(&orders(), "c.v1.Product").unwrap(), vec![1, 2]);
    }

    #[test]
    fn what_is_not_declared_is_refused_with_the_missing_line() {
        let refused = subscribe("orders/views", &["c.v1.Discontinued"]).unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
        let line = "message DiscontinuedView { option (freehold.v1.view).of = \"c.v1.Discontinued\"; }";
        assert!(refused.message().ends_with(line), "{}", refused.message());
        assert!(refused.message().contains("orders/v1/needs.proto"));
    }

    #[test]
    fn a_type_that_is_not_shared_names_the_field() {
        let refused = subscribe("orders/views", &["c.v1.Product", "c.v1.Nothing"]).unwrap_err();
        assert_eq!(refused.message(), "types[1]: `catalog` shares no `c.v1.Nothing`");
        let no_entity = access().copy(&orders(), "c.v1.PriceChanged").unwrap_err();
        assert_eq!(no_entity.code(), Code::InvalidArgument);
    }

    #[test]
    fn a_subscription_belongs_to_the_caller() {
        for name in ["payments/views", "orders", "orders/", "ordersx/views", ""] {
            let refused = subscribe(name, &["c.v1.Product"]).unwrap_err();
            assert_eq!(refused.code(), Code::PermissionDenied, "{name}");
        }
        for caller in [Caller::Anonymous, Caller::Named("nobody".into())] {
            let refused = access().copy(&caller, "c.v1.Product").unwrap_err();
            assert_eq!(refused.code(), Code::PermissionDenied, "{caller}");
        }
    }
}
