//! The generator as a whole: what it makes of contracts in memory, whether what is committed is fresh, and whether what it
//! writes compiles and works.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by panicking")]

mod fixtures;
mod fresh;
mod generate;
mod semver;
mod support;
