//! The doc comments of a contract as rustdoc takes them.
//!
//! What the author wrote stays word for word; only what rustdoc would read as a link, a tag or a doctest is escaped.

use std::collections::BTreeMap;

use prost_reflect::FileDescriptor;

/// The comments of one file, by the path of what they are about.
#[derive(Debug)]
pub(crate) struct Comments {
    lines: BTreeMap<Vec<i32>, Vec<String>>,
}

/// The path of a file's `syntax` line, which carries the comment of the file.
const SYNTAX: [i32; 1] = [12];
/// The path of a file's `package` line; the comment of a file may stand here.
const PACKAGE: [i32; 1] = [2];

impl Comments {
    /// The comments of a file; none where its source info was left out.
    pub(crate) fn of(file: &FileDescriptor) -> Self {
        let Some(info) = &file.file_descriptor_proto().source_code_info else {
            return Self { lines: BTreeMap::new() };
        };
        let lines = info.location.iter().map(|location| {
            let text = location.leading_comments.as_deref().or(location.trailing_comments.as_deref());
            (location.path.clone(), lines(text.unwrap_or_default()))
        });
        Self { lines: lines.filter(|(_, lines)| !lines.is_empty()).collect() }
    }

    /// The comment of the file itself.
    pub(crate) fn of_file(&self) -> Vec<String> {
        let found = self.lines.get(SYNTAX.as_slice()).or_else(|| self.lines.get(PACKAGE.as_slice()));
        found.cloned().unwrap_or_default()
    }

    /// The comment at a path, or the sentence that stands in for it.
    pub(crate) fn at(&self, path: &[i32], otherwise: impl FnOnce() -> String) -> Vec<String> {
        self.lines.get(path).cloned().unwrap_or_else(|| vec![otherwise()])
    }
}

/// A comment's lines, without the space that follows the slashes.
fn lines(text: &str) -> Vec<String> {
    escape(text.lines().map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end()))
}

/// The same lines as rustdoc takes them: nothing in them is a doctest, a link or a tag that was not meant.
pub(crate) fn escape<'a>(lines: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut fenced = false;
    let mut escaped: Vec<String> = Vec::new();
    for line in lines {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            let indent = &line[..line.len() - line.trim_start().len()];
            escaped.push(if fenced { format!("{indent}```text") } else { line.to_owned() });
        } else if fenced {
            escaped.push(line.to_owned());
        } else {
            escaped.push(escape_prose(line));
        }
    }
    while escaped.last().is_some_and(String::is_empty) {
        escaped.pop();
    }
    escaped
}

/// Four spaces begin a block of code, which would be compiled.
fn escape_prose(line: &str) -> String {
    let text = line.trim_start();
    let mut escaped = " ".repeat((line.len() - text.len()).min(3));
    for (index, part) in text.split('`').enumerate() {
        if index > 0 {
            escaped.push('`');
        }
        // Every second part stands between backticks, where nothing is read as markup.
        if index % 2 == 0 { escape_words(part, &mut escaped) } else { escaped.push_str(part) }
    }
    escaped
}

fn escape_words(text: &str, escaped: &mut String) {
    for (index, word) in text.split(' ').enumerate() {
        if index > 0 {
            escaped.push(' ');
        }
        let address = word.trim_matches(|c: char| matches!(c, '(' | ')' | '"' | ',' | '.' | ';' | '<' | '>'));
        let is_address = address.starts_with("https://") || address.starts_with("http://");
        if is_address && address.contains('.') {
            escaped.push_str(&word.trim_matches(['<', '>']).replace(address, &format!("<{address}>")));
            continue;
        }
        for letter in word.chars() {
            if matches!(letter, '[' | ']' | '<') && !escaped.ends_with('\\') {
                escaped.push('\\');
            }
            escaped.push(letter);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_stays_word_for_word() {
        let text = " An order.\n\n What it costs, in `cents[0]`.\n";
        assert_eq!(lines(text), ["An order.", "", "What it costs, in `cents[0]`."]);
    }

    #[test]
    fn what_rustdoc_would_take_for_markup_is_escaped() {
        assert_eq!(escape(["lines[2] of Vec<u8>"]), ["lines\\[2\\] of Vec\\<u8>"]);
        assert_eq!(
            escape(["see https://example.com/a, or http://b"]),
            ["see <https://example.com/a>, or http://b"]
        );
    }

    #[test]
    fn nothing_becomes_a_doctest() {
        assert_eq!(escape(["      let x = 1;"]), ["   let x = 1;"]);
        assert_eq!(escape(["```", "[x]", "```", "[x]"]), ["```text", "[x]", "```", "\\[x\\]"]);
    }
}
