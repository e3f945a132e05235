//! Hands mails to a mail server inside the own network, without TLS: "smtp://host:port".

use std::time::Duration;

use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use tokio::time::timeout;

/// How long the server may take for one mail.
const PATIENCE: Duration = Duration::from_secs(30);
/// What a server answers to everything while it shuts down (RFC 5321, section 3.8).
const CLOSING: u16 = 421;

/// The setting is no address of a mail server.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no mail server: it wants smtp://host:port")]
pub struct SmtpUrlError(String);

/// Why the server does not have a mail, or may not have it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SmtpError {
    #[error(transparent)]
    Failed(#[from] lettre::transport::smtp::Error),
    #[error("the server said nothing for {0:?}")]
    Silent(Duration),
}

impl SmtpError {
    /// Whether the server answered, and about this mail alone.
    pub(crate) fn is_refusal(&self) -> bool {
        match self {
            Self::Failed(error) => error.status().is_some_and(|code| u16::from(code) != CLOSING),
            Self::Silent(_) => false,
        }
    }
}

/// A mail server.
pub(crate) struct Relay {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    patience: Duration,
}

impl Relay {
    /// The server at that address; nothing is sent yet.
    pub(crate) fn new(url: &str) -> Result<Self, SmtpUrlError> {
        let bad = || SmtpUrlError(url.to_owned());
        let (host, port) =
            url.strip_prefix("smtp://").and_then(|rest| rest.rsplit_once(':')).ok_or_else(bad)?;
        let port = port.parse().map_err(|_| bad())?;
        if host.is_empty() {
            return Err(bad());
        }
        let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host).port(port).build();
        Ok(Self { transport, patience: PATIENCE })
    }

    /// Hands a message over.
    pub(crate) async fn send(&self, message: Message) -> Result<(), SmtpError> {
        let sent = timeout(self.patience, self.transport.send(message));
        sent.await.map_err(|_| SmtpError::Silent(self.patience))??;
        Ok(())
    }
}

#[cfg(test)]
impl Relay {
    /// The same server, given up after that time.
    pub(crate) fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_mail_server_is_refused_by_what_it_says() {
        for url in ["", "mail:25", "smtp://mail", "smtp://:25", "smtp://mail:x", "http://mail:25"] {
            let error = Relay::new(url).err().unwrap();
            assert_eq!(error.to_string(), format!("`{url}` is no mail server: it wants smtp://host:port"));
        }
        assert!(Relay::new("smtp://mail:25").is_ok());
    }
}
