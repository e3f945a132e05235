//! The verdict for people, and for programs.

use std::collections::BTreeMap;

use crate::semver::{Audience, Change, Step, Verdict, What};

/// The verdict as text: the step, then what breaks, by those whose code it is and by the element that it comes from.
///
/// `baseline` is what the contracts were compared with. Of types only the last name is shown, unless that hides the
/// difference.
#[must_use]
pub fn render_text(verdict: &Verdict, baseline: &str) -> String {
    let mut text = format!("the SDK since {baseline}: {}\n", sentence(verdict));
    let mut groups: BTreeMap<(&[Audience], &str), Vec<&Change>> = BTreeMap::new();
    for change in verdict.breaking() {
        groups.entry((&change.breaks, &change.element)).or_default().push(change);
    }
    let mut last: &[Audience] = &[];
    for ((audiences, element), changes) in groups {
        if audiences != last {
            let names: Vec<&str> = audiences.iter().map(|audience| audience.name()).collect();
            text += &format!("  breaks {}:\n", names.join(", "));
            last = audiences;
        }
        text += &format!("    {element}\n");
        for change in changes {
            text += &format!("      {}\n", line(change));
        }
    }
    text
}

/// The verdict as one JSON object on a line, all of it under `sdk`: `baseline`, `step`, `steps` by audience, and `changes`.
///
/// Of a change: `item`, `kind`, `element`, `what` ("appears", "vanishes", "changes" or "turns"), `before` and `after` where
/// it changes or turns, and `breaks`, the audiences whose code breaks.
#[must_use]
pub fn render_json(verdict: &Verdict, baseline: &str) -> String {
    let audiences = [Audience::Callers, Audience::Mocks, Audience::Servers];
    let steps: BTreeMap<&str, &str> =
        audiences.iter().map(|audience| (audience.name(), verdict.step_for(*audience).name())).collect();
    let changes: Vec<serde_json::Value> = verdict.changes.iter().map(object).collect();
    let sdk = serde_json::json!({
        "baseline": baseline,
        "step": verdict.step.name(),
        "steps": steps,
        "changes": changes,
    });
    format!("{}\n", serde_json::json!({ "sdk": sdk }))
}

impl Step {
    /// "none", "patch", "minor", "major".
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }
}

impl Audience {
    /// "callers", "mocks", "servers".
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Callers => "callers",
            Self::Mocks => "mocks",
            Self::Servers => "servers",
        }
    }
}

fn sentence(verdict: &Verdict) -> String {
    let breaking = verdict.breaking().count();
    let new = verdict.changes.iter().filter(|change| change.what == What::Appears).count();
    match verdict.step {
        Step::None => "no step, nothing changes".to_owned(),
        Step::Patch => "patch, nothing that code can name changes".to_owned(),
        Step::Minor => format!("minor, {} new, nothing breaks", items(new)),
        Step::Major => {
            let callers = match verdict.step_for(Audience::Callers) {
                Step::Major => String::new(),
                step => format!("; {} for callers", step.name()),
            };
            format!("major (below 1.0.0 the second number), {} broken{callers}", items(breaking))
        }
    }
}

fn items(count: usize) -> String {
    if count == 1 { "1 item is".to_owned() } else { format!("{count} items are") }
}

fn line(change: &Change) -> String {
    let (kind, item) = (change.kind, &change.item);
    match &change.what {
        What::Appears => format!("{kind} {item} is new and has to be written"),
        What::Vanishes => format!("{kind} {item} is gone"),
        What::Changes { before, after } => {
            let (short, other) = (shortened(before), shortened(after));
            let (before, after) = if short == other { (before, after) } else { (&short, &other) };
            format!("{kind} {item}\n        was {before}\n        is  {after}")
        }
        What::Turns { before, after } => {
            format!(
                "{kind} {item} was {before}, is {after}: code that names it compiles and means another value"
            )
        }
    }
}

/// The same types, each by its last name.
fn shortened(form: &str) -> String {
    let mut short = String::new();
    for part in form.split_inclusive(|mark: char| !mark.is_alphanumeric() && mark != '_' && mark != ':') {
        short += part.rsplit("::").next().unwrap_or(part);
    }
    short
}

fn object(change: &Change) -> serde_json::Value {
    let breaks: Vec<&str> = change.breaks.iter().map(|audience| audience.name()).collect();
    let mut object = serde_json::json!({
        "item": change.item,
        "kind": change.kind,
        "element": change.element,
        "what": match change.what {
            What::Appears => "appears",
            What::Vanishes => "vanishes",
            What::Changes { .. } => "changes",
            What::Turns { .. } => "turns",
        },
        "breaks": breaks,
    });
    if let What::Changes { before, after } | What::Turns { before, after } = &change.what {
        object["before"] = before.as_str().into();
        object["after"] = after.as_str().into();
    }
    object
}
