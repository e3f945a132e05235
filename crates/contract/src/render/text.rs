//! Findings for people: the source line, underlined, the rule, and what to write instead.

use std::fmt::Write as _;

use super::excerpt::{Excerpt, excerpt, printable};
use super::words;
use crate::finding::{Finding, Mark, Severity};
use crate::model::Place;
use crate::sources::Texts;

/// The findings as text, each followed by an empty line.
#[must_use]
pub fn render_text<'a>(findings: &[Finding], texts: impl Into<Texts<'a>>) -> String {
    render(findings, &texts.into(), Paint { colour: false })
}

/// The findings as text in the colours of an ANSI terminal.
#[must_use]
pub fn render_text_color<'a>(findings: &[Finding], texts: impl Into<Texts<'a>>) -> String {
    render(findings, &texts.into(), Paint { colour: true })
}

fn render(findings: &[Finding], texts: &Texts<'_>, paint: Paint) -> String {
    let mut page = Page { paint, text: String::new(), gutter: 0 };
    for finding in findings {
        page.finding(finding, texts);
    }
    page.text
}

/// What is under a mark.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ink {
    Error,
    Warning,
    Frame,
    Strong,
}

#[derive(Clone, Copy)]
struct Paint {
    colour: bool,
}

impl Paint {
    fn paint(self, ink: Ink, text: &str) -> String {
        let code = match ink {
            _ if !self.colour => return text.to_owned(),
            Ink::Error => "1;31",
            Ink::Warning => "1;33",
            Ink::Frame => "1;34",
            Ink::Strong => "1",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

struct Page {
    paint: Paint,
    text: String,
    /// The width of the widest line number of the finding.
    gutter: usize,
}

/// A mark and the line that it stands on.
struct Shown<'a> {
    mark: &'a Mark,
    primary: bool,
    excerpt: Excerpt,
}

impl Page {
    fn finding(&mut self, finding: &Finding, texts: &Texts<'_>) {
        let ink = match finding.severity {
            Severity::Error => Ink::Error,
            Severity::Warning => Ink::Warning,
            Severity::Note => Ink::Frame,
        };
        let head = self.paint.paint(ink, &format!("{}[{}]", finding.severity.as_str(), finding.rule));
        let message: String = finding.message.chars().map(printable).collect();
        self.line(&format!("{head}{}", self.paint.paint(Ink::Strong, &format!(": {message}"))));

        let shown: Vec<Shown<'_>> =
            marks(finding).enumerate().map(|(at, mark)| show(at, mark, texts)).collect();
        self.gutter =
            shown.iter().map(|shown| shown.excerpt.line.to_string().len()).max().unwrap_or_default();
        for (at, marks) in by_file(&shown).iter().enumerate() {
            self.file(if at == 0 { "-->" } else { ":::" }, marks, ink);
        }
        for hit in words::hit(finding) {
            let line = format!("{} {}", self.paint.paint(Ink::Frame, "="), words::consumer(hit));
            self.line(&format!("{} {line}", " ".repeat(self.gutter)));
        }
        self.help(&finding.help);
        self.text.push('\n');
    }

    /// The marks of one file, from the top; the header names the one that matters most.
    fn file(&mut self, arrow: &str, marks: &[&Shown<'_>], ink: Ink) {
        let Some(first) = marks.first() else { return };
        let Place { file, line, column, .. } = &first.mark.place;
        let of_baseline = words::of_baseline(first.mark);
        let lead = format!("{}{}", " ".repeat(self.gutter), self.paint.paint(Ink::Frame, arrow));
        if first.mark.place.is_whole() {
            self.line(&format!("{lead} {file}{of_baseline}"));
            return self.bar("");
        }
        self.line(&format!("{lead} {file}:{line}:{column}{of_baseline}"));
        self.bar("");

        let mut marks = marks.to_vec();
        marks.sort_by_key(|shown| (shown.mark.place.line, shown.mark.place.column));
        let mut last = None;
        for Shown { mark, primary, excerpt } in marks {
            if last != Some(excerpt.line) {
                if last.is_some_and(|last| excerpt.line > last + 1) {
                    self.line(&self.paint.paint(Ink::Frame, "..."));
                }
                self.source(excerpt);
                last = Some(excerpt.line);
            }
            self.underline(excerpt, &mark.label, *primary, ink);
        }
        self.bar("");
    }

    fn source(&mut self, excerpt: &Excerpt) {
        let number = format!("{:>width$} |", excerpt.line, width = self.gutter);
        self.line(format!("{} {}", self.paint.paint(Ink::Frame, &number), excerpt.text).trim_end());
    }

    fn underline(&mut self, excerpt: &Excerpt, label: &str, primary: bool, ink: Ink) {
        let (stroke, ink) = if primary { ("^", ink) } else { ("-", Ink::Frame) };
        let marks = format!("{} {label}", stroke.repeat(excerpt.length));
        let marks = self.paint.paint(ink, marks.trim_end());
        self.bar(&format!("{}{marks}", " ".repeat(excerpt.indent)));
    }

    fn help(&mut self, help: &str) {
        for (at, line) in help.lines().enumerate() {
            let lead =
                if at == 0 { self.paint.paint(Ink::Frame, "= help:") } else { " ".repeat("= help:".len()) };
            self.line(format!("{} {lead} {line}", " ".repeat(self.gutter)).trim_end());
        }
    }

    /// The frame beside the sources, and what stands behind it.
    fn bar(&mut self, rest: &str) {
        let bar = self.paint.paint(Ink::Frame, "|");
        self.line(format!("{} {bar} {rest}", " ".repeat(self.gutter)).trim_end());
    }

    fn line(&mut self, line: &str) {
        // Writing into a String cannot fail.
        let _ = writeln!(self.text, "{line}");
    }
}

fn show<'a>(at: usize, mark: &'a Mark, texts: &Texts<'_>) -> Shown<'a> {
    let text = texts.of(mark).unwrap_or_default();
    Shown { mark, primary: at == 0, excerpt: excerpt(text, &mark.place) }
}

/// What is shown of a finding: its places, and the lines that take what changed, each once.
fn marks(finding: &Finding) -> impl Iterator<Item = &Mark> {
    let same = |one: &Mark, other: &Mark| one.place == other.place && one.baseline == other.baseline;
    let shown = move |mark: &&Mark| !finding.places.iter().any(|place| same(place, mark));
    let mut needs: Vec<&Mark> = Vec::new();
    for need in finding.affected.iter().filter_map(|affected| affected.need.as_ref()).filter(shown) {
        if !needs.iter().any(|other| same(other, need)) {
            needs.push(need);
        }
    }
    finding.places.iter().chain(needs)
}

/// The marks file by file, in the order in which the files come up.
fn by_file<'a, 'b>(shown: &'a [Shown<'b>]) -> Vec<Vec<&'a Shown<'b>>> {
    let mut files: Vec<Vec<&Shown<'_>>> = Vec::new();
    for shown in shown {
        let lies = |other: &Mark| {
            (&other.place.file, &other.baseline) == (&shown.mark.place.file, &shown.mark.baseline)
        };
        match files.iter_mut().find(|marks| marks.iter().all(|other| lies(other.mark))) {
            Some(marks) => marks.push(shown),
            None => files.push(vec![shown]),
        }
    }
    files
}
