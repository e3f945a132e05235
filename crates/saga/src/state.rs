//! The states of a saga as its row spells them, for the executor, `status` and `verify` alike.

use std::fmt;

/// What a saga is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its steps are being done.
    Running,
    /// What was begun is being undone.
    Compensating,
    /// What is tried for ever has failed for long; it is still tried.
    Stuck,
    /// All steps are done. An end.
    Done,
    /// All that was begun has been undone. An end.
    Compensated,
}

impl State {
    /// All states.
    pub const ALL: [State; 5] =
        [Self::Running, Self::Compensating, Self::Stuck, Self::Done, Self::Compensated];

    /// As the row spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Compensating => "compensating",
            Self::Stuck => "stuck",
            Self::Done => "done",
            Self::Compensated => "compensated",
        }
    }

    /// Reads what a row spells.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether nothing happens any more.
    #[must_use]
    pub fn is_end(self) -> bool {
        matches!(self, Self::Done | Self::Compensated)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
