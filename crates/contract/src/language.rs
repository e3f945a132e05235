//! The custom options of the contract language, read from descriptors.
//!
//! Options are found by their full name, so that any descriptor set that holds `freehold/v1/contract.proto` can be read,
//! whichever program wrote it. **Invariant:** an option of another type than ours reads as if it were not there.

use std::time::Duration;

use prost_reflect::{
    DynamicMessage, FieldDescriptor, FileDescriptor, MessageDescriptor, MethodDescriptor, ReflectMessage,
    Value,
};

use crate::model::WhenStale;

/// The numbers of the options, as paths of source info have them; the tests hold them against the language.
pub(crate) mod number {
    pub(crate) const OWNER: i32 = 50700;
    pub(crate) const CONSUMER: i32 = 50702;
    pub(crate) const CALLS: i32 = 50703;
    pub(crate) const STEPS: i32 = 50704;
    pub(crate) const ENTITY: i32 = 50710;
    pub(crate) const EVENT: i32 = 50711;
    pub(crate) const REPLICA: i32 = 50712;
    pub(crate) const VIEW: i32 = 50713;
    pub(crate) const FIELD: i32 = 50720;
    pub(crate) const CALL: i32 = 50730;
    /// `google.api.http`.
    pub(crate) const HTTP: i32 = 72295728;
}

/// What `(freehold.v1.field)` says of a field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldRules {
    /// Must be present.
    pub required: bool,
    /// The least value of a number.
    pub min: Option<i64>,
    /// The greatest value of a number.
    pub max: Option<i64>,
    /// The most characters of a string, or bytes of a bytes field.
    pub max_length: Option<u32>,
    /// The most items of a repeated field or a map.
    pub max_items: Option<u32>,
    /// Never leaves the owner.
    pub private: bool,
    /// About a person.
    pub personal: bool,
}

/// The rules of a field; the default where it has none.
#[must_use]
pub fn field_rules(field: &FieldDescriptor) -> FieldRules {
    let Some(rules) = member(&field.options(), "freehold.v1.field") else { return FieldRules::default() };
    FieldRules {
        required: flag(&rules, "required"),
        min: value(&rules, "min").and_then(|min| min.as_i64()),
        max: value(&rules, "max").and_then(|max| max.as_i64()),
        max_length: value(&rules, "max_length").and_then(|length| length.as_u32()),
        max_items: value(&rules, "max_items").and_then(|items| items.as_u32()),
        private: flag(&rules, "private"),
        personal: flag(&rules, "personal"),
    }
}

/// What a file says of its package.
#[derive(Debug, Default)]
pub(crate) struct FileWords {
    pub(crate) owner: Option<String>,
    pub(crate) contact: String,
    pub(crate) consumer: Option<String>,
    pub(crate) calls: Vec<CallWords>,
    pub(crate) steps: Vec<String>,
}

/// A declared call.
#[derive(Debug)]
pub(crate) struct CallWords {
    pub(crate) method: String,
    pub(crate) from: String,
}

/// The options of a file.
pub(crate) fn file(file: &FileDescriptor) -> FileWords {
    let options = file.options();
    let call = |value: &Value| {
        let call = value.as_message()?;
        Some(CallWords { method: text(call, "method"), from: text(call, "from") })
    };
    FileWords {
        owner: extension(&options, "freehold.v1.owner").and_then(string),
        contact: extension(&options, "freehold.v1.contact").and_then(string).unwrap_or_default(),
        consumer: extension(&options, "freehold.v1.consumer").and_then(string),
        calls: list(&options, "freehold.v1.calls").iter().filter_map(call).collect(),
        steps: list(&options, "freehold.v1.steps").into_iter().filter_map(string).collect(),
    }
}

/// What makes a message an entity: its key field.
pub(crate) fn entity_key(message: &MessageDescriptor) -> Option<String> {
    member(&message.options(), "freehold.v1.entity").map(|entity| text(&entity, "key"))
}

/// What makes a message an event.
#[derive(Debug)]
pub(crate) struct EventWords {
    pub(crate) of: String,
    pub(crate) key: String,
}

/// The event option of a message.
pub(crate) fn event(message: &MessageDescriptor) -> Option<EventWords> {
    let event = member(&message.options(), "freehold.v1.event")?;
    Some(EventWords { of: full_name(&event, "of"), key: text(&event, "key") })
}

/// What makes a message a replica.
#[derive(Debug)]
pub(crate) struct ReplicaWords {
    pub(crate) of: String,
    pub(crate) max_staleness: Option<Nanos>,
    pub(crate) when_stale: WhenStale,
}

/// The replica option of a message.
pub(crate) fn replica(message: &MessageDescriptor) -> Option<ReplicaWords> {
    let replica = member(&message.options(), "freehold.v1.replica")?;
    let when_stale = match choice(&replica, "when_stale") {
        2 => WhenStale::ServeStale,
        3 => WhenStale::Fail,
        _ => WhenStale::AskOwner,
    };
    Some(ReplicaWords {
        of: full_name(&replica, "of"),
        max_staleness: nanos(&replica, "max_staleness"),
        when_stale,
    })
}

/// What makes a message a view.
#[derive(Debug)]
pub(crate) struct ViewWords {
    pub(crate) of: String,
    pub(crate) upcast: bool,
}

/// The view option of a message.
pub(crate) fn view(message: &MessageDescriptor) -> Option<ViewWords> {
    let view = member(&message.options(), "freehold.v1.view")?;
    Some(ViewWords { of: full_name(&view, "of"), upcast: flag(&view, "upcast") })
}

/// What a method says of its calls.
#[derive(Debug, Default)]
pub(crate) struct MethodWords {
    pub(crate) read: bool,
    pub(crate) idempotent: bool,
    pub(crate) keyed: bool,
    pub(crate) at_most_once: bool,
    pub(crate) public: bool,
    pub(crate) deadline: Option<Nanos>,
    pub(crate) min_deadline: Option<Nanos>,
    pub(crate) cache: Option<CacheWords>,
    pub(crate) undo: Option<String>,
    pub(crate) criticality: i32,
}

/// What a method says of its client's cache.
#[derive(Debug)]
pub(crate) struct CacheWords {
    pub(crate) ttl: Option<Nanos>,
    pub(crate) entity: String,
}

/// The options of a method, the standard `idempotency_level` included.
pub(crate) fn method(method: &MethodDescriptor) -> MethodWords {
    let options = method.options();
    let level = choice(&options, "idempotency_level");
    let mut words = MethodWords { read: level == 1, idempotent: level == 2, ..MethodWords::default() };
    let Some(call) = member(&options, "freehold.v1.call") else { return words };
    words.keyed = flag(&call, "keyed");
    words.at_most_once = flag(&call, "at_most_once");
    words.public = choice(&call, "access") == 2;
    words.deadline = nanos(&call, "deadline");
    words.min_deadline = nanos(&call, "min_deadline");
    words.cache = message_of(&call, "cache")
        .map(|cache| CacheWords { ttl: nanos(&cache, "ttl"), entity: full_name(&cache, "entity") });
    words.undo = Some(text(&call, "undo")).filter(|undo| !undo.is_empty());
    words.criticality = choice(&call, "criticality");
    words
}

/// A way to reach a method by HTTP.
#[derive(Debug)]
pub(crate) struct Binding {
    /// "GET".
    pub(crate) verb: String,
    /// The template, as it is written: "/v1/products/{id}".
    pub(crate) path: String,
    /// The field of the request that is the body, `*` for the rest of them.
    pub(crate) body: String,
    /// The field of the reply that is the body; empty for all of it.
    pub(crate) response_body: String,
}

/// The HTTP bindings of a method, as they are written.
pub(crate) fn bindings(method: &MethodDescriptor) -> Vec<Binding> {
    let Some(rule) = member(&method.options(), "google.api.http") else { return Vec::new() };
    let more = match value(&rule, "additional_bindings") {
        Some(Value::List(bindings)) => bindings,
        _ => Vec::new(),
    };
    let more = more.iter().filter_map(Value::as_message);
    std::iter::once(&rule).chain(more).filter_map(binding).collect()
}

/// Whether one of the method's HTTP bindings is a GET.
pub(crate) fn has_http_get(method: &MethodDescriptor) -> bool {
    bindings(method).iter().any(|binding| binding.verb == "GET")
}

fn binding(rule: &DynamicMessage) -> Option<Binding> {
    let verbs = ["get", "put", "post", "delete", "patch"];
    let plain = verbs.iter().map(|verb| (verb.to_uppercase(), text(rule, verb)));
    let custom = message_of(rule, "custom").map(|custom| (text(&custom, "kind"), text(&custom, "path")));
    let (verb, path) = plain.chain(custom).find(|(_, path)| !path.is_empty())?;
    Some(Binding { verb, path, body: text(rule, "body"), response_body: text(rule, "response_body") })
}

/// A duration as it is written, which may be negative.
pub(crate) type Nanos = i128;

/// A written duration as a span of time; `None` for zero and below, and for more than there is.
pub(crate) fn span(nanos: Nanos) -> Option<Duration> {
    u64::try_from(nanos).ok().filter(|nanos| *nanos > 0).map(Duration::from_nanos)
}

fn extension(options: &DynamicMessage, name: &str) -> Option<Value> {
    let extension = options.descriptor().parent_pool().get_extension_by_name(name)?;
    let ours = extension.containing_message() == options.descriptor() && options.has_extension(&extension);
    ours.then(|| options.get_extension(&extension).into_owned())
}

fn member(options: &DynamicMessage, name: &str) -> Option<DynamicMessage> {
    match extension(options, name)? {
        Value::Message(message) => Some(message),
        _ => None,
    }
}

fn list(options: &DynamicMessage, name: &str) -> Vec<Value> {
    match extension(options, name) {
        Some(Value::List(values)) => values,
        _ => Vec::new(),
    }
}

fn string(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn value(message: &DynamicMessage, name: &str) -> Option<Value> {
    let field = message.descriptor().get_field_by_name(name)?;
    message.has_field(&field).then(|| message.get_field(&field).into_owned())
}

fn text(message: &DynamicMessage, name: &str) -> String {
    value(message, name).and_then(string).unwrap_or_default()
}

/// A full name is the same with and without the dot that Protobuf allows before it.
fn full_name(message: &DynamicMessage, name: &str) -> String {
    text(message, name).trim_start_matches('.').to_owned()
}

fn flag(message: &DynamicMessage, name: &str) -> bool {
    value(message, name).and_then(|value| value.as_bool()).unwrap_or_default()
}

fn choice(message: &DynamicMessage, name: &str) -> i32 {
    value(message, name).and_then(|value| value.as_enum_number()).unwrap_or_default()
}

fn message_of(message: &DynamicMessage, name: &str) -> Option<DynamicMessage> {
    match value(message, name)? {
        Value::Message(inner) => Some(inner),
        _ => None,
    }
}

fn nanos(message: &DynamicMessage, name: &str) -> Option<Nanos> {
    let duration = message_of(message, name)?;
    let seconds = value(&duration, "seconds").and_then(|value| value.as_i64()).unwrap_or_default();
    let nanos = value(&duration, "nanos").and_then(|value| value.as_i32()).unwrap_or_default();
    Some(Nanos::from(seconds) * 1_000_000_000 + Nanos::from(nanos))
}
