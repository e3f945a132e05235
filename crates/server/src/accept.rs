//! The accept loop: takes connections, never more than the limit, until it is told to end.
//!
//! At the end it empties the system's queue: whoever has connected by then is told in HTTP/2 that nothing was taken,
//! and can try elsewhere, where a closed connection would leave them in doubt.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::connection;
use crate::limits::MAX_CONNECTIONS;
use crate::stack::Stack;
use crate::tasks::Tasks;

/// How long to wait when the system has nothing to accept with, most often because it is out of file descriptors.
const EXHAUSTED: Duration = Duration::from_millis(50);
/// After so many such waits in a row (ten seconds) the listener is taken for broken.
const MOST_WAITS: u32 = 200;

/// Takes connections from a listener and serves each in a task of its own.
pub(crate) struct Accepting {
    listener: TcpListener,
    stack: Arc<Stack>,
    tasks: Tasks,
    places: Arc<Semaphore>,
}

impl Accepting {
    pub(crate) fn new(listener: TcpListener, stack: Arc<Stack>, tasks: Tasks) -> Self {
        Self { listener, stack, tasks, places: Arc::new(Semaphore::new(MAX_CONNECTIONS)) }
    }

    /// Accepts connections for ever.
    ///
    /// # Errors
    /// What the system says for ten seconds on end.
    pub(crate) async fn accept(&self) -> Result<Infallible, io::Error> {
        let mut waits = 0;
        loop {
            match self.one().await {
                Ok(()) => waits = 0,
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

    /// Takes what waits with the system, and closes the listener.
    ///
    /// # Errors
    /// What the system says of the listener.
    pub(crate) fn close(self) -> io::Result<()> {
        // As the system's own socket: it answers at once, where the runtime's first wants to hear that it is ready.
        let Self { listener, stack, tasks, places } = self;
        let listener = listener.into_std()?;
        while let Ok(place) = places.clone().try_acquire_owned() {
            match listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(true)?;
                    serve(TcpStream::from_std(stream)?, place, stack.clone(), &tasks);
                }
                Err(error) if is_of_the_client(&error) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn one(&self) -> io::Result<()> {
        // The place comes first: a connection that is accepted is served, one that is not waits with the system.
        let place = self.places.clone().acquire_owned().await.map_err(io::Error::other)?;
        let (stream, _) = self.listener.accept().await?;
        serve(stream, place, self.stack.clone(), &self.tasks);
        Ok(())
    }
}

fn serve(stream: TcpStream, place: OwnedSemaphorePermit, stack: Arc<Stack>, tasks: &Tasks) {
    let served = connection::serve(stream, stack, tasks.clone());
    tasks.start(async move {
        served.await;
        drop(place);
    });
}

/// The client was gone before it was accepted.
fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
