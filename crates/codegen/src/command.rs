//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use freehold_codegen::Layout;

/// How it is used.
pub(crate) const USAGE: &str = "\
usage: freehold-codegen [gen] [--check] [--root DIR] [--sdk DIR] [--needs CONSUMER=DIR]..

  gen                   write every generated file (what it does anyway)
  --check               write nothing; list the files that are stale, and exit 1 if there are any
  --root DIR            the repository that holds proto/; the current folder unless given
  --sdk DIR             write the SDK's modules there
  --needs CONSUMER=DIR  write the consumer's needs there

DIR of --sdk and --needs is below the root. With neither of them, the layout is that of Freehold's own repository.";

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Command {
    /// Only tell what is stale.
    pub(crate) check: bool,
    /// The repository.
    pub(crate) root: PathBuf,
    /// Where the files go; nothing for this repository's own layout.
    pub(crate) layout: Option<Layout>,
}

impl Command {
    /// Reads the arguments; a problem completes "error: ".
    pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut command = Self { check: false, root: PathBuf::from("."), layout: None };
        let mut arguments = arguments.into_iter().map(|argument| argument.to_string_lossy().into_owned());
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("`{argument}` wants a value"));
            match argument.as_str() {
                "gen" => {}
                "--check" => command.check = true,
                "--root" => command.root = value()?.into(),
                "--sdk" => command.layout().sdk = Some(value()?),
                "--needs" => {
                    let value = value()?;
                    let named = value.split_once('=').ok_or("`--needs` wants CONSUMER=DIR")?;
                    command.layout().consumers.push((named.0.to_owned(), named.1.to_owned()));
                }
                _ => return Err(format!("`{argument}` is no argument")),
            }
        }
        Ok(command)
    }

    fn layout(&mut self) -> &mut Layout {
        self.layout.get_or_insert_default()
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
        assert_eq!(parse(&["--root"]).unwrap_err(), "`--root` wants a value");
        assert_eq!(parse(&["--needs", "orders"]).unwrap_err(), "`--needs` wants CONSUMER=DIR");
    }

    #[test]
    fn another_repository_says_where_its_files_go() {
        let layout =
            parse(&["--sdk", "sdk/src", "--needs", "a=a/src", "--needs", "b=b"]).unwrap().layout.unwrap();
        assert_eq!(layout.folders().collect::<Vec<_>>(), ["sdk/src", "a/src", "b"]);
        assert!(layout.language.is_none());
    }
}
