//! Deadlines as gRPC writes them: `grpc-timeout`, at most eight digits and a unit.
//! Source: "gRPC over HTTP2", Timeout in Request-Headers.

use std::time::Duration;

/// Why a `grpc-timeout` is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no grpc-timeout: it wants one to eight digits and one of the units H M S m u n")]
pub struct BadTimeout(pub String);

/// Reads a `grpc-timeout`.
///
/// # Errors
/// [`BadTimeout`] for anything but one to eight digits and a unit.
pub fn parse(text: &str) -> Result<Duration, BadTimeout> {
    let bad = || BadTimeout(text.chars().take(32).collect());
    let unit = text.chars().last().ok_or_else(bad)?;
    let digits = &text[..text.len() - unit.len_utf8()];
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(bad());
    }
    let count: u64 = digits.parse().map_err(|_| bad())?;
    match unit {
        'H' => Ok(Duration::from_secs(count * 3600)),
        'M' => Ok(Duration::from_secs(count * 60)),
        'S' => Ok(Duration::from_secs(count)),
        'm' => Ok(Duration::from_millis(count)),
        'u' => Ok(Duration::from_micros(count)),
        'n' => Ok(Duration::from_nanos(count)),
        _ => Err(bad()),
    }
}

/// Writes a `grpc-timeout` in the finest unit that fits eight digits; rounds down, so a deadline never grows.
#[must_use]
pub fn format(timeout: Duration) -> String {
    const LIMIT: u128 = 100_000_000;
    for (count, unit) in [(timeout.as_nanos(), 'n'), (timeout.as_micros(), 'u'), (timeout.as_millis(), 'm')] {
        if count < LIMIT {
            return format!("{count}{unit}");
        }
    }
    format!("{}S", timeout.as_secs().min(99_999_999))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_never_longer() {
        for nanos in [0, 1, 99_999_999, 100_000_001, 250_000_000, 5_000_000_000, 86_400_000_000_000] {
            let timeout = Duration::from_nanos(nanos);
            let back = parse(&format(timeout)).unwrap();
            assert!(back <= timeout && timeout - back < Duration::from_millis(1), "{timeout:?} {back:?}");
        }
    }

    /// C4: a malformed timeout is refused.
    #[test]
    fn a_malformed_timeout_is_refused() {
        for text in ["", "S", "abc", "-1S", "+1S", "123456789S", "1", "1s", "1 S", "1é", "٣S"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
