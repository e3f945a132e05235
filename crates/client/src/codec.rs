//! Messages as a client sends and takes them: a request is encoded once, however often it is sent.
//!
//! The wire crate's codec blames the sender for bytes that do not decode; here the sender of such bytes is the callee,
//! so they are its fault: INTERNAL with the reason BAD_REPLY.

use std::marker::PhantomData;

use bytes::{BufMut, Bytes};
use freehold_wire::Reason;
use freehold_wire::dispatch::MAX_MESSAGE;
use prost::Message;
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

/// Sends messages that are encoded already, and decodes `Reply`.
pub(crate) struct Encoded<Reply>(PhantomData<fn() -> Reply>);

/// Encodes a request.
///
/// # Errors
/// RESOURCE_EXHAUSTED for one over the limit: the callee would not take it.
pub(crate) fn encode(request: &impl Message) -> Result<Bytes, Status> {
    let length = request.encoded_len();
    if length > MAX_MESSAGE {
        let message = format!("the request has {length} bytes, a message has at most {MAX_MESSAGE}");
        return Err(Reason::ResourceExhausted.because("MESSAGE_TOO_LARGE", message));
    }
    Ok(request.encode_to_vec().into())
}

impl<Reply> Default for Encoded<Reply> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<Reply: Message + Default + 'static> Codec for Encoded<Reply> {
    type Encode = Bytes;
    type Decode = Reply;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self::default()
    }

    fn decoder(&mut self) -> Self {
        Self::default()
    }
}

impl<Reply> Encoder for Encoded<Reply> {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(message);
        Ok(())
    }
}

impl<Reply: Message + Default> Decoder for Encoded<Reply> {
    type Item = Reply;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Reply>, Status> {
        let broken =
            |error| Reason::Internal.because("BAD_REPLY", format!("the reply does not decode: {error}"));
        Reply::decode(buffer).map(Some).map_err(broken)
    }
}
