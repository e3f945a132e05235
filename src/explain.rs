//! `freehold explain`: the page of a rule out of the documentation, which is built in.

use serde_json::json;

use freehold_contract::{nearest, page, pages};

use crate::cli::{ExplainArgs, Format};
use crate::exit::{Exit, Failure};
use crate::output;

/// Nothing has this id.
#[derive(Debug, thiserror::Error)]
#[error("there is no rule `{id}`{}; `freehold explain` lists all", meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default())]
struct UnknownRule {
    id: String,
    meant: Option<&'static str>,
}

/// Prints the page, or the list of all rules.
pub(crate) fn run(args: &ExplainArgs, format: Format) -> Result<(), Failure> {
    let text = match (&args.rule, format) {
        (Some(id), format) => explained(id, format)?,
        (None, Format::Text) => pages().map(|page| format!("{}  {}\n", page.id, page.purpose)).collect(),
        (None, Format::Json) => {
            pages().map(|page| format!("{}\n", json!({ "id": page.id, "purpose": page.purpose }))).collect()
        }
    };
    output::write(text.as_bytes())
}

fn explained(id: &str, format: Format) -> Result<String, Failure> {
    let Some(text) = page(id) else {
        let id = id.to_ascii_uppercase();
        let meant = nearest(&id, pages().map(|page| page.id));
        return Err(Failure::new(Exit::Usage, UnknownRule { id, meant }));
    };
    Ok(match format {
        Format::Text => format!("{text}\n"),
        Format::Json => format!("{}\n", json!({ "id": id.to_ascii_uppercase(), "text": text })),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_explained_in_any_case() {
        for page in pages() {
            let text = explained(&page.id.to_lowercase(), Format::Text).unwrap();
            assert!(text.starts_with(&format!("## {}: {}\n", page.id, page.purpose)), "{text}");
        }
    }

    #[test]
    fn an_unknown_rule_is_told_with_a_near_one() {
        let near = explained("fh22031", Format::Text).unwrap_err();
        let error = UnknownRule { id: "FH9".to_owned(), meant: None };
        assert_eq!(error.to_string(), "there is no rule `FH9`; `freehold explain` lists all");
        assert_eq!(format!("{:?}", near.report()), format!("{:?}", std::process::ExitCode::from(2)));
    }
}
