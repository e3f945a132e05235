//! Which RPC a request line means, and which one it nearly means.
//!
//! In: verb and path of a request. Out: the route, the verbs that the path would go with,
//! or the template nearest to it. Routes are tried from the most literal to the least, so that "/v1/users/me" wins over
//! "/v1/users/{id}" wherever either stands.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use freehold_wire::{Contract, Rules};
use http::Method as Verb;
use prost_reflect::MethodDescriptor;

use crate::near::nearest;
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
    by_name: BTreeMap<&'static str, Arc<Route>>,
}

impl Routes {
    /// The routes of a contract.
    ///
    /// # Errors
    /// [`SchemaError`]: its descriptors or its options make no sense.
    pub(crate) fn of(contract: &'static Contract) -> Result<Self, SchemaError> {
        let schema = Schema::decode(contract.descriptors)?;
        let mut routes = Self { bound: Vec::new(), by_name: BTreeMap::new() };
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
        let fits = |route: &&Arc<Route>| route.binding.template.take(&segments).is_some();
        if let Some(route) = self.bound.iter().filter(|route| route.binding.verb == verb).find(fits) {
            return Found::Route(route);
        }
        let others = self.bound.iter().filter(fits).map(|route| route.binding.verb.to_string());
        let mut others: BTreeSet<String> = others.collect();
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
        // A slip makes of a path hardly one of another depth.
        let bound = bound.filter(|template| template.depth().abs_diff(segments.len() - 1) <= 1);
        let bound = bound.map(|template| (Cow::Owned(imitated(template, &segments)), template.text()));
        let by_name = self.by_name.keys().map(|name| (Cow::Borrowed(*name), *name));
        nearest(path, bound.chain(by_name))
    }
}

/// A template with the path's own segments where it takes any.
fn imitated(template: &Template, segments: &[&str]) -> String {
    let mut text = String::new();
    for (at, part) in template.text().split('/').enumerate() {
        if at > 0 {
            text.push('/');
        }
        let variable = part.strip_prefix('{').and_then(|part| part.split_once('}'));
        match (segments.get(at), variable) {
            (Some(segment), Some((_, ""))) => text.push_str(segment),
            (Some(segment), Some((_, verb))) => {
                text.push_str(segment.rsplit_once(':').map_or(segment, |(value, _)| value));
                text.push_str(verb);
            }
            _ => text.push_str(part),
        }
    }
    text
}

fn rpc(contract: &'static Contract, descriptor: MethodDescriptor) -> Result<Rpc, SchemaError> {
    let name = schema::name(&descriptor);
    let unknown = || SchemaError::Unknown { rpc: name.clone() };
    let owner = schema::owner(contract, descriptor.parent_service().full_name()).ok_or_else(unknown)?;
    let rules = contract.method(&format!("/{name}")).ok_or_else(unknown)?;
    Ok(Rpc { owner, rules, descriptor })
}
