//! What a refusal says of another attempt: `grpc-retry-pushback-ms`.
//! Source: gRPC proposal A6, "client retries", Pushback.

use std::time::Duration;

/// What a callee says of another attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushback {
    /// After this long.
    After(Duration),
    /// Not at all, or in words that nobody understands, which is the same.
    Never,
}

impl Pushback {
    /// Reads the value of the header: milliseconds, in at most ten digits.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        let plain = !text.is_empty() && text.len() <= 10 && text.iter().all(u8::is_ascii_digit);
        let millis = std::str::from_utf8(text).ok().filter(|_| plain).and_then(|text| text.parse().ok());
        millis.map_or(Self::Never, |millis| Self::After(Duration::from_millis(millis)))
    }
}
