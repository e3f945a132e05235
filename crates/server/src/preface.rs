//! The first bytes of a connection. Whoever does not send them in time was never a client.
//!
//! They are read here, and not by the HTTP library, because the library waits for them without an end: its keepalive
//! begins only after the handshake. They also say which HTTP it is: HTTP/2 begins in a way that no HTTP/1.1 request can.

use std::io::{self, Cursor};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, join};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::time::timeout;

/// What every HTTP/2 client sends first (RFC 9113, section 3.4).
pub(crate) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// HTTP/2, which all of gRPC is.
    Http2,
    /// HTTP/1.1, or none at all: that is for its parser to say.
    Http1,
}

/// Waits for the first bytes and gives the connection back as if it had not been read.
///
/// # Errors
/// `TimedOut` for a client that does not say what it speaks in time, `UnexpectedEof` for one that goes instead.
pub(crate) async fn awaited(
    stream: TcpStream,
    patience: Duration,
) -> io::Result<(Protocol, impl AsyncRead + AsyncWrite + Unpin)> {
    let (mut read, write) = stream.into_split();
    let mut said = Vec::with_capacity(PREFACE.len());
    let protocol = timeout(patience, told(&mut read, &mut said)).await??;
    Ok((protocol, join(Cursor::new(said).chain(read), write)))
}

/// Reads until the bytes are the preface, or can no longer become it.
async fn told(read: &mut OwnedReadHalf, said: &mut Vec<u8>) -> io::Result<Protocol> {
    while said.len() < PREFACE.len() {
        let wanted = (PREFACE.len() - said.len()) as u64;
        if (&mut *read).take(wanted).read_buf(said).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if !PREFACE.starts_with(said) {
            return Ok(Protocol::Http1);
        }
    }
    Ok(Protocol::Http2)
}
