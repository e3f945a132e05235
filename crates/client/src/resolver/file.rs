//! Replicas out of a file that others write: one "address:port" a line, empty lines and those that begin with # aside.
//!
//! The file is read a few times a second, so it may be replaced in any way: written over, renamed to, mounted anew.
//! **Invariant:** a file that is half written, or holds a line that is no address, changes nothing.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::{ResolveError, Resolver};

/// How often it is read.
const INTERVAL: Duration = Duration::from_millis(200);

/// Replicas out of a file.
#[derive(Debug)]
pub struct WatchedFile {
    path: PathBuf,
    text: Option<String>,
}

impl WatchedFile {
    /// The replicas that the file at `path` lists.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, text: None }
    }
}

#[async_trait]
impl Resolver for WatchedFile {
    async fn next(&mut self) -> Result<Vec<SocketAddr>, ResolveError> {
        loop {
            let path = self.path.clone();
            let text = spawn_blocking(move || std::fs::read_to_string(path)).await?;
            let text = text.map_err(|error| format!("failed to read {}: {error}", self.path.display()))?;
            if self.text.as_ref() != Some(&text) {
                let addresses = parse(&text).map_err(|line| self.bad(&line))?;
                self.text = Some(text);
                return Ok(addresses);
            }
            sleep(INTERVAL).await;
        }
    }
}

impl WatchedFile {
    fn bad(&self, line: &str) -> String {
        format!("{} has a line that is no address:port: `{line}`", self.path.display())
    }
}

fn parse(text: &str) -> Result<Vec<SocketAddr>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.parse().map_err(|_| line.chars().take(100).collect())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_lists_one_address_a_line() {
        let parsed = parse("# replicas\n127.0.0.1:7401\n\n [::1]:7402 \n").unwrap();
        assert_eq!(parsed, ["127.0.0.1:7401".parse().unwrap(), "[::1]:7402".parse().unwrap()]);
        assert_eq!(
            parse("127.0.0.1:7401\n127.0.0.1:74"),
            Ok(vec!["127.0.0.1:7401".parse().unwrap(), "127.0.0.1:74".parse().unwrap(),])
        );
        assert_eq!(parse("127.0.0.1"), Err("127.0.0.1".to_owned()));
    }
}
