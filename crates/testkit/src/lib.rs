//! What tests of a mesh need: real engines, owners to stand in for, processes that die on purpose, a network that fails
//! on purpose, conditions with a deadline, and a checker of what databases hold.
//!
//! Everything here panics rather than returns an error: a test can do nothing about it, and the message is what its
//! author reads. **Invariant:** whatever a test makes through this crate is gone when the test is over, however it ends.

pub mod checker;
pub mod engines;
pub mod fault_proxy;
pub mod mounted;
pub mod process;

mod disk;
mod eventually;
mod opening;
mod owner;
mod rounds;
mod scratch;

pub use disk::Disk;
pub use engines::Database;
pub use eventually::{PATIENCE, eventually};
pub use fault_proxy::{FaultProxy, Faults};
pub use mounted::Mounted;
pub use opening::open;
pub use owner::{Owner, Served, image, kept};
pub use process::Process;
pub use rounds::rounds;
pub use scratch::Scratch;
