//! How a store is opened: whose it is, where it lies, which migrations it has, how much it may use.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::migrate::Migrations;

/// Tells the time in milliseconds since 1970.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// How a store is opened.
#[derive(Clone)]
pub struct Options {
    pub(crate) service: String,
    pub(crate) url: String,
    pub(crate) migrations: Vec<&'static Migrations>,
    pub(crate) readers: Option<usize>,
    pub(crate) queue: usize,
    pub(crate) read_budget: Duration,
    pub(crate) most_bytes: Option<u64>,
    pub(crate) clock: Clock,
    pub(crate) throwaway: bool,
}

impl Options {
    /// The database of `service` at `url`: `sqlite:/path/to/file.db` (made where it is missing, with its folder) or
    /// `postgres://user@host/database`.
    #[must_use]
    pub fn new(service: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            service: service.into(),
            url: url.into(),
            migrations: vec![&crate::migrate::OWN],
            readers: None,
            queue: 1024,
            read_budget: Duration::from_secs(10),
            most_bytes: None,
            clock: Arc::new(system_time),
            throwaway: false,
        }
    }

    /// Adds a set of migrations; sets are applied in the order in which they are added.
    #[must_use]
    pub fn migrations(mut self, migrations: &'static Migrations) -> Self {
        self.migrations.push(migrations);
        self
    }

    /// The most reads at a time, and on PostgreSQL the most units at a time; a further one waits. On SQLite 16 unless said,
    /// on PostgreSQL what the url says: ten connections in all, or as many as in `?connections=20`.
    #[must_use]
    pub fn readers(mut self, readers: usize) -> Self {
        self.readers = Some(readers.max(1));
        self
    }

    /// The most units that wait for their turn; a further one waits for a place. 1024 unless said.
    #[must_use]
    pub fn queue(mut self, queue: usize) -> Self {
        self.queue = queue.max(1);
        self
    }

    /// How long a read lasts that has no context, its wait for a connection included. Ten seconds unless said.
    #[must_use]
    pub fn read_budget(mut self, budget: Duration) -> Self {
        self.read_budget = budget;
        self
    }

    /// The most bytes that a SQLite database may grow to: what needs more is refused with [`StoreError::Full`], as on a disk
    /// that is full, until something is deleted. Without end unless said.
    ///
    /// [`StoreError::Full`]: crate::StoreError::Full
    #[must_use]
    pub fn most_bytes(mut self, bytes: u64) -> Self {
        self.most_bytes = Some(bytes);
        self
    }

    /// Where units of work have their time from; the system's clock unless said.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Accepts a PostgreSQL server that runs without `fsync` or `full_page_writes`. Only for tests on a server that is
    /// thrown away with them: what such a server acknowledges does not survive a power loss.
    #[must_use]
    pub fn throwaway_server(mut self) -> Self {
        self.throwaway = true;
        self
    }
}

fn system_time() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A database url without the password in it, for messages.
pub(crate) fn redacted(url: &str) -> String {
    let parts = url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?)));
    let shown = match parts {
        Some((scheme, (user, host))) if user.contains(':') => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}:***@{host}")
        }
        _ => url.to_owned(),
    };
    let Some((address, query)) = shown.rsplit_once('?') else { return shown };
    let pair =
        |pair: &str| if pair.starts_with("password=") { "password=***".to_owned() } else { pair.to_owned() };
    format!("{address}?{}", query.split('&').map(pair).collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_in_no_message() {
        assert_eq!(redacted("postgres://orders:a@b:c@host/db"), "postgres://orders:***@host/db");
        assert_eq!(redacted("postgres://orders@host/db"), "postgres://orders@host/db");
        assert_eq!(redacted("sqlite:/a/b.db"), "sqlite:/a/b.db");
        let by_query = "postgres://host/db?user=orders&password=ab&sslmode=require";
        assert_eq!(redacted(by_query), "postgres://host/db?user=orders&password=***&sslmode=require");
    }
}
