//! What a change of contracts means for Rust code that uses the SDK: what stops compiling, and the step that the SDK's
//! version needs.
//!
//! In: the contracts before and after. Out: the items of the SDK that appear, vanish or change, each with the element of
//! the contract that it comes from and with whom it breaks. The items are read from the generated code itself, for it alone
//! knows what Rust makes of a contract: a float that costs a message its `Eq`, a value that renames its neighbours.
//! **Invariant:** a contract compared with itself needs no step.

mod diff;
mod elements;
mod items;
mod render;
mod spell;
mod surface;

use freehold_contract::model::Model;

use crate::error::Error;
use diff::State;
pub use render::{render_json, render_text};

/// What a change of contracts means for users of the SDK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The items that appear, vanish or change, by path. Of what appears or vanishes as a whole, only the whole is listed.
    pub changes: Vec<Change>,
    /// The step that the SDK's version needs, for all its features together.
    pub step: Step,
}

/// An item of the SDK that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its path: "freehold_sdk::catalog::v1::Product::with_name"; of a trait that a type has, "..::Product: Eq".
    pub item: String,
    /// What it is, in a word or two: "field", "required method".
    pub kind: &'static str,
    /// What of the contracts it comes from: "catalog.v1.Product.name".
    pub element: String,
    /// What became of it.
    pub what: What,
    /// Whose code breaks; nobody's where it only adds.
    pub breaks: Vec<Audience>,
}

/// What became of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// It is new.
    Appears,
    /// It is gone.
    Vanishes,
    /// It has another form.
    Changes {
        /// What it was: the type of a field, what a function takes and gives.
        before: String,
        /// What it is now.
        after: String,
    },
    /// It stands for another value of its enum: code that names it compiles, and means something else.
    Turns {
        /// The number of the value that it was.
        before: String,
        /// The number of the value that it is now.
        after: String,
    },
}

/// Who writes Rust against the SDK.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Audience {
    /// Those who call by a client, or only build and read messages.
    Callers,
    /// Those who stand in for an owner in a test: they implement a stub, whose methods all have an answer by default.
    Mocks,
    /// The owners, under the feature `server`: they implement every method of their service.
    Servers,
}

/// The step that a version needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Nothing that is generated changes.
    None,
    /// What is generated changes, but nothing that code can name: a comment, a deadline, a limit.
    Patch,
    /// Something is new, and nothing breaks.
    Minor,
    /// Something breaks. Below 1.0.0 this is a step of the second number, and all others are of the third.
    Major,
}

impl Verdict {
    /// The changes by which somebody's code breaks.
    pub fn breaking(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| !change.breaks.is_empty())
    }

    /// The step for those who use the SDK in one way alone.
    #[must_use]
    pub fn step_for(&self, audience: Audience) -> Step {
        match self.step {
            Step::Major if !self.changes.iter().any(|change| change.breaks.contains(&audience)) => {
                Step::Minor
            }
            step => step,
        }
    }
}

/// What becomes of the SDK when `before` becomes `after`.
///
/// # Errors
/// One of the two has something that the generator has no form for; see [`Error`].
pub fn compare(before: &Model, after: &Model) -> Result<Verdict, Error> {
    let (before, after) = (State::of(before)?, State::of(after)?);
    let changes = before.changes(&after);
    let step = if changes.iter().any(|change| !change.breaks.is_empty()) {
        Step::Major
    } else if !changes.is_empty() {
        Step::Minor
    } else if before.text() != after.text() {
        Step::Patch
    } else {
        Step::None
    };
    Ok(Verdict { changes, step })
}
