//! Hands mails to a mail server inside the own network, without TLS: "smtp://host:port".

use lettre::transport::smtp::Error;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

/// The setting is no address of a mail server.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no mail server: it wants smtp://host:port")]
pub struct SmtpUrlError(String);

/// A mail server.
pub(crate) struct Relay(AsyncSmtpTransport<Tokio1Executor>);

impl Relay {
    /// The server at that address; nothing is sent yet.
    pub(crate) fn new(url: &str) -> Result<Self, SmtpUrlError> {
        let bad = || SmtpUrlError(url.to_owned());
        let (host, port) =
            url.strip_prefix("smtp://").and_then(|rest| rest.rsplit_once(':')).ok_or_else(bad)?;
        let port = port.parse().map_err(|_| bad())?;
        Ok(Self(AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host).port(port).build()))
    }

    /// Hands a message over.
    pub(crate) async fn send(&self, message: Message) -> Result<(), Error> {
        self.0.send(message).await.map(|_| ())
    }
}
