//! The attributes of a product: a document in a shape that nobody declared, and the bounds that it keeps.
//!
//! In go the contract's `Struct` and `Value`, out comes JSON that has one text for one value: equal attributes are equal
//! texts, on either engine. **Invariant:** what is kept can be read back, and each attribute can be asked for by its path.

use freehold_sdk::catalog::v1::find_products_request;
use freehold_wire::check::{Check, Violations, check};
use freehold_wire::prost_types::value::Kind;
use freehold_wire::prost_types::{ListValue, Struct, Value as Wire};
use freehold_wire::reason::bad_field;
use serde_json::{Map, Number, Value};
use tonic::Status;

/// The most bytes of a document's text.
pub(crate) const MOST_BYTES: usize = 64 * 1024;
/// The most levels of objects and lists, the document itself being the first.
const MOST_LEVELS: usize = 8;
/// The most characters of a name.
const MOST_CHARACTERS: usize = 64;
/// Up to here every whole number is a number of its own.
const MOST_WHOLE: f64 = 9_007_199_254_740_992.0;

/// A product's attributes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Attributes(Map<String, Value>);

/// The names that lead to an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path(String);

impl Attributes {
    /// Takes a document that keeps the bounds.
    ///
    /// # Errors
    /// INVALID_ARGUMENT that names what does not: "attributes.size.width".
    pub(crate) fn new(document: &Struct) -> Result<Self, Status> {
        check(&Document(document))?;
        let attributes = Self(object(document));
        let bytes = attributes.text().len();
        if bytes > MOST_BYTES {
            let problem = format!("must be at most {MOST_BYTES} bytes of JSON, are {bytes}");
            return Err(bad_field("attributes", problem));
        }
        Ok(attributes)
    }

    /// Reads a text that [`text`](Self::text) made.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match serde_json::from_str(text) {
            Ok(Value::Object(object)) => Some(Self(object)),
            _ => None,
        }
    }

    /// The document as JSON.
    pub(crate) fn text(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }

    /// The document as the contract has it.
    pub(crate) fn document(&self) -> Struct {
        wire_object(&self.0)
    }
}

impl Path {
    /// Reads "size.width".
    ///
    /// # Errors
    /// INVALID_ARGUMENT that names `path`.
    pub(crate) fn parse(text: &str) -> Result<Self, Status> {
        if text.split('.').count() > MOST_LEVELS {
            return Err(bad_field("path", format!("leads deeper than {MOST_LEVELS} levels")));
        }
        match text.split('.').find_map(wrong_name) {
            Some(problem) => Err(bad_field("path", format!("has a name that {problem}"))),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// As PostgreSQL takes it: the names, joined by dots.
    pub(crate) fn dotted(&self) -> &str {
        &self.0
    }

    /// As SQLite takes it: every name in quotes, none of which can hold one.
    pub(crate) fn quoted(&self) -> String {
        self.0.split('.').fold("$".to_owned(), |path, name| format!("{path}.\"{name}\""))
    }
}

/// The text of a value that is looked for; `None` where any will do.
///
/// # Errors
/// INVALID_ARGUMENT where no attribute could have it.
pub(crate) fn wanted(value: Option<&find_products_request::Value>) -> Result<Option<String>, Status> {
    use find_products_request::Value as Wanted;
    let value = match value {
        None => return Ok(None),
        Some(Wanted::Text(text)) => Value::String(text.clone()),
        Some(Wanted::Number(found)) if !found.is_finite() => {
            return Err(bad_field("number", "is not a finite number"));
        }
        Some(Wanted::Number(found)) => number(*found),
        Some(Wanted::Flag(flag)) => Value::Bool(*flag),
        Some(_) => return Err(bad_field("value", "is of a kind that this version does not know")),
    };
    Ok(Some(value.to_string()))
}

/// Why a name is none; `None` where it is one.
fn wrong_name(name: &str) -> Option<String> {
    let length = name.chars().count();
    let begins = |c: char| c.is_alphabetic() || c == '_';
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    if length > MOST_CHARACTERS {
        Some(format!("is longer than {MOST_CHARACTERS} characters: {length}"))
    } else if !name.starts_with(begins) || !name.chars().all(fits) {
        Some("is not made of letters, digits, `_` and `-`, with no digit first".to_owned())
    } else {
        None
    }
}

/// A document that is looked at for what breaks the bounds.
struct Document<'a>(&'a Struct);

/// An object of it, so many levels deep.
struct Object<'a>(&'a Struct, usize);

impl Check for Document<'_> {
    fn check(&self, violations: &mut Violations) {
        violations.nested("attributes", &Object(self.0, 1));
    }
}

impl Check for Object<'_> {
    fn check(&self, violations: &mut Violations) {
        for (name, value) in &self.0.fields {
            if let Some(problem) = wrong_name(name) {
                violations.add(name, format!("is a name that {problem}"));
            }
            check_value(name, value, self.1, violations);
        }
    }
}

/// Checks a value under its name, on a level of the document.
fn check_value(name: &str, value: &Wire, level: usize, violations: &mut Violations) {
    let problem = match &value.kind {
        Some(Kind::StructValue(_) | Kind::ListValue(_)) if level == MOST_LEVELS => {
            format!("is deeper than {MOST_LEVELS} levels")
        }
        Some(Kind::StructValue(object)) => return violations.nested(name, &Object(object, level + 1)),
        Some(Kind::ListValue(list)) => {
            for (index, item) in list.values.iter().enumerate() {
                check_value(&format!("{name}[{index}]"), item, level + 1, violations);
            }
            return;
        }
        Some(Kind::NumberValue(number)) if !number.is_finite() => "is not a finite number".to_owned(),
        Some(Kind::StringValue(text)) if text.contains('\0') => "must not hold the character NUL".to_owned(),
        Some(_) => return,
        None => "has no value".to_owned(),
    };
    violations.add(name, problem);
}

fn object(document: &Struct) -> Map<String, Value> {
    document.fields.iter().map(|(name, value)| (name.clone(), json(value))).collect()
}

fn json(value: &Wire) -> Value {
    match &value.kind {
        Some(Kind::BoolValue(flag)) => Value::Bool(*flag),
        Some(Kind::NumberValue(found)) => number(*found),
        Some(Kind::StringValue(text)) => Value::String(text.clone()),
        Some(Kind::ListValue(list)) => Value::Array(list.values.iter().map(json).collect()),
        Some(Kind::StructValue(document)) => Value::Object(object(document)),
        Some(Kind::NullValue(_)) | None => Value::Null,
    }
}

/// A number has one text: as a whole one where it is one.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() <= MOST_WHOLE {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number of at most 53 bits")]
        return Value::Number(Number::from(value as i64));
    }
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

fn wire_object(object: &Map<String, Value>) -> Struct {
    Struct { fields: object.iter().map(|(name, value)| (name.clone(), wire(value))).collect() }
}

fn wire(value: &Value) -> Wire {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(flag) => Kind::BoolValue(*flag),
        Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or_default()),
        Value::String(text) => Kind::StringValue(text.clone()),
        Value::Array(items) => Kind::ListValue(ListValue { values: items.iter().map(wire).collect() }),
        Value::Object(object) => Kind::StructValue(wire_object(object)),
    };
    Wire { kind: Some(kind) }
}

#[cfg(test)]
mod tests {
    use freehold_testkit::mounted::wrong_fields;

    use super::*;

    fn of(json: &str) -> Struct {
        Attributes::parse(json).unwrap().document()
    }

    /// An object of so many levels.
    fn deep(levels: usize) -> Struct {
        of(&format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels)))
    }

    /// The fields that are wrong with a document; none where it is taken.
    fn wrong(document: &Struct) -> Vec<String> {
        let taken = Attributes::new(document);
        if taken.is_ok() { Vec::new() } else { wrong_fields(taken) }
    }

    #[test]
    fn a_document_is_read_back_as_it_was() {
        let json =
            r#"{"colours":["red",null,{"x":1.5}],"größe":{"w":-3,"h":1e300},"ok":true,"t":"\"é\u0001\n"}"#;
        let attributes = Attributes::new(&of(json)).unwrap();
        assert_eq!(Attributes::parse(&attributes.text()), Some(attributes.clone()));
        assert_eq!(attributes.document(), of(json));
        for number in [0.1, 1.0 / 3.0, 5e-324, f64::MAX, 9_007_199_254_740_993.0, -0.0] {
            let kind = Some(Kind::NumberValue(number));
            let document = Struct { fields: [("n".to_owned(), Wire { kind })].into() };
            let back = Attributes::parse(&Attributes::new(&document).unwrap().text()).unwrap();
            assert_eq!(back.document(), document, "{number}");
        }
    }

    #[test]
    fn what_breaks_a_bound_is_named_by_its_path() {
        assert_eq!(
            wrong(&of(r#"{"size":{"1st":1},"a b":2,"":3}"#)),
            ["attributes.", "attributes.a b", "attributes.size.1st"]
        );
        assert_eq!(wrong(&of(r#"{"tags":["a",["b\u0000"]]}"#)), ["attributes.tags[1][0]"]);
        assert_eq!(wrong(&of(&format!(r#"{{"{}":1}}"#, "é".repeat(65)))).len(), 1);
        assert_eq!(wrong(&of(&format!(r#"{{"{}":1}}"#, "é".repeat(64)))), Vec::<String>::new());
        let value = |kind| Struct { fields: [("x".to_owned(), Wire { kind })].into() };
        assert_eq!(wrong(&value(None)), ["attributes.x"]);
        assert_eq!(wrong(&value(Some(Kind::NumberValue(f64::NAN)))), ["attributes.x"]);
    }

    #[test]
    fn a_document_has_as_many_levels_and_bytes_as_it_may_and_no_more() {
        assert_eq!(wrong(&deep(MOST_LEVELS)), Vec::<String>::new());
        assert_eq!(wrong(&deep(MOST_LEVELS + 1)), ["attributes.a.a.a.a.a.a.a.a"]);
        let long = |bytes: usize| of(&format!(r#"{{"t":"{}"}}"#, "x".repeat(bytes - r#"{"t":""}"#.len())));
        assert_eq!(wrong(&long(MOST_BYTES)), Vec::<String>::new());
        assert_eq!(wrong(&long(MOST_BYTES + 1)), ["attributes"]);
    }

    #[test]
    fn a_path_leads_through_names_alone() {
        let path = Path::parse("größe.w-1").unwrap();
        assert_eq!((path.dotted(), path.quoted().as_str()), ("größe.w-1", r#"$."größe"."w-1""#));
        for text in ["", ".", "a.", "a..b", "a.0", "a[0]", "a\"b", "a'b", "a\\b", "a b", &"a.".repeat(8)] {
            assert_eq!(wrong_fields(Path::parse(text)), ["path"], "{text}");
        }
    }

    #[test]
    fn a_value_has_one_text() {
        use find_products_request::Value as Wanted;
        let text = |value| wanted(Some(&value)).unwrap().unwrap();
        assert_eq!(text(Wanted::Number(2.0)), "2");
        assert_eq!(text(Wanted::Number(2.5)), "2.5");
        assert_eq!(text(Wanted::Text("2".to_owned())), "\"2\"");
        assert_eq!(text(Wanted::Flag(false)), "false");
        assert_eq!(wrong_fields(wanted(Some(&Wanted::Number(f64::INFINITY)))), ["number"]);
        assert_eq!(wanted(None).unwrap(), None);
    }
}
