//! What the channel decides, as plain state machines: they take what happened, the time and chance, and say what to do.
//!
//! Nothing here waits, draws a number or reads a clock; the transport and the channel are thin shells around it.
//! **Invariant:** the same inputs give the same decisions.

pub(crate) mod balancer;
pub(crate) mod budget;
pub(crate) mod hedge;
pub(crate) mod load;
pub(crate) mod redial;
pub(crate) mod retry;
pub(crate) mod standing;

#[cfg(test)]
mod simulation;
