//! Copies on real databases: bootstrap, damage on the way, crashes, the levels at
//! which they are read, and the tokens that they wait for.

mod bootstrap;
mod crashes;
mod levels;
mod protection;
mod tokens;
