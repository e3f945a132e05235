//! How the command ends: the exit codes that scripts rely on, and the one line that says why.

use std::error::Error;
use std::process::ExitCode;

/// Printed below the help of the command.
pub(crate) const HELP: &str = "\
Exit codes:
  0   it worked
  1   it failed while running
  2   the command line or the settings are wrong
  3   an address or a database is in use, or cannot be opened
  4   no mesh answers at the address
  5   verify found a violation
  6   the called service refused the call
  7   the call had no answer, or may be repeated under the same key
  8   doctor found what keeps a mesh from running
  10  a contract does not compile
  11  a contract breaks a rule
  12  a change of contracts breaks somebody
  13  a generated file is not what the contracts say";

/// Why the command did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It failed while running.
    Failed = 1,
    /// The command line or the settings are wrong.
    Usage = 2,
    /// An address or a database is in use, or cannot be opened.
    InUse = 3,
    /// No mesh answers.
    Unreachable = 4,
    /// `verify` found a violation.
    Violated = 5,
    /// The called service refused the call.
    Refused = 6,
    /// The call had no answer, or one that says to come back; under the same key it may be repeated.
    Repeatable = 7,
    /// `doctor` found what keeps a mesh from running.
    Unwell = 8,
    /// A contract does not compile.
    NotCompiled = 10,
    /// A contract breaks a rule.
    Linted = 11,
    /// A change of contracts breaks somebody.
    Broken = 12,
    /// A generated file is not what the contracts say.
    Stale = 13,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error with the code that it ends the command with.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    error: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// Ends the command with a line that says why.
    pub(crate) fn new(exit: Exit, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { exit, error: Some(error.into()) }
    }

    /// Ends the command without a further line: what there was to say is on standard output.
    pub(crate) fn silent(exit: Exit) -> Self {
        Self { exit, error: None }
    }

    /// Says why on standard error, with every cause, and gives the code.
    pub(crate) fn report(self) -> ExitCode {
        if let Some(error) = self.error {
            eprintln!("freehold: {}", chain(error.as_ref()));
        }
        self.exit.into()
    }
}

/// The error and its causes in one line; a cause that its error already quotes is said once.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !line.contains(&said) {
            line = format!("{line}: {said}");
        }
        cause = error.source();
    }
    line
}
