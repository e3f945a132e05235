//! What a connection is told for which there is no place: in HTTP/2, that nothing of it was taken.
//!
//! A client that knows it calls elsewhere at once; one whose connection just ends is in doubt, and one that waits with the
//! system waits until its calls are late.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::tasks::Tasks;

/// An empty SETTINGS, which has to come first, and a GOAWAY: no stream was taken, ENHANCE_YOUR_CALM (11).
const NO_PLACE: &[u8] = &[
    0, 0, 0, 4, 0, 0, 0, 0, 0, //
    0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11,
];
/// How long a client may take to read it and go.
const PATIENCE: Duration = Duration::from_secs(1);
/// How many are told at once; whoever comes beyond that is told nothing.
const MOST: usize = 64;

/// Refuses connections.
pub(crate) struct Refusing {
    tasks: Tasks,
    told: Arc<Semaphore>,
}

impl Refusing {
    pub(crate) fn new(tasks: Tasks) -> Self {
        Self { tasks, told: Arc::new(Semaphore::new(MOST)) }
    }

    pub(crate) fn refuse(&self, stream: TcpStream) {
        let Ok(turn) = self.told.clone().try_acquire_owned() else { return };
        self.tasks.start(async move {
            // Whoever does not listen is not told.
            let _ = timeout(PATIENCE, tell(stream)).await;
            drop(turn);
        });
    }
}

async fn tell(mut stream: TcpStream) -> std::io::Result<()> {
    stream.write_all(NO_PLACE).await?;
    stream.shutdown().await?;
    // What the client has said is read: a socket that is closed over it resets, and the client reads nothing.
    while stream.read(&mut [0; 1024]).await? > 0 {}
    Ok(())
}
