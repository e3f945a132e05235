//! Settings from `freehold.toml`: what a command line need not repeat. The command line wins.
//!
//! An unknown key is an error that names its line and the nearest key there is: a typo must not mean "default".

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::Deserialize;

use crate::exit::{Exit, Failure};

const FILE: &str = "freehold.toml";

/// Settings; what is `None` has its default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
    /// The folder of the databases.
    pub(crate) data: Option<PathBuf>,
    /// The port of the directory.
    pub(crate) port: Option<u16>,
    /// Only these services.
    pub(crate) only: Option<Vec<String>>,
    /// Where mails go: "smtp://host:port"; into files where it is not set.
    pub(crate) smtp: Option<String>,
}

const KEYS: [&str; 4] = ["data", "only", "port", "smtp"];

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
enum ConfigError {
    #[error("failed to read `{}`", .0.display())]
    Io(PathBuf, #[source] io::Error),
    #[error("{}:{line}: {problem}{}", .file.display(), near(.problem))]
    Wrong { file: PathBuf, line: usize, problem: String },
}

/// The settings of the file that is named, or of `freehold.toml` where it exists.
pub(crate) fn load(named: Option<&Path>) -> Result<Config, Failure> {
    let read = match named {
        Some(file) => read(file),
        None if Path::new(FILE).exists() => read(Path::new(FILE)),
        None => Ok(Config::default()),
    };
    read.map_err(|error| Failure::new(Exit::Usage, error))
}

fn read(file: &Path) -> Result<Config, ConfigError> {
    let text = fs::read_to_string(file).map_err(|error| ConfigError::Io(file.to_owned(), error))?;
    parse(file, &text)
}

fn parse(file: &Path, text: &str) -> Result<Config, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text[..start.min(text.len())].matches('\n').count() + 1;
        ConfigError::Wrong { file: file.to_owned(), line, problem: error.message().to_owned() }
    })
}

/// For an unknown key, the nearest one there is.
fn near(problem: &str) -> String {
    let unknown = problem.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
    let Some(unknown) = unknown else { return String::new() };
    let nearest = freehold_contract::nearest(unknown, KEYS);
    nearest.map_or_else(String::new, |key| format!("; did you mean `{key}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        parse(Path::new("freehold.toml"), text).unwrap_err().to_string()
    }

    #[test]
    fn settings_are_read() {
        let config = parse(Path::new("f"), "port = 8000\nonly = [\"users\"]\n").unwrap();
        assert_eq!((config.port, config.only), (Some(8000), Some(vec!["users".to_owned()])));
    }

    #[test]
    fn an_unknown_key_names_its_line_and_the_nearest_key() {
        let said = wrong("port = 8000\ndatta = \"x\"\n");
        assert!(said.starts_with("freehold.toml:2: unknown field `datta`"), "{said}");
        assert!(said.ends_with("did you mean `data`?"), "{said}");
    }

    #[test]
    fn a_wrong_value_names_its_line() {
        assert!(wrong("\n\nport = 70000\n").starts_with("freehold.toml:3: "));
        assert!(wrong("port = \"a\"\n").starts_with("freehold.toml:1: "));
        assert!(wrong("port = \n").starts_with("freehold.toml:1: "));
    }
}
