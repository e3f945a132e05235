//! Fields of a request that come from its request line: variables of the path, and the query string.
//!
//! "?page_size=10&address.city=Paris&tags=a&tags=b": a name is the way to a field, through the messages that it is in; a
//! list is given item by item. Maps, and messages that are not written as one text, have no such form.

use std::collections::BTreeSet;

use prost_reflect::{DynamicMessage, Kind, ReflectMessage};

use crate::escape;
use crate::json::{self, Json, is_well_known};
use crate::problems::Problems;
use crate::schema::{Binding, Takes};
use crate::template::Taken;
use crate::way::Way;

const BROKEN: &str = "is not UTF-8, or has a broken escape";

/// Sets what the variables of the path took. A body may repeat it, and may not say something else.
pub(crate) fn of_path(
    message: &mut DynamicMessage,
    binding: &Binding,
    taken: &[Taken<'_>],
    problems: &mut Problems,
) {
    for Taken { variable, segments } in taken {
        let variable_of = &binding.template.variables()[*variable];
        let text = match segments.as_slice() {
            [segment] if !variable_of.many => escape::text(segment),
            segments => escape::joined(segments),
        };
        problems.within(&variable_of.path, |problems| match text {
            Some(text) => {
                let way = &binding.variables[*variable];
                let of_body = way.get(message);
                set(message, way, text, problems);
                if of_body.is_some() && of_body != way.get(message) {
                    problems.add("is another one in the body than in the path");
                }
            }
            None => problems.add(BROKEN),
        });
    }
}

/// Sets what the query string says.
pub(crate) fn of_query(
    message: &mut DynamicMessage,
    binding: &Binding,
    query: &str,
    problems: &mut Problems,
) {
    let mut given = BTreeSet::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let Some(name) = escape::query(name) else {
            problems.within("query", |problems| problems.add(BROKEN));
            continue;
        };
        problems.within(&name, |problems| {
            let Some(value) = escape::query(value) else { return problems.add(BROKEN) };
            match Way::of(&message.descriptor(), &name) {
                Err(problem) => problems.add(problem),
                Ok(way) if is_taken(binding, &way) => {
                    problems.add("is no parameter of this route: it comes from the path or from the body");
                }
                Ok(way) if !given.insert(way.numbers()) && !way.field().is_list() => {
                    problems.add("is given twice");
                }
                Ok(way) => set(message, &way, value, problems),
            }
        });
    }
}

/// Whether the path or the body has that field already.
fn is_taken(binding: &Binding, way: &Way) -> bool {
    let of_body = match &binding.body {
        Takes::Nothing => false,
        Takes::Message => true,
        Takes::Field(field) => way.first() == field,
    };
    of_body || binding.variables.contains(way)
}

fn set(message: &mut DynamicMessage, way: &Way, text: String, problems: &mut Problems) {
    let kind = way.field().kind();
    if way.field().is_map() || kind.as_message().is_some_and(|inner| !is_well_known(inner)) {
        return problems.add("is no single value; name a field in it, or put it into a body");
    }
    if let Some(value) = json::value(&kind, as_json(&kind, text), problems) {
        way.set(message, value, problems);
    }
}

/// What a text would be in JSON, where numbers may stand in strings, but truths may not.
fn as_json(kind: &Kind, text: String) -> Json {
    let boolean = match kind {
        Kind::Bool => true,
        Kind::Message(message) => message.full_name() == "google.protobuf.BoolValue",
        _ => false,
    };
    match (boolean, text.as_str()) {
        (true, "true") => return Json::Bool(true),
        (true, "false") => return Json::Bool(false),
        _ => {}
    }
    match (kind, text.parse::<i32>()) {
        (Kind::Enum(_), Ok(number)) => Json::Number(number.into()),
        _ => Json::Text(text),
    }
}
