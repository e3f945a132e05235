//! A JSON text as a tree, before anything is known of what it should say.
//!
//! Unlike other trees it keeps no two members of one name: which of them counted would be anybody's guess. A text that
//! breaks off or breaks the syntax is told by the path at which it does. **Invariant:** a tree is no deeper than
//! [`DEEPEST`].

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::DEEPEST;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// Why a text is no tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Misread {
    /// The path at which it is none; empty for the text itself.
    pub(crate) path: String,
    /// What is wrong there.
    pub(crate) problem: String,
}

impl Json {
    /// What it is, to be said of it: "a string".
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// Parses a text.
///
/// # Errors
/// [`Misread`]: it is no JSON, it is not UTF-8, it nests too deep, or an object has a member twice.
pub(crate) fn parse(text: &[u8]) -> Result<Json, Misread> {
    let steps = RefCell::default();
    let mut reader = serde_json::Deserializer::from_slice(text);
    let parsed = Place { steps: &steps, depth: 0 }.deserialize(&mut reader);
    let whole = parsed.and_then(|json| reader.end().map(|()| json));
    whole.map_err(|error| Misread { path: path(steps.into_inner()), problem: error.to_string() })
}

/// Where in a text a value stands. Steps are noted by those who fail, on their way out: the innermost comes first.
#[derive(Clone, Copy)]
struct Place<'s> {
    steps: &'s RefCell<Vec<Step>>,
    depth: usize,
}

enum Step {
    Member(String),
    Item(usize),
}

impl Place<'_> {
    fn inner<E: Error>(self) -> Result<Self, E> {
        if self.depth == DEEPEST {
            return Err(E::custom(format_args!("nests deeper than {DEEPEST} levels")));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn failed<E>(self, error: E, step: Step) -> E {
        self.steps.borrow_mut().push(step);
        error
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("the number is out of range"))?;
        Ok(Json::Number(number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        let inner = self.inner()?;
        loop {
            match list.next_element_seed(inner) {
                Ok(Some(item)) => items.push(item),
                Ok(None) => return Ok(Json::List(items)),
                Err(error) => return Err(self.failed(error, Step::Item(items.len()))),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Json, A::Error> {
        let mut members: Vec<(String, Json)> = Vec::new();
        let inner = self.inner()?;
        while let Some(name) = object.next_key::<String>()? {
            match object.next_value_seed(inner) {
                Ok(value) => members.push((name, value)),
                Err(error) => return Err(self.failed(error, Step::Member(name))),
            }
        }
        match twice(&members) {
            None => Ok(Json::Object(members)),
            Some(name) => Err(self.failed(A::Error::custom("is given twice"), Step::Member(name.to_owned()))),
        }
    }
}

/// A name that two members have.
fn twice(members: &[(String, Json)]) -> Option<&str> {
    let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}

/// The path of steps that were noted from the inside out.
fn path(steps: Vec<Step>) -> String {
    let mut path = String::new();
    for step in steps.into_iter().rev() {
        match step {
            Step::Item(index) => path.push_str(&format!("[{index}]")),
            Step::Member(name) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&name);
            }
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn misread(text: impl AsRef<[u8]>) -> (String, String) {
        let Misread { path, problem } = parse(text.as_ref()).unwrap_err();
        (path, problem.split(" at line").next().unwrap().to_owned())
    }

    #[test]
    fn a_text_is_read_as_it_stands() {
        let expected = Json::Object(vec![
            ("a".to_owned(), Json::List(vec![Json::Null, Json::Bool(true), Json::Number(1.into())])),
            ("b".to_owned(), Json::Text("é".to_owned())),
        ]);
        assert_eq!(parse(r#" {"a": [null, true, 1], "b": "\u00e9"} "#.as_bytes()), Ok(expected));
    }

    #[test]
    fn what_is_no_json_is_told_with_its_place() {
        for (text, path, problem) in [
            ("", "", "EOF while parsing a value"),
            ("{} {}", "", "trailing characters"),
            (r#"{"a": {"b": tru}}"#, "a.b", "expected ident"),
            (r#"{"a": [1, 2"#, "a", "EOF while parsing a list"),
            (r#"{"a": [{}, {"b": 1e999}]}"#, "a[1].b", "number out of range"),
            (r#"{"a": "\ud800"}"#, "a", "unexpected end of hex escape"),
            (r#"{"a": 1, "b": 2, "a": 3}"#, "a", "is given twice"),
            (r#"[{"x": {"y": 1, "y": 1}}]"#, "[0].x.y", "is given twice"),
        ] {
            let (at, said) = misread(text);
            assert!(at.starts_with(path) && said.starts_with(problem), "{text}: {at}: {said}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_told_with_their_place() {
        let (path, problem) = misread(b"{\"name\": \"\xff\xfe\"}");
        assert_eq!((path.as_str(), problem.as_str()), ("name", "invalid unicode code point"));
    }

    #[test]
    fn a_text_is_as_deep_as_allowed_and_no_deeper() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(DEEPEST).as_bytes()).is_ok());
        let (path, problem) = misread(nested(DEEPEST + 1));
        assert_eq!((path, problem.as_str()), ("[0]".repeat(DEEPEST), "nests deeper than 100 levels"));
        let (_, problem) = misread("{\"a\":".repeat(1_000_000));
        assert_eq!(problem, "nests deeper than 100 levels");
    }
}
