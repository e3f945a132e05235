//! Breaks that are accepted for a while: a file of waivers, each for one rule, one element and one consumer.
//!
//! In go the text of the file, the findings and the day; out come the findings that are left, and those that were waived,
//! so that they can be shown. **Invariant:** a waiver lifts one consumer off one finding and nothing else; from the day
//! after it expires it lifts nothing.

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use crate::finding::{Affected, Finding, Severity, Verdict};
use crate::model::Place;

/// A break that is accepted for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// The rule whose finding is waived: "FH3007".
    pub rule: String,
    /// The element of the finding: "catalog.v1.Product.name".
    pub element: String,
    /// The consumer that is known to be hit; none where the finding names nobody who breaks.
    pub consumer: Option<String>,
    /// Why it is accepted.
    pub reason: String,
    /// The last day on which it holds.
    pub expires: Date,
    /// Where it stands in its file.
    pub place: Place,
}

/// A waiver, and what it lifted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waived {
    /// The waiver.
    pub waiver: Waiver,
    /// The finding as it would have been.
    pub finding: Finding,
}

/// What is left of the findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The findings that stand, in their order; then a warning for each waiver that lifted nothing.
    pub findings: Vec<Finding>,
    /// What was waived, in the order of the findings.
    pub waived: Vec<Waived>,
}

/// Why a file of waivers was not read.
#[derive(Debug, thiserror::Error)]
pub enum WaiversError {
    /// It is not TOML, or lacks a field, or has one that is unknown.
    #[error("failed to read {file}:{line}: {problem}")]
    Syntax {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        problem: String,
    },
    /// A field says nothing.
    #[error("failed to read {file}:{line}: `{field}` is empty")]
    Empty {
        /// The file.
        file: String,
        /// The line of the waiver, from 1.
        line: usize,
        /// The field.
        field: &'static str,
    },
    /// The end is not a day.
    #[error("failed to read {file}:{line}: `expires` is a day, as in 2027-01-31, and not `{given}`")]
    Expires {
        /// The file.
        file: String,
        /// The line of the waiver, from 1.
        line: usize,
        /// What is given.
        given: String,
    },
    /// Two waivers are for the same.
    #[error("failed to read {file}:{line}: line {first} waives the same already")]
    Twice {
        /// The file.
        file: String,
        /// The line of the second, from 1.
        line: usize,
        /// The line of the first.
        first: usize,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    waiver: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    rule: String,
    element: String,
    consumer: Option<String>,
    reason: String,
    expires: Datetime,
}

/// Reads the waivers of a file: tables `[[waiver]]` with `rule`, `element`, `consumer`, `reason` and `expires`.
///
/// # Errors
/// The first line that is wrong, and what is wrong there.
pub fn parse(file: &str, text: &str) -> Result<Vec<Waiver>, WaiversError> {
    let document: Document = toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or_default();
        let line = Place::in_text(file, text, span.start, span.end).line;
        WaiversError::Syntax { file: file.to_owned(), line, problem: error.message().to_owned() }
    })?;
    let mut waivers: Vec<Waiver> = Vec::new();
    for entry in document.waiver {
        let span = entry.span();
        let place = Place::in_text(file, text, span.start, span.end);
        let waiver = checked(entry.into_inner(), place)?;
        let same = |other: &&Waiver| {
            (&other.rule, &other.element, &other.consumer)
                == (&waiver.rule, &waiver.element, &waiver.consumer)
        };
        if let Some(first) = waivers.iter().find(same) {
            let (line, first) = (waiver.place.line, first.place.line);
            return Err(WaiversError::Twice { file: file.to_owned(), line, first });
        }
        waivers.push(waiver);
    }
    Ok(waivers)
}

fn checked(entry: Entry, place: Place) -> Result<Waiver, WaiversError> {
    let (file, line) = (place.file.clone(), place.line);
    let fields = [
        ("rule", Some(&entry.rule)),
        ("element", Some(&entry.element)),
        ("consumer", entry.consumer.as_ref()),
        ("reason", Some(&entry.reason)),
    ];
    for (field, value) in fields {
        if value.is_some_and(|value| value.trim().is_empty()) {
            return Err(WaiversError::Empty { file, line, field });
        }
    }
    let given = entry.expires.to_string();
    let Ok(expires) = given.parse::<Date>() else { return Err(WaiversError::Expires { file, line, given }) };
    let Entry { rule, element, consumer, reason, .. } = entry;
    Ok(Waiver { rule, element, consumer, reason, expires, place })
}

/// Lifts off the findings what is waived on that day. What a waiver that has expired was for stands, and says so.
#[must_use]
pub fn apply(findings: Vec<Finding>, waivers: &[Waiver], today: Date) -> Applied {
    let mut used = vec![false; waivers.len()];
    let mut applied = Applied { findings: Vec::new(), waived: Vec::new() };
    for mut finding in findings {
        let before = finding.clone();
        let mut lifted = false;
        for (waiver, used) in waivers.iter().zip(&mut used).filter(|(waiver, _)| is_for(waiver, &before)) {
            *used = true;
            if waiver.expires < today {
                finding.message.push_str(&format!("; its waiver ended on {}", waiver.expires));
                continue;
            }
            lifted = true;
            finding.affected.retain(|hit| Some(&hit.consumer) != waiver.consumer.as_ref());
            applied.waived.push(Waived { waiver: waiver.clone(), finding: before.clone() });
        }
        applied.findings.extend(if lifted { left_of(finding) } else { Some(finding) });
    }
    let unused = waivers.iter().zip(used).filter(|(_, used)| !used);
    applied.findings.extend(unused.map(|(waiver, _)| waives_nothing(waiver)));
    applied
}

/// A waiver without a consumer is for a finding that breaks nobody by name.
fn is_for(waiver: &Waiver, finding: &Finding) -> bool {
    let names = |hit: &Affected| match &waiver.consumer {
        Some(consumer) => hit.consumer == *consumer,
        None => hit.verdict == Verdict::Broken,
    };
    let named = finding.affected.iter().any(names);
    waiver.rule == finding.rule && waiver.element == finding.element && named == waiver.consumer.is_some()
}

/// What is left of a finding once somebody is lifted off it: nothing where nobody else is hit.
fn left_of(mut finding: Finding) -> Option<Finding> {
    let worst = finding.affected.iter().map(|hit| hit.verdict).max()?;
    if worst < Verdict::Broken {
        finding.severity = finding.severity.max(Severity::Warning);
    }
    (worst > Verdict::Unaffected).then_some(finding)
}

/// FH3901.
fn waives_nothing(waiver: &Waiver) -> Finding {
    let whom = waiver.consumer.as_ref().map(|consumer| format!(" for `{consumer}`")).unwrap_or_default();
    Finding::warning(format!("the waiver of {} of `{}`{whom} waives nothing", waiver.rule, waiver.element))
        .under("FH3901")
        .at(waiver.place.clone(), "")
        .help("remove it: what it was for is mended, or is called something else")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDERS: &str = r#"
[[waiver]]
rule = "FH3007"
element = "catalog.v1.Product.name"
consumer = "orders"
reason = "orders is rebuilt without it"
expires = 2027-01-31
"#;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn hit(consumer: &str, verdict: Verdict) -> Affected {
        Affected { consumer: consumer.to_owned(), contact: String::new(), verdict, need: None }
    }

    fn finding(affected: Vec<Affected>) -> Finding {
        Finding::error("gone").under("FH3007").hits("catalog.v1.Product.name", affected)
    }

    /// On its last day, too. Planted: `<=` for `<` ends it a day early.
    #[test]
    fn a_waiver_lifts_its_consumer_and_leaves_the_others() {
        let waivers = parse("w.toml", ORDERS).unwrap();
        let both = finding(vec![hit("orders", Verdict::Broken), hit("rides", Verdict::Broken)]);
        let applied = apply(vec![both.clone()], &waivers, day("2027-01-31"));
        assert_eq!(applied.findings.len(), 1);
        assert_eq!(applied.findings[0].affected, [hit("rides", Verdict::Broken)]);
        assert_eq!(applied.findings[0].severity, Severity::Error);
        assert_eq!(applied.waived[0].finding, both);
    }

    #[test]
    fn a_finding_that_hits_nobody_else_is_gone_and_shown_as_waived() {
        let waivers = parse("w.toml", ORDERS).unwrap();
        let applied = apply(vec![finding(vec![hit("orders", Verdict::Broken)])], &waivers, day("2026-12-01"));
        assert_eq!(applied.findings, []);
        assert_eq!(applied.waived.len(), 1);
        let perhaps =
            finding(vec![hit("orders", Verdict::Broken), hit("shop", Verdict::PotentiallyAffected)]);
        let applied = apply(vec![perhaps], &waivers, day("2026-12-01"));
        assert_eq!(applied.findings[0].severity, Severity::Warning);
    }

    #[test]
    fn an_expired_waiver_lifts_nothing_and_says_when_it_ended() {
        let waivers = parse("w.toml", ORDERS).unwrap();
        let applied = apply(vec![finding(vec![hit("orders", Verdict::Broken)])], &waivers, day("2027-02-01"));
        assert_eq!(applied.findings[0].message, "gone; its waiver ended on 2027-01-31");
        assert_eq!((applied.findings[0].severity, applied.waived.len()), (Severity::Error, 0));
    }

    #[test]
    fn a_waiver_of_nothing_is_a_warning_with_its_line() {
        let waivers = parse("w.toml", ORDERS).unwrap();
        let applied = apply(vec![finding(vec![hit("rides", Verdict::Broken)])], &waivers, day("2026-12-01"));
        let unused = &applied.findings[1];
        assert_eq!(
            (unused.rule, unused.severity, unused.places[0].place.line),
            ("FH3901", Severity::Warning, 2)
        );
    }

    #[test]
    fn a_finding_that_names_nobody_is_waived_without_a_consumer() {
        let waivers = parse("w.toml", &ORDERS.replace("consumer = \"orders\"\n", "")).unwrap();
        assert_eq!(apply(vec![finding(vec![])], &waivers, day("2026-12-01")).findings, []);
        let broken = vec![finding(vec![hit("orders", Verdict::Broken)])];
        assert_eq!(apply(broken, &waivers, day("2026-12-01")).waived, [], "whom it breaks is to be named");
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_with_its_line() {
        let told = |text: &str| parse("w.toml", text).unwrap_err().to_string();
        assert_eq!(
            told(&ORDERS.replace("2027-01-31", "2027-01-31T10:00:00Z")),
            "failed to read w.toml:2: `expires` is a day, as in 2027-01-31, and not `2027-01-31T10:00:00Z`"
        );
        assert_eq!(
            told(&ORDERS.replace("orders is rebuilt without it", " ")),
            "failed to read w.toml:2: `reason` is empty"
        );
        assert_eq!(
            told(&format!("{ORDERS}{ORDERS}")),
            "failed to read w.toml:9: line 2 waives the same already"
        );
        assert!(
            told(&ORDERS.replace("reason", "because"))
                .starts_with("failed to read w.toml:6: unknown field `because`")
        );
        assert!(told("[[waiver]\n").starts_with("failed to read w.toml:1: "));
        assert_eq!(parse("w.toml", "").unwrap(), []);
    }
}
