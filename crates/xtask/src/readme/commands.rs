//! Runs the commands of a console block in one shell, and tells their outputs apart.
//!
//! One shell per block, so that a variable or folder set by one command is there for the next. A line of our own after
//! each command says that it ended, and how.

use std::process::Command;
use std::time::Duration;
use std::{fs, io};

use super::mesh::Place;
use crate::held::{Held, NotReady};
use crate::repository::NotStarted;

/// How long the commands of one block may take, what they build included.
const DEADLINE: Duration = Duration::from_secs(1800);
/// Begins the line after each command.
const END: &str = "--- this command of the page ended with status ";

/// What a command did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// What it printed, on both streams.
    pub(crate) printed: Vec<String>,
    /// Its exit status; none when it did not end.
    pub(crate) status: Option<i32>,
}

/// The commands could not be run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandsError {
    /// Their folder cannot be made, or their output cannot be read.
    #[error("keep what the commands print")]
    Output(#[from] io::Error),
    /// The shell did not start.
    #[error(transparent)]
    NotStarted(#[from] NotStarted),
}

/// Runs `commands` one after the other; one outcome for each.
pub(crate) fn run(place: &Place, commands: &[String]) -> Result<Vec<Outcome>, CommandsError> {
    let own = place.folder().join("commands");
    fs::create_dir(&own)?;
    let output = own.join("output");
    let shell: Command = place.shell(&script(commands));
    let mut held = Held::start(&shell, &own, &output, None)?;
    if held.wait_until(DEADLINE, || false) != Err(NotReady::Ended) {
        eprintln!("warning: the commands took longer than {} s and are stopped", DEADLINE.as_secs());
    }
    let printed = fs::read(&output)?;
    Ok(outcomes(&String::from_utf8_lossy(&printed), commands.len()))
}

fn script(commands: &[String]) -> String {
    let mut script = String::from("exec 2>&1\n");
    for command in commands {
        // The status is taken first; the empty line ends an output that does not end its last one.
        script.push_str(&format!("{command}\nprintf '\\n{END}%s\\n' \"$?\"\n"));
    }
    script
}

fn outcomes(output: &str, count: usize) -> Vec<Outcome> {
    let mut outcomes = Vec::with_capacity(count);
    let mut printed = Vec::new();
    for line in output.lines() {
        match line.strip_prefix(END) {
            Some(status) => {
                outcomes.push(Outcome { printed: std::mem::take(&mut printed), status: status.parse().ok() })
            }
            None => printed.push(line.to_owned()),
        }
    }
    while outcomes.len() < count {
        outcomes.push(Outcome { printed: std::mem::take(&mut printed), status: None });
    }
    outcomes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(commands: &[&str]) -> Vec<Outcome> {
        let commands: Vec<String> = commands.iter().map(ToString::to_string).collect();
        let output = Command::new("bash").args(["-c", &script(&commands)]).output().unwrap();
        outcomes(&String::from_utf8_lossy(&output.stdout), commands.len())
    }

    #[test]
    fn each_command_has_its_own_output_and_status() {
        let outcomes = ran(&["name=orders; printf 'no newline'", "echo \"$name\" >&2", "(exit 3)"]);
        assert_eq!(outcomes[0], Outcome { printed: vec!["no newline".into()], status: Some(0) });
        assert_eq!(outcomes[1].printed, ["orders", ""]);
        assert_eq!(outcomes[2].status, Some(3));
    }

    #[test]
    fn a_command_that_ends_the_shell_has_no_status() {
        let outcomes = ran(&["echo a; exit 1", "echo b"]);
        assert_eq!(outcomes[0], Outcome { printed: vec!["a".into()], status: None });
        assert_eq!(outcomes[1].status, None);
    }
}
