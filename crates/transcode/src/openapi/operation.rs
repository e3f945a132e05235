//! One way to an RPC as an operation: its parameters, its body, its answers.

use freehold_wire::metadata::{CALLER, IDEMPOTENCY_KEY, TIMEOUT, TOKEN, TRACEPARENT};
use prost_reflect::{FieldDescriptor, MessageDescriptor, MethodDescriptor};
use serde_json::{Value, json};

use super::schemas::{Schemas, describe};
use crate::json::is_well_known;
use crate::schema::{Binding, Takes};
use crate::way::Way;

/// How deep parameters go into messages; what is deeper can be sent all the same, and is not listed.
const DEEPEST: usize = 3;
const JSON: &str = "application/json";
const LINES: &str = "application/x-ndjson";

/// Where a document has an operation.
pub(crate) struct Place {
    /// The path with its own names.
    pub(crate) path: String,
    /// The path without the names of its variables.
    pub(crate) shape: String,
}

impl Place {
    pub(crate) fn of(binding: &Binding) -> Self {
        let path = binding.template.plain();
        let shape = variables(&path)
            .into_iter()
            .fold(path.clone(), |shape, name| shape.replacen(&format!("{{{name}}}"), "{}", 1));
        Self { path, shape }
    }
}

/// The operation that stands at `path`; `number` tells several ways to one RPC apart.
pub(crate) fn operation(
    schemas: &mut Schemas,
    method: &MethodDescriptor,
    binding: &Binding,
    path: &str,
    number: usize,
) -> Value {
    let service = method.parent_service();
    let mut id = format!("{}.{}", service.full_name(), method.name());
    if number > 0 {
        id.push_str(&format!(".{}", number + 1));
    }
    let mut operation = json!({
        "operationId": id,
        "tags": [service.full_name()],
        "parameters": parameters(schemas, method, binding, path),
        "responses": responses(schemas, method, binding),
    });
    if let Some(body) = body(schemas, method, binding) {
        operation["requestBody"] = body;
    }
    let said = schemas.comments().above(&service.parent_file(), method.path());
    describe(&mut operation, [said]);
    operation
}

const KEY: &str = "Makes a write take effect once, however often it is sent; where it was sent before, the answer says \
                   `freehold-replayed: true`.";

/// What operations share: the headers of a call, and the answer that says what is wrong.
pub(crate) fn components() -> Value {
    let header = |name: &str, said: &str| json!({ "name": name, "in": "header", "description": said, "schema": { "type": "string" } });
    json!({
        "parameters": {
            "Caller": header(CALLER, "Who calls: the name that a contract declares. Access is decided for it."),
            "Key": header(IDEMPOTENCY_KEY, KEY),
            "Timeout": header(TIMEOUT, "How long the call may take, as gRPC writes it: `500m`, `2S`."),
            "Session": header(TOKEN, "What the call must be able to see: what an earlier answer brought, base64."),
            "Trace": header(TRACEPARENT, "W3C Trace Context."),
        },
        "responses": {
            "Error": {
                "description": "What is wrong. `BadRequest` among the details names the fields.",
                "content": { JSON: { "schema": { "$ref": "#/components/schemas/Error" } } },
            },
        },
        "schemas": { "Error": error() },
    })
}

fn error() -> Value {
    let error = json!({
        "type": "object",
        "properties": {
            "code": { "type": "integer", "description": "The HTTP status." },
            "status": { "type": "string", "description": "The gRPC code: NOT_FOUND." },
            "message": { "type": "string", "description": "For people." },
            "details": {
                "type": "array",
                "description": "Of google.rpc: ErrorInfo, with a reason to match on, and others by their `@type`.",
                "items": {
                    "type": "object", "properties": { "@type": { "type": "string" } }, "required": ["@type"],
                },
            },
        },
        "required": ["code", "status", "message", "details"],
    });
    json!({ "type": "object", "properties": { "error": error }, "required": ["error"] })
}

fn parameters(schemas: &mut Schemas, method: &MethodDescriptor, binding: &Binding, path: &str) -> Vec<Value> {
    let mut parameters = Vec::new();
    for ((name, variable), template) in
        variables(path).into_iter().zip(&binding.variables).zip(binding.template.variables())
    {
        let mut schema = schemas.field(variable.field());
        let mut parameter = json!({ "name": name, "in": "path", "required": true });
        let said = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        let said = said.and_then(|said| said.as_str().map(str::to_owned)).unwrap_or_default();
        let many = if template.many { format!("As in {}.", binding.template.text()) } else { String::new() };
        parameter["schema"] = schema;
        describe(&mut parameter, [said, many]);
        parameters.push(parameter);
    }
    if binding.body != Takes::Message {
        let mut query = Query { schemas, binding, found: Vec::new() };
        query.fields(&method.input(), &[]);
        parameters.extend(query.found);
    }
    let writes = idempotency(method) != Some(1);
    let shared = ["Caller", "Session", "Timeout", "Trace"].into_iter().chain(writes.then_some("Key"));
    parameters.extend(shared.map(|name| json!({ "$ref": format!("#/components/parameters/{name}") })));
    parameters
}

/// The standard option: 1 for a method without side effects.
fn idempotency(method: &MethodDescriptor) -> Option<i32> {
    method.options().get_field_by_name("idempotency_level").and_then(|level| level.as_enum_number())
}

/// The fields that a query string may say.
struct Query<'a> {
    schemas: &'a mut Schemas,
    binding: &'a Binding,
    found: Vec<Value>,
}

impl Query<'_> {
    fn fields(&mut self, message: &MessageDescriptor, outer: &[FieldDescriptor]) {
        for field in message.fields() {
            let way: Vec<FieldDescriptor> = outer.iter().cloned().chain([field.clone()]).collect();
            let path = way.iter().map(|field| field.json_name().to_owned()).collect::<Vec<_>>().join(".");
            if field.is_map() || self.is_taken(&way) {
                continue;
            }
            match field.kind().as_message().filter(|inner| !is_well_known(inner)) {
                Some(inner) if !field.is_list() && way.len() < DEEPEST => self.fields(inner, &way),
                Some(_) => {}
                None => self.add(&field, &path, outer.is_empty()),
            }
        }
    }

    fn is_taken(&self, way: &[FieldDescriptor]) -> bool {
        let numbers: Vec<u32> = way.iter().map(FieldDescriptor::number).collect();
        let of_body = matches!(&self.binding.body, Takes::Field(field) if way.first() == Some(field));
        of_body || self.binding.variables.iter().map(Way::numbers).any(|variable| variable == numbers)
    }

    fn add(&mut self, field: &FieldDescriptor, path: &str, outermost: bool) {
        let mut schema = self.schemas.field(field);
        let said = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        let said = said.and_then(|said| said.as_str().map(str::to_owned)).unwrap_or_default();
        let required = outermost && self.schemas.limits(field).required;
        let mut parameter = json!({ "name": path, "in": "query", "required": required, "schema": schema });
        describe(&mut parameter, [said]);
        self.found.push(parameter);
    }
}

fn body(schemas: &mut Schemas, method: &MethodDescriptor, binding: &Binding) -> Option<Value> {
    let schema = match &binding.body {
        Takes::Nothing => return None,
        Takes::Field(field) => schemas.field(field),
        Takes::Message => {
            let of_path: Vec<_> = binding.variables.iter().map(|way| way.first().clone()).collect();
            let whole = of_path.is_empty() || binding.variables.iter().any(|way| way.numbers().len() > 1);
            if whole { schemas.message(&method.input()) } else { schemas.object(&method.input(), &of_path) }
        }
    };
    let mut body = json!({ "content": { JSON: { "schema": schema.clone() } } });
    if method.is_client_streaming() {
        body = json!({ "content": { LINES: { "schema": schema } } });
        describe(&mut body, ["A stream: a message per line.".to_owned()]);
    }
    Some(body)
}

fn responses(schemas: &mut Schemas, method: &MethodDescriptor, binding: &Binding) -> Value {
    let schema = match &binding.answer {
        Some(field) => schemas.field(field),
        None => schemas.message(&method.output()),
    };
    let (kind, said) = if method.is_server_streaming() {
        (LINES, "A stream: a message per line, as it comes; a last line `{\"error\": ..}` where it fails.")
    } else {
        (JSON, "The reply.")
    };
    json!({
        "200": { "description": said, "content": { kind: { "schema": schema } } },
        "default": { "$ref": "#/components/responses/Error" },
    })
}

/// The names between the braces of a path.
fn variables(path: &str) -> Vec<&str> {
    path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect()
}
