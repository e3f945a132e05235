//! Asks a server's monitoring port whether it writes through: no client is told that otherwise.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::settings::Verdict;
use crate::bus::BusError;

const SETTING: &str = "jetstream.sync_interval";
/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most bytes of an answer.
const LARGEST: u64 = 1024 * 1024;

/// Looks whether a single server writes through before it acknowledges.
pub(super) async fn syncs(monitor: Option<&str>, verdict: &mut Verdict) -> Result<(), BusError> {
    let Some(address) = monitor else {
        let problem =
            "only its monitoring port says whether it is `always`: add `?monitor=host:port` to the address";
        verdict.warn(SETTING, "unknown", problem);
        return Ok(());
    };
    match timeout(PATIENCE, ask(address)).await {
        Ok(Ok(answer)) => judge(&answer, verdict),
        Ok(Err(_)) | Err(_) => {
            verdict.warn(SETTING, "unknown", "its monitoring port does not answer");
            Ok(())
        }
    }
}

fn judge(answer: &str, verdict: &mut Verdict) -> Result<(), BusError> {
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let config = serde_json::from_str::<Value>(body).unwrap_or_default();
    let config = &config["jetstream"]["config"];
    if config["sync_always"] == Value::Bool(true) {
        return Ok(());
    }
    match config["sync_interval"].as_u64() {
        Some(nanos) => verdict.warn(
            SETTING,
            format!("{:?}", Duration::from_nanos(nanos)),
            "a power cut loses what was acknowledged since; the owner's feed makes up for it; `always` writes through",
        ),
        None => verdict.warn(SETTING, "unknown", "its monitoring port does not tell"),
    }
    Ok(())
}

async fn ask(address: &str) -> std::io::Result<String> {
    let address = address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /varz HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(LARGEST).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warned(body: &str) -> Option<String> {
        let mut verdict = Verdict::default();
        judge(&format!("HTTP/1.0 200 OK\r\n\r\n{body}"), &mut verdict).unwrap();
        verdict.warnings.first().map(|finding| finding.found.clone())
    }

    #[test]
    fn a_server_that_does_not_write_through_is_told_of() {
        assert_eq!(
            warned(r#"{"jetstream":{"config":{"sync_always":true,"sync_interval":120000000000}}}"#),
            None
        );
        assert_eq!(
            warned(r#"{"jetstream":{"config":{"sync_interval":120000000000}}}"#),
            Some("120s".to_owned())
        );
        assert_eq!(warned("{}"), Some("unknown".to_owned()));
        assert_eq!(warned("nonsense"), Some("unknown".to_owned()));
    }

    #[tokio::test]
    async fn a_port_that_does_not_answer_is_told_of() {
        let mut verdict = Verdict::default();
        syncs(Some("127.0.0.1:1"), &mut verdict).await.unwrap();
        syncs(None, &mut verdict).await.unwrap();
        assert_eq!(verdict.warnings.len(), 2);
    }
}
