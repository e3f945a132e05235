//! A call that failed, for people and for programs: what went wrong, and all that the callee said about it.
//!
//! **Invariant:** nothing of a typed error is lost on the way to the terminal: fields at fault, figures, when to come back.

use std::collections::BTreeMap;

use freehold_sdk::Error;
use serde_json::{Value, json};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::exit::Exit;

/// The code that a failed call ends the command with.
pub(crate) fn exit(error: &Error) -> Exit {
    if error.is_retryable_with_same_key() { Exit::Repeatable } else { Exit::Refused }
}

/// The error in lines: the sentence, then a line for each detail.
pub(crate) fn lines(error: &Error, key: Option<&str>) -> Vec<String> {
    let mut lines = vec![error.to_string()];
    let mut detail = |name: &str, value: String| lines.push(format!("  {name:<8} {value}"));
    detail("code", code(error.code()));
    for violation in error.field_violations() {
        detail("field", format!("{}: {}", violation.field, violation.description));
    }
    for (name, value) in figures(error) {
        detail("figure", format!("{name} = {value}"));
    }
    if let Some(delay) = error.retry_after() {
        detail("retry", format!("after {delay:?}"));
    }
    if let Some(id) = error.request_id() {
        detail("request", id.to_owned());
    }
    if let Some(key) = key.filter(|_| error.is_retryable_with_same_key()) {
        detail("repeat", format!("with --key {key}, which takes effect once"));
    }
    lines
}

/// The same as one document.
pub(crate) fn document(error: &Error, key: Option<&str>) -> Value {
    let fields = error.field_violations().iter();
    let fields: Vec<Value> =
        fields.map(|wrong| json!({ "field": wrong.field, "description": wrong.description })).collect();
    json!({
        "method": error.method(),
        "code": code(error.code()),
        "reason": error.reason(),
        "message": error.message(),
        "fields": fields,
        "figures": figures(error),
        "retry_after_ms": error.retry_after().map(|delay| delay.as_millis() as u64),
        "request_id": error.request_id(),
        "key": key,
    })
}

fn figures(error: &Error) -> BTreeMap<String, String> {
    let info = Status::from(error.clone()).get_details_error_info();
    info.map(|info| info.metadata.into_iter().collect()).unwrap_or_default()
}

/// A code as gRPC spells it: NOT_FOUND.
fn code(code: Code) -> String {
    let mut spelled = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_uppercase() && !spelled.is_empty() {
            spelled.push('_');
        }
        spelled.push(letter.to_ascii_uppercase());
    }
    spelled
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use freehold_wire::{Reason, reason};

    use super::*;

    #[test]
    fn a_refusal_names_the_fields_and_the_figures() {
        let wrong = Error::from(reason::bad_field("price_cents", "must be at least 0, is -5"));
        assert_eq!(
            lines(&wrong, None),
            [
                "price_cents: must be at least 0, is -5 (INVALID_ARGUMENT)",
                "  code     INVALID_ARGUMENT",
                "  field    price_cents: must be at least 0, is -5",
            ]
        );
        let figures = [("available_units", "3".to_owned())];
        let short = Reason::FailedPrecondition.because_of("INSUFFICIENT_STOCK", "3 units are left", figures);
        let short = Error::from(short);
        assert!(lines(&short, None).contains(&"  figure   available_units = 3".to_owned()));
        assert_eq!(document(&short, None)["figures"]["available_units"], "3");
        assert_eq!(document(&short, None)["code"], "FAILED_PRECONDITION");
        assert_eq!((exit(&wrong), exit(&short)), (Exit::Refused, Exit::Refused));
    }

    #[test]
    fn what_may_be_repeated_says_so_and_under_which_key() {
        let busy =
            Reason::ResourceExhausted.retry_after("TOO_MANY", "too many calls", Duration::from_secs(2));
        let busy = Error::from(busy);
        let lines = lines(&busy, Some("k-1"));
        assert!(lines.contains(&"  retry    after 2s".to_owned()), "{lines:?}");
        assert!(
            lines.contains(&"  repeat   with --key k-1, which takes effect once".to_owned()),
            "{lines:?}"
        );
        assert_eq!(exit(&busy), Exit::Repeatable);
        assert_eq!(document(&busy, Some("k-1"))["retry_after_ms"], 2000);
    }
}
