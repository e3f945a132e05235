//! Hands pending mails over, oldest first, and marks each one when it is gone.
//!
//! A mail that was handed over and not yet marked goes out again after a crash, under the same id: what leaves the mesh
//! is at least once. **Invariant:** a mail is marked only after the other side has it for good.

mod eml;
mod letter;
mod smtp;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use freehold_store::{Store, StoreError, Work};
use freehold_wire::Context;
use lettre::Message;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use crate::mail::State;
use crate::store::mails;
use crate::store::sendable::{self, Recipient, Sendable};

pub(crate) use smtp::{SmtpError, SmtpUrlError};

/// How many mails are handed over before they are marked.
pub(crate) const PAGE: i64 = 100;
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
    File(#[source] io::Error),
    #[error("failed to compose the mail")]
    Compose(#[from] lettre::error::Error),
    #[error("failed to hand the mail to the server")]
    Smtp(#[from] SmtpError),
    #[error("failed to read or mark the mail")]
    Store(#[from] StoreError),
}

/// A mail that is ready to go.
struct Letter {
    id: String,
    message: Message,
}

/// What came of a page.
#[derive(Default)]
struct HandedOver {
    ended: Vec<(String, State)>,
    /// Why the first mail stayed that alone is at fault.
    stayed: Option<OutgoingError>,
    /// Why no further mail was tried.
    broken: Option<OutgoingError>,
}

impl Outgoing {
    /// The folder, or the mail server where one is named: "smtp://host:port".
    pub(crate) fn new(folder: PathBuf, smtp: Option<&str>) -> Result<Self, SmtpUrlError> {
        smtp.map_or(Ok(Self::Folder(folder)), |url| smtp::Relay::new(url).map(Self::Smtp))
    }

    /// Hands mails over until `shutdown`, which cuts off the one that is on its way.
    pub(crate) async fn run(self, store: Store, shutdown: CancellationToken) {
        let mut commits = store.commits();
        while !shutdown.is_cancelled() {
            commits.mark_unchanged();
            if let Err(error) = self.pass(&store, &shutdown).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "failed to send mails");
                shutdown.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
            } else {
                // A commit, or the time to look without one.
                let changed = tokio::time::timeout(PAUSE, commits.changed());
                let _ = shutdown.run_until_cancelled(changed).await;
            }
        }
    }

    /// Hands over all that can go now, and marks it page by page. A mail that stays by its own fault keeps no other one.
    pub(crate) async fn pass(
        &self,
        store: &Store,
        shutdown: &CancellationToken,
    ) -> Result<(), OutgoingError> {
        let (mut number, mut stayed) = (0, None);
        loop {
            let page = sendable::after(&mut store.read().await?, number, PAGE).await?;
            let Some(last) = page.last().filter(|_| !shutdown.is_cancelled()) else {
                return stayed.map_or(Ok(()), Err);
            };
            number = last.number;
            let handed_over = self.hand_over(&page, shutdown).await;
            mark(store, handed_over.ended).await?;
            if let Some(broken) = handed_over.broken {
                return Err(broken);
            }
            stayed = stayed.or(handed_over.stayed);
        }
    }

    async fn hand_over(&self, page: &[Sendable], shutdown: &CancellationToken) -> HandedOver {
        let mut handed_over = HandedOver::default();
        let letters: Vec<Letter> = page.iter().filter_map(|sendable| handed_over.take_up(sendable)).collect();
        match self {
            Self::Folder(folder) => handed_over.file(folder, letters, shutdown).await,
            Self::Smtp(relay) => handed_over.send(relay, letters, shutdown).await,
        }
        handed_over
    }
}

impl HandedOver {
    /// The letter to send, unless the mail comes to its end or stays without one.
    fn take_up(&mut self, sendable: &Sendable) -> Option<Letter> {
        let mail = &sendable.mail;
        let composed = match &sendable.recipient {
            Recipient::Erased => Ok(None),
            Recipient::Reachable { name, email } => letter::compose(mail, name, email),
        };
        match composed {
            Ok(Some(message)) => return Some(Letter { id: mail.id.clone(), message }),
            Ok(None) => self.ended.push((mail.id.clone(), State::Dropped)),
            Err(error) => {
                self.stayed.get_or_insert(error.into());
            }
        }
        None
    }

    /// All of them or, where the disk or the shutdown stands in the way, none.
    async fn file(&mut self, folder: &Path, letters: Vec<Letter>, shutdown: &CancellationToken) {
        if letters.is_empty() {
            return;
        }
        let (folder, shutdown) = (folder.to_owned(), shutdown.clone());
        let written = move || {
            let files: Vec<_> =
                letters.iter().map(|letter| (letter.id.as_str(), letter.message.formatted())).collect();
            let filed = eml::write_all(&folder, &files, || !shutdown.is_cancelled())?;
            Ok(letters.into_iter().filter(|_| filed).map(|letter| (letter.id, State::Sent)).collect())
        };
        match spawn_blocking(written).await.unwrap_or_else(|died| Err(io::Error::other(died))) {
            Ok::<Vec<_>, _>(sent) => self.ended.extend(sent),
            Err(error) => self.broken = Some(OutgoingError::File(error)),
        }
    }

    /// One after the other, until the server is gone or the shutdown cuts one off.
    async fn send(&mut self, relay: &smtp::Relay, letters: Vec<Letter>, shutdown: &CancellationToken) {
        for Letter { id, message } in letters {
            match shutdown.run_until_cancelled(relay.send(message)).await {
                Some(Ok(())) => self.ended.push((id, State::Sent)),
                Some(Err(error)) if error.is_refusal() => {
                    self.stayed.get_or_insert(error.into());
                }
                Some(Err(error)) => {
                    self.broken = Some(error.into());
                    break;
                }
                None => break,
            }
        }
    }
}

async fn mark(store: &Store, ended: Vec<(String, State)>) -> Result<(), StoreError> {
    if ended.is_empty() {
        return Ok(());
    }
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

#[cfg(test)]
impl Outgoing {
    /// The same, where a server is given up after that time.
    pub(crate) fn patience(self, patience: Duration) -> Self {
        match self {
            Self::Folder(folder) => Self::Folder(folder),
            Self::Smtp(relay) => Self::Smtp(relay.patience(patience)),
        }
    }
}
