//! The line of a source that a place stands on, and the columns to underline.
//!
//! **Invariant:** what comes out is safe to print on a terminal: no control characters, no endless lines.

use crate::model::Place;

/// The most characters of a line that are shown.
const WIDEST: usize = 160;
/// How many characters before an underlined text are shown where its line is wider than that.
const BEFORE: usize = 40;

/// A line of a source, and what to underline in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    /// The number of the line, from 1.
    pub(super) line: usize,
    /// The line as it is shown.
    pub(super) text: String,
    /// How many characters of it come before the underlined ones.
    pub(super) indent: usize,
    /// How many are underlined; at least one.
    pub(super) length: usize,
}

/// The excerpt for a place; a place of several lines shows the first one.
pub(super) fn excerpt(text: &str, place: &Place) -> Excerpt {
    let (before, marked, after) = line(text, place);
    let shown = |part: &str| part.trim_end_matches('\r').chars().map(printable).collect::<String>();
    let (before, marked, after) = (shown(before), shown(marked), shown(after));
    let indent = before.chars().count();
    let length = marked.chars().count().max(1);
    let whole = format!("{before}{marked}{after}");
    crop(Excerpt { line: place.line, text: whole.trim_end().to_owned(), indent, length })
}

/// The line on which a place begins: what is before it, in it and behind it; empty where it does not fit the text.
fn line<'a>(text: &'a str, place: &Place) -> (&'a str, &'a str, &'a str) {
    let (Some(before), Some(rest)) = (text.get(..place.start), text.get(place.start..)) else {
        return ("", "", "");
    };
    let first = before.rfind('\n').map_or(0, |newline| newline + 1);
    let rest = rest.lines().next().unwrap_or_default();
    let (marked, after) = rest.split_at_checked(place.end.saturating_sub(place.start)).unwrap_or((rest, ""));
    (&before[first..], marked, after)
}

/// Text that a terminal shows as it is.
pub(super) fn printable(character: char) -> char {
    match character {
        '\t' => ' ',
        control if control.is_control() => '\u{fffd}',
        other => other,
    }
}

fn crop(mut excerpt: Excerpt) -> Excerpt {
    if excerpt.text.chars().count() <= WIDEST {
        return excerpt;
    }
    let skipped = excerpt.indent.saturating_sub(BEFORE);
    let kept: String = excerpt.text.chars().skip(skipped).take(WIDEST).collect();
    excerpt.indent -= skipped;
    excerpt.length = excerpt.length.min(kept.chars().count().saturating_sub(excerpt.indent)).max(1);
    excerpt.text = kept;
    excerpt
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, start: usize, end: usize) -> Excerpt {
        excerpt(text, &Place::in_text("", text, start, end))
    }

    #[test]
    fn columns_are_characters_and_tabs_take_one() {
        let found = at("one\n\t\u{e9}\u{e9} two\r\n", 10, 13);
        let text = " \u{e9}\u{e9} two".to_owned();
        assert_eq!(found, Excerpt { line: 2, text, indent: 4, length: 3 });
    }

    #[test]
    fn a_place_beyond_the_text_or_inside_a_character_is_moved_into_it() {
        assert_eq!(at("a\u{e9}", 2, 9).indent, 1);
        assert_eq!(at("", 5, 9), Excerpt { line: 1, text: String::new(), indent: 0, length: 1 });
    }

    #[test]
    fn an_endless_line_is_cropped_around_what_is_underlined() {
        let found = at(&"x".repeat(10_000), 5_000, 9_000);
        assert_eq!((found.text.len(), found.indent, found.length), (WIDEST, BEFORE, WIDEST - BEFORE));
    }

    #[test]
    fn escape_sequences_do_not_reach_the_terminal() {
        assert_eq!(at("\u{1b}[31mred", 0, 1).text, "\u{fffd}[31mred");
    }
}
