//! How often a test that repeats goes round.

/// The number that `cargo xtask test --rounds` sets for this run, or `default`: few enough for every day, where a night
/// may want many.
///
/// # Panics
/// The variable `FREEHOLD_TEST_ROUNDS` is set and is no number.
#[must_use]
pub fn rounds(default: u32) -> u32 {
    match std::env::var("FREEHOLD_TEST_ROUNDS") {
        Err(_) => default,
        Ok(rounds) => match rounds.parse() {
            Ok(rounds) => rounds,
            Err(_) => panic!("FREEHOLD_TEST_ROUNDS is not a number: {rounds}"),
        },
    }
}
