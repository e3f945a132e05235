//! Field checks: what `(freehold.v1.field)` says of a request, checked before its handler runs.
//!
//! The generator writes one `Check` per message out of the calls below. Violations are reported together, each under its
//! path: "lines[2].quantity".
//! **Invariant:** what is said of a request does not grow with it: an answer has to fit the headers that carry it.

use std::fmt::Display;

use tonic::Status;
use tonic_types::FieldViolation;

use crate::reason;

/// A message that the contract sets limits to.
pub trait Check {
    /// Adds every violation of this message.
    fn check(&self, violations: &mut Violations);
}

/// The most violations that are reported of a request.
const MOST: usize = 20;

/// The longest path of a violation, in characters: the key of a map is as long as its sender likes.
const LONGEST_PATH: usize = 200;

/// The violations found so far, and where in the message we are.
#[derive(Debug, Default)]
pub struct Violations {
    path: Vec<String>,
    found: Vec<FieldViolation>,
}

/// The contract sets no limits to Protobuf's own types; an RPC may take one as its request.
macro_rules! unlimited {
    ($($message:ty),* $(,)?) => {$(
        impl Check for $message {
            fn check(&self, _: &mut Violations) {}
        }
    )*};
}

unlimited! {
    (), bool, u32, u64, i32, i64, f32, f64, String, Vec<u8>,
    prost_types::Any, prost_types::Duration, prost_types::FieldMask, prost_types::ListValue, prost_types::Struct,
    prost_types::Timestamp, prost_types::Value,
}

/// Checks a request.
///
/// # Errors
/// INVALID_ARGUMENT that names every wrong field; the first 20 where there are more.
pub fn check<Request: Check>(request: &Request) -> Result<(), Status> {
    let mut violations = Violations::default();
    request.check(&mut violations);
    if violations.found.is_empty() { Ok(()) } else { Err(reason::bad_fields(violations.found)) }
}

impl Violations {
    /// Adds a violation of a field of the current message, unless there are 20 already.
    pub fn add(&mut self, field: impl Display, problem: impl Into<String>) {
        if self.found.len() < MOST {
            let mut path = self.path.clone();
            path.push(field.to_string());
            let path: String = path.join(".").chars().take(LONGEST_PATH).collect();
            self.found.push(FieldViolation::new(path, problem));
        }
    }

    /// The field must be present.
    pub fn required(&mut self, field: impl Display, present: bool) {
        if !present {
            self.add(field, "is required");
        }
    }

    /// The number must not be below `least`.
    pub fn min<Number: PartialOrd + Display>(&mut self, field: &str, value: Number, least: Number) {
        if value < least {
            self.add(field, format!("must be at least {least}, is {value}"));
        }
    }

    /// The number must not be above `greatest`.
    pub fn max<Number: PartialOrd + Display>(&mut self, field: &str, value: Number, greatest: Number) {
        if value > greatest {
            self.add(field, format!("must be at most {greatest}, is {value}"));
        }
    }

    /// The text must not hold a NUL, which not every database keeps.
    pub fn text(&mut self, field: impl Display, value: &str) {
        if value.contains('\0') {
            self.add(field, "must not hold the character NUL");
        }
    }

    /// The text must not be longer than `most` characters, nor hold a NUL.
    pub fn max_chars(&mut self, field: impl Display, value: &str, most: u32) {
        let length = value.chars().count();
        if length > most as usize {
            self.add(&field, format!("must have at most {most} characters, has {length}"));
        }
        self.text(field, value);
    }

    /// The bytes must not be more than `most`.
    pub fn max_bytes(&mut self, field: impl Display, value: &[u8], most: u32) {
        if value.len() > most as usize {
            self.add(field, format!("must have at most {most} bytes, has {}", value.len()));
        }
    }

    /// The list or map must not have more than `most` items.
    pub fn max_items(&mut self, field: &str, length: usize, most: u32) {
        if length > most as usize {
            self.add(field, format!("must have at most {most} items, has {length}"));
        }
    }

    /// Checks a message in a field.
    pub fn nested(&mut self, field: &str, message: &impl Check) {
        self.path.push(field.to_owned());
        message.check(self);
        self.path.pop();
    }

    /// Checks each message of a repeated field; map values go under their keys.
    pub fn each<'a, Key: Display, Item: Check + 'a>(
        &mut self,
        field: &str,
        items: impl IntoIterator<Item = (Key, &'a Item)>,
    ) {
        for (key, item) in items {
            self.nested(&format!("{field}[{key}]"), item);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone)]
    struct Line(i64);
    struct Order(Vec<Line>);

    impl Check for Line {
        fn check(&self, violations: &mut Violations) {
            violations.min("quantity", self.0, 1);
        }
    }

    impl Check for Order {
        fn check(&self, violations: &mut Violations) {
            violations.required("customer_id", false);
            violations.each("lines", self.0.iter().enumerate());
        }
    }

    #[test]
    fn a_text_with_a_nul_is_refused_whatever_its_length() {
        let mut violations = Violations::default();
        violations.max_chars("name", "a\0b", 3);
        assert_eq!(violations.found[0].description, "must not hold the character NUL");
    }

    struct Ids(Vec<String>);

    impl Check for Ids {
        fn check(&self, violations: &mut Violations) {
            for (index, value) in self.0.iter().enumerate() {
                violations.max_chars(format_args!("ids[{index}]"), value, 3);
            }
        }
    }

    #[test]
    fn an_item_of_a_list_is_named_by_its_place() {
        let status = check(&Ids(["abc", "a\0", "abcd"].map(str::to_owned).to_vec())).unwrap_err();
        let expected =
            "ids[1]: must not hold the character NUL; ids[2]: must have at most 3 characters, has 4";
        assert_eq!(status.message(), expected);
    }

    /// The answer travels in headers, which every client bounds.
    #[test]
    fn what_is_said_of_a_request_does_not_grow_with_it() {
        let mut violations = Violations::default();
        violations.each(&"k".repeat(1_000_000), vec![Line(0); 3].iter().enumerate());
        assert_eq!(violations.found[2].field.chars().count(), LONGEST_PATH);
        let status = check(&Ids(vec!["\0\0\0\0".to_owned(); 100_000])).unwrap_err();
        assert!(status.message().starts_with("ids[0]: "), "{status}");
        assert!(status.message().len() + status.details().len() < 8 * 1024, "{}", status.details().len());
    }

    #[test]
    fn every_violation_is_named_by_its_path() {
        let status = check(&Order(vec![Line(1), Line(0)])).unwrap_err();
        assert_eq!(status.message(), "customer_id: is required; lines[1].quantity: must be at least 1, is 0");
    }
}
