//! Makes what a service needs on a PostgreSQL server: a database that is its own, the role that owns what is in it, and
//! a role that may only read it.
//!
//! In goes the url of somebody who may make both; out goes nothing but that they exist. Making what is there changes
//! nothing, so what was interrupted is done again; whether the names are free is another question, asked before any is
//! used. **Invariant:** neither role may enter another service's database.

use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use super::errors;
use crate::error::StoreError;
use crate::open::OpenError;
use crate::options::redacted;

/// The schema that a service's tables are in.
const SCHEMA: &str = "freehold";

const ROLE: &str = "SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = $1)";
const DATABASE: &str = "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)";
/// What a url's query may say of who logs in where, which the driver puts before the rest of it.
const WHO: [&str; 3] = ["user", "password", "dbname"];

/// A role and its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The role: small letters, digits and underscores.
    pub role: String,
    /// Its password: letters and digits.
    pub password: String,
}

/// What is to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provision {
    /// The name of the database: small letters, digits and underscores.
    pub database: String,
    /// Who owns what is in it.
    pub owner: Login,
    /// Who may read it.
    pub reader: Login,
}

impl Provision {
    /// Asks whether nothing has its names: what has would be somebody else's.
    ///
    /// # Errors
    /// [`OpenError::Taken`], or as [`make`](Self::make).
    pub async fn is_free(&self, admin_url: &str) -> Result<(), OpenError> {
        let mut admin = connect(&self.admin(admin_url)?).await?;
        for Login { role, .. } in [&self.owner, &self.reader] {
            if exists(&mut admin, ROLE, role).await? {
                return Err(OpenError::Taken(format!("the role {role}")));
            }
        }
        if exists(&mut admin, DATABASE, &self.database).await? {
            return Err(OpenError::Taken(format!("the database {}", self.database)));
        }
        Ok(admin.close().await.map_err(errors::of_statement)?)
    }

    /// Makes what is missing of it.
    ///
    /// # Errors
    /// [`OpenError::Url`] for another url than PostgreSQL's or a name that is none, or an error of the server.
    pub async fn make(&self, admin_url: &str) -> Result<(), OpenError> {
        let options = self.admin(admin_url)?;
        let mut admin = connect(&options).await?;
        self.roles(&mut admin).await?;
        self.database(&mut admin).await?;
        admin.close().await.map_err(errors::of_statement)?;
        let mut inside = connect(&options.database(&self.database)).await?;
        self.schema(&mut inside).await?;
        Ok(inside.close().await.map_err(errors::of_statement)?)
    }

    /// How the administrator logs in, once each name is a word of SQL.
    fn admin(&self, url: &str) -> Result<PgConnectOptions, OpenError> {
        for word in
            [&self.database, &self.owner.role, &self.owner.password, &self.reader.role, &self.reader.password]
        {
            if word.is_empty() || !word.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
            {
                return Err(OpenError::Url(format!("postgres://../{}", self.database)));
            }
        }
        let options = PgConnectOptions::from_str(url).map_err(|_| OpenError::Url(redacted(url)))?;
        Ok(options.application_name("freehold db init").disable_statement_logging())
    }

    async fn roles(&self, admin: &mut PgConnection) -> Result<(), OpenError> {
        // Who is no superuser may not keep the statements, and the passwords in them, out of the server's log.
        let _ = script(admin, "SET log_statement = 'none'; SET log_min_error_statement = 'panic'").await;
        for Login { role, password } in [&self.owner, &self.reader] {
            // What a role is that is made, it is not asked to be again: only a superuser may say so of one that is there.
            let verb = match exists(admin, ROLE, role).await? {
                true => format!("ALTER ROLE {role}"),
                false => format!("CREATE ROLE {role} NOSUPERUSER NOREPLICATION"),
            };
            let may = "LOGIN NOCREATEDB NOCREATEROLE NOINHERIT";
            script(admin, &format!("{verb} {may} PASSWORD '{password}'")).await?;
        }
        // Only a member of a role may give away what the role will own.
        let member = format!("SELECT pg_has_role(current_user, '{}', 'USAGE')", self.owner.role);
        let is_member = sqlx::query_scalar(AssertSqlSafe(member)).fetch_one(&mut *admin).await;
        let is_member: bool = is_member.map_err(errors::of_statement)?;
        if !is_member {
            script(admin, &format!("GRANT {} TO CURRENT_USER", self.owner.role)).await?;
        }
        Ok(())
    }

    async fn database(&self, admin: &mut PgConnection) -> Result<(), OpenError> {
        let Self { database, owner, reader } = self;
        let (owner, reader) = (&owner.role, &reader.role);
        if !exists(admin, DATABASE, database).await? {
            script(admin, &format!("CREATE DATABASE {database} TEMPLATE template0 ENCODING 'UTF8'")).await?;
        }
        let grants = format!(
            "REVOKE ALL ON DATABASE {database} FROM PUBLIC; GRANT CONNECT ON DATABASE {database} TO {owner}, {reader}; \
             ALTER ROLE {owner} IN DATABASE {database} SET search_path = {SCHEMA}; \
             ALTER ROLE {reader} IN DATABASE {database} SET search_path = {SCHEMA}; \
             ALTER ROLE {reader} IN DATABASE {database} SET default_transaction_read_only = on"
        );
        script(admin, &grants).await
    }

    async fn schema(&self, inside: &mut PgConnection) -> Result<(), OpenError> {
        let (owner, reader) = (&self.owner.role, &self.reader.role);
        let schema = format!(
            "REVOKE ALL ON SCHEMA public FROM PUBLIC; CREATE SCHEMA IF NOT EXISTS {SCHEMA} AUTHORIZATION {owner}; \
             GRANT USAGE ON SCHEMA {SCHEMA} TO {reader}; ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {SCHEMA} \
             GRANT SELECT ON TABLES TO {reader}"
        );
        script(inside, &schema).await
    }
}

impl Login {
    /// The url by which it logs in to a database of the server that `admin_url` names.
    #[must_use]
    pub fn url(&self, admin_url: &str, database: &str) -> String {
        let (address, settings) = admin_url.split_once('?').unwrap_or((admin_url, ""));
        let address = address.split_once("://").map_or(address, |(_, address)| address);
        let (host, _) = address.split_once('/').unwrap_or((address, ""));
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        let is_who = |pair: &&str| WHO.contains(&pair.split('=').next().unwrap_or_default());
        let settings: Vec<_> = settings.split('&').filter(|pair| !pair.is_empty() && !is_who(pair)).collect();
        let settings = if settings.is_empty() { String::new() } else { format!("?{}", settings.join("&")) };
        format!("postgres://{}:{}@{host}/{database}{settings}", self.role, self.password)
    }
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, StoreError> {
    options.connect().await.map_err(errors::of_statement)
}

async fn exists(admin: &mut PgConnection, sql: &'static str, name: &str) -> Result<bool, StoreError> {
    sqlx::query_scalar(sql).bind(name).fetch_one(admin).await.map_err(errors::of_statement)
}

async fn script(connection: &mut PgConnection, sql: &str) -> Result<(), OpenError> {
    let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await;
    Ok(done.map(drop).map_err(errors::of_statement)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_has_the_address_of_the_server() {
        let login = Login { role: "freehold_orders".to_owned(), password: "ab12".to_owned() };
        for (admin, url) in [
            ("postgres://a:b@db:5433/postgres", "postgres://freehold_orders:ab12@db:5433/x"),
            ("postgresql://db?sslmode=require", "postgres://freehold_orders:ab12@db/x?sslmode=require"),
            ("postgres://a@/y?host=/run/pg", "postgres://freehold_orders:ab12@/x?host=/run/pg"),
            (
                "postgres://db/y?user=a&sslmode=require&password=b&dbname=c",
                "postgres://freehold_orders:ab12@db/x?sslmode=require",
            ),
            ("postgres://db/y?user=a&password=b", "postgres://freehold_orders:ab12@db/x"),
        ] {
            assert_eq!(login.url(admin, "x"), url);
        }
    }
}
