//! The databases on PostgreSQL: those of the services whose `FREEHOLD_<SERVICE>_DATABASE_URL` names one.
//!
//! Each is only looked into: whether it answers, whether it is this service's store, which version runs it, and whether it
//! keeps what it has acknowledged.

use std::time::Duration;

use freehold_store::{OpenError, Queries, ReadOnly};
use tokio::time::timeout;

use crate::doctor::verdict::Verdict;
use crate::exit::chain;
use crate::up::{SERVICES, Service};

const BUDGET: Duration = Duration::from_secs(5);
/// What a commit rests on; a store refuses a server where one of them is off.
const SETTINGS: [&str; 3] = ["fsync", "full_page_writes", "synchronous_commit"];

/// What is seen of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    /// The service's store, on a server of that version with those of the settings turned off.
    Store { version: String, off: Vec<String> },
    /// A database without a store.
    Bare,
    /// This keeps the service from opening it.
    Refused(String),
}

/// Looks into each that the environment names, as `read` reads it.
pub(crate) async fn look(read: impl Fn(&str) -> Option<String>) -> Vec<(&'static str, Seen)> {
    let mut seen = Vec::new();
    for service in &SERVICES {
        let url = read(&variable(service.name)).filter(|url| url.starts_with("postgres"));
        if let Some(url) = url {
            let looked = timeout(BUDGET, examine(service, &url)).await;
            seen.push((
                service.name,
                match looked {
                    Ok(Ok(store)) => store,
                    Ok(Err(OpenError::NotAStore(_))) => Seen::Bare,
                    Ok(Err(error)) => Seen::Refused(chain(&error)),
                    Err(_) => Seen::Refused(format!("it does not answer within {BUDGET:?}")),
                },
            ));
        }
    }
    seen
}

fn variable(service: &str) -> String {
    format!("FREEHOLD_{}_DATABASE_URL", service.to_uppercase())
}

async fn examine(service: &Service, url: &str) -> Result<Seen, OpenError> {
    let database = ReadOnly::open(url).await?;
    database.admits(&(service.options)(url)).await?;
    let mut read = database.read(BUDGET).await?;
    let server = read.one("SELECT current_setting('server_version') AS version", Vec::new()).await?;
    let version = server.map(|row| row.get("version")).transpose()?.unwrap_or_default();
    let mut off = Vec::new();
    for row in read.all("SELECT name FROM pg_settings WHERE setting = 'off'", Vec::new()).await? {
        let name: String = row.get("name")?;
        if SETTINGS.contains(&name.as_str()) {
            off.push(name);
        }
    }
    Ok(Seen::Store { version, off })
}

/// Whether the service may open it, and whether its commits are kept.
pub(crate) fn check(service: &str, seen: &Seen) -> Verdict {
    match seen {
        Seen::Store { version, off } if off.is_empty() => {
            let kept = "a commit is kept";
            Verdict::ok(
                "postgres",
                format!("{service}: PostgreSQL {version}, {} on: {kept}", SETTINGS.join(", ")),
            )
        }
        Seen::Store { version, off } => {
            let found = format!("{service}: PostgreSQL {version} with {} off", off.join(" and "));
            let advice =
                "turn it on: what is acknowledged would not survive a power loss, and no store opens";
            Verdict::wrong("postgres", found, advice)
        }
        Seen::Bare => {
            let found = format!("{service}: the database answers, and holds no store");
            let advice =
                "an empty one becomes one when the service starts; one that holds something else is refused";
            Verdict::warn("postgres", found, advice)
        }
        Seen::Refused(problem) => {
            let advice = format!(
                "{} wants a server that runs, a role that may log in, and a database of this service",
                variable(service)
            );
            Verdict::wrong("postgres", format!("{service}: {problem}"), advice)
        }
    }
}

#[cfg(test)]
mod tests {
    use freehold_store::Store;
    use freehold_testkit::engines;

    use super::*;
    use crate::doctor::verdict::State;

    async fn only(url: &str) -> Vec<(&'static str, Seen)> {
        look(|name| (name == "FREEHOLD_USERS_DATABASE_URL").then(|| url.to_owned())).await
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_told_and_a_file_is_none_of_it() {
        assert_eq!(only("sqlite:/somewhere/users.db").await, []);
        let seen = only("postgres://nobody@127.0.0.1:1/users").await;
        let [("users", Seen::Refused(_))] = &seen[..] else { panic!("{seen:?}") };
        let verdict = check("users", &seen[0].1);
        assert_eq!(verdict.state, State::Wrong);
        assert!(verdict.advice.starts_with("FREEHOLD_USERS_DATABASE_URL wants a server that runs"));
    }

    /// Nothing is asked of a run without a PostgreSQL.
    #[tokio::test]
    async fn a_real_server_is_looked_into_before_and_after_its_first_start() {
        let Some(database) = engines::postgres().await else { return };
        assert_eq!(only(database.url()).await, [("users", Seen::Bare)]);
        Store::open(users::options(database.url())).await.unwrap().close().await;
        let seen = only(database.url()).await;
        let [("users", Seen::Store { version, off })] = &seen[..] else { panic!("{seen:?}") };
        assert!(version.starts_with(|first: char| first.is_ascii_digit()), "{version}");
        assert_eq!(off, &[] as &[String]);
        let of_another =
            look(|name| (name == "FREEHOLD_ORDERS_DATABASE_URL").then(|| database.url().to_owned()));
        let [("orders", Seen::Refused(problem))] = &of_another.await[..] else { panic!() };
        assert!(problem.contains("belongs to `users`, not to `orders`"), "{problem}");
    }

    #[test]
    fn a_server_that_forgets_is_wrong_and_an_empty_database_is_doubted() {
        let store = |off: &[&str]| Seen::Store {
            version: "17.2".to_owned(),
            off: off.iter().map(|name| (*name).to_owned()).collect(),
        };
        let states = [store(&[]), store(&["fsync"]), Seen::Bare].map(|seen| check("users", &seen).state);
        assert_eq!(states, [State::Ok, State::Wrong, State::Warn]);
        let found = check("users", &store(&["fsync", "synchronous_commit"])).found;
        assert_eq!(found, "users: PostgreSQL 17.2 with fsync and synchronous_commit off");
    }
}
