//! Percent-encoding, as paths and query strings have it.
//!
//! In: a piece of a request line. Out: its text, or nothing where it is no text. A segment's `%2F` is a slash of the
//! value, not of the path: an id may hold one.

/// The text of a piece of a path; `None` for an escape that is none, or bytes that are no UTF-8.
pub(crate) fn text(piece: &str) -> Option<String> {
    decode(piece, |_| true)
}

/// The same of segments that a variable takes together: an escaped slash stays escaped, or it would look like one
/// between segments.
pub(crate) fn joined(segments: &[&str]) -> Option<String> {
    decode(&segments.join("/"), |byte| byte != b'/')
}

/// The same of a piece of a query string, where a plus is a space.
pub(crate) fn query(piece: &str) -> Option<String> {
    decode(&piece.replace('+', " "), |_| true)
}

fn decode(piece: &str, unescaped: impl Fn(u8) -> bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(piece.len());
    let mut rest = piece.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let [high, low, after @ ..] = rest else { return None };
        let byte = hex(*high)? << 4 | hex(*low)?;
        if unescaped(byte) {
            bytes.push(byte);
        } else {
            bytes.extend([b'%', *high, *low]);
        }
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_once() {
        assert_eq!(text("a%2Fb%20c+d%25").as_deref(), Some("a/b c+d%"));
        assert_eq!(text("%252F").as_deref(), Some("%2F"));
        assert_eq!(query("a+b%2Bc").as_deref(), Some("a b+c"));
        assert_eq!(joined(&["a%20b", "c%2fd"]).as_deref(), Some("a b/c%2fd"));
        assert_eq!(text("%C3%A9").as_deref(), Some("é"));
    }

    #[test]
    fn what_is_no_text_is_nothing() {
        for piece in ["%", "%1", "%GG", "%+1", "%C3", "%ff%fe"] {
            assert_eq!(text(piece), None, "{piece}");
        }
    }
}
