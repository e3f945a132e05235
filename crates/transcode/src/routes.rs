//! Which RPC a request line means, and which one it nearly means.
//!
//! In: verb and path of a request. Out: the route, the verbs that the path would go with,
//! or the template nearest to it. Routes are tried from the most literal to the least, so that "/v1/users/me" wins over
//! "/v1/users/{id}" wherever either stands.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use freehold_wire::{Contract, Rules};
use http::Method as Verb;
use prost_reflect::MethodDescriptor;

use crate::near;
use crate::schema::{self, Binding, Schema, SchemaError};
use crate::template::Template;

/// An RPC as it is called.
#[derive(Clone)]
pub(crate) struct Rpc {
    /// Its owner in the mesh.
    pub(crate) owner: &'static str,
    pub(crate) rules: &'static Rules,
    pub(crate) descriptor: MethodDescriptor,
}

/// One way to an RPC.
pub(crate) struct Route {
    pub(crate) rpc: Rpc,
    pub(crate) binding: Binding,
}

/// What a request line means.
pub(crate) enum Found<'r> {
    /// This.
    Route(&'r Arc<Route>),
    /// The path is known, under these verbs.
    OtherVerbs(BTreeSet<String>),
    /// Nothing; perhaps this was meant.
    Nothing(Option<&'r str>),
}

/// All routes.
pub(crate) struct Routes {
    /// Those that a contract's option gives, the most literal first.
    bound: Vec<Arc<Route>>,
    /// Those that every RPC has, by "/package.Service/Method".
    by_name: HashMap<&'static str, Arc<Route>>,
}

impl Routes {
    /// The routes of a contract.
    ///
    /// # Errors
    /// [`SchemaError`]: its descriptors or its options make no sense.
    pub(crate) fn of(contract: &'static Contract) -> Result<Self, SchemaError> {
        let schema = Schema::decode(contract.descriptors)?;
        let mut routes = Self { bound: Vec::new(), by_name: HashMap::new() };
        for (_, service) in schema.services() {
            for descriptor in service.methods() {
                let rpc = rpc(contract, descriptor)?;
                routes.add(&schema, &rpc)?;
            }
        }
        routes
            .bound
            .sort_by(|left, right| left.binding.template.shape().cmp(&right.binding.template.shape()));
        Ok(routes)
    }

    /// What a request line means.
    pub(crate) fn find(&self, verb: &Verb, path: &str) -> Found<'_> {
        // What answers GET answers HEAD; the body is left out by whoever writes the answer.
        let verb = if verb == Verb::HEAD { &Verb::GET } else { verb };
        if let Some(route) = self.by_name.get(path) {
            return if verb == Verb::POST {
                Found::Route(route)
            } else {
                Found::OtherVerbs([Verb::POST.to_string()].into())
            };
        }
        let segments: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
        let mut others = BTreeSet::new();
        for route in &self.bound {
            if route.binding.template.take(&segments).is_none() {
                continue;
            }
            if route.binding.verb == verb {
                return Found::Route(route);
            }
            others.insert(route.binding.verb.to_string());
        }
        if others.is_empty() {
            return Found::Nothing(self.nearest(path));
        }
        if others.contains(Verb::GET.as_str()) {
            others.insert(Verb::HEAD.to_string());
        }
        Found::OtherVerbs(others)
    }

    fn add(&mut self, schema: &Schema, rpc: &Rpc) -> Result<(), SchemaError> {
        let mut bindings = schema.bindings(&rpc.descriptor)?.into_iter();
        if let Some(binding) = bindings.next() {
            self.by_name.insert(rpc.rules.path, Arc::new(Route { rpc: rpc.clone(), binding }));
        }
        for binding in bindings {
            let same = |known: &&Arc<Route>| {
                known.binding.verb == binding.verb
                    && known.binding.template.shape() == binding.template.shape()
            };
            if let Some(known) = self.bound.iter().find(same) {
                return Err(SchemaError::Twice {
                    route: format!("{} {}", binding.verb, binding.template.text()),
                    first: known.rpc.rules.name().to_owned(),
                    second: rpc.rules.name().to_owned(),
                });
            }
            self.bound.push(Arc::new(Route { rpc: rpc.clone(), binding }));
        }
        Ok(())
    }

    fn nearest(&self, path: &str) -> Option<&str> {
        let segments: Vec<&str> = path.split('/').collect();
        let bound = self.bound.iter().map(|route| &route.binding.template);
        let bound = bound.filter_map(|template| {
            Some((near::distance(path, &imitated(template, &segments))?, template.text()))
        });
        let by_name = self.by_name.keys().filter_map(|name| Some((near::distance(path, name)?, *name)));
        bound.chain(by_name).min().map(|(_, route)| route)
    }
}

/// A template with the path's own segments where it takes any.
fn imitated(template: &Template, segments: &[&str]) -> String {
    let text = template.text();
    let parts = text.split('/').enumerate();
    let parts = parts.map(|(at, part)| match segments.get(at) {
        Some(segment) if part.starts_with('{') && part.ends_with('}') => segment,
        _ => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

fn rpc(contract: &'static Contract, descriptor: MethodDescriptor) -> Result<Rpc, SchemaError> {
    let name = schema::name(&descriptor);
    let unknown = || SchemaError::Unknown { rpc: name.clone() };
    let owner = schema::owner(contract, descriptor.parent_service().full_name()).ok_or_else(unknown)?;
    let rules = contract.method(&format!("/{name}")).ok_or_else(unknown)?;
    Ok(Rpc { owner, rules, descriptor })
}
