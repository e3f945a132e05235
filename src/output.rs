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
