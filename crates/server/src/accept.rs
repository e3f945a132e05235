//! The accept loop: takes connections, never more than the limit, until it is told to end.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::connection;
use crate::limits::MAX_CONNECTIONS;
use crate::stack::Stack;
use crate::tasks::Tasks;

/// How long to wait when the system has nothing to accept with, most often because it is out of file descriptors.
const EXHAUSTED: Duration = Duration::from_millis(50);
/// After so many such waits in a row (ten seconds) the listener is taken for broken.
const MOST_WAITS: u32 = 200;

/// Accepts connections for ever.
///
/// # Errors
/// What the system says for ten seconds on end.
pub(crate) async fn accept(
    listener: &TcpListener,
    stack: &Arc<Stack>,
    tasks: &Tasks,
) -> Result<Infallible, io::Error> {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut waits = 0;
    loop {
        // The place comes first: a connection that is accepted is served, one that is not waits with the system.
        let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
        match listener.accept().await {
            Ok((stream, _)) => {
                waits = 0;
                let served = connection::serve(stream, stack.clone(), tasks.clone());
                tasks.start(async move {
                    served.await;
                    drop(place);
                });
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

/// The client was gone before it was accepted.
fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
