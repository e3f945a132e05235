//! Which method is meant: a full name, or as much of it as tells it from all others.
//!
//! "catalog.v1.CatalogService/GetProduct", "CatalogService/GetProduct", "Catalog/GetProduct" and "GetProduct" all name the
//! same one while nothing else is called so; a dot may stand where the slash does. Pure: descriptors in, a method or an
//! error that names what there is out.

use std::collections::BTreeSet;

use freehold_contract::Model;
use freehold_contract::model::{Effect, Method};
use freehold_wire::{Access, Criticality, Retry, Rules};
use prost_reflect::MessageDescriptor;

/// How many names an error lists.
const LISTED: usize = 8;

/// A method that can be called.
#[derive(Debug)]
pub(crate) struct Target {
    /// What the contract says of it.
    pub(crate) method: Method,
    /// The service that owns it; none for a method of the language itself, or of a foreign server.
    pub(crate) owner: Option<String>,
    pub(crate) request: MessageDescriptor,
    pub(crate) reply: MessageDescriptor,
}

/// Why no method is meant.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TargetError {
    #[error("there is no method `{wanted}`{}", meant(.nearest.as_deref()))]
    Unknown { wanted: String, nearest: Option<String> },
    #[error("`{wanted}` may be {}", .candidates.join(" or "))]
    Ambiguous { wanted: String, candidates: Vec<String> },
    #[error("`{0}` has a message that its descriptors do not describe")]
    Undescribed(String),
}

fn meant(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

/// Finds the method that `wanted` names.
pub(crate) fn find(model: &Model, wanted: &str) -> Result<Target, TargetError> {
    let packages: BTreeSet<String> =
        model.pool.services().map(|service| service.package_name().to_owned()).collect();
    let services = packages.iter().flat_map(|package| freehold_contract::services(&model.pool, package));
    let methods: Vec<Method> = services.flat_map(|service| service.methods).collect();
    let spelled = spelled(wanted);
    let found: Vec<&Method> =
        methods.iter().filter(|method| names(&method.full_name).contains(&spelled)).collect();
    match found[..] {
        [method] => target(model, method),
        [] => {
            let known: Vec<String> = methods.iter().flat_map(|method| names(&method.full_name)).collect();
            let nearest = freehold_contract::nearest(&spelled, known.iter().map(String::as_str));
            Err(TargetError::Unknown { wanted: wanted.to_owned(), nearest: nearest.map(str::to_owned) })
        }
        _ => {
            let candidates = found.iter().take(LISTED).map(|method| method.full_name.clone()).collect();
            Err(TargetError::Ambiguous { wanted: wanted.to_owned(), candidates })
        }
    }
}

/// A name with a slash before the method: "/a.B/C" and "a.B.C" are other tools' ways to write it.
fn spelled(wanted: &str) -> String {
    let wanted = wanted.trim_start_matches('/');
    match wanted.rsplit_once('.') {
        Some((service, method)) if !wanted.contains('/') => format!("{service}/{method}"),
        _ => wanted.to_owned(),
    }
}

/// All ways to name a method, the longest first.
fn names(full: &str) -> Vec<String> {
    let mut names = vec![full.to_owned()];
    let (service, method) = full.split_once('/').unwrap_or_default();
    let short = service.rsplit('.').next().unwrap_or(service);
    names.push(format!("{short}/{method}"));
    if let Some(name) = short.strip_suffix("Service").filter(|name| !name.is_empty()) {
        names.push(format!("{name}/{method}"));
    }
    names.push(method.to_owned());
    names
}

fn target(model: &Model, method: &Method) -> Result<Target, TargetError> {
    let message = |name: &str| {
        model.pool.get_message_by_name(name).ok_or_else(|| TargetError::Undescribed(method.full_name.clone()))
    };
    let owns = |owner: &&freehold_contract::model::Owner| {
        let methods = owner.services.iter().flat_map(|service| &service.methods);
        methods.into_iter().any(|owned| owned.full_name == method.full_name)
    };
    Ok(Target {
        owner: model.owners.iter().find(owns).map(|owner| owner.name.clone()),
        request: message(&method.request)?,
        reply: message(&method.reply)?,
        method: method.clone(),
    })
}

impl Target {
    /// The rules that the channel calls it by. Rules live as long as the program, which is one call.
    pub(crate) fn rules(&self) -> Rules {
        let contract = &self.method.rules;
        Rules {
            path: Box::leak(format!("/{}", self.method.full_name).into_boxed_str()),
            deadline: contract.deadline,
            min_deadline: contract.min_deadline,
            retry: match self.method.effect {
                Effect::Read => Retry::Safe,
                Effect::Idempotent => Retry::Idempotent,
                Effect::Keyed => Retry::Keyed,
                Effect::AtMostOnce | Effect::Undeclared => Retry::Never,
            },
            access: if contract.public { Access::Public } else { Access::Declared },
            // One call, and the next one is another process.
            cache: None,
            criticality: match contract.criticality {
                1 => Criticality::Sheddable,
                3 => Criticality::Critical,
                _ => Criticality::Default,
            },
            streams: self.method.client_streaming || self.method.server_streaming,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contracts;

    fn found(wanted: &str) -> Result<String, TargetError> {
        find(&contracts::embedded().ok().unwrap(), wanted).map(|target| target.method.full_name)
    }

    #[test]
    fn a_method_is_found_by_any_part_of_its_name_that_is_its_own() {
        for wanted in [
            "catalog.v1.CatalogService/GetProduct",
            "/catalog.v1.CatalogService/GetProduct",
            "catalog.v1.CatalogService.GetProduct",
            "CatalogService/GetProduct",
            "CatalogService.GetProduct",
            "Catalog/GetProduct",
            "GetProduct",
        ] {
            assert_eq!(found(wanted).as_deref(), Ok("catalog.v1.CatalogService/GetProduct"), "{wanted}");
        }
    }

    #[test]
    fn a_typo_is_answered_with_what_was_meant() {
        for (wanted, nearest) in [
            ("CatalogService/GetProdct", "CatalogService/GetProduct"),
            ("catalog.v1.CatalogServce/GetProduct", "catalog.v1.CatalogService/GetProduct"),
            ("catalog/getproduct", "Catalog/GetProduct"),
            ("PlaceOrdr", "PlaceOrder"),
        ] {
            let said = found(wanted).unwrap_err().to_string();
            assert_eq!(said, format!("there is no method `{wanted}`; did you mean `{nearest}`?"));
        }
        assert_eq!(found("Teleport").unwrap_err().to_string(), "there is no method `Teleport`");
        assert_eq!(found("").unwrap_err().to_string(), "there is no method ``");
    }

    #[test]
    fn a_name_that_several_have_is_answered_with_all_of_them() {
        let sources: freehold_contract::Sources = ["a", "b"]
            .map(|package| {
                let text = format!(
                    "syntax = \"proto3\"; package {package}; message M {{}} service S {{ rpc Get(M) returns (M); }}"
                );
                (format!("{package}.proto"), text)
            })
            .into_iter()
            .collect();
        let model = freehold_contract::load(&sources).unwrap();
        assert_eq!(find(&model, "S/Get").unwrap_err().to_string(), "`S/Get` may be a.S/Get or b.S/Get");
        assert_eq!(find(&model, "b.S/Get").unwrap().method.full_name, "b.S/Get");
    }

    #[test]
    fn what_the_contract_says_of_a_method_is_how_it_is_called() {
        let model = contracts::embedded().ok().unwrap();
        for owner in freehold_sdk::CONTRACT.owners {
            for rules in owner.methods {
                let target = find(&model, rules.path).unwrap();
                let asked = freehold_sdk::wire::Rules { cache: None, ..*rules };
                assert_eq!((target.rules(), target.owner.as_deref()), (asked, Some(owner.name)));
            }
        }
        assert_eq!(find(&model, "Directory/List").unwrap().owner, None);
    }
}
