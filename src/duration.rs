//! Durations as the command line takes them: "250ms", "2s", "1m", "1h".

use std::time::Duration;

const UNITS: [(&str, u64); 4] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];

/// Reads a whole number with its unit.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = UNITS.iter().find(|(name, _)| *name == unit);
    let milliseconds = unit.and_then(|(_, factor)| number.parse::<u64>().ok()?.checked_mul(*factor));
    match milliseconds {
        Some(0) | None => Err("write a number and its unit, such as 250ms, 2s or 1m".to_owned()),
        Some(milliseconds) => Ok(Duration::from_millis(milliseconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_a_unit() {
        for (text, milliseconds) in [("250ms", 250), ("2s", 2000), ("1m", 60_000), ("1h", 3_600_000)] {
            assert_eq!(parse(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in [
            "",
            "2",
            "s",
            "0s",
            "-1s",
            "1.5s",
            "2 s",
            "2sec",
            "99999999999999999999s",
            "18446744073709551615h",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
