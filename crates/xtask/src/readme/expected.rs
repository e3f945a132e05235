//! Whether a command printed what a page shows.
//!
//! `...` in a line stands for any text, a line of `...` alone for any number of lines. Runs of blanks count as one and
//! blank lines at the end as none: grpcurl changes its spacing from build to build on purpose.

/// Whether `printed` is what `expected` shows.
pub(crate) fn matches(expected: &[String], printed: &[String]) -> bool {
    let shape = |lines: &[String]| {
        let mut lines: Vec<String> = lines.iter().map(|line| one_blank(line)).collect();
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        lines
    };
    lines_match(&shape(expected), &shape(printed))
}

fn one_blank(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn lines_match(expected: &[String], printed: &[String]) -> bool {
    wildcard(expected, printed, |line| line == "...", |expected, printed| line_matches(expected, printed))
}

fn line_matches(expected: &str, printed: &str) -> bool {
    let Some((first, rest)) = expected.split_once("...") else { return expected == printed };
    let Some(mut printed) = printed.strip_prefix(first) else { return false };
    let mut parts = rest.split("...").peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return printed.ends_with(part);
        }
        match printed.find(part) {
            Some(at) => printed = &printed[at + part.len()..],
            None => return false,
        }
    }
    true
}

/// Matches `text` against `pattern`, in which an item that is `any` stands for any number of items. Keeps the last such
/// item to come back to, which is enough: what an earlier one could swallow, the last one can too.
fn wildcard<T>(pattern: &[T], text: &[T], any: impl Fn(&T) -> bool, same: impl Fn(&T, &T) -> bool) -> bool {
    let (mut at, mut pattern_at) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(pattern_at) {
            Some(item) if any(item) => {
                retry = Some((pattern_at + 1, at));
                pattern_at += 1;
            }
            Some(item) if same(item, &text[at]) => (at, pattern_at) = (at + 1, pattern_at + 1),
            _ => {
                let Some((after, swallowed)) = retry else { return false };
                (at, pattern_at, retry) = (swallowed + 1, after, Some((after, swallowed + 1)));
            }
        }
    }
    pattern[pattern_at..].iter().all(any)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matched(expected: &str, printed: &str) -> bool {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        matches(&lines(expected), &lines(printed))
    }

    #[test]
    fn what_is_shown_is_what_is_printed() {
        assert!(matched("a\nb", "a\nb\n\n"));
        assert!(matched("\"id\": 1", "\"id\":  1  "));
        assert!(!matched("a\nb", "a"));
        assert!(!matched("a", "a\nb"));
        assert!(!matched("a", "A"));
    }

    #[test]
    fn dots_stand_for_any_text_in_a_line() {
        assert!(matched("took ... ms, ... left", "took 12 ms, 3 left"));
        assert!(matched("ready...", "ready"));
        assert!(!matched("took ... ms", "took 12 s"));
        assert!(!matched("ab...ba", "aba"));
    }

    #[test]
    fn a_line_of_dots_stands_for_any_lines() {
        assert!(matched("{\n...\n}", "{\n  1\n  2\n}"));
        assert!(matched("a\n...", "a"));
        assert!(matched("...\nb\n...\nb", "b\nc\nb\nb"));
        assert!(!matched("{\n...\n}", "{\n  1\n"));
    }
}
