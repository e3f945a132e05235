//! Cuts an encoded message down to the fields that its reader declared, without decoding it.
//!
//! Walks the wire bytes at top level and copies the allowed fields as they are: a nested message is one field.
//! **Invariant:** what comes out holds only allowed fields; bytes that are no message give an error, never a part.

use std::fmt;

/// Bytes that are no Protobuf message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are no message: {0}")]
pub(crate) struct Malformed(Fault);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Varint,
    FieldNumber,
    WireType(u8),
    Length,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Varint => f.write_str("a number in them does not end"),
            Self::FieldNumber => f.write_str("a field number is out of range"),
            Self::WireType(found) => write!(f, "wire type {found} does not exist in proto3"),
            Self::Length => f.write_str("a field is longer than the message"),
        }
    }
}

const MAX_FIELD: u64 = (1 << 29) - 1;

/// The message with the fields of these numbers only, in the order in which they were encoded.
pub(crate) fn keep(allowed: &[u32], message: &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut kept = Vec::with_capacity(message.len());
    let mut rest = message;
    while !rest.is_empty() {
        let (number, after) = field(rest)?;
        if allowed.contains(&number) {
            kept.extend_from_slice(&rest[..rest.len() - after.len()]);
        }
        rest = after;
    }
    Ok(kept)
}

/// The number of the first field, and what follows that field.
fn field(bytes: &[u8]) -> Result<(u32, &[u8]), Malformed> {
    let (tag, rest) = varint(bytes)?;
    let number = tag >> 3;
    if number == 0 || number > MAX_FIELD {
        return Err(Malformed(Fault::FieldNumber));
    }
    let number = u32::try_from(number).map_err(|_| Malformed(Fault::FieldNumber))?;
    let after = match tag & 7 {
        0 => varint(rest)?.1,
        1 => skip(rest, 8)?,
        2 => {
            let (length, rest) = varint(rest)?;
            skip(rest, length)?
        }
        5 => skip(rest, 4)?,
        // Groups, 3 and 4, do not exist in proto3.
        other => return Err(Malformed(Fault::WireType(u8::try_from(other).unwrap_or(u8::MAX)))),
    };
    Ok((number, after))
}

fn skip(bytes: &[u8], length: u64) -> Result<&[u8], Malformed> {
    let length = usize::try_from(length).map_err(|_| Malformed(Fault::Length))?;
    bytes.get(length..).ok_or(Malformed(Fault::Length))
}

/// A base-128 number of at most ten bytes, and what follows it.
fn varint(bytes: &[u8]) -> Result<(u64, &[u8]), Malformed> {
    let mut value = 0_u64;
    for (at, &byte) in bytes.iter().take(10).enumerate() {
        let digit = u64::from(byte & 0x7f);
        if at == 9 && digit > 1 {
            break;
        }
        value |= digit << (7 * at);
        if byte & 0x80 == 0 {
            return Ok((value, &bytes[at + 1..]));
        }
    }
    Err(Malformed(Fault::Varint))
}

#[cfg(test)]
mod tests {
    use freehold_wire::pb::{Envelope, Position};
    use proptest::prelude::*;
    use prost::Message;

    use super::*;

    fn envelope() -> Envelope {
        Envelope::default()
            .with_id("e-1")
            .with_type("catalog.v1.Product")
            .with_version(300)
            .with_position(Position::default().with_epoch(u64::MAX).with_mark(-1))
            .with_data(vec![0_u8; 200])
    }

    #[test]
    fn only_allowed_fields_leave() {
        let kept = keep(&[1, 8, 9], &envelope().encode_to_vec()).unwrap();
        let seen = Envelope::decode(kept.as_slice()).unwrap();
        let wanted = Envelope::default().with_id("e-1").with_version(300);
        assert_eq!(seen, wanted.with_position(Position::default().with_epoch(u64::MAX).with_mark(-1)));
    }

    #[test]
    fn no_field_is_allowed_by_default() {
        assert_eq!(keep(&[], &envelope().encode_to_vec()), Ok(Vec::new()));
    }

    #[test]
    fn a_cut_message_is_an_error_or_ends_at_a_field() {
        let bytes = envelope().encode_to_vec();
        let whole = [1, 3, 8, 9, 14];
        for cut in 0..bytes.len() {
            if let Ok(kept) = keep(&whole, &bytes[..cut]) {
                assert_eq!(kept, bytes[..cut], "cut at {cut}");
                assert!(Envelope::decode(kept.as_slice()).is_ok(), "cut at {cut}");
            }
        }
    }

    #[test]
    fn groups_and_endless_numbers_are_refused() {
        for bytes in [&[0x0b_u8][..], &[0x0c], &[0x00], &[0x08], &[0xff; 11], &[0x0a, 0xff, 0x01]] {
            assert!(keep(&[1], bytes).is_err(), "{bytes:02x?}");
        }
    }

    proptest! {
        #[test]
        fn garbage_never_panics_and_never_grows(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(kept) = keep(&[1, 2, 3], &bytes) {
                prop_assert!(kept.len() <= bytes.len());
                prop_assert_eq!(keep(&[1, 2, 3], &kept), Ok(kept.clone()));
                prop_assert_eq!(keep(&[4, 5], &kept), Ok(Vec::new()));
            }
        }
    }
}
