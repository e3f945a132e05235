//! The first bytes of a connection. Whoever does not send them in time was never a client.
//!
//! It is read here, and not by the HTTP/2 library, because the library waits for it without an end: its keepalive
//! begins only after the handshake.

use std::io::{self, Cursor};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, join};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::limits::HANDSHAKE;

/// What every HTTP/2 client sends first (RFC 9113, section 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Waits for the preface and gives the connection back as if it had not been read.
///
/// # Errors
/// `TimedOut` for a client that does not say it in time, `InvalidData` for one that says something else.
pub(crate) async fn awaited(stream: TcpStream) -> io::Result<impl AsyncRead + AsyncWrite + Unpin> {
    let (mut read, write) = stream.into_split();
    let mut said = [0; PREFACE.len()];
    timeout(HANDSHAKE, read.read_exact(&mut said)).await??;
    if said != *PREFACE {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the client does not speak HTTP/2"));
    }
    Ok(join(Cursor::new(PREFACE).chain(read), write))
}
