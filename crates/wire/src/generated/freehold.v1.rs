//! The messages of `freehold.v1`.

/// An event on its way: the attributes of CloudEvents 1.0, and what the mesh adds to them.
#[non_exhaustive]
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Envelope {
    /// CloudEvents `id`: unique per source for ever.
    #[prost(string, tag = "1")]
    pub id: ::prost::alloc::string::String,
    /// CloudEvents `source`: the owner.
    #[prost(string, tag = "2")]
    pub source: ::prost::alloc::string::String,
    /// CloudEvents `type`: the full name of the event, or of the entity for a change.
    #[prost(string, tag = "3")]
    pub r#type: ::prost::alloc::string::String,
    /// CloudEvents `subject`: the key.
    #[prost(string, tag = "4")]
    pub subject: ::prost::alloc::string::String,
    /// CloudEvents `time`: when the unit of work ran, by the owner's clock.
    #[prost(message, optional, tag = "5")]
    pub time: ::core::option::Option<::prost_types::Timestamp>,
    /// CloudEvents `dataschema`: the full name of the message in `data`; empty where there is no data.
    #[prost(string, tag = "6")]
    pub dataschema: ::prost::alloc::string::String,
    /// The entity whose stream the event belongs to, by full name.
    #[prost(string, tag = "7")]
    pub entity: ::prost::alloc::string::String,
    /// The ordinal of the event in its key's stream, from 1, gapless.
    #[prost(int64, tag = "8")]
    pub version: i64,
    /// Where the event stands in its owner's feed.
    #[prost(message, optional, tag = "9")]
    pub position: ::core::option::Option<Position>,
    /// W3C Trace Context of the unit of work.
    #[prost(string, tag = "10")]
    pub traceparent: ::prost::alloc::string::String,
    /// The id of the event that the unit of work reacted to; empty where there was none.
    #[prost(string, tag = "11")]
    pub cause: ::prost::alloc::string::String,
    /// The session of the unit of work: what a reaction must be able to see.
    #[prost(message, repeated, tag = "12")]
    pub tokens: ::prost::alloc::vec::Vec<Token>,
    /// The change is a deletion: a tombstone.
    #[prost(bool, tag = "13")]
    pub deleted: bool,
    /// The encoded message; absent for headers only (not declared by the subscription) and for tombstones.
    #[prost(bytes = "vec", optional, tag = "14")]
    pub data: ::core::option::Option<::prost::alloc::vec::Vec<u8>>,
}
/// Where something stands in an owner's feed: opaque, ordered, resumable.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Hash, ::prost::Message)]
pub struct Position {
    /// The epoch in which it was given out.
    #[prost(fixed64, tag = "1")]
    pub epoch: u64,
    /// The ordinal; consumers compare it only through a watermark.
    #[prost(int64, tag = "2")]
    pub mark: i64,
}
/// An epoch of an owner: appended at each start.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Hash, ::prost::Message)]
pub struct Epoch {
    /// A random id.
    #[prost(fixed64, tag = "1")]
    pub id: u64,
    /// The first mark of the epoch; the epoch before it ends below.
    #[prost(int64, tag = "2")]
    pub first: i64,
}
/// Which commit a later read must see.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct Token {
    /// The owner that committed.
    #[prost(string, tag = "1")]
    pub owner: ::prost::alloc::string::String,
    /// The owner's epoch at the commit.
    #[prost(fixed64, tag = "2")]
    pub epoch: u64,
    /// The mark of the commit.
    #[prost(int64, tag = "3")]
    pub mark: i64,
}
/// The tokens of a session, one per owner.
#[non_exhaustive]
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct TokenSet {
    /// In the order of their owners.
    #[prost(message, repeated, tag = "1")]
    pub tokens: ::prost::alloc::vec::Vec<Token>,
}
/// A call that a consumer makes.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct CallNeed {
    /// "package.Service/Method".
    #[prost(string, tag = "1")]
    pub method: ::prost::alloc::string::String,
    /// The consumer's own RPC that makes the call, for the chain of deadlines; empty when no RPC does.
    #[prost(string, tag = "2")]
    pub from: ::prost::alloc::string::String,
}
/// What makes a message an entity.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct EntityOptions {
    /// The field that holds the key; a string.
    #[prost(string, tag = "1")]
    pub key: ::prost::alloc::string::String,
}
/// What makes a message an event.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct EventOptions {
    /// The entity whose stream the event belongs to, by full name.
    #[prost(string, tag = "1")]
    pub of: ::prost::alloc::string::String,
    /// The field of the event that holds that entity's key; a string.
    #[prost(string, tag = "2")]
    pub key: ::prost::alloc::string::String,
}
/// What makes a message a replica.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct ReplicaOptions {
    /// The entity that is copied, by full name.
    #[prost(string, tag = "1")]
    pub of: ::prost::alloc::string::String,
    /// The age beyond which a bounded read no longer takes the copy as it stands.
    #[prost(message, optional, tag = "2")]
    pub max_staleness: ::core::option::Option<::prost_types::Duration>,
    /// What a read does when the copy is too old.
    #[prost(enumeration = "WhenStale", tag = "3")]
    pub when_stale: i32,
}
/// What makes a message a view.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct ViewOptions {
    /// The event that is read, by full name; of an entity: its changes.
    #[prost(string, tag = "1")]
    pub of: ::prost::alloc::string::String,
}
/// Checks on a field, and who may see it.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Hash, ::prost::Message)]
pub struct FieldRules {
    /// Must be present: not empty, not zero, not unset.
    #[prost(bool, tag = "1")]
    pub required: bool,
    /// The least value of a number.
    #[prost(int64, optional, tag = "2")]
    pub min: ::core::option::Option<i64>,
    /// The greatest value of a number.
    #[prost(int64, optional, tag = "3")]
    pub max: ::core::option::Option<i64>,
    /// The most characters of a string, or bytes of a bytes field.
    #[prost(uint32, optional, tag = "4")]
    pub max_length: ::core::option::Option<u32>,
    /// The most items of a repeated field or a map.
    #[prost(uint32, optional, tag = "5")]
    pub max_items: ::core::option::Option<u32>,
    /// Never leaves the owner: not in events, not in replicas, not in replies.
    #[prost(bool, tag = "6")]
    pub private: bool,
    /// About a person: erasable, never logged, only in changes.
    #[prost(bool, tag = "7")]
    pub personal: bool,
}
/// A cache in the generated client.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct CacheRules {
    /// How long an answer is served without asking again.
    #[prost(message, optional, tag = "1")]
    pub ttl: ::core::option::Option<::prost_types::Duration>,
    /// The entity whose changes invalidate an answer, by full name.
    #[prost(string, tag = "2")]
    pub entity: ::prost::alloc::string::String,
}
/// How an RPC may be called.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct CallRules {
    /// The deadline of a caller that sets none; also what a longer one is clamped to, times four.
    #[prost(message, optional, tag = "1")]
    pub deadline: ::core::option::Option<::prost_types::Duration>,
    /// With less than this left the call is refused at once.
    #[prost(message, optional, tag = "2")]
    pub min_deadline: ::core::option::Option<::prost_types::Duration>,
    /// A write: taken once per idempotency key, and retried only under one.
    #[prost(bool, tag = "3")]
    pub keyed: bool,
    /// Who may call; DECLARED unless said.
    #[prost(enumeration = "Access", tag = "4")]
    pub access: i32,
    /// A cache in the generated client; reads only.
    #[prost(message, optional, tag = "5")]
    pub cache: ::core::option::Option<CacheRules>,
    /// The method that compensates this one, by name in the same service; for saga steps.
    #[prost(string, tag = "6")]
    pub undo: ::prost::alloc::string::String,
    /// What is shed first under overload.
    #[prost(enumeration = "Criticality", tag = "7")]
    pub criticality: i32,
    /// A live stream whose messages are sent once and never again.
    #[prost(bool, tag = "8")]
    pub at_most_once: bool,
}
/// What a read does when a copy does not meet its level in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum WhenStale {
    /// Not declared: ASK_OWNER.
    Unspecified = 0,
    /// Ask the owner for the keys, within the read's budget.
    AskOwner = 1,
    /// Serve the copy and say how old it is.
    ServeStale = 2,
    /// Fail with a typed error.
    Fail = 3,
}
impl WhenStale {
    /// String value of the enum field names used in the ProtoBuf definition.
    ///
    /// The values are not transformed in any way and thus are considered stable
    /// (if the ProtoBuf definition does not change) and safe for programmatic use.
    pub fn as_str_name(&self) -> &'static str {
        match self {
            Self::Unspecified => "WHEN_STALE_UNSPECIFIED",
            Self::AskOwner => "ASK_OWNER",
            Self::ServeStale => "SERVE_STALE",
            Self::Fail => "FAIL",
        }
    }
    /// Creates an enum from field names used in the ProtoBuf definition.
    pub fn from_str_name(value: &str) -> ::core::option::Option<Self> {
        match value {
            "WHEN_STALE_UNSPECIFIED" => Some(Self::Unspecified),
            "ASK_OWNER" => Some(Self::AskOwner),
            "SERVE_STALE" => Some(Self::ServeStale),
            "FAIL" => Some(Self::Fail),
            _ => None,
        }
    }
}
/// Who may call a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum Access {
    /// Not declared: DECLARED.
    Unspecified = 0,
    /// Only consumers whose needs name the method.
    Declared = 1,
    /// Everybody, also without an identity.
    Public = 2,
}
impl Access {
    /// String value of the enum field names used in the ProtoBuf definition.
    ///
    /// The values are not transformed in any way and thus are considered stable
    /// (if the ProtoBuf definition does not change) and safe for programmatic use.
    pub fn as_str_name(&self) -> &'static str {
        match self {
            Self::Unspecified => "ACCESS_UNSPECIFIED",
            Self::Declared => "DECLARED",
            Self::Public => "PUBLIC",
        }
    }
    /// Creates an enum from field names used in the ProtoBuf definition.
    pub fn from_str_name(value: &str) -> ::core::option::Option<Self> {
        match value {
            "ACCESS_UNSPECIFIED" => Some(Self::Unspecified),
            "DECLARED" => Some(Self::Declared),
            "PUBLIC" => Some(Self::Public),
            _ => None,
        }
    }
}
/// What is shed first under overload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum Criticality {
    /// Not declared: DEFAULT.
    Unspecified = 0,
    /// Shed first.
    Sheddable = 1,
    /// Shed after SHEDDABLE.
    Default = 2,
    /// Shed last.
    Critical = 3,
}
impl Criticality {
    /// String value of the enum field names used in the ProtoBuf definition.
    ///
    /// The values are not transformed in any way and thus are considered stable
    /// (if the ProtoBuf definition does not change) and safe for programmatic use.
    pub fn as_str_name(&self) -> &'static str {
        match self {
            Self::Unspecified => "CRITICALITY_UNSPECIFIED",
            Self::Sheddable => "SHEDDABLE",
            Self::Default => "DEFAULT",
            Self::Critical => "CRITICAL",
        }
    }
    /// Creates an enum from field names used in the ProtoBuf definition.
    pub fn from_str_name(value: &str) -> ::core::option::Option<Self> {
        match value {
            "CRITICALITY_UNSPECIFIED" => Some(Self::Unspecified),
            "SHEDDABLE" => Some(Self::Sheddable),
            "DEFAULT" => Some(Self::Default),
            "CRITICAL" => Some(Self::Critical),
            _ => None,
        }
    }
}
/// A subscription: one consumer, one owner, one purpose.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct SubscribeRequest {
    /// "consumer/purpose": unique at the owner, stable for ever. The consumer is the caller.
    #[prost(string, tag = "1")]
    pub subscription: ::prost::alloc::string::String,
    /// The types wanted with their data: events, or entities for their changes. All else comes as headers only.
    #[prost(string, repeated, tag = "2")]
    pub types: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// Everything up to here has been seen; unset: from the oldest kept event.
    #[prost(message, optional, tag = "3")]
    pub after: ::core::option::Option<Position>,
}
/// An event, or a heartbeat.
#[non_exhaustive]
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct SubscribeResponse {
    #[prost(oneof = "subscribe_response::Item", tags = "1, 2")]
    pub item: ::core::option::Option<subscribe_response::Item>,
}
/// Nested message and enum types in `SubscribeResponse`.
pub mod subscribe_response {
    #[derive(Clone, PartialEq, ::prost::Oneof)]
    pub enum Item {
        /// The next event.
        #[prost(message, tag = "1")]
        Event(super::Envelope),
        /// Nothing of this subscription lies between the last event and this position.
        #[prost(message, tag = "2")]
        Heartbeat(super::Heartbeat),
    }
}
/// Moves a watermark where there is no event to send; the first message of every stream is one.
#[non_exhaustive]
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Heartbeat {
    /// Everything up to here has been sent.
    #[prost(message, optional, tag = "1")]
    pub position: ::core::option::Option<Position>,
    /// The owner's clock.
    #[prost(message, optional, tag = "2")]
    pub time: ::core::option::Option<::prost_types::Timestamp>,
    /// The owner's epochs, oldest first; sent when the stream opens.
    #[prost(message, repeated, tag = "3")]
    pub epochs: ::prost::alloc::vec::Vec<Epoch>,
    /// When silence longer than this means that the stream is dead.
    #[prost(message, optional, tag = "4")]
    pub interval: ::core::option::Option<::prost_types::Duration>,
}
/// A snapshot of one entity type.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct SnapshotRequest {
    /// The entity, by full name.
    #[prost(string, tag = "1")]
    pub entity: ::prost::alloc::string::String,
    /// Only keys after this one, to resume; empty: from the first.
    #[prost(string, tag = "2")]
    pub after_key: ::prost::alloc::string::String,
}
/// A chunk of a snapshot.
#[non_exhaustive]
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct SnapshotResponse {
    /// The rows of the chunk, ascending by key.
    #[prost(message, repeated, tag = "1")]
    pub rows: ::prost::alloc::vec::Vec<EntityRow>,
    /// The head when the chunk was read: the chunk holds everything up to here.
    #[prost(message, optional, tag = "2")]
    pub position: ::core::option::Option<Position>,
    /// The owner's epochs, oldest first; in the first chunk.
    #[prost(message, repeated, tag = "3")]
    pub epochs: ::prost::alloc::vec::Vec<Epoch>,
    /// This is the last chunk.
    #[prost(bool, tag = "4")]
    pub last: bool,
}
/// One entity as it stands.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct EntityRow {
    /// The key.
    #[prost(string, tag = "1")]
    pub key: ::prost::alloc::string::String,
    /// The version of its last event.
    #[prost(int64, tag = "2")]
    pub version: i64,
    /// It has been deleted: a tombstone.
    #[prost(bool, tag = "3")]
    pub deleted: bool,
    /// The declared fields; absent for tombstones.
    #[prost(bytes = "vec", optional, tag = "4")]
    pub data: ::core::option::Option<::prost::alloc::vec::Vec<u8>>,
}
/// A read by keys.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct ReadRequest {
    /// The entity, by full name.
    #[prost(string, tag = "1")]
    pub entity: ::prost::alloc::string::String,
    /// The keys.
    #[prost(string, repeated, tag = "2")]
    pub keys: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
}
/// The entities found; a key that never existed is left out.
#[non_exhaustive]
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ReadResponse {
    /// In the order of the request's keys.
    #[prost(message, repeated, tag = "1")]
    pub rows: ::prost::alloc::vec::Vec<EntityRow>,
    /// The head when the rows were read.
    #[prost(message, optional, tag = "2")]
    pub position: ::core::option::Option<Position>,
}
/// Asks for the head.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Hash, ::prost::Message)]
pub struct HeadRequest {}
/// The head of the feed.
#[non_exhaustive]
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct HeadResponse {
    /// The last committed position.
    #[prost(message, optional, tag = "1")]
    pub position: ::core::option::Option<Position>,
    /// The owner's epochs, oldest first.
    #[prost(message, repeated, tag = "2")]
    pub epochs: ::prost::alloc::vec::Vec<Epoch>,
}
/// Moves a subscription.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct AckRequest {
    /// The subscription.
    #[prost(string, tag = "1")]
    pub subscription: ::prost::alloc::string::String,
    /// Everything up to here has taken effect.
    #[prost(message, optional, tag = "2")]
    pub position: ::core::option::Option<Position>,
}
/// The subscription has been moved.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Hash, ::prost::Message)]
pub struct AckResponse {}
/// Asks for all services.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Hash, ::prost::Message)]
pub struct ListServicesRequest {}
/// The services of the mesh.
#[non_exhaustive]
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ListServicesResponse {
    /// In the order of their ports.
    #[prost(message, repeated, tag = "1")]
    pub services: ::prost::alloc::vec::Vec<ServiceAddress>,
}
/// Where a service is.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct ServiceAddress {
    /// The owner's name.
    #[prost(string, tag = "1")]
    pub name: ::prost::alloc::string::String,
    /// "<http://host:port".>
    #[prost(string, tag = "2")]
    pub url: ::prost::alloc::string::String,
}

impl Envelope {
    /// CloudEvents `id`: unique per source for ever.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<::prost::alloc::string::String>) -> Self {
        self.id = id.into();
        self
    }
    /// CloudEvents `source`: the owner.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<::prost::alloc::string::String>) -> Self {
        self.source = source.into();
        self
    }
    /// CloudEvents `type`: the full name of the event, or of the entity for a change.
    #[must_use]
    pub fn with_type(mut self, r#type: impl Into<::prost::alloc::string::String>) -> Self {
        self.r#type = r#type.into();
        self
    }
    /// CloudEvents `subject`: the key.
    #[must_use]
    pub fn with_subject(mut self, subject: impl Into<::prost::alloc::string::String>) -> Self {
        self.subject = subject.into();
        self
    }
    /// CloudEvents `time`: when the unit of work ran, by the owner's clock.
    #[must_use]
    pub fn with_time(mut self, time: impl Into<::prost_types::Timestamp>) -> Self {
        self.time = Some(time.into());
        self
    }
    /// CloudEvents `dataschema`: the full name of the message in `data`; empty where there is no data.
    #[must_use]
    pub fn with_dataschema(mut self, dataschema: impl Into<::prost::alloc::string::String>) -> Self {
        self.dataschema = dataschema.into();
        self
    }
    /// The entity whose stream the event belongs to, by full name.
    #[must_use]
    pub fn with_entity(mut self, entity: impl Into<::prost::alloc::string::String>) -> Self {
        self.entity = entity.into();
        self
    }
    /// The ordinal of the event in its key's stream, from 1, gapless.
    #[must_use]
    pub fn with_version(mut self, version: i64) -> Self {
        self.version = version;
        self
    }
    /// Where the event stands in its owner's feed.
    #[must_use]
    pub fn with_position(mut self, position: impl Into<Position>) -> Self {
        self.position = Some(position.into());
        self
    }
    /// W3C Trace Context of the unit of work.
    #[must_use]
    pub fn with_traceparent(mut self, traceparent: impl Into<::prost::alloc::string::String>) -> Self {
        self.traceparent = traceparent.into();
        self
    }
    /// The id of the event that the unit of work reacted to; empty where there was none.
    #[must_use]
    pub fn with_cause(mut self, cause: impl Into<::prost::alloc::string::String>) -> Self {
        self.cause = cause.into();
        self
    }
    /// The session of the unit of work: what a reaction must be able to see.
    #[must_use]
    pub fn with_tokens(mut self, tokens: impl IntoIterator<Item = impl Into<Token>>) -> Self {
        self.tokens = tokens.into_iter().map(Into::into).collect();
        self
    }
    /// The change is a deletion: a tombstone.
    #[must_use]
    pub fn with_deleted(mut self, deleted: bool) -> Self {
        self.deleted = deleted;
        self
    }
    /// The encoded message; absent for headers only (not declared by the subscription) and for tombstones.
    #[must_use]
    pub fn with_data(mut self, data: impl Into<::prost::alloc::vec::Vec<u8>>) -> Self {
        self.data = Some(data.into());
        self
    }
}
impl Position {
    /// The epoch in which it was given out.
    #[must_use]
    pub fn with_epoch(mut self, epoch: u64) -> Self {
        self.epoch = epoch;
        self
    }
    /// The ordinal; consumers compare it only through a watermark.
    #[must_use]
    pub fn with_mark(mut self, mark: i64) -> Self {
        self.mark = mark;
        self
    }
}
impl Epoch {
    /// A random id.
    #[must_use]
    pub fn with_id(mut self, id: u64) -> Self {
        self.id = id;
        self
    }
    /// The first mark of the epoch; the epoch before it ends below.
    #[must_use]
    pub fn with_first(mut self, first: i64) -> Self {
        self.first = first;
        self
    }
}
impl Token {
    /// The owner that committed.
    #[must_use]
    pub fn with_owner(mut self, owner: impl Into<::prost::alloc::string::String>) -> Self {
        self.owner = owner.into();
        self
    }
    /// The owner's epoch at the commit.
    #[must_use]
    pub fn with_epoch(mut self, epoch: u64) -> Self {
        self.epoch = epoch;
        self
    }
    /// The mark of the commit.
    #[must_use]
    pub fn with_mark(mut self, mark: i64) -> Self {
        self.mark = mark;
        self
    }
}
impl TokenSet {
    /// In the order of their owners.
    #[must_use]
    pub fn with_tokens(mut self, tokens: impl IntoIterator<Item = impl Into<Token>>) -> Self {
        self.tokens = tokens.into_iter().map(Into::into).collect();
        self
    }
}
impl CallNeed {
    /// "package.Service/Method".
    #[must_use]
    pub fn with_method(mut self, method: impl Into<::prost::alloc::string::String>) -> Self {
        self.method = method.into();
        self
    }
    /// The consumer's own RPC that makes the call, for the chain of deadlines; empty when no RPC does.
    #[must_use]
    pub fn with_from(mut self, from: impl Into<::prost::alloc::string::String>) -> Self {
        self.from = from.into();
        self
    }
}
impl EntityOptions {
    /// The field that holds the key; a string.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<::prost::alloc::string::String>) -> Self {
        self.key = key.into();
        self
    }
}
impl EventOptions {
    /// The entity whose stream the event belongs to, by full name.
    #[must_use]
    pub fn with_of(mut self, of: impl Into<::prost::alloc::string::String>) -> Self {
        self.of = of.into();
        self
    }
    /// The field of the event that holds that entity's key; a string.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<::prost::alloc::string::String>) -> Self {
        self.key = key.into();
        self
    }
}
impl ReplicaOptions {
    /// The entity that is copied, by full name.
    #[must_use]
    pub fn with_of(mut self, of: impl Into<::prost::alloc::string::String>) -> Self {
        self.of = of.into();
        self
    }
    /// The age beyond which a bounded read no longer takes the copy as it stands.
    #[must_use]
    pub fn with_max_staleness(mut self, max_staleness: impl Into<::prost_types::Duration>) -> Self {
        self.max_staleness = Some(max_staleness.into());
        self
    }
    /// What a read does when the copy is too old.
    #[must_use]
    pub fn with_when_stale(mut self, when_stale: impl Into<i32>) -> Self {
        self.when_stale = when_stale.into();
        self
    }
}
impl ViewOptions {
    /// The event that is read, by full name; of an entity: its changes.
    #[must_use]
    pub fn with_of(mut self, of: impl Into<::prost::alloc::string::String>) -> Self {
        self.of = of.into();
        self
    }
}
impl FieldRules {
    /// Must be present: not empty, not zero, not unset.
    #[must_use]
    pub fn with_required(mut self, required: bool) -> Self {
        self.required = required;
        self
    }
    /// The least value of a number.
    #[must_use]
    pub fn with_min(mut self, min: impl Into<i64>) -> Self {
        self.min = Some(min.into());
        self
    }
    /// The greatest value of a number.
    #[must_use]
    pub fn with_max(mut self, max: impl Into<i64>) -> Self {
        self.max = Some(max.into());
        self
    }
    /// The most characters of a string, or bytes of a bytes field.
    #[must_use]
    pub fn with_max_length(mut self, max_length: impl Into<u32>) -> Self {
        self.max_length = Some(max_length.into());
        self
    }
    /// The most items of a repeated field or a map.
    #[must_use]
    pub fn with_max_items(mut self, max_items: impl Into<u32>) -> Self {
        self.max_items = Some(max_items.into());
        self
    }
    /// Never leaves the owner: not in events, not in replicas, not in replies.
    #[must_use]
    pub fn with_private(mut self, private: bool) -> Self {
        self.private = private;
        self
    }
    /// About a person: erasable, never logged, only in changes.
    #[must_use]
    pub fn with_personal(mut self, personal: bool) -> Self {
        self.personal = personal;
        self
    }
}
impl CacheRules {
    /// How long an answer is served without asking again.
    #[must_use]
    pub fn with_ttl(mut self, ttl: impl Into<::prost_types::Duration>) -> Self {
        self.ttl = Some(ttl.into());
        self
    }
    /// The entity whose changes invalidate an answer, by full name.
    #[must_use]
    pub fn with_entity(mut self, entity: impl Into<::prost::alloc::string::String>) -> Self {
        self.entity = entity.into();
        self
    }
}
impl CallRules {
    /// The deadline of a caller that sets none; also what a longer one is clamped to, times four.
    #[must_use]
    pub fn with_deadline(mut self, deadline: impl Into<::prost_types::Duration>) -> Self {
        self.deadline = Some(deadline.into());
        self
    }
    /// With less than this left the call is refused at once.
    #[must_use]
    pub fn with_min_deadline(mut self, min_deadline: impl Into<::prost_types::Duration>) -> Self {
        self.min_deadline = Some(min_deadline.into());
        self
    }
    /// A write: taken once per idempotency key, and retried only under one.
    #[must_use]
    pub fn with_keyed(mut self, keyed: bool) -> Self {
        self.keyed = keyed;
        self
    }
    /// Who may call; DECLARED unless said.
    #[must_use]
    pub fn with_access(mut self, access: impl Into<i32>) -> Self {
        self.access = access.into();
        self
    }
    /// A cache in the generated client; reads only.
    #[must_use]
    pub fn with_cache(mut self, cache: impl Into<CacheRules>) -> Self {
        self.cache = Some(cache.into());
        self
    }
    /// The method that compensates this one, by name in the same service; for saga steps.
    #[must_use]
    pub fn with_undo(mut self, undo: impl Into<::prost::alloc::string::String>) -> Self {
        self.undo = undo.into();
        self
    }
    /// What is shed first under overload.
    #[must_use]
    pub fn with_criticality(mut self, criticality: impl Into<i32>) -> Self {
        self.criticality = criticality.into();
        self
    }
    /// A live stream whose messages are sent once and never again.
    #[must_use]
    pub fn with_at_most_once(mut self, at_most_once: bool) -> Self {
        self.at_most_once = at_most_once;
        self
    }
}
impl SubscribeRequest {
    /// "consumer/purpose": unique at the owner, stable for ever. The consumer is the caller.
    #[must_use]
    pub fn with_subscription(mut self, subscription: impl Into<::prost::alloc::string::String>) -> Self {
        self.subscription = subscription.into();
        self
    }
    /// The types wanted with their data: events, or entities for their changes. All else comes as headers only.
    #[must_use]
    pub fn with_types(
        mut self,
        types: impl IntoIterator<Item = impl Into<::prost::alloc::string::String>>,
    ) -> Self {
        self.types = types.into_iter().map(Into::into).collect();
        self
    }
    /// Everything up to here has been seen; unset: from the oldest kept event.
    #[must_use]
    pub fn with_after(mut self, after: impl Into<Position>) -> Self {
        self.after = Some(after.into());
        self
    }
}
impl SubscribeResponse {
    #[must_use]
    pub fn with_item(mut self, item: subscribe_response::Item) -> Self {
        self.item = Some(item);
        self
    }
}
impl Heartbeat {
    /// Everything up to here has been sent.
    #[must_use]
    pub fn with_position(mut self, position: impl Into<Position>) -> Self {
        self.position = Some(position.into());
        self
    }
    /// The owner's clock.
    #[must_use]
    pub fn with_time(mut self, time: impl Into<::prost_types::Timestamp>) -> Self {
        self.time = Some(time.into());
        self
    }
    /// The owner's epochs, oldest first; sent when the stream opens.
    #[must_use]
    pub fn with_epochs(mut self, epochs: impl IntoIterator<Item = impl Into<Epoch>>) -> Self {
        self.epochs = epochs.into_iter().map(Into::into).collect();
        self
    }
    /// When silence longer than this means that the stream is dead.
    #[must_use]
    pub fn with_interval(mut self, interval: impl Into<::prost_types::Duration>) -> Self {
        self.interval = Some(interval.into());
        self
    }
}
impl SnapshotRequest {
    /// The entity, by full name.
    #[must_use]
    pub fn with_entity(mut self, entity: impl Into<::prost::alloc::string::String>) -> Self {
        self.entity = entity.into();
        self
    }
    /// Only keys after this one, to resume; empty: from the first.
    #[must_use]
    pub fn with_after_key(mut self, after_key: impl Into<::prost::alloc::string::String>) -> Self {
        self.after_key = after_key.into();
        self
    }
}
impl SnapshotResponse {
    /// The rows of the chunk, ascending by key.
    #[must_use]
    pub fn with_rows(mut self, rows: impl IntoIterator<Item = impl Into<EntityRow>>) -> Self {
        self.rows = rows.into_iter().map(Into::into).collect();
        self
    }
    /// The head when the chunk was read: the chunk holds everything up to here.
    #[must_use]
    pub fn with_position(mut self, position: impl Into<Position>) -> Self {
        self.position = Some(position.into());
        self
    }
    /// The owner's epochs, oldest first; in the first chunk.
    #[must_use]
    pub fn with_epochs(mut self, epochs: impl IntoIterator<Item = impl Into<Epoch>>) -> Self {
        self.epochs = epochs.into_iter().map(Into::into).collect();
        self
    }
    /// This is the last chunk.
    #[must_use]
    pub fn with_last(mut self, last: bool) -> Self {
        self.last = last;
        self
    }
}
impl EntityRow {
    /// The key.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<::prost::alloc::string::String>) -> Self {
        self.key = key.into();
        self
    }
    /// The version of its last event.
    #[must_use]
    pub fn with_version(mut self, version: i64) -> Self {
        self.version = version;
        self
    }
    /// It has been deleted: a tombstone.
    #[must_use]
    pub fn with_deleted(mut self, deleted: bool) -> Self {
        self.deleted = deleted;
        self
    }
    /// The declared fields; absent for tombstones.
    #[must_use]
    pub fn with_data(mut self, data: impl Into<::prost::alloc::vec::Vec<u8>>) -> Self {
        self.data = Some(data.into());
        self
    }
}
impl ReadRequest {
    /// The entity, by full name.
    #[must_use]
    pub fn with_entity(mut self, entity: impl Into<::prost::alloc::string::String>) -> Self {
        self.entity = entity.into();
        self
    }
    /// The keys.
    #[must_use]
    pub fn with_keys(
        mut self,
        keys: impl IntoIterator<Item = impl Into<::prost::alloc::string::String>>,
    ) -> Self {
        self.keys = keys.into_iter().map(Into::into).collect();
        self
    }
}
impl ReadResponse {
    /// In the order of the request's keys.
    #[must_use]
    pub fn with_rows(mut self, rows: impl IntoIterator<Item = impl Into<EntityRow>>) -> Self {
        self.rows = rows.into_iter().map(Into::into).collect();
        self
    }
    /// The head when the rows were read.
    #[must_use]
    pub fn with_position(mut self, position: impl Into<Position>) -> Self {
        self.position = Some(position.into());
        self
    }
}
impl HeadResponse {
    /// The last committed position.
    #[must_use]
    pub fn with_position(mut self, position: impl Into<Position>) -> Self {
        self.position = Some(position.into());
        self
    }
    /// The owner's epochs, oldest first.
    #[must_use]
    pub fn with_epochs(mut self, epochs: impl IntoIterator<Item = impl Into<Epoch>>) -> Self {
        self.epochs = epochs.into_iter().map(Into::into).collect();
        self
    }
}
impl AckRequest {
    /// The subscription.
    #[must_use]
    pub fn with_subscription(mut self, subscription: impl Into<::prost::alloc::string::String>) -> Self {
        self.subscription = subscription.into();
        self
    }
    /// Everything up to here has taken effect.
    #[must_use]
    pub fn with_position(mut self, position: impl Into<Position>) -> Self {
        self.position = Some(position.into());
        self
    }
}
impl ListServicesResponse {
    /// In the order of their ports.
    #[must_use]
    pub fn with_services(mut self, services: impl IntoIterator<Item = impl Into<ServiceAddress>>) -> Self {
        self.services = services.into_iter().map(Into::into).collect();
        self
    }
}
impl ServiceAddress {
    /// The owner's name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<::prost::alloc::string::String>) -> Self {
        self.name = name.into();
        self
    }
    /// "<http://host:port".>
    #[must_use]
    pub fn with_url(mut self, url: impl Into<::prost::alloc::string::String>) -> Self {
        self.url = url.into();
        self
    }
}
