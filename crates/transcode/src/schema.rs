//! What the descriptors say of HTTP: every RPC of the mesh's owners, and every way in which it is bound to HTTP.
//!
//! In: an encoded descriptor set with `google.api.http` options. Out: RPCs and bindings whose fields exist. Whatever is
//! wrong with an option is found here, when a gateway starts or a document is written, and never by a request.
//! **Invariant:** what holds a descriptor has no `Debug`: that of a message that holds itself never ends.

use freehold_wire::Contract;
use http::Method as Verb;
use prost_reflect::{
    DescriptorError, DescriptorPool, DynamicMessage, ExtensionDescriptor, FieldDescriptor, MessageDescriptor,
    MethodDescriptor, ServiceDescriptor,
};

use crate::json::is_well_known;
use crate::template::Template;
use crate::way::Way;

/// Why contracts cannot be served over HTTP.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// The descriptors are damaged.
    #[error("failed to read the descriptors of the contracts")]
    Descriptors(#[source] DescriptorError),
    /// The contract has no such RPC in its descriptors, or the other way round.
    #[error("failed to find {rpc} in the contract that its descriptors come with")]
    Unknown {
        /// "package.Service/Method".
        rpc: String,
    },
    /// An option that makes no sense.
    #[error("failed to bind {rpc} to HTTP: `{said}`: {problem}")]
    Binding {
        /// "package.Service/Method".
        rpc: String,
        /// What the option says.
        said: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Two RPCs under one route.
    #[error("failed to bind {second} to HTTP: `{route}` is the route of {first}")]
    Twice {
        /// The route: "GET /v1/users/{id}".
        route: String,
        /// The RPC that has it.
        first: String,
        /// The RPC that wants it too.
        second: String,
    },
}

/// The descriptors, with the options that matter here.
pub(crate) struct Schema {
    pool: DescriptorPool,
    http: Option<ExtensionDescriptor>,
    owner: Option<ExtensionDescriptor>,
}

/// A way to reach an RPC.
#[derive(Clone)]
pub(crate) struct Binding {
    pub(crate) verb: Verb,
    pub(crate) template: Template,
    /// The fields that the variables of the template set.
    pub(crate) variables: Vec<Way>,
    pub(crate) body: Takes,
    /// The field of the reply that is the body of the answer; none for all of it.
    pub(crate) answer: Option<FieldDescriptor>,
}

/// What the body of a request is.
#[derive(Clone, PartialEq)]
pub(crate) enum Takes {
    /// There is none.
    Nothing,
    /// The request, but for what is in the path.
    Message,
    /// One field of it.
    Field(FieldDescriptor),
}

impl Schema {
    /// Reads an encoded descriptor set.
    ///
    /// # Errors
    /// [`SchemaError::Descriptors`] for bytes that are none.
    pub(crate) fn decode(descriptors: &[u8]) -> Result<Self, SchemaError> {
        let pool = DescriptorPool::decode(descriptors).map_err(SchemaError::Descriptors)?;
        let http = pool.get_extension_by_name("google.api.http");
        let owner = pool.get_extension_by_name("freehold.v1.owner");
        Ok(Self { pool, http, owner })
    }

    /// The descriptors.
    pub(crate) fn pool(&self) -> &DescriptorPool {
        &self.pool
    }

    /// The services that have an owner, each with its name, in the order of their files.
    pub(crate) fn services(&self) -> Vec<(String, ServiceDescriptor)> {
        let owned = |service: ServiceDescriptor| Some((self.owner_of(&service)?, service));
        self.pool.services().filter_map(owned).collect()
    }

    /// How the method is bound: by its own name first, then as its option says.
    ///
    /// # Errors
    /// [`SchemaError::Binding`] for an option that makes no sense.
    pub(crate) fn bindings(&self, method: &MethodDescriptor) -> Result<Vec<Binding>, SchemaError> {
        let mut bindings = vec![by_name(method)?];
        let options = method.options();
        let Some(http) = self.http.as_ref().filter(|http| options.has_extension(http)) else {
            return Ok(bindings);
        };
        let option = options.get_extension(http);
        let Some(rule) = option.as_message() else { return Ok(bindings) };
        bindings.push(binding(method, rule)?);
        let further = rule.get_field_by_name("additional_bindings");
        for rule in further.iter().filter_map(|rules| rules.as_list()).flatten() {
            if let Some(rule) = rule.as_message() {
                bindings.push(binding(method, rule)?);
            }
        }
        Ok(bindings)
    }

    fn owner_of(&self, service: &ServiceDescriptor) -> Option<String> {
        let options = service.parent_file().options();
        let name = options.get_extension(self.owner.as_ref()?).as_str()?.to_owned();
        (!name.is_empty()).then_some(name)
    }
}

/// "package.Service/Method".
pub(crate) fn name(method: &MethodDescriptor) -> String {
    format!("{}/{}", method.parent_service().full_name(), method.name())
}

/// The name of the owner that a contract gives a service to.
pub(crate) fn owner(contract: &'static Contract, service: &str) -> Option<&'static str> {
    contract.owners.iter().find(|owner| owner.services.contains(&service)).map(|owner| owner.name)
}

fn by_name(method: &MethodDescriptor) -> Result<Binding, SchemaError> {
    let path = format!("/{}", name(method));
    let template = Template::parse(&path).map_err(|problem| wrong(method, &path, problem))?;
    let (variables, body) = (Vec::new(), Takes::Message);
    Ok(Binding { verb: Verb::POST, template, variables, body, answer: None })
}

fn binding(method: &MethodDescriptor, rule: &DynamicMessage) -> Result<Binding, SchemaError> {
    let (verb, path) = pattern(method, rule)?;
    let template = Template::parse(&path).map_err(|problem| wrong(method, &path, problem))?;
    let variables: Result<Vec<_>, _> =
        template.variables().iter().map(|variable| variable_field(method, &variable.path)).collect();
    let variables = variables.map_err(|problem| wrong(method, &path, problem))?;
    let (input, output) = (method.input(), method.output());
    let body = match text(rule, "body").as_str() {
        "" => Takes::Nothing,
        "*" => Takes::Message,
        name => Takes::Field(field(method, &input, name)?),
    };
    if method.is_client_streaming() && body != Takes::Message {
        return Err(wrong(method, &path, "a stream of requests is the whole body: it wants `body: \"*\"`"));
    }
    let answer = match text(rule, "response_body").as_str() {
        "" => None,
        name => Some(field(method, &output, name)?),
    };
    Ok(Binding { verb, template, variables, body, answer })
}

fn pattern(method: &MethodDescriptor, rule: &DynamicMessage) -> Result<(Verb, String), SchemaError> {
    for (name, verb) in [
        ("get", Verb::GET),
        ("put", Verb::PUT),
        ("post", Verb::POST),
        ("delete", Verb::DELETE),
        ("patch", Verb::PATCH),
    ] {
        if rule.has_field_by_name(name) {
            return Ok((verb, text(rule, name)));
        }
    }
    let custom = rule.get_field_by_name("custom");
    let Some(custom) = custom.as_ref().filter(|_| rule.has_field_by_name("custom")) else {
        return Err(wrong(method, "google.api.http", "it has no pattern"));
    };
    let (kind, path) =
        custom.as_message().map(|custom| (text(custom, "kind"), text(custom, "path"))).unwrap_or_default();
    match Verb::from_bytes(kind.as_bytes()) {
        Ok(verb) => Ok((verb, path)),
        Err(_) => Err(wrong(method, &kind, "no HTTP method has this name")),
    }
}

/// What a variable sets: a single value that is no message, unless that message is written as one text.
fn variable_field(method: &MethodDescriptor, path: &str) -> Result<Way, String> {
    let way = Way::of(&method.input(), path)?;
    let field = way.field();
    if field.is_list() || field.is_map() {
        return Err(format!("{path} is not a single value"));
    }
    if field.kind().as_message().is_some_and(|message| !is_well_known(message)) {
        return Err(format!("{path} is a message"));
    }
    Ok(way)
}

fn field(
    method: &MethodDescriptor,
    message: &MessageDescriptor,
    name: &str,
) -> Result<FieldDescriptor, SchemaError> {
    let missing = || wrong(method, name, format!("{} has no such field", message.full_name()));
    message.get_field_by_name(name).ok_or_else(missing)
}

fn text(message: &DynamicMessage, field: &str) -> String {
    let value = message.get_field_by_name(field);
    value.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn wrong(method: &MethodDescriptor, said: &str, problem: impl Into<String>) -> SchemaError {
    SchemaError::Binding { rpc: name(method), said: said.to_owned(), problem: problem.into() }
}
