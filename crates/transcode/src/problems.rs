//! What is wrong with a request, field by field, before any owner sees it.
//!
//! Problems are collected, each under the path of its field: "lines[2].quantity". **Invariant:** what is said of a
//! request does not grow with it.

use std::fmt::{Display, Write};

use freehold_wire::reason;
use tonic::Status;
use tonic_types::FieldViolation;

/// The most problems that are told of a request.
const MOST: usize = 20;
/// The longest path that is told, in characters.
const LONGEST_PATH: usize = 200;

/// The problems found so far, and where in the request we are.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    path: String,
    found: Vec<FieldViolation>,
}

impl Problems {
    /// Adds a problem of the field that we are at.
    pub(crate) fn add(&mut self, problem: impl Into<String>) {
        if self.found.len() < MOST {
            let path = self.path.chars().take(LONGEST_PATH).collect::<String>();
            self.found.push(FieldViolation::new(path, problem));
        }
    }

    /// Whether no further problem will be told: what is left of the request need not be read.
    pub(crate) fn are_enough(&self) -> bool {
        self.found.len() >= MOST
    }

    /// Goes into a member of the message that we are at, for as long as `work` takes.
    pub(crate) fn within<T>(&mut self, member: &str, work: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        if length > 0 {
            self.path.push('.');
        }
        self.path.push_str(member);
        let answer = work(self);
        self.path.truncate(length);
        answer
    }

    /// Goes into an item of the list or map that we are at.
    pub(crate) fn at<T>(&mut self, item: impl Display, work: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        // Writing to a string does not fail.
        let _ = write!(self.path, "[{item}]");
        let answer = work(self);
        self.path.truncate(length);
        answer
    }

    /// Whether nothing is wrong.
    ///
    /// # Errors
    /// INVALID_ARGUMENT that names every wrong field; the first 20 where there are more.
    pub(crate) fn none(self) -> Result<(), Status> {
        if self.found.is_empty() { Ok(()) } else { Err(reason::bad_fields(self.found)) }
    }
}
