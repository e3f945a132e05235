//! The gate as a team has it in its CI: `freehold compat`, `release` and `explain` over git repositories that hold this
//! project's contracts, and over everything that is no baseline.
//!
//! Every test has a repository of its own, in a folder that goes with it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod baselines;
mod explain;
mod formats;
mod release;
mod repository;
mod sdk;
mod templates;
mod verdict;
mod waivers;
