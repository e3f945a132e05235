//! The pages of the rules: docs/rules/, one section per rule, built in so that `freehold explain` can print them.
//!
//! A section begins with `## ID: what it refuses` and ends where the next one begins. Pure text in, borrowed text out.
//! **Invariant:** every rule has exactly one section, and every section a rule; tests/diagnostics/pages.rs holds it.

/// The files of docs/rules that hold sections, in the order of a report.
const FAMILIES: &[&str] = &[
    include_str!("../../../docs/rules/source.md"),
    include_str!("../../../docs/rules/structure.md"),
    include_str!("../../../docs/rules/lints.md"),
    include_str!("../../../docs/rules/style.md"),
    include_str!("../../../docs/rules/protobuf.md"),
    include_str!("../../../docs/rules/compat.md"),
];

/// What the documentation says of one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// The id in its heading: "FH4001".
    pub id: &'static str,
    /// The rest of its heading: what the rule refuses.
    pub purpose: &'static str,
    /// The whole section, the heading included; Markdown.
    pub text: &'static str,
}

/// All pages, as they stand in the documentation.
pub fn pages() -> impl Iterator<Item = Page> {
    FAMILIES.iter().flat_map(|family| sections(family))
}

/// The page of a rule, whatever the case of its id; `None` where no rule has that id.
#[must_use]
pub fn page(id: &str) -> Option<&'static str> {
    pages().find(|page| page.id.eq_ignore_ascii_case(id)).map(|page| page.text)
}

/// The sections of a file. What stands before the first one belongs to none.
fn sections(file: &'static str) -> impl Iterator<Item = Page> {
    let starts = std::iter::once(0).chain(file.match_indices("\n## ").map(|(at, _)| at + 1));
    let starts: Vec<usize> = starts.filter(|at| file[*at..].starts_with("## ")).collect();
    let ends = starts.iter().skip(1).copied().chain([file.len()]).collect::<Vec<_>>();
    starts.into_iter().zip(ends).filter_map(|(start, end)| section(file[start..end].trim_end()))
}

fn section(text: &'static str) -> Option<Page> {
    let (id, purpose) = text.lines().next()?.strip_prefix("## ")?.split_once(": ")?;
    let is_id =
        id.bytes().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == b'_');
    is_id.then_some(Page { id, purpose, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_found_by_its_id_in_any_case() {
        let text = page("fh4001").unwrap();
        assert!(text.starts_with("## FH4001: a write that does not say how it may be repeated\n"));
        assert!(text.ends_with("```") && !text.contains("FH4002"));
        assert_eq!((page("FH4"), page("FH9999"), page("")), (None, None, None));
    }

    #[test]
    fn what_stands_before_the_first_section_and_headings_without_an_id_belong_to_no_page() {
        let ids = |file| sections(file).map(|page| (page.id, page.text)).collect::<Vec<_>>();
        assert_eq!(
            ids("# Title\nintro\n\n## A_1: one\ntext\n\n## B2: two"),
            [("A_1", "## A_1: one\ntext"), ("B2", "## B2: two")]
        );
        assert_eq!(ids("## How to read: this\ntext"), []);
        assert_eq!(ids(""), []);
    }
}
