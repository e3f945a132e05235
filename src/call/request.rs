//! What is sent: JSON from the command line, a file or standard input, read as messages of the method's request type.
//!
//! JSON is Protobuf's own mapping; a stream takes one document after the other, as JSON lines are. Reading the text is
//! IO, making messages of it is not.

use std::io::{self, Read};
use std::path::PathBuf;
use std::{fs, iter};

use prost_reflect::{DynamicMessage, MessageDescriptor};
use serde_json::de::{Deserializer, StrRead};

/// Why there is no request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestError {
    #[error("failed to read standard input")]
    Input(#[source] io::Error),
    #[error("failed to read `{}`", .0.display())]
    File(PathBuf, #[source] io::Error),
    #[error("failed to read the request as {kind}: {problem}{}", hint(.problem, .fields))]
    Json { kind: String, problem: String, fields: Vec<String> },
    #[error("the method takes one message, and here are {0}")]
    Several(usize),
}

/// For an unknown field, those that there are.
fn hint(problem: &str, fields: &[String]) -> String {
    let Some(unknown) =
        problem.strip_prefix("unrecognized field name '").and_then(|rest| rest.split('\'').next())
    else {
        return String::new();
    };
    match freehold_contract::nearest(unknown, fields.iter().map(String::as_str)) {
        Some(nearest) => format!("; did you mean `{nearest}`?"),
        None if fields.is_empty() => "; it has no fields".to_owned(),
        None => format!("; it may have {}", fields.join(", ")),
    }
}

/// The text that `-d` stands for: itself, `@file`, or `-` for standard input; nothing where it was not given.
pub(crate) fn text(data: Option<&str>) -> Result<String, RequestError> {
    match data {
        None => Ok(String::new()),
        Some("-") => {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text).map_err(RequestError::Input)?;
            Ok(text)
        }
        Some(data) => match data.strip_prefix('@') {
            Some(file) => fs::read_to_string(file).map_err(|error| RequestError::File(file.into(), error)),
            None => Ok(data.to_owned()),
        },
    }
}

/// The messages that a text holds.
pub(crate) fn messages(text: &str, kind: &MessageDescriptor) -> Result<Vec<DynamicMessage>, RequestError> {
    let mut json = Deserializer::from_str(text);
    iter::from_fn(|| next(&mut json, kind)).collect()
}

/// The one message that a text holds; of no text, one that sets nothing.
pub(crate) fn message(text: &str, kind: &MessageDescriptor) -> Result<DynamicMessage, RequestError> {
    let mut messages = messages(text, kind)?;
    match messages.len() {
        0 | 1 => Ok(messages.pop().unwrap_or_else(|| DynamicMessage::new(kind.clone()))),
        several => Err(RequestError::Several(several)),
    }
}

fn next(
    json: &mut Deserializer<StrRead<'_>>,
    kind: &MessageDescriptor,
) -> Option<Result<DynamicMessage, RequestError>> {
    if json.end().is_ok() {
        return None;
    }
    let read = DynamicMessage::deserialize(kind.clone(), json);
    Some(read.map_err(|error| RequestError::Json {
        kind: kind.full_name().to_owned(),
        problem: error.to_string(),
        fields: kind.fields().map(|field| field.json_name().to_owned()).collect(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contracts;

    fn change_price() -> MessageDescriptor {
        let model = contracts::embedded().ok().unwrap();
        model.pool.get_message_by_name("catalog.v1.ChangePriceRequest").unwrap()
    }

    fn said(text: &str) -> String {
        message(text, &change_price()).unwrap_err().to_string()
    }

    #[test]
    fn fields_have_their_names_in_either_case() {
        let kind = change_price();
        let one = message(r#"{"id": "1", "priceCents": "5"}"#, &kind).unwrap();
        assert_eq!(one, message(r#"{"id": "1", "price_cents": 5}"#, &kind).unwrap());
        assert_eq!(one.get_field_by_name("price_cents").and_then(|value| value.as_i64()), Some(5));
        assert_eq!(message("  ", &kind).unwrap(), DynamicMessage::new(kind));
    }

    #[test]
    fn a_stream_takes_one_document_after_the_other() {
        let kind = change_price();
        assert_eq!(messages("{\"id\": \"1\"}\n{\"id\": \"2\"} {}\n", &kind).unwrap().len(), 3);
        assert_eq!(messages("", &kind).unwrap().len(), 0);
        assert_eq!(said("{} {}"), "the method takes one message, and here are 2");
        assert!(messages("{} {\"id\": 1}", &kind).is_err());
    }

    #[test]
    fn what_is_wrong_names_the_type_and_the_place() {
        let start = "failed to read the request as catalog.v1.ChangePriceRequest: ";
        for (text, problem) in [
            (r#"{"prize_cents": 5}"#, "did you mean `priceCents`?"),
            (r#"{"colour": 5}"#, "it may have id, priceCents"),
            (r#"{"priceCents": "much"}"#, "line 1 column"),
            (r#"{"id": "1""#, "line 1 column"),
            ("5", "line 1 column"),
        ] {
            let said = said(text);
            assert!(said.starts_with(start) && said.contains(problem), "{said}");
        }
    }

    #[test]
    fn a_deep_document_is_refused_rather_than_followed() {
        assert!(said(&format!(r#"{{"id": {}"#, "[".repeat(100_000))).contains("line 1"));
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        assert_eq!(text(Some("@nowhere.json")).unwrap_err().to_string(), "failed to read `nowhere.json`");
        assert_eq!(text(Some("{}")).unwrap(), "{}");
        assert_eq!(text(None).unwrap(), "");
    }
}
