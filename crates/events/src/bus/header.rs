//! The values of headers: text and bytes as printable ASCII.

use std::fmt::Write;

/// Bytes as hexadecimal digits.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes that such digits stand for.
pub(super) fn bytes(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// A header's value as CloudEvents write it: what is not printable ASCII, and space, `"` and `%`, percent-encoded.
pub(super) fn escaped(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut escaped, byte| {
        if byte.is_ascii_graphic() && byte != b'"' && byte != b'%' {
            escaped.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
        escaped
    })
}

/// The text that such a value stands for.
pub(super) fn unescaped(text: &str) -> Option<String> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            plain.push(byte);
            continue;
        }
        let pair = [rest.next()?, rest.next()?];
        plain.push(u8::from_str_radix(str::from_utf8(&pair).ok()?, 16).ok()?);
    }
    String::from_utf8(plain).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_key_travels_as_printable_ascii(key in ".*") {
            let escaped = escaped(&key);
            prop_assert!(escaped.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert_eq!(unescaped(&escaped), Some(key));
        }

        #[test]
        fn bytes_travel_as_digits(sent in prop::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(bytes(&hexadecimal(&sent)), Some(sent));
        }
    }
}
