//! A message that stays as it was encoded: what the transcoder hands to the channel, and takes from it.
//!
//! The channel is generic over generated messages. Here the descriptors know what the bytes are, and the channel need
//! not.

use bytes::{Buf, BufMut, Bytes};
use prost::encoding::{DecodeContext, WireType, skip_field};
use prost::{DecodeError, Message};

/// An encoded message.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Raw(pub(crate) Bytes);

impl Message for Raw {
    fn encode_raw(&self, buffer: &mut impl BufMut) {
        buffer.put_slice(&self.0);
    }

    /// What is decoded is decoded whole, below; field by field there is nowhere to keep it.
    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buffer: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        skip_field(wire_type, tag, buffer, context)
    }

    fn encoded_len(&self) -> usize {
        self.0.len()
    }

    fn clear(&mut self) {
        self.0.clear();
    }

    fn decode(mut buffer: impl Buf) -> Result<Self, DecodeError> {
        Ok(Self(buffer.copy_to_bytes(buffer.remaining())))
    }
}
