//! Hands pending mails over, oldest first, and marks each one when it is gone.
//!
//! A mail that was handed over and not yet marked goes out again after a crash, under the same id: what leaves the mesh
//! is at least once. **Invariant:** a mail is marked only after the other side has it for good.

mod eml;
mod letter;
mod smtp;

use std::path::PathBuf;
use std::time::Duration;

use freehold_store::{Store, StoreError, Work};
use freehold_wire::Context;
use tokio_util::sync::CancellationToken;

use crate::mail::{Mail, State};
use crate::store::mails;
use crate::store::recipients::{self, Recipient};

pub(crate) use smtp::SmtpUrlError;

const BATCH: i64 = 100;
const BUDGET: Duration = Duration::from_secs(5);
/// How long the loop waits for a commit before it looks again, and after a failure before it tries again.
const PAUSE: Duration = Duration::from_secs(1);

/// Where mails go.
pub(crate) enum Outgoing {
    /// Into a folder, a file each, named by the event's id.
    Folder(PathBuf),
    /// To a mail server.
    Smtp(smtp::Relay),
}

/// Why a mail stayed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutgoingError {
    #[error("failed to write the mail's file")]
    File(#[source] std::io::Error),
    #[error("failed to compose the mail")]
    Compose(#[from] lettre::error::Error),
    #[error("failed to hand the mail to the server")]
    Smtp(#[source] lettre::transport::smtp::Error),
    #[error("failed to read or mark the mail")]
    Store(#[from] StoreError),
}

impl Outgoing {
    /// The folder, or the mail server where one is named: "smtp://host:port".
    pub(crate) fn new(folder: PathBuf, smtp: Option<&str>) -> Result<Self, SmtpUrlError> {
        smtp.map_or(Ok(Self::Folder(folder)), |url| smtp::Relay::new(url).map(Self::Smtp))
    }

    /// Hands mails over until `shutdown`.
    pub(crate) async fn run(self, store: Store, shutdown: CancellationToken) {
        let mut commits = store.commits();
        loop {
            commits.mark_unchanged();
            match self.drain(&store).await {
                Ok(true) => continue,
                Ok(false) => {
                    let changed = async { tokio::time::timeout(PAUSE, commits.changed()).await };
                    if shutdown.run_until_cancelled(changed).await.is_none() {
                        return;
                    }
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "failed to send mails");
                    if shutdown.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_none() {
                        return;
                    }
                }
            }
        }
    }

    /// Hands a batch over. Whether there was one.
    pub(crate) async fn drain(&self, store: &Store) -> Result<bool, OutgoingError> {
        let mut ended = Vec::new();
        for (mail, recipient) in next(store).await? {
            match recipient {
                Recipient::Unknown => {}
                Recipient::Erased => ended.push((mail.id, State::Dropped)),
                Recipient::Reachable { name, email } => {
                    let state = self.send(&mail, &name, &email).await?;
                    ended.push((mail.id, state));
                }
            }
        }
        if ended.is_empty() {
            return Ok(false);
        }
        mark(store, ended).await?;
        Ok(true)
    }

    async fn send(&self, mail: &Mail, name: &str, email: &str) -> Result<State, OutgoingError> {
        let Some(message) = letter::compose(mail, name, email)? else { return Ok(State::Dropped) };
        match self {
            Self::Folder(folder) => {
                eml::write(folder, &mail.id, &message.formatted()).await.map_err(OutgoingError::File)?;
            }
            Self::Smtp(relay) => relay.send(message).await.map_err(OutgoingError::Smtp)?,
        }
        Ok(State::Sent)
    }
}

async fn next(store: &Store) -> Result<Vec<(Mail, Recipient)>, StoreError> {
    let mut read = store.read().await?;
    let mut next = Vec::new();
    for mail in mails::pending(&mut read, BATCH).await? {
        let recipient = recipients::find(&mut read, &mail.customer_id).await?;
        next.push((mail, recipient));
    }
    Ok(next)
}

async fn mark(store: &Store, ended: Vec<(String, State)>) -> Result<(), StoreError> {
    let context = Context::new(crate::NAME, BUDGET);
    let unit = async move |work: &mut Work| -> Result<(), StoreError> {
        for (id, state) in &ended {
            mails::end(work, id, *state).await?;
        }
        Ok(())
    };
    store.unit(&context, unit).await?;
    Ok(())
}
