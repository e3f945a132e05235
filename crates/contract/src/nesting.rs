//! How deep a text nests its brackets, told without parsing it.
//!
//! The option values of Protobuf are parsed recursively without a limit, so a text that nests without end would overflow
//! the stack; this scan refuses it first. **Invariant:** it takes time linear in the text and no memory.

/// The deepest nesting that is compiled. A readable contract stays far below it.
pub(crate) const DEEPEST: usize = 64;

/// The offset of the first bracket that opens deeper than [`DEEPEST`].
pub(crate) fn too_deep(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' | b'\'' => at = past_string(bytes, at),
            b'#' => at = past_line(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'/') => at = past_line(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'*') => at = past_block(bytes, at),
            b'{' | b'[' | b'(' | b'<' if depth == DEEPEST => return Some(at),
            b'{' | b'[' | b'(' | b'<' => depth += 1,
            b'}' | b']' | b')' | b'>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The last byte of a string: its closing quote, or the end of its line where it has none.
fn past_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != bytes[start] && bytes[at] != b'\n' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at
}

fn past_line(bytes: &[u8], start: usize) -> usize {
    bytes[start..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| start + length)
}

/// The last byte of a block comment.
fn past_block(bytes: &[u8], start: usize) -> usize {
    let inside = start + 2;
    let end = bytes[inside..].windows(2).position(|pair| pair == b"*/");
    end.map_or(bytes.len(), |length| inside + length + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bracket_beyond_the_limit_is_told() {
        let text = "{".repeat(DEEPEST) + "}{{";
        assert_eq!(too_deep(&text), Some(DEEPEST + 2));
        assert_eq!(too_deep(&"{".repeat(DEEPEST)), None);
    }

    #[test]
    fn brackets_in_strings_and_comments_do_not_count() {
        let brackets = "{".repeat(DEEPEST + 1);
        for text in [
            format!("'{brackets}'"),
            format!("\"\\\"{brackets}\""),
            format!("// {brackets}\n{{"),
            format!("/* {brackets} */ {{"),
            format!("/*{brackets}"),
            format!("# /* {brackets}\n{{"),
        ] {
            assert_eq!(too_deep(&text), None, "{text}");
        }
        assert!(
            too_deep(&format!("# /*\n{brackets}")).is_some(),
            "a line comment hides no more than its line"
        );
    }

    #[test]
    fn a_string_that_never_ends_hides_its_own_line_only() {
        let brackets = "{".repeat(DEEPEST + 1);
        assert_eq!(too_deep(&format!("\"\n{brackets}")), Some(2 + DEEPEST));
    }
}
