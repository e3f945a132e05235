//! How long a service keeps its events, as its environment says it: `FREEHOLD_<SERVICE>_KEEP`.
//!
//! In: `7d`, `36h`, `90m`, `30s`, or `forever`. Out: the time, or none where it is for ever.

use std::time::Duration;

use crate::databases::variable;
use crate::host::HostError;

/// Seven days, where nothing is said.
const USUAL: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long the service keeps its events at least; `None`: for ever.
///
/// # Errors
/// [`HostError::Keep`] names the variable, where it says no time.
pub fn keep(service: &str, read: impl Fn(&str) -> Option<String>) -> Result<Option<Duration>, HostError> {
    let variable = variable(service, "KEEP");
    match read(&variable).filter(|said| !said.is_empty()) {
        None => Ok(Some(USUAL)),
        Some(said) if said == "forever" => Ok(None),
        Some(value) => parse(&value).map(Some).ok_or(HostError::Keep { variable, value }),
    }
}

fn parse(said: &str) -> Option<Duration> {
    let digits = said.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let seconds = match &said[digits.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(seconds).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(said: &str) -> Result<Option<Duration>, HostError> {
        keep("orders", |name| (name == "FREEHOLD_ORDERS_KEEP").then(|| said.to_owned()))
    }

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        for (said, seconds) in [("", 604_800), ("30s", 30), ("90m", 5400), ("36h", 129_600), ("2d", 172_800)]
        {
            assert_eq!(kept(said).unwrap(), Some(Duration::from_secs(seconds)), "{said}");
        }
        assert_eq!(kept("forever").unwrap(), None);
    }

    #[test]
    fn whatever_is_no_time_is_said_to_be_none() {
        for said in ["7", "d", "7 d", "-1d", "1w", "99999999999999999999d", "18446744073709551615d", "é"] {
            let error = kept(said).unwrap_err().to_string();
            assert_eq!(
                error,
                format!(
                    "failed to read FREEHOLD_ORDERS_KEEP: `{said}` is no time like 7d, and not `forever`"
                )
            );
        }
    }
}
