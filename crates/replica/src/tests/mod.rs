//! Copies on real databases: bootstrap, damage on the way, crashes, and the levels at which they are read.

mod bootstrap;
mod crashes;
mod levels;
mod protection;
