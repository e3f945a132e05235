//! What goes on between the streams of this process: locations on their way into the database, and out to who watches.
//!
//! Streams put locations into one bounded queue; whoever fills it waits, and so does its driver, by HTTP/2's own flow
//! control. **Invariant:** who watches sees only what has been committed, and never holds up a driver.

mod intake;
mod source;
mod watchers;

pub(crate) use intake::{Ended, Handle, Intake};
pub(crate) use source::{Broken, Source};
#[cfg(test)]
pub(crate) use watchers::BEHIND;
pub(crate) use watchers::{Blind, Watchers, Watching};
