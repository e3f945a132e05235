//! Standard output, whose reader may leave before all of it is written: `freehold graph | head`.

use std::io::{self, ErrorKind, Write};

use crate::exit::{Exit, Failure};

/// Writes to standard output; where nobody reads on, the command ends without a word.
pub(crate) fn write(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => Failure::silent(Exit::Failed),
        _ => Failure::new(Exit::Failed, error),
    })
}

/// Keys and reasons are whatever callers made them: line ends and the control characters of terminals are spelled out.
pub(crate) fn on_one_line(text: &str) -> String {
    let spelled = |letter: char| letter.is_control().then(|| letter.escape_default().to_string());
    text.chars().map(|letter| spelled(letter).unwrap_or_else(|| letter.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_cannot_write_a_line_of_its_own_or_colour_it() {
        assert_eq!(on_one_line("order é\r\n\u{1b}[31m"), "order é\\r\\n\\u{1b}[31m");
    }
}
