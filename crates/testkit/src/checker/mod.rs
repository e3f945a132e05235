//! The model checker: what databases of a mesh must hold, whatever was done to its processes.
//!
//! In go the rows of an owner and of its consumers, read past the mesh by SQL of its own ([`rows`]); out come sentences
//! about what is wrong, none where nothing is. **Invariant:** no line of what wrote the rows is used to read or to judge
//! them.

mod copied;
mod copies;
mod effects;
mod owner;
mod rows;
mod subscriptions;

pub use copies::copies;
pub use effects::{Effect, effects};
pub use owner::owner;
pub use rows::{Decided, Parked, Rows, Standing, Stream, Told};
pub use subscriptions::subscription;
