//! Messages as a client sends them: a request is encoded and framed once, however often it is sent.

use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::{BufMut, Bytes, BytesMut};
use freehold_wire::Reason;
use freehold_wire::dispatch::MAX_MESSAGE;
use prost::Message;
use tonic::Status;

/// Base64 as metadata has it: with padding or without.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A flag that says "not compressed", and a length of four bytes.
const PREFIX: usize = 5;

/// Encodes and frames a request.
///
/// # Errors
/// RESOURCE_EXHAUSTED for one over the limit: the callee would not take it.
pub(crate) fn encode(request: &impl Message) -> Result<Bytes, Status> {
    let length = request.encoded_len();
    if length > MAX_MESSAGE {
        let message = format!("the request has {length} bytes, a message has at most {MAX_MESSAGE}");
        return Err(Reason::ResourceExhausted.because("MESSAGE_TOO_LARGE", message));
    }
    let mut frame = prefixed(length);
    request.encode_raw(&mut frame);
    Ok(frame.freeze())
}

/// Frames a message that is encoded already.
pub(crate) fn framed(message: &[u8]) -> Bytes {
    let mut frame = prefixed(message.len());
    frame.put_slice(message);
    frame.freeze()
}

fn prefixed(length: usize) -> BytesMut {
    let mut frame = BytesMut::with_capacity(PREFIX + length);
    frame.put_u8(0);
    // No message of four gigabytes comes this far.
    frame.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    frame
}
