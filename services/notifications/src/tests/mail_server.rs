//! A mail server that speaks as much SMTP (RFC 5321) as is spoken to it, and is away, deaf or choosy where a test says so.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// How the server behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    /// It takes everything.
    Willing,
    /// It hangs up on everybody.
    Away,
    /// It takes a mail and does not say so.
    Mute,
    /// It refuses every mail to Vinet, and no other.
    Choosy,
    /// It refuses everything because it shuts down.
    Closing,
}

/// A running mail server; it ends when it is dropped.
pub(super) struct MailServer {
    url: String,
    desk: Desk,
    accepting: JoinHandle<()>,
}

#[derive(Clone)]
struct Desk {
    mood: watch::Sender<Mood>,
    received: Arc<Mutex<Vec<String>>>,
}

impl MailServer {
    /// A willing server.
    pub(super) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let desk = Desk { mood: watch::Sender::new(Mood::Willing), received: Arc::default() };
        let accepting = tokio::spawn(desk.clone().accept(listener));
        Self { url, desk, accepting }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn is(&self, mood: Mood) {
        self.desk.mood.send_replace(mood);
    }

    /// The mails that it has, as they came over the wire.
    pub(super) fn received(&self) -> Vec<String> {
        self.desk.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Their Message-IDs.
    pub(super) fn ids(&self) -> Vec<String> {
        let id = |mail: &String| {
            mail.lines().find_map(|line| line.strip_prefix("Message-ID: ").map(str::to_owned)).unwrap()
        };
        self.received().iter().map(id).collect()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Desk {
    async fn accept(self, listener: TcpListener) {
        let mut guests = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            if *self.mood.borrow() != Mood::Away {
                let desk = self.clone();
                // A guest that hangs up in the middle of a word is what crashes look like from here.
                guests.spawn(async move { drop(desk.talk(stream).await) });
            }
        }
    }

    async fn talk(self, stream: TcpStream) -> std::io::Result<()> {
        let (reading, mut writing) = stream.into_split();
        let mut lines = BufReader::new(reading).lines();
        let mut mail = None::<String>;
        writing.write_all(b"220 mail.example\r\n").await?;
        while let Some(line) = lines.next_line().await? {
            let answer = match &mut mail {
                Some(_) if line == "." => {
                    self.take(mail.take().unwrap_or_default()).await;
                    "250 taken"
                }
                Some(mail) => {
                    mail.push_str(&format!("{line}\n"));
                    continue;
                }
                None if line == "DATA" => {
                    mail = Some(String::new());
                    "354 go on"
                }
                None => self.answer(&line),
            };
            writing.write_all(format!("{answer}\r\n").as_bytes()).await?;
        }
        Ok(())
    }

    async fn take(&self, mail: String) {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).push(mail);
        // The sender is `self`'s own, so the mood is there.
        let _ = self.mood.subscribe().wait_for(|mood| *mood != Mood::Mute).await;
    }

    fn answer(&self, line: &str) -> &'static str {
        match *self.mood.borrow() {
            Mood::Closing => "421 shutting down",
            Mood::Choosy if line.starts_with("RCPT") && line.contains("vinet") => "550 nobody of that name",
            _ if line == "QUIT" => "221 bye",
            _ => "250 go on",
        }
    }
}
