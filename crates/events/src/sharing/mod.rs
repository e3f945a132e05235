//! Several instances of one consumer share a subscription's work by key.
//!
//! `division` and `roster` decide, in plain code over rows; `portions` has the rows, `member` is what one subscription of
//! one instance knows, `keeper` shows that the instance lives and takes what is its part. **Invariant:** an effect commits
//! only in a unit that finds its instance still holding what it held when it read the event.

mod division;
mod keeper;
mod member;
pub(crate) mod portions;
mod roster;
#[cfg(test)]
mod simulation;

pub(crate) use keeper::{Keeper, Pace};
pub(crate) use member::{Hold, Member};
