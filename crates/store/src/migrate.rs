//! Migrations: numbered steps of DDL in named sets, applied once each, all that are missing in one transaction.
//!
//! A database that is not exactly a past of this program is refused and stays as it is: another service's, one with a
//! step that this program does not know, one whose step was changed after it was applied.

use sha2::{Digest, Sha256};

use crate::dialect;
use crate::engine::{Engine, Lane};
use crate::error::StoreError;
use crate::open::OpenError;
use crate::vals;

/// A named set of migrations: a service's own, or those of a crate that keeps tables in its database.
#[derive(Debug)]
pub struct Migrations {
    /// The name; unique in a database and stable for ever.
    pub set: &'static str,
    /// The steps, by version from 1, without gaps.
    pub steps: &'static [Migration],
}

/// One step.
#[derive(Debug)]
pub struct Migration {
    /// Its ordinal in the set.
    pub version: i64,
    /// What it is about.
    pub name: &'static str,
    /// The DDL, in the words of both engines: BIGINT, TEXT, BLOB, BOOLEAN, DOUBLE PRECISION,
    /// `BIGINT PRIMARY KEY AUTOINCREMENT`; every table STRICT; no deferrable constraints.
    pub sql: &'static str,
    /// The DDL for PostgreSQL, in its own words, where it must differ.
    pub postgres: Option<&'static str>,
}

/// The store's own tables.
pub(crate) static OWN: Migrations = Migrations {
    set: "freehold",
    steps: &[
        Migration {
            version: 1,
            name: "store",
            sql: include_str!("../migrations/0001_store.sql"),
            postgres: None,
        },
        Migration {
            version: 2,
            name: "touched",
            sql: include_str!("../migrations/0002_touched.sql"),
            postgres: None,
        },
        Migration {
            version: 3,
            name: "ticks",
            sql: include_str!("../migrations/0003_ticks.sql"),
            postgres: Some(include_str!("../migrations/0003_ticks_postgres.sql")),
        },
        Migration {
            version: 4,
            name: "several",
            sql: "SELECT 1",
            postgres: Some(include_str!("../migrations/0004_several_postgres.sql")),
        },
        Migration {
            version: 5,
            name: "reach",
            sql: "SELECT 1",
            postgres: Some(include_str!("../migrations/0005_reach_postgres.sql")),
        },
        Migration {
            version: 6,
            name: "newest",
            sql: "SELECT 1",
            postgres: Some(include_str!("../migrations/0006_newest_postgres.sql")),
        },
    ],
};

/// What a database says of itself.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    /// Whose it is; `None` for an empty one.
    pub(crate) service: Option<String>,
    applied: Vec<Applied>,
}

#[derive(Debug)]
struct Applied {
    set: String,
    version: i64,
    checksum: Vec<u8>,
}

impl Migration {
    fn text(&self, engine: Engine) -> String {
        match (engine, self.postgres) {
            (Engine::Postgres, Some(own)) => own.to_owned(),
            _ => dialect::translate(self.sql, engine),
        }
    }

    /// Over what its author wrote, so that a better translation is no change.
    fn checksum(&self, engine: Engine) -> Vec<u8> {
        let written = match engine {
            Engine::Sqlite => self.sql,
            Engine::Postgres => self.postgres.unwrap_or(self.sql),
        };
        Sha256::digest(written).to_vec()
    }
}

impl Standing {
    /// Reads it; the database is a store's or empty.
    pub(crate) async fn read(lane: &mut Lane) -> Result<Self, StoreError> {
        let service = lane.one("SELECT service FROM freehold_store", vals![]).await?;
        let service = service.map(|row| row.get("service")).transpose()?;
        let rows = lane
            .all(
                "SELECT set_name, version, checksum FROM freehold_migration ORDER BY set_name, version",
                vals![],
            )
            .await?;
        let mut applied = Vec::with_capacity(rows.len());
        for row in rows {
            let (set, version) = (row.get("set_name")?, row.get("version")?);
            applied.push(Applied { set, version, checksum: row.get("checksum")? });
        }
        Ok(Self { service, applied })
    }

    /// The steps that are missing, in order. Decides, without touching anything, whether the database is ours.
    pub(crate) fn missing(
        &self,
        service: &str,
        sets: &[&'static Migrations],
        engine: Engine,
    ) -> Result<Vec<(&'static str, &'static Migration)>, OpenError> {
        check_sets(sets)?;
        if let Some(found) = self.service.as_ref().filter(|found| *found != service) {
            return Err(OpenError::OtherService { expected: service.to_owned(), found: found.clone() });
        }
        for applied in &self.applied {
            let known = sets.iter().find(|set| set.set == applied.set);
            let step = known.and_then(|set| set.steps.iter().find(|step| step.version == applied.version));
            let Some(step) = step else {
                return Err(OpenError::NewerSchema { set: applied.set.clone(), version: applied.version });
            };
            if step.checksum(engine) != applied.checksum {
                return Err(OpenError::ChangedMigration {
                    set: applied.set.clone(),
                    version: applied.version,
                });
            }
        }
        let is_missing = |set: &str, step: &Migration| {
            !self.applied.iter().any(|applied| applied.set == set && applied.version == step.version)
        };
        let steps = sets.iter().flat_map(|set| set.steps.iter().map(|step| (set.set, step)));
        Ok(steps.filter(|(set, step)| is_missing(set, step)).collect())
    }
}

/// Applies steps, inside the caller's transaction.
pub(crate) async fn apply(
    lane: &mut Lane,
    steps: &[(&'static str, &'static Migration)],
    now: i64,
) -> Result<(), OpenError> {
    const NOTE: &str = "INSERT INTO freehold_migration (set_name, version, name, checksum, applied_ms) \
                        VALUES ($1, $2, $3, $4, $5)";
    let engine = lane.engine();
    for (set, step) in steps {
        let failed = |source| OpenError::Migration { set: (*set).to_owned(), version: step.version, source };
        lane.script(&step.text(engine)).await.map_err(failed)?;
        let values = vals![*set, step.version, step.name, step.checksum(engine), now];
        lane.exec(NOTE, values).await.map_err(failed)?;
    }
    Ok(())
}

fn check_sets(sets: &[&'static Migrations]) -> Result<(), OpenError> {
    for (index, set) in sets.iter().enumerate() {
        let wrong = |problem: String| Err(OpenError::BadMigrations { set: set.set.to_owned(), problem });
        if sets[..index].iter().any(|earlier| earlier.set == set.set) {
            return wrong("is added twice".to_owned());
        }
        for (step, version) in set.steps.iter().zip(1..) {
            if step.version != version {
                return wrong(format!("has step {} where {version} is due", step.version));
            }
            let texts = [Some(step.sql), step.postgres];
            if texts.into_iter().flatten().any(|text| dialect::mentions(text, "DEFERRABLE")) {
                return wrong(format!(
                    "step {version} has a deferrable constraint, which would fail at the commit"
                ));
            }
        }
    }
    Ok(())
}
