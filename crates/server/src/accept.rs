//! The accept loop: takes connections, and refuses those for which there is no place, until it is told to end.
//!
//! At the end it empties the system's queue: whoever has connected by then is told in HTTP/2 that nothing was taken,
//! and can try elsewhere, where a closed connection would leave them in doubt.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::select_all;
use tokio::net::{TcpListener, TcpStream};

use crate::connection;
use crate::door::Door;
use crate::refused::Refusing;

/// How long to wait when the system has nothing to accept with, most often because it is out of file descriptors.
const EXHAUSTED: Duration = Duration::from_millis(50);
/// After so many such waits in a row (ten seconds) the listener is taken for broken.
const MOST_WAITS: u32 = 200;

/// Takes connections from its listeners and serves each in a task of its own.
pub(crate) struct Accepting {
    /// There is one at least.
    listeners: Vec<TcpListener>,
    served: Served,
}

/// What becomes of a connection.
struct Served {
    door: Arc<Door>,
    refusing: Refusing,
}

impl Accepting {
    pub(crate) fn new(listeners: Vec<TcpListener>, door: Door) -> Self {
        let refusing = Refusing::new(door.tasks.clone());
        Self { listeners, served: Served { door: Arc::new(door), refusing } }
    }

    /// Accepts connections for ever.
    ///
    /// # Errors
    /// What the system says for ten seconds on end.
    pub(crate) async fn accept(&self) -> Result<Infallible, io::Error> {
        select_all(self.listeners.iter().map(|listener| Box::pin(self.served.accept(listener)))).await.0
    }

    /// Takes what waits with the system, and closes the listeners.
    ///
    /// # Errors
    /// What the system says of a listener.
    pub(crate) fn close(self) -> io::Result<()> {
        self.listeners.into_iter().try_for_each(|listener| self.served.drain(listener))
    }
}

impl Served {
    async fn accept(&self, listener: &TcpListener) -> Result<Infallible, io::Error> {
        let mut waits = 0;
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    self.take(stream, peer);
                    waits = 0;
                }
                Err(error) if is_of_the_client(&error) => {}
                Err(error) if waits == MOST_WAITS => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "no connection can be accepted");
                    waits += 1;
                    tokio::time::sleep(EXHAUSTED).await;
                }
            }
        }
    }

    fn drain(&self, listener: TcpListener) -> io::Result<()> {
        // As the system's own socket: it answers at once, where the runtime's first wants to hear that it is ready.
        let listener = listener.into_std()?;
        loop {
            match listener.accept() {
                Ok((stream, peer)) => {
                    stream.set_nonblocking(true)?;
                    self.take(TcpStream::from_std(stream)?, peer);
                }
                Err(error) if is_of_the_client(&error) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    fn take(&self, stream: TcpStream, peer: SocketAddr) {
        match self.door.places.take(peer.ip()) {
            Ok(place) => {
                let served = connection::serve(stream, peer, self.door.clone());
                let counted = self.door.stack.meter().connected();
                self.door.tasks.start(async move {
                    served.await;
                    drop((place, counted));
                });
            }
            Err(full) => {
                tracing::debug!(%peer, ?full, "no place for a connection");
                self.door.stack.meter().refused(full);
                self.refusing.refuse(stream);
            }
        }
    }
}

/// The client was gone before it was accepted.
fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
