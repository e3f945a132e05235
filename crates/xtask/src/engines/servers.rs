//! The real servers of one run, together: what is told to whatever runs tests on them.

use std::process::Command;

use super::nats::{self, Nats, NatsError};
use super::{EngineError, Postgres, URL};

/// A PostgreSQL and a NATS, started for this run alone.
#[derive(Debug)]
pub(crate) struct Servers {
    pub(crate) postgres: Postgres,
    pub(crate) nats: Nats,
}

/// One of them is not to be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServersError {
    /// There is no PostgreSQL.
    #[error(transparent)]
    Postgres(#[from] EngineError),
    /// There is no NATS.
    #[error(transparent)]
    Nats(#[from] NatsError),
}

impl Servers {
    /// Finds or installs them, and starts them.
    pub(crate) fn start() -> Result<Self, ServersError> {
        Ok(Self { postgres: Postgres::start()?, nats: Nats::start()? })
    }

    /// Tells tests where they are.
    pub(crate) fn tell(&self, command: &mut Command) {
        command.env(URL, self.postgres.url());
        command.env(nats::URL, self.nats.url()).env(nats::PROGRAM, self.nats.program());
    }
}
