//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

/// How it is used.
pub(crate) const USAGE: &str = "\
usage: freehold-codegen [gen] [--check] [--root DIR]

  gen         write every generated file (what it does anyway)
  --check     write nothing; list the files that are stale, and exit 1 if there are any
  --root DIR  the repository that holds proto/; the current folder unless given";

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Command {
    /// Only tell what is stale.
    pub(crate) check: bool,
    /// The repository.
    pub(crate) root: PathBuf,
}

impl Command {
    /// Reads the arguments; a problem completes "error: ".
    pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut command = Self { check: false, root: PathBuf::from(".") };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            match argument.to_str() {
                Some("gen") => {}
                Some("--check") => command.check = true,
                Some("--root") => command.root = arguments.next().ok_or("`--root` wants a folder")?.into(),
                _ => return Err(format!("`{}` is no argument", argument.display())),
            }
        }
        Ok(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Command, String> {
        Command::parse(arguments.iter().map(OsString::from))
    }

    #[test]
    fn without_arguments_everything_is_written() {
        assert_eq!(parse(&[]), parse(&["gen"]));
        assert!(!parse(&[]).unwrap().check);
        assert!(parse(&["gen", "--check"]).unwrap().check);
    }

    #[test]
    fn an_unknown_argument_is_named() {
        assert_eq!(parse(&["--chekc"]).unwrap_err(), "`--chekc` is no argument");
        assert!(parse(&["--root"]).is_err());
    }
}
