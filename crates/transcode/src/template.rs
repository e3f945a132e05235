//! Path templates as `google.api.http` writes them: "/v1/shelves/{shelf}/books/{book=*}:archive".
//!
//! In: the text of a template, then the segments of a path. Out: what each variable takes of the path, still
//! percent-encoded. Source of the syntax: the comments of google/api/http.proto.

use std::ops::Range;

/// A template, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    text: String,
    segments: Vec<Segment>,
    verb: Option<String>,
    variables: Vec<Variable>,
}

/// What a segment of a path is compared with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Segment {
    /// Exactly this.
    Literal(String),
    /// Any one segment.
    One,
    /// All that is left, which may be nothing; last in its template.
    Rest,
}

/// A variable: a field of the request, and the segments that it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    /// The field, with dots where it is in another: "user.id".
    pub(crate) path: String,
    /// The segments of the template that it is made of.
    segments: Range<usize>,
    /// Whether it may hold slashes of the path.
    pub(crate) many: bool,
}

/// What a variable took of a path, still encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken<'a> {
    /// Which variable of the template.
    pub(crate) variable: usize,
    /// The segments.
    pub(crate) segments: Vec<&'a str>,
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut template =
            Self { text: text.to_owned(), segments: Vec::new(), verb: None, variables: Vec::new() };
        let path = text.strip_prefix('/').ok_or("it must begin with a slash")?;
        let last_brace = path.rfind('}').map_or(0, |at| at + 1);
        let path = match path[last_brace..].find(':') {
            Some(colon) => {
                let (path, verb) = path.split_at(last_brace + colon);
                template.verb = Some(literal(&verb[1..])?);
                path
            }
            None => path,
        };
        for part in parts(path)? {
            template.add(part)?;
        }
        let rest = template.segments.iter().position(|segment| *segment == Segment::Rest);
        if rest.is_some_and(|at| at + 1 != template.segments.len()) {
            return Err("`**` must be its last segment");
        }
        Ok(template)
    }

    /// The template as it is written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The template as OpenAPI writes it: a variable without the segments that it is made of.
    pub(crate) fn plain(&self) -> String {
        let mut text = String::new();
        let mut at = 0;
        while at < self.segments.len() {
            let variable = self.variables.iter().find(|variable| variable.segments.start == at);
            text.push('/');
            match (variable, &self.segments[at]) {
                (Some(variable), _) => {
                    text.push_str(&format!("{{{}}}", variable.path));
                    at = variable.segments.end.max(at + 1);
                    continue;
                }
                (None, Segment::Literal(literal)) => text.push_str(literal),
                (None, Segment::One) => text.push('*'),
                (None, Segment::Rest) => text.push_str("**"),
            }
            at += 1;
        }
        if let Some(verb) = &self.verb {
            text.push(':');
            text.push_str(verb);
        }
        text
    }

    /// How many segments it has.
    pub(crate) fn depth(&self) -> usize {
        self.segments.len()
    }

    /// Its variables, as they stand in it.
    pub(crate) fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// What two templates have in common that take the same paths, in the order in which templates are tried: the more
    /// they say literally, the earlier.
    pub(crate) fn shape(&self) -> (bool, &[Segment], &Option<String>) {
        (self.verb.is_none(), &self.segments, &self.verb)
    }

    /// What each variable takes of a path, given by its segments; `None` where the template is of other paths.
    pub(crate) fn take<'a>(&self, path: &[&'a str]) -> Option<Vec<Taken<'a>>> {
        let open = self.segments.last() == Some(&Segment::Rest);
        let fixed = self.segments.len() - usize::from(open);
        if path.len() < fixed || (!open && path.len() > fixed) {
            return None;
        }
        let (last, outer) = path.split_last()?;
        let last = match &self.verb {
            Some(verb) => last.strip_suffix(verb.as_str())?.strip_suffix(':')?,
            None => last,
        };
        let said = |at: usize| if at < outer.len() { outer[at] } else { last };
        let fits = |(at, segment): (usize, &Segment)| match segment {
            Segment::Literal(literal) => literal == said(at),
            Segment::One => !said(at).is_empty(),
            Segment::Rest => true,
        };
        if !self.segments.iter().enumerate().all(fits) {
            return None;
        }
        let takes = |(variable, Variable { segments, .. }): (usize, &Variable)| {
            let end = if open && segments.end == self.segments.len() { path.len() } else { segments.end };
            Taken { variable, segments: (segments.start..end).map(said).collect() }
        };
        Some(self.variables.iter().enumerate().map(takes).collect())
    }

    fn add(&mut self, part: &str) -> Result<(), &'static str> {
        let Some(variable) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) else {
            self.segments.push(segment(part)?);
            return Ok(());
        };
        let (path, made_of) = variable.split_once('=').unwrap_or((variable, "*"));
        if path.is_empty() || !path.split('.').all(is_name) {
            return Err("a variable must be named like a field");
        }
        if self.variables.iter().any(|known| known.path == path) {
            return Err("it has a variable twice");
        }
        let start = self.segments.len();
        for part in made_of.split('/') {
            self.segments.push(segment(part)?);
        }
        let own = &self.segments[start..];
        let many = own.len() > 1 || own[0] == Segment::Rest;
        self.variables.push(Variable { path: path.to_owned(), segments: start..self.segments.len(), many });
        Ok(())
    }
}

/// The parts between slashes; those inside a variable do not count.
fn parts(path: &str) -> Result<Vec<&str>, &'static str> {
    let (mut parts, mut start, mut inside) = (Vec::new(), 0, false);
    for (at, character) in path.char_indices() {
        match character {
            '{' if inside => return Err("a variable holds no variable"),
            '}' if !inside => return Err("a brace closes what none opens"),
            '{' => inside = true,
            '}' => inside = false,
            '/' if !inside => {
                parts.push(&path[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if inside {
        return Err("a brace is not closed");
    }
    parts.push(&path[start..]);
    Ok(parts)
}

fn segment(text: &str) -> Result<Segment, &'static str> {
    match text {
        "*" => Ok(Segment::One),
        "**" => Ok(Segment::Rest),
        _ => literal(text).map(Segment::Literal),
    }
}

fn literal(text: &str) -> Result<String, &'static str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'(),;=@+".contains(&byte);
    match text {
        "" => Err("a segment is empty"),
        _ if text.bytes().all(plain) => Ok(text.to_owned()),
        _ => Err("a segment has a character that no path has, or a wildcard beside other characters"),
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(template: &str, path: &str) -> Option<Vec<(String, String)>> {
        let template = Template::parse(template).unwrap();
        let segments: Vec<&str> = path[1..].split('/').collect();
        let taken = template.take(&segments)?;
        let named = taken
            .iter()
            .map(|taken| (template.variables()[taken.variable].path.clone(), taken.segments.join("/")));
        Some(named.collect())
    }

    #[test]
    fn a_template_takes_its_paths_and_no_others() {
        type Case<'c> = (&'c str, &'c str, Option<&'c [(&'c str, &'c str)]>);
        let cases: &[Case<'_>] = &[
            ("/v1/users", "/v1/users", Some(&[])),
            ("/v1/users", "/v1/users/", None),
            ("/v1/users", "/v1/user", None),
            ("/v1/users/{id}", "/v1/users/u1", Some(&[("id", "u1")])),
            ("/v1/users/{id}", "/v1/users/a%2Fb", Some(&[("id", "a%2Fb")])),
            ("/v1/users/{id}", "/v1/users/a:b", Some(&[("id", "a:b")])),
            ("/v1/users/{id}", "/v1/users/", None),
            ("/v1/users/{id}", "/v1/users/a/b", None),
            ("/v1/users/{id}:erase", "/v1/users/u:1:erase", Some(&[("id", "u:1")])),
            ("/v1/users/{id}:erase", "/v1/users/u1", None),
            ("/v1/users/{id}:erase", "/v1/users/:erase", None),
            ("/v1/users:batch", "/v1/users:batch", Some(&[])),
            ("/v1/{name=shelves/*}", "/v1/shelves/3", Some(&[("name", "shelves/3")])),
            ("/v1/{name=shelves/*}", "/v1/books/3", None),
            (
                "/v1/{name=shelves/*/books/*}/x",
                "/v1/shelves/3/books/4/x",
                Some(&[("name", "shelves/3/books/4")]),
            ),
            ("/v1/{user.id}/{shelf}", "/v1/u/s", Some(&[("user.id", "u"), ("shelf", "s")])),
            ("/v1/files/{path=**}", "/v1/files/a/b/c", Some(&[("path", "a/b/c")])),
            ("/v1/files/{path=**}", "/v1/files", Some(&[("path", "")])),
            ("/v1/{path=files/**}:read", "/v1/files/a/b:read", Some(&[("path", "files/a/b")])),
            ("/v1/**", "/v1/any/thing", Some(&[])),
            ("/v1/*/x", "/v1/any/x", Some(&[])),
        ];
        for (template, path, expected) in cases {
            let expected = expected.map(|expected| {
                expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
            });
            assert_eq!(take(template, path), expected, "{template} of {path}");
        }
    }

    #[test]
    fn what_is_no_template_is_told_why() {
        let cases = [
            ("v1", "it must begin with a slash"),
            ("", "it must begin with a slash"),
            ("/", "a segment is empty"),
            ("/v1//x", "a segment is empty"),
            ("/v1/{id", "a brace is not closed"),
            ("/v1/id}", "a brace closes what none opens"),
            ("/v1/{a={b}}", "a variable holds no variable"),
            ("/v1/{}", "a variable must be named like a field"),
            ("/v1/{a.}", "a variable must be named like a field"),
            ("/v1/{a b}", "a variable must be named like a field"),
            ("/v1/{a}/{a}", "it has a variable twice"),
            ("/v1/{a}x", "a segment has a character that no path has, or a wildcard beside other characters"),
            ("/v1/***", "a segment has a character that no path has, or a wildcard beside other characters"),
            ("/v1/**/x", "`**` must be its last segment"),
            ("/v1/{a=**}/x", "`**` must be its last segment"),
            ("/v1/x:", "a segment is empty"),
        ];
        for (text, problem) in cases {
            assert_eq!(Template::parse(text), Err(problem), "{text}");
        }
    }

    #[test]
    fn a_template_is_shown_as_openapi_writes_it() {
        for (text, plain) in [
            ("/v1/users/{id}", "/v1/users/{id}"),
            ("/v1/{name=shelves/*}/books/{book.id}:read", "/v1/{name}/books/{book.id}:read"),
            ("/v1/{path=**}", "/v1/{path}"),
        ] {
            assert_eq!(Template::parse(text).unwrap().plain(), plain);
        }
    }
}
