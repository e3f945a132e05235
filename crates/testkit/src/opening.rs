//! A database that the process before may not quite have let go of.

use std::time::Duration;

use freehold_store::{OpenError, Options, Store};

use crate::eventually::eventually;

/// How long a process that has ended may seem to own its database. On PostgreSQL the server notices a moment later.
const LETTING_GO: Duration = Duration::from_secs(30);

/// Opens a database, on whichever engine, as soon as nobody owns it any more.
///
/// # Panics
/// It is owned for longer than half a minute, or cannot be opened.
pub async fn open(options: Options) -> Store {
    let options = options.throwaway_server();
    eventually("the database", LETTING_GO, async || match Store::open(options.clone()).await {
        Ok(store) => Some(store),
        Err(OpenError::Owned(_)) => None,
        Err(error) => panic!("failed to open the database: {error}"),
    })
    .await
}
