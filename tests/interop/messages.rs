//! The messages of the suite, as far as its cases use them. `testing.py` has the same table.

use freehold_wire::{Check, Violations};
use prost::Message;

/// Nothing.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Empty {}

/// Bytes that are only counted.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Payload {
    /// Zeros.
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) body: Vec<u8>,
}

/// The status to answer with.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct EchoStatus {
    /// Its code.
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    /// Its text.
    #[prost(string, tag = "2")]
    pub(crate) message: String,
}

/// A switch that may be absent.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct BoolValue {
    /// On or off.
    #[prost(bool, tag = "1")]
    pub(crate) value: bool,
}

/// Asks for one answer.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SimpleRequest {
    /// How large the answer is.
    #[prost(int32, tag = "2")]
    pub(crate) response_size: i32,
    /// What is sent.
    #[prost(message, optional, tag = "3")]
    pub(crate) payload: Option<Payload>,
    /// The status to answer with instead.
    #[prost(message, optional, tag = "7")]
    pub(crate) response_status: Option<EchoStatus>,
    /// Whether this request is said to be compressed.
    #[prost(message, optional, tag = "8")]
    pub(crate) expect_compressed: Option<BoolValue>,
}

/// One answer.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SimpleResponse {
    /// As large as was asked.
    #[prost(message, optional, tag = "1")]
    pub(crate) payload: Option<Payload>,
}

/// One of many.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct StreamingInputCallRequest {
    /// What is sent.
    #[prost(message, optional, tag = "1")]
    pub(crate) payload: Option<Payload>,
}

/// How much came.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct StreamingInputCallResponse {
    /// In bytes.
    #[prost(int32, tag = "1")]
    pub(crate) aggregated_payload_size: i32,
}

/// One of the answers that are asked for.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ResponseParameters {
    /// How large it is.
    #[prost(int32, tag = "1")]
    pub(crate) size: i32,
}

/// Asks for many answers.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct StreamingOutputCallRequest {
    /// The answers.
    #[prost(message, repeated, tag = "2")]
    pub(crate) response_parameters: Vec<ResponseParameters>,
    /// What is sent.
    #[prost(message, optional, tag = "3")]
    pub(crate) payload: Option<Payload>,
    /// The status to answer with instead.
    #[prost(message, optional, tag = "7")]
    pub(crate) response_status: Option<EchoStatus>,
}

/// One of many answers.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct StreamingOutputCallResponse {
    /// As large as was asked.
    #[prost(message, optional, tag = "1")]
    pub(crate) payload: Option<Payload>,
}

impl Payload {
    /// So many zeros.
    pub(crate) fn of(size: i32) -> Option<Self> {
        Some(Self { body: vec![0; usize::try_from(size).unwrap_or_default()] })
    }
}

/// How many bytes a payload has.
pub(crate) fn size(payload: Option<&Payload>) -> i32 {
    payload.map_or(0, |payload| i32::try_from(payload.body.len()).unwrap_or(i32::MAX))
}

macro_rules! unlimited {
    ($($message:ty),*) => {
        $(impl Check for $message {
            fn check(&self, _: &mut Violations) {}
        })*
    };
}

unlimited!(Empty, SimpleRequest, StreamingInputCallRequest, StreamingOutputCallRequest);
