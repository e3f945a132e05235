//! Which database a service has, where a folder of databases says so: `databases.env`, which `freehold db init` writes.
//!
//! A line is `FREEHOLD_<SERVICE>_DATABASE_URL=<url>`, or `.._READER_URL` for whoever only looks; so a shell or a container
//! can take the file as it is. A service without a line has a SQLite file in the folder. **Invariant:** a file that is
//! there and cannot be read as this is an error, never a service that begins anew in an empty database.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The file in the folder.
pub const FILE: &str = "databases.env";

/// What the file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Databases {
    folder: PathBuf,
    lines: Vec<(String, String)>,
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabasesError {
    /// It is there and cannot be read.
    #[error("failed to read {}", .0.display())]
    Unreadable(PathBuf, #[source] io::Error),
    /// A line of it is none.
    #[error("{}:{line}: a line is FREEHOLD_<SERVICE>_DATABASE_URL=<url> or FREEHOLD_<SERVICE>_READER_URL=<url>", .file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// The line.
        line: usize,
    },
}

impl Databases {
    /// Reads the file of a folder; where there is none, all databases are SQLite's.
    ///
    /// # Errors
    /// [`DatabasesError`] names the file, and the line at fault.
    pub fn of(folder: &Path) -> Result<Self, DatabasesError> {
        let file = folder.join(FILE);
        match fs::read_to_string(&file) {
            Ok(text) => Self::parse(folder, &text),
            Err(error) if error.kind() == ErrorKind::NotFound => Self::parse(folder, ""),
            Err(error) => Err(DatabasesError::Unreadable(file, error)),
        }
    }

    fn parse(folder: &Path, text: &str) -> Result<Self, DatabasesError> {
        let mut lines = Vec::new();
        for (line, text) in (1..).zip(text.lines().map(str::trim)) {
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let said = text.split_once('=').filter(|(name, url)| {
                let known = name.ends_with("_DATABASE_URL") || name.ends_with("_READER_URL");
                known && name.starts_with("FREEHOLD_") && url.contains(':')
            });
            let (name, url) = said.ok_or_else(|| DatabasesError::Line { file: folder.join(FILE), line })?;
            lines.push((name.to_owned(), url.to_owned()));
        }
        Ok(Self { folder: folder.to_owned(), lines })
    }

    /// The database that a service opens.
    #[must_use]
    pub fn url(&self, service: &str) -> String {
        let said = self.line(&variable(service, "DATABASE_URL"));
        said.map_or_else(|| sqlite_url(&self.folder, service), ToOwned::to_owned)
    }

    /// The same for whoever only looks into it.
    #[must_use]
    pub fn reader_url(&self, service: &str) -> String {
        self.line(&variable(service, "READER_URL")).map_or_else(|| self.url(service), ToOwned::to_owned)
    }

    /// Whether the service has a file, or a database on a server.
    #[must_use]
    pub fn is_there(&self, service: &str) -> bool {
        self.url(service).strip_prefix("sqlite:").is_none_or(|file| Path::new(file).exists())
    }

    /// What the file says of a variable.
    #[must_use]
    pub fn line(&self, variable: &str) -> Option<&str> {
        self.lines.iter().find(|(said, _)| said == variable).map(|(_, url)| url.as_str())
    }
}

/// The SQLite database of a service in a folder of databases.
#[must_use]
pub fn sqlite_url(folder: &Path, service: &str) -> String {
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    format!("sqlite:{}", folder.join(format!("{service}.db")).display())
}

/// The variable of a service's setting.
#[must_use]
pub fn variable(service: &str, setting: &str) -> String {
    format!("FREEHOLD_{}_{setting}", service.to_uppercase().replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_where_a_database_is_and_without_one_it_is_a_file() {
        let text = "# made by freehold db init\n\nFREEHOLD_ORDERS_DATABASE_URL=postgres://o:p@h/orders?a=b\n\
                    FREEHOLD_ORDERS_READER_URL=postgres://r:p@h/orders\n";
        let databases = Databases::parse(Path::new("/data"), text).unwrap();
        assert_eq!(databases.url("orders"), "postgres://o:p@h/orders?a=b");
        assert_eq!(databases.reader_url("orders"), "postgres://r:p@h/orders");
        assert_eq!(databases.url("users"), "sqlite:/data/users.db");
        assert_eq!(databases.reader_url("users"), "sqlite:/data/users.db");
        assert!(databases.is_there("orders") && !databases.is_there("users"));
    }

    #[test]
    fn a_line_that_is_none_is_an_error_that_names_it() {
        for text in [
            "\nnonsense",
            "\nORDERS_DATABASE_URL=sqlite:x",
            "\nFREEHOLD_ORDERS_DATABASE_URL=",
            "\nFREEHOLD_X=a:b",
        ] {
            let error = Databases::parse(Path::new("/data"), text).unwrap_err().to_string();
            assert!(error.starts_with("/data/databases.env:2: a line is FREEHOLD_"), "{error}");
        }
    }
}
