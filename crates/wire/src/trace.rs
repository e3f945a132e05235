//! W3C Trace Context, version 00: who started a line of work, carried over calls and events.
//! Source: <https://www.w3.org/TR/trace-context/>.

use std::fmt;

/// A caller may have recorded its span.
const SAMPLED: u8 = 1;

/// A `traceparent`: trace id, the id of the span that calls, and whether it is sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    trace: u128,
    span: u64,
    flags: u8,
}

/// The id of a span; reads as 16 hex digits, and as nothing where there is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpanId(u64);

impl Trace {
    /// Begins a trace of its own.
    #[must_use]
    pub fn start() -> Self {
        Self { trace: fastrand::u128(1..), span: fastrand::u64(1..), flags: 0 }
    }

    /// Reads a `traceparent`; `None` for anything that is not exactly one, which then starts a trace of its own.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        if version != "00" || parts.next().is_some() {
            return None;
        }
        let parsed = Self {
            trace: hex(trace, 32)?,
            span: u64::try_from(hex(span, 16)?).ok()?,
            flags: u8::try_from(hex(flags, 2)?).ok()?,
        };
        (parsed.trace != 0 && parsed.span != 0).then_some(parsed)
    }

    /// The same trace under a new span id: what is sent to a callee.
    #[must_use]
    pub fn child(self) -> Self {
        Self { span: fastrand::u64(1..), ..self }
    }

    /// The same, said to be recorded where it is: whoever is called then records its own part too.
    #[must_use]
    pub fn recorded(self, is: bool) -> Self {
        Self { flags: if is { self.flags | SAMPLED } else { self.flags }, ..self }
    }

    /// The id of this span.
    #[must_use]
    pub fn span(self) -> SpanId {
        SpanId(self.span)
    }

    /// The trace id as 32 hex digits.
    #[must_use]
    pub fn id(self) -> String {
        format!("{:032x}", self.trace)
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, self.flags)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 { Ok(()) } else { write!(f, "{:016x}", self.0) }
    }
}

fn hex(digits: &str, length: usize) -> Option<u128> {
    let lowercase = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if digits.len() != length || !digits.bytes().all(lowercase) {
        return None;
    }
    u128::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_survives_the_wire() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(Trace::parse(text).map(|trace| trace.to_string()).as_deref(), Some(text));
    }

    #[test]
    fn a_trace_says_its_span_and_whether_it_is_recorded() {
        let trace = Trace::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00").unwrap();
        assert_eq!(trace.span().to_string(), "00f067aa0ba902b7");
        assert_eq!(SpanId::default().to_string(), "");
        let recorded = trace.recorded(true);
        assert!(recorded.to_string().ends_with("-01") && recorded.recorded(false) == recorded);
        assert_eq!(trace.recorded(false), trace);
    }

    #[test]
    fn anything_else_is_not_a_traceparent() {
        for text in [
            "",
            "00",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(Trace::parse(text), None, "{text}");
        }
    }
}
