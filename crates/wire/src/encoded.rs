//! A message that stays encoded, of a method whose types are known at run time alone.
//!
//! A channel is generic over generated messages, and decodes what it answers with. This one takes the bytes as they are,
//! whatever they are; whoever has the descriptor reads them.

use prost::bytes::{Buf, BufMut, Bytes};
use prost::encoding::{DecodeContext, WireType, skip_field};
use prost::{DecodeError, Message};

/// An encoded message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Encoded(pub Bytes);

impl Message for Encoded {
    fn encode_raw(&self, buffer: &mut impl BufMut) {
        buffer.put_slice(&self.0);
    }

    /// Takes the whole message, where others go field by field.
    fn merge(&mut self, mut buffer: impl Buf) -> Result<(), DecodeError> {
        self.0 = buffer.copy_to_bytes(buffer.remaining());
        Ok(())
    }

    /// Asked of a message inside another alone, which this never is.
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_in_goes_out_byte_for_byte() {
        for bytes in [&b""[..], b"\x0a\x01a", b"\xff\xff no message"] {
            let encoded = Encoded::decode(bytes).unwrap();
            assert_eq!((&encoded.0[..], encoded.encode_to_vec().as_slice()), (bytes, bytes));
        }
    }
}
