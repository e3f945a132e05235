//! The Protobuf codec of the mesh: bytes that are no message are the sender's fault and are answered so.

use std::marker::PhantomData;

use prost::Message;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Code, Status};

use crate::reason::Reason;

/// Encodes `Out` and decodes `In`.
#[derive(Debug)]
pub struct Protobuf<Out, In>(PhantomData<fn(Out) -> In>);

/// Whether `status` is tonic's own answer to a message over the limit, in words that no service uses.
#[must_use]
pub fn is_over_limit(status: &Status) -> bool {
    let said = |code, start| status.code() == code && status.message().starts_with(start);
    said(Code::OutOfRange, "Error, decoded message length too large")
        || said(Code::ResourceExhausted, "Error decompressing: size limit")
}

/// Whether `status` is tonic's own answer to bytes that are no gRPC message. It says INTERNAL, but they came from the
/// sender.
#[must_use]
pub fn is_malformed(status: &Status) -> bool {
    const SAID: [&str; 5] = [
        "Error decompressing: ",
        "protocol error: received message with",
        "Unexpected EOF",
        "Missing request message",
        "Missing response message",
    ];
    let bare = status.code() == Code::Internal && status.details().is_empty();
    bare && SAID.iter().any(|start| status.message().starts_with(start))
}

impl<Out, In> Default for Protobuf<Out, In> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<Out: Message + 'static, In: Message + Default + 'static> Codec for Protobuf<Out, In> {
    type Encode = Out;
    type Decode = In;
    type Encoder = Protobuf<Out, In>;
    type Decoder = Protobuf<Out, In>;

    fn encoder(&mut self) -> Self::Encoder {
        Self::default()
    }

    fn decoder(&mut self) -> Self::Decoder {
        Self::default()
    }
}

impl<Out: Message, In> Encoder for Protobuf<Out, In> {
    type Item = Out;
    type Error = Status;

    fn encode(&mut self, message: Out, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        message.encode(buffer).map_err(|error| Reason::Internal.status(format!("failed to encode: {error}")))
    }
}

impl<Out, In: Message + Default> Decoder for Protobuf<Out, In> {
    type Item = In;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<In>, Status> {
        let refused = |error| Reason::InvalidArgument.status(format!("the message does not decode: {error}"));
        In::decode(buffer).map(Some).map_err(refused)
    }
}
