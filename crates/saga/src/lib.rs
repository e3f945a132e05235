//! Sagas: durable sequences of steps over several owners, each beside its undo.
//!
//! A service writes a [`Saga`] out of [`Step`]s, begins one inside the unit of work that makes it necessary, and waits
//! for its end at the [`Handle`] of the [`Executor`] that drives it. Whatever dies when: a step's intent is in the
//! database before its call and its result after, so the saga goes on from there.
//! **Invariant:** a saga ends with all its steps done, or with all that was begun undone.

mod audit;
mod backoff;
mod begin;
mod definition;
mod dispatch;
mod drive;
mod endings;
mod erased;
mod executor;
mod failure;
mod faults;
mod handle;
mod instance;
mod progress;
mod record;
mod state;
mod status;
mod step;
mod unsent;

use freehold_store::{Migration, Migrations};

pub use backoff::Backoff;
pub use begin::{BeginError, Begun, MAX_ID};
pub use definition::{DefinitionError, EndError, Saga};
pub use executor::{Executor, Options};
pub use failure::Failure;
pub use handle::{Ended, Handle, Outcome, WaitError};
pub use state::State;
pub use status::{Standing, Status};
pub use step::{Limits, Step, StepContext, StepError};

/// The tables of the sagas; a service that runs sagas adds them to its own.
pub static MIGRATIONS: Migrations = Migrations {
    set: "saga",
    steps: &[Migration {
        version: 1,
        name: "saga",
        sql: include_str!("../migrations/0001_saga.sql"),
        postgres: None,
    }],
};

#[cfg(test)]
mod tests;
