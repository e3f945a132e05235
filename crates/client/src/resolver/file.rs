//! Replicas out of a file that others write: one "address:port" a line, empty lines and those that begin with # aside.
//!
//! The file is read a few times a second, so it may be replaced in any way: written over, renamed to, mounted anew.
//! **Invariant:** what ends within a line, changes from one look to the next, or holds a line that is no address, changes
//! nothing. Who rests between two whole lines for longer than that must write elsewhere and rename.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::{ResolveError, Resolver};

/// How often it is read.
const INTERVAL: Duration = Duration::from_millis(200);
/// How long it must read the same. A first call waits for this, so it is short.
const REST: Duration = Duration::from_millis(20);

/// Replicas out of a file.
#[derive(Debug)]
pub struct WatchedFile {
    path: PathBuf,
    /// What it read when it was last looked at.
    seen: Option<String>,
    /// What it read when its addresses were last told.
    told: Option<String>,
}

impl WatchedFile {
    /// The replicas that the file at `path` lists. Its last line wants its newline, too.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, seen: None, told: None }
    }
}

#[async_trait]
impl Resolver for WatchedFile {
    async fn next(&mut self) -> Result<Vec<SocketAddr>, ResolveError> {
        loop {
            let path = self.path.clone();
            let text = spawn_blocking(move || std::fs::read_to_string(path)).await?;
            let text = text.map_err(|error| format!("failed to read {}: {error}", self.path.display()))?;
            if let Some(addresses) = self.look(text)? {
                return Ok(addresses);
            }
            sleep(if self.seen == self.told { INTERVAL } else { REST }).await;
        }
    }
}

impl WatchedFile {
    /// What is new in the file, now that it reads `text`.
    fn look(&mut self, text: String) -> Result<Option<Vec<SocketAddr>>, String> {
        let rests = self.seen.as_ref() == Some(&text);
        let known = self.told.as_ref() == Some(&text);
        let text = self.seen.insert(text);
        if known || !rests {
            return Ok(None);
        }
        let path = self.path.display();
        if !text.is_empty() && !text.ends_with('\n') {
            return Err(format!("{path} ends without a newline, so its last line may be cut off"));
        }
        let addresses =
            parse(text).map_err(|line| format!("{path} has a line that is no address:port: `{line}`"))?;
        self.told = Some(text.clone());
        Ok(Some(addresses))
    }
}

fn parse(text: &str) -> Result<Vec<SocketAddr>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.parse().map_err(|_| line.chars().take(100).collect())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn a_file_lists_one_address_a_line() {
        let parsed = parse("# replicas\n127.0.0.1:7401\n\n [::1]:7402 \n").unwrap();
        assert_eq!(parsed, [address(7401), "[::1]:7402".parse().unwrap()]);
        assert_eq!(parse("127.0.0.1"), Err("127.0.0.1".to_owned()));
    }

    /// A port that is cut off is a port, and a list that is cut off a list. Planted bugs: without the newline the first
    /// is told, without the second look the second.
    #[test]
    fn a_file_that_is_half_written_changes_nothing() {
        let mut file = WatchedFile::new(PathBuf::from("replicas"));
        let cut = "replicas ends without a newline, so its last line may be cut off";
        for (text, told) in [
            ("127.0.0.1:74", Ok(None)),
            ("127.0.0.1:74", Err(cut.to_owned())),
            ("127.0.0.1:7401\n", Ok(None)),
            ("127.0.0.1:7401\n127.0.0.1:7402\n", Ok(None)),
            ("127.0.0.1:7401\n127.0.0.1:7402\n", Ok(Some(vec![address(7401), address(7402)]))),
            ("127.0.0.1:7401\n127.0.0.1:7402\n", Ok(None)),
            ("127.0.0.1:7402\n", Ok(None)),
            ("127.0.0.1:7401\n127.0.0.1:7402\n", Ok(None)),
            ("127.0.0.1:7402\n", Ok(None)),
            ("127.0.0.1:7402\n", Ok(Some(vec![address(7402)]))),
        ] {
            assert_eq!(file.look(text.to_owned()), told, "{text}");
        }
    }
}
