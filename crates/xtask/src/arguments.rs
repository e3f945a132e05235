//! The command line of the chores.
//!
//! Few words, so they are read by hand and the chores need no argument parser. What is not understood is refused, never
//! ignored.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// What is printed for `help` and after a wrong command line.
pub(crate) const USAGE: &str = "\
usage: cargo xtask CHORE

  test [--engines] [--rounds N] [-- ARGS]   all tests; the last line says how many passed and failed
         --engines     also on a real PostgreSQL and a real NATS: found or installed, started for this run alone
         --rounds N    how often the tests that repeat (faults, kill -9, seeds) go round
         -- ARGS       for cargo test instead of --workspace, as in `-- --package users`
  gen [--check]                             write the generated code, or check that it is fresh
  bench [NAME..]                            the benchmarks
  soak [--seconds N] [NAME..]               the runs that take too long for every change; `soak list` names them
         --seconds N   how long each step of a run takes, instead of its own time
  instructions                              count what a call executes, by valgrind; compare with what was agreed
  readme [FILE]                             run what README.md, or FILE, shows; compare what comes out";

/// One chore.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Chore {
    /// Print the usage.
    Help,
    /// Run all tests.
    Test(TestOptions),
    /// Write or check the generated code.
    Generate {
        /// Only check.
        check: bool,
    },
    /// Run the benchmarks.
    Bench {
        /// Those of these names; all when empty.
        names: Vec<String>,
    },
    /// Run what takes too long for every change.
    Soak(SoakOptions),
    /// Count what a call executes.
    Instructions,
    /// Run the README.
    Readme {
        /// The Markdown file, from the root of the repository.
        file: PathBuf,
    },
    /// Keep a program running for the chore that started us.
    Hold(HoldOrder),
}

/// How to run the tests.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TestOptions {
    /// Also on a real PostgreSQL and a real NATS.
    pub(crate) engines: bool,
    /// How often repeating tests go round; their own default when absent.
    pub(crate) rounds: Option<u32>,
    /// For cargo test, instead of `--workspace`; everything when empty.
    pub(crate) selection: Vec<String>,
}

/// Which heavy runs, and for how long.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct SoakOptions {
    /// Those of these names; all when empty.
    pub(crate) names: Vec<String>,
    /// How long a step takes; its own time when absent.
    pub(crate) time: Option<Duration>,
}

/// What to keep running.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HoldOrder {
    /// The folder that is removed at the end.
    pub(crate) folder: PathBuf,
    /// Whom it runs as; ourselves when absent.
    pub(crate) user: Option<User>,
    /// The program and its arguments.
    pub(crate) program: Vec<String>,
}

/// A user of the system, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct User {
    /// The user's number.
    pub(crate) uid: u32,
    /// The number of the user's first group.
    pub(crate) gid: u32,
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.uid, self.gid)
    }
}

/// A command line that is not understood.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ArgumentError {
    /// The first word is none of the chores.
    #[error("there is no chore `{0}`")]
    UnknownChore(String),
    /// The chore does not know the word.
    #[error("`{chore}` does not take `{word}`")]
    Unexpected { chore: &'static str, word: String },
    /// An option without its value.
    #[error("{0} needs a value")]
    NoValue(&'static str),
    /// A value that is no count.
    #[error("{option} is a number from 1 on, not `{value}`")]
    NotACount { option: &'static str, value: String },
    /// A value that is no user.
    #[error("a user is uid:gid or -, not `{0}`")]
    NotAUser(String),
}

/// Reads the words after `cargo xtask`.
pub(crate) fn parse(words: impl IntoIterator<Item = String>) -> Result<Chore, ArgumentError> {
    let mut words = words.into_iter();
    match words.next().as_deref() {
        None | Some("help" | "--help" | "-h") => Ok(Chore::Help),
        Some("test") => test(words),
        Some("gen") => generate(words),
        Some("bench") => Ok(Chore::Bench { names: words.collect() }),
        Some("soak") => soak(words),
        Some("instructions") => alone("instructions", words, Chore::Instructions),
        Some("readme") => readme(words),
        Some("hold") => hold(words),
        Some(other) => Err(ArgumentError::UnknownChore(other.to_owned())),
    }
}

fn test(mut words: impl Iterator<Item = String>) -> Result<Chore, ArgumentError> {
    let mut options = TestOptions::default();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--engines" => options.engines = true,
            "--rounds" => options.rounds = Some(count("--rounds", words.next())?),
            "--" => options.selection = words.by_ref().collect(),
            _ => return Err(ArgumentError::Unexpected { chore: "test", word }),
        }
    }
    Ok(Chore::Test(options))
}

fn count(option: &'static str, word: Option<String>) -> Result<u32, ArgumentError> {
    let word = word.ok_or(ArgumentError::NoValue(option))?;
    match word.parse() {
        Ok(count) if count > 0 => Ok(count),
        _ => Err(ArgumentError::NotACount { option, value: word }),
    }
}

fn soak(mut words: impl Iterator<Item = String>) -> Result<Chore, ArgumentError> {
    let mut options = SoakOptions::default();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--seconds" => {
                let seconds = count("--seconds", words.next())?;
                options.time = Some(Duration::from_secs(seconds.into()));
            }
            _ if word.starts_with('-') => return Err(ArgumentError::Unexpected { chore: "soak", word }),
            _ => options.names.push(word),
        }
    }
    Ok(Chore::Soak(options))
}

fn generate(words: impl Iterator<Item = String>) -> Result<Chore, ArgumentError> {
    let mut check = false;
    for word in words {
        match word.as_str() {
            "--check" => check = true,
            _ => return Err(ArgumentError::Unexpected { chore: "gen", word }),
        }
    }
    Ok(Chore::Generate { check })
}

/// A chore that takes no further word.
fn alone(
    chore: &'static str,
    mut words: impl Iterator<Item = String>,
    read: Chore,
) -> Result<Chore, ArgumentError> {
    match words.next() {
        Some(word) => Err(ArgumentError::Unexpected { chore, word }),
        None => Ok(read),
    }
}

fn readme(mut words: impl Iterator<Item = String>) -> Result<Chore, ArgumentError> {
    let file = words.next().unwrap_or_else(|| "README.md".to_owned());
    match words.next() {
        Some(word) => Err(ArgumentError::Unexpected { chore: "readme", word }),
        None => Ok(Chore::Readme { file: file.into() }),
    }
}

/// `hold FOLDER USER PROGRAM ARGS..`: for `held`, not for people.
fn hold(mut words: impl Iterator<Item = String>) -> Result<Chore, ArgumentError> {
    let folder = words.next().ok_or(ArgumentError::NoValue("hold"))?;
    let user = user(words.next().ok_or(ArgumentError::NoValue("hold"))?)?;
    Ok(Chore::Hold(HoldOrder { folder: folder.into(), user, program: words.collect() }))
}

fn user(word: String) -> Result<Option<User>, ArgumentError> {
    if word == "-" {
        return Ok(None);
    }
    let numbers = word.split_once(':').and_then(|(uid, gid)| uid.parse().ok().zip(gid.parse().ok()));
    match numbers {
        Some((uid, gid)) => Ok(Some(User { uid, gid })),
        None => Err(ArgumentError::NotAUser(word)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Chore, ArgumentError> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_chore_is_read_with_its_options() {
        let options = TestOptions {
            engines: true,
            rounds: Some(20),
            selection: vec!["--package".into(), "users".into()],
        };
        assert_eq!(parsed("test --engines --rounds 20 -- --package users"), Ok(Chore::Test(options)));
        assert_eq!(parsed("gen --check"), Ok(Chore::Generate { check: true }));
        assert_eq!(parsed("instructions"), Ok(Chore::Instructions));
        assert_eq!(parsed("readme"), Ok(Chore::Readme { file: "README.md".into() }));
        let options = SoakOptions { names: vec!["fuzz".into()], time: Some(Duration::from_secs(5)) };
        assert_eq!(parsed("soak --seconds 5 fuzz"), Ok(Chore::Soak(options)));
        assert_eq!(parsed(""), Ok(Chore::Help));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (line, expected) in [
            ("tset", "there is no chore `tset`"),
            ("test --engine", "`test` does not take `--engine`"),
            ("test --rounds", "--rounds needs a value"),
            ("test --rounds 0", "--rounds is a number from 1 on, not `0`"),
            ("soak fuzz --seconds", "--seconds needs a value"),
            ("soak --minutes 1", "`soak` does not take `--minutes`"),
            ("gen --write", "`gen` does not take `--write`"),
            ("instructions all", "`instructions` does not take `all`"),
            ("readme a.md b.md", "`readme` does not take `b.md`"),
        ] {
            assert_eq!(parsed(line).unwrap_err().to_string(), expected);
        }
    }
}
