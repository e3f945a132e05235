//! A month of the calendar, in UTC. Its text sorts as it does.

use freehold_wire::prost_types::Timestamp;

/// A month, as in "2026-07".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Month(String);

impl Month {
    /// The month of a moment in milliseconds since 1970; `None` where its year has not four digits.
    pub(crate) fn of(time_ms: i64) -> Option<Self> {
        // In the text of a moment, as in "2026-07-31T23:59:59Z", the month comes first.
        let moment = Timestamp { seconds: time_ms.div_euclid(1000), nanos: 0 }.to_string();
        Self::parse(moment.get(..7)?)
    }

    /// Reads "2026-07".
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        let digits =
            |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_month = digits(year, 4) && digits(month, 2) && ("01"..="12").contains(&month);
        is_month.then(|| Self(text.to_owned()))
    }

    /// The month as a text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_in_its_month_of_utc() {
        for (time_ms, month) in [
            (0, "1970-01"),
            (-1, "1969-12"),
            (1_709_251_199_999, "2024-02"),
            (1_709_251_200_000, "2024-03"),
            (1_785_542_400_000, "2026-08"),
        ] {
            assert_eq!(Month::of(time_ms).as_ref().map(Month::as_str), Some(month), "{time_ms}");
        }
        assert_eq!(Month::of(i64::MAX), None);
    }

    #[test]
    fn only_a_month_is_read_as_one() {
        assert_eq!(Month::parse("2026-07").as_ref().map(Month::as_str), Some("2026-07"));
        for text in ["2026-7", "2026-13", "2026-00", "26-07", "2026/07", "2026-0\u{663}", "+026-07", "-", ""]
        {
            assert_eq!(Month::parse(text), None, "{text}");
        }
    }
}
