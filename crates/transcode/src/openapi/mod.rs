//! The OpenAPI document of a mesh: what the transcoder answers, for people and for tools that speak no gRPC.
//!
//! In: an encoded descriptor set with source info. Out: an OpenAPI 3.1 document whose operations are the RPCs of all
//! owners, whose schemas are their messages within the contract's limits, and whose descriptions are the contract's
//! comments. An RPC that no option binds is shown as `POST /package.Service/Method`, which all of them answer.

mod comments;
mod limits;
mod operation;
mod schemas;

use std::collections::BTreeMap;

use prost_reflect::{MethodDescriptor, ServiceDescriptor};
use serde_json::{Map, Value, json};

use self::operation::Place;
use self::schemas::{Schemas, describe};
use crate::schema::{Binding, Schema, SchemaError};

/// What of HTTP an operation can be; a document has no word for another verb.
const VERBS: [&str; 5] = ["GET", "PUT", "POST", "DELETE", "PATCH"];

/// The OpenAPI 3.1 document of the contracts in an encoded descriptor set, under a title and a version.
///
/// # Errors
/// [`SchemaError`]: the descriptors are damaged, or an HTTP option in them makes no sense.
pub fn document(descriptors: &[u8], title: &str, version: &str) -> Result<Value, SchemaError> {
    let schema = Schema::decode(descriptors)?;
    let mut document = Document { schemas: Schemas::new(&schema), paths: Map::new(), named: BTreeMap::new() };
    let mut tags = Vec::new();
    for (owner, service) in schema.services() {
        tags.push(document.tag(&owner, &service));
        for method in service.methods() {
            document.method(&method, schema.bindings(&method)?);
        }
    }
    let mut components = operation::components();
    for (name, made) in document.schemas.into_made() {
        components["schemas"][name] = made;
    }
    Ok(json!({
        "openapi": "3.1.0",
        "info": { "title": title, "version": version, "description": ABOUT },
        "tags": tags,
        "paths": document.paths,
        "components": components,
    }))
}

const ABOUT: &str = "Every operation also answers `POST /package.Service/Method` with its request as the body. \
    Bodies are Protobuf's JSON; a field that has its default is left out of answers. \
    A body has at most 4 MiB.";

struct Document {
    schemas: Schemas,
    paths: Map<String, Value>,
    /// Paths that differ by the names of their variables alone are one path of a document: the first names stay.
    named: BTreeMap<String, String>,
}

impl Document {
    fn tag(&self, owner: &str, service: &ServiceDescriptor) -> Value {
        let mut tag = json!({ "name": service.full_name() });
        let said = self.schemas.comments().above(&service.parent_file(), service.path());
        describe(&mut tag, [said, format!("Owner: {owner}.")]);
        tag
    }

    /// Adds the operations of a method: as its option says, or else by its name.
    fn method(&mut self, method: &MethodDescriptor, bindings: Vec<Binding>) {
        if method.is_client_streaming() && method.is_server_streaming() {
            return;
        }
        let mut bindings = bindings.into_iter();
        let by_name = bindings.next();
        let mut shown = 0;
        for binding in bindings {
            if VERBS.contains(&binding.verb.as_str()) && self.operation(method, &binding, shown) {
                shown += 1;
            }
        }
        if let Some(binding) = by_name.filter(|_| shown == 0) {
            self.operation(method, &binding, 0);
        }
    }

    /// Adds an operation; false where its place is taken, which happens to templates that differ in ways that a document
    /// does not show.
    fn operation(&mut self, method: &MethodDescriptor, binding: &Binding, number: usize) -> bool {
        let place = Place::of(binding);
        let path = self.named.entry(place.shape.clone()).or_insert_with(|| place.path.clone()).clone();
        let verb = binding.verb.as_str().to_lowercase();
        let operations = self.paths.entry(path.clone()).or_insert_with(|| json!({}));
        if operations.get(&verb).is_some() {
            return false;
        }
        operations[&verb] = operation::operation(&mut self.schemas, method, binding, &path, number);
        true
    }
}
