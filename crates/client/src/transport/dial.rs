//! How a connection is made, and every limit of it.
//!
//! **Invariant:** a connection that is handed out has heard from its peer: the peer's settings have come, so it speaks
//! HTTP/2 and says how many calls it takes at once.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use h2::client::{Builder, Connection, SendRequest};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// What a stream may have in flight: enough for a full message at the round-trip times of a data centre.
const STREAM_WINDOW: u32 = 1024 * 1024;
/// What all streams of a connection may have in flight together.
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;
/// The largest list of response headers, in bytes; error details travel in them.
const MAX_HEADERS: u32 = 64 * 1024;
/// The limit of streams that h2 shows until the peer's settings have come; no peer says this one.
const UNHEARD: usize = 0x7fff_fff1;

/// How long a peer is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// Until it has accepted the connection and sent its settings.
    pub(crate) connect: Duration,
    /// How often a peer that has calls is asked for a sign of life.
    pub(crate) keepalive: Duration,
    /// How long it may take to give one; with the interval, how long a frozen peer is believed.
    pub(crate) sign: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let (connect, keepalive, sign) =
            (Duration::from_secs(1), Duration::from_secs(10), Duration::from_secs(5));
        Self { connect, keepalive, sign }
    }
}

/// A connection before its first call.
pub(crate) type Fresh = (SendRequest<Bytes>, Connection<TcpStream, Bytes>);

/// Connects to a peer and hears its settings.
///
/// # Errors
/// The system's; `TimedOut` for a peer that says nothing.
pub(crate) async fn dial(address: SocketAddr, patience: Patience) -> io::Result<Fresh> {
    let greeted = async {
        let socket = TcpStream::connect(address).await?;
        // Without it, small messages wait for the acknowledgement of earlier ones.
        socket.set_nodelay(true)?;
        greet(socket).await.map_err(|error| match error.is_io() {
            true => error.into_io().unwrap_or_else(|| io::ErrorKind::ConnectionReset.into()),
            false => io::Error::new(io::ErrorKind::InvalidData, error),
        })
    };
    timeout(patience.connect, greeted).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn greet(socket: TcpStream) -> Result<Fresh, h2::Error> {
    let mut builder = Builder::new();
    builder
        .enable_push(false)
        .initial_max_send_streams(UNHEARD)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(MAX_HEADERS);
    let (send, mut connection) = builder.handshake(socket).await?;
    poll_fn(|context| match Pin::new(&mut connection).poll(context) {
        Poll::Ready(Ok(())) => Poll::Ready(Err(closed())),
        Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        Poll::Pending if send.current_max_send_streams() != UNHEARD => Poll::Ready(Ok(())),
        Poll::Pending => Poll::Pending,
    })
    .await?;
    Ok((send, connection))
}

fn closed() -> h2::Error {
    h2::Error::from(h2::Reason::NO_ERROR)
}
