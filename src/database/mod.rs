//! `freehold db init`: makes the databases of a mesh on a PostgreSQL server, one per service, and leaves in the folder
//! where they are.
//!
//! Each service gets a database, a role that owns what is in it, and one that `verify` reads by. The file that holds their
//! passwords is written first, so that what was interrupted is done again with the same ones. **Invariant:** nothing that
//! was there before is taken over: a folder with databases in it, or a server with one of the names, is refused, and while
//! it is there is no file.

mod passwords;

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use freehold_server::databases::{Databases, FILE, variable};
use freehold_store::{Login, OpenError, Provision};

use crate::cli::{Engine, InitArgs};
use crate::config::Config;
use crate::exit::{Exit, Failure};
use crate::up::{self, SERVICES};

/// Who may make databases and roles: a secret, so no argument.
const ADMIN: &str = "FREEHOLD_DATABASE_ADMIN_URL";
/// As long as a name may be with the longest service's behind it.
const LONGEST_PREFIX: usize = 32;

/// Why there are no databases.
#[derive(Debug, thiserror::Error)]
enum InitError {
    #[error("{ADMIN} is not set; it names the server, and a role on it that may make databases and roles")]
    NoAdmin,
    #[error(
        "`{0}` is no prefix: it has small letters, digits and `_`, begins with a letter, and has at most {LONGEST_PREFIX}"
    )]
    Prefix(String),
    #[error("{} has databases of this mesh already; --data names another folder", .0.display())]
    InUse(PathBuf),
    #[error("{} is of other databases than `{prefix}_..`; --data names another folder", .folder.display())]
    OfOthers { folder: PathBuf, prefix: String },
    #[error("failed to read where the databases are")]
    Where(#[from] freehold_server::databases::DatabasesError),
    #[error("failed to write {}", .0.display())]
    Write(PathBuf, #[source] io::Error),
    #[error("failed to draw passwords")]
    Random(#[source] io::Error),
    #[error("failed to make the database of {0}")]
    Make(&'static str, #[source] OpenError),
}

/// Makes what is missing.
pub(crate) fn init(args: &InitArgs, config: &Config) -> Result<(), Failure> {
    let Engine::Postgres = args.engine;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::new(Exit::Failed, error))?;
    let folder = up::data_folder(args.data.clone(), config);
    let admin = std::env::var(ADMIN).ok().filter(|url| !url.is_empty());
    let made = runtime.block_on(make(&folder, admin.as_deref(), &args.prefix));
    let count = made.map_err(|error| Failure::new(error.exit(), error))?;
    println!("{count} databases are there, and {} says where", folder.join(FILE).display());
    Ok(())
}

async fn make(folder: &Path, admin: Option<&str>, prefix: &str) -> Result<usize, InitError> {
    let admin = admin.ok_or(InitError::NoAdmin)?;
    check_prefix(prefix)?;
    let file = folder.join(FILE);
    if !file.exists() {
        if SERVICES.iter().any(|service| folder.join(format!("{}.db", service.name)).exists()) {
            return Err(InitError::InUse(folder.to_owned()));
        }
        let wanted = drawn(prefix)?;
        for (service, wanted) in &wanted {
            wanted.is_free(admin).await.map_err(|error| InitError::Make(service, error))?;
        }
        let write = |error| InitError::Write(file.clone(), error);
        fs::create_dir_all(folder).map_err(write)?;
        write_secret(&file, &lines(admin, &wanted)).map_err(write)?;
    }
    let databases = Databases::of(folder)?;
    for service in &SERVICES {
        let wanted = provision(&databases, service.name, prefix);
        let others = || InitError::OfOthers { folder: folder.to_owned(), prefix: prefix.to_owned() };
        let made = wanted.ok_or_else(others)?.make(admin).await;
        made.map_err(|error| InitError::Make(service.name, error))?;
    }
    Ok(SERVICES.len())
}

/// The names are words of SQL, which are not quoted.
fn check_prefix(prefix: &str) -> Result<(), InitError> {
    let begins = prefix.starts_with(|letter: char| letter.is_ascii_lowercase());
    let goes_on = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    if begins && prefix.len() <= LONGEST_PREFIX && prefix.chars().all(goes_on) {
        return Ok(());
    }
    Err(InitError::Prefix(prefix.to_owned()))
}

/// What each service is to have, with new passwords.
fn drawn(prefix: &str) -> Result<Vec<(&'static str, Provision)>, InitError> {
    let login = |role| passwords::draw().map(|password| Login { role, password }).map_err(InitError::Random);
    let wanted = |service| {
        let (database, reader) = names(prefix, service);
        Ok((service, Provision { owner: login(database.clone())?, reader: login(reader)?, database }))
    };
    SERVICES.iter().map(|service| wanted(service.name)).collect()
}

/// The names of a service's database, which is also that of the role that owns what is in it, and of the role that reads.
fn names(prefix: &str, service: &str) -> (String, String) {
    (format!("{prefix}_{service}"), format!("{prefix}_{service}_reader"))
}

fn lines(admin: &str, wanted: &[(&str, Provision)]) -> String {
    let mut text =
        String::from("# Written by `freehold db init`. Whoever reads this can log in to these databases.\n");
    for (service, Provision { database, owner, reader }) in wanted {
        for (setting, login) in [("DATABASE_URL", owner), ("READER_URL", reader)] {
            let url = login.url(admin, database);
            text.push_str(&format!("{}={url}\n", variable(service, setting)));
        }
    }
    text
}

/// The file belongs to whoever runs the mesh, from its first byte on.
fn write_secret(file: &Path, text: &str) -> io::Result<()> {
    let mut secret = fs::File::options().write(true).create_new(true).mode(0o600).open(file)?;
    secret.write_all(text.as_bytes())?;
    secret.sync_all()
}

/// What the file says of a service; `None` where that is not what would be made under the prefix.
fn provision(databases: &Databases, service: &str, prefix: &str) -> Option<Provision> {
    let (database, reader) = names(prefix, service);
    let owner = database.clone();
    let login = |url: String, role: String| {
        let password = url.strip_prefix(&format!("postgres://{role}:"))?.split_once('@')?.0.to_owned();
        Some(Login { role, password })
    };
    let owner = login(databases.url(service), owner)?;
    let reader = login(databases.reader_url(service), reader)?;
    Some(Provision { database, owner, reader })
}

impl InitError {
    fn exit(&self) -> Exit {
        match self {
            Self::NoAdmin | Self::Prefix(_) | Self::InUse(_) | Self::OfOthers { .. } | Self::Where(_) => {
                Exit::Usage
            }
            Self::Make(..) => Exit::InUse,
            Self::Write(..) | Self::Random(_) => Exit::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        let drawn = drawn("shop").unwrap();
        write_secret(&file, &lines("postgres://admin:secret@db/postgres", &drawn)).unwrap();
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions()) & 0o777,
            0o600
        );
        let databases = Databases::of(folder.path()).unwrap();
        let made = provision(&databases, "orders", "shop").unwrap();
        assert!(drawn.contains(&("orders", made.clone())));
        assert_eq!(
            (made.database.as_str(), made.reader.role.as_str()),
            ("shop_orders", "shop_orders_reader")
        );
        assert_ne!(made.owner.password, made.reader.password);
        assert!(databases.url("orders").ends_with("@db/shop_orders"));
        assert!(!fs::read_to_string(&file).unwrap().contains("secret"), "the admin's url stays out of it");
        assert_eq!(provision(&databases, "orders", "other"), None);
    }

    #[test]
    fn a_prefix_is_a_word_of_sql() {
        assert!(check_prefix("freehold").is_ok() && check_prefix("a_1").is_ok());
        for wrong in ["", "1a", "A", "a-b", "a;DROP", "a\"b", &"a".repeat(33)] {
            assert!(check_prefix(wrong).is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_folder_with_files_and_a_shell_without_the_url_are_told_so() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(make(folder.path(), None, "freehold").await, Err(InitError::NoAdmin)));
        fs::write(folder.path().join("orders.db"), "").unwrap();
        let made = make(folder.path(), Some("postgres://a@127.0.0.1:1/x"), "freehold").await;
        assert!(matches!(made, Err(InitError::InUse(_))));
        assert!(!folder.path().join(FILE).exists());
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let made = make(folder.path(), Some("postgres://a@127.0.0.1:1/x"), "freehold").await;
        assert!(matches!(made, Err(InitError::Make(_, _))));
        assert!(!folder.path().join(FILE).exists());
    }
}
