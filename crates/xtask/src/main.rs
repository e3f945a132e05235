//! Chores of this repository: `cargo xtask test`, `gen`, `bench`.

fn main() {}
