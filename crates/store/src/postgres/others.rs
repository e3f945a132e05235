//! Other instances of the owner on the same database: whether there are any, and a word to them when there are new events.
//!
//! An instance is there while its connection holds a lock that all of them share. The word is said behind a tick that has
//! brought something, in a transaction of its own that does not wait for the disk, and only where somebody listens: a
//! NOTIFY makes every commit of the server wait its turn. Who misses it looks by itself within a second.

use std::sync::Arc;

use futures_util::future::{AbortHandle, Abortable};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgListener, PgPoolOptions};
use sqlx::{AssertSqlSafe, Row};
use tokio::sync::mpsc::WeakUnboundedSender;
use tokio::time::sleep;

use super::pool::Link;
use super::ticker::{AGAIN, Ask};
use super::{OWNER_LOCK, errors};
use crate::error::StoreError;

/// What this instance knows of others.
pub(super) struct Others {
    server: Arc<PgConnectOptions>,
    asks: WeakUnboundedSender<Ask>,
    /// What they all listen on.
    channel: String,
    /// What this instance calls itself there.
    own: String,
    /// Ends the listening when it is dropped; `None` where there is nobody to listen to.
    listening: Option<Listening>,
}

struct Listening(AbortHandle);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Says that this connection's process has the database open. Others may say so too.
pub(super) async fn enter(connection: &mut PgConnection) -> Result<(), StoreError> {
    const ENTER: &str = "SELECT pg_advisory_lock_shared($1, hashtext(current_schema))";
    let entered = sqlx::query(ENTER).bind(OWNER_LOCK).execute(connection).await;
    entered.map(drop).map_err(errors::of_statement)
}

impl Others {
    pub(super) fn new(server: Arc<PgConnectOptions>, schema: i32, asks: WeakUnboundedSender<Ask>) -> Self {
        let (channel, own) = (format!("freehold_{schema:08x}"), format!("{:016x}", fastrand::u64(..)));
        Self { server, asks, channel, own, listening: None }
    }

    /// Counts them, and listens to them while there are any.
    pub(super) async fn look(&mut self, link: &mut Link) -> Result<(), StoreError> {
        const OTHERS: &str = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted \
                              AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
                              AND CAST(classid AS BIGINT) = $1 AND pid <> pg_backend_pid() \
                              AND CAST(objid AS BIGINT) = CAST(hashtext(current_schema) AS BIGINT) & 4294967295";
        let row = sqlx::query(OTHERS).bind(i64::from(OWNER_LOCK)).fetch_one(&mut link.connection).await;
        let others: i64 = row.and_then(|row| row.try_get(0)).map_err(errors::of_statement)?;
        if others == 0 {
            self.listening = None;
        } else if self.listening.is_none() {
            self.listening = Some(self.listen());
        }
        Ok(())
    }

    /// Tells them that there is something new, if there are any.
    pub(super) async fn tell(&self, link: &mut Link) -> Result<(), StoreError> {
        if self.listening.is_none() {
            return Ok(());
        }
        let Self { channel, own, .. } = self;
        let notify = format!("BEGIN; SET LOCAL synchronous_commit = off; NOTIFY {channel}, '{own}'; COMMIT");
        let told = sqlx::raw_sql(AssertSqlSafe(notify)).execute(&mut link.connection).await;
        told.map(drop).map_err(errors::of_statement)
    }

    fn listen(&self) -> Listening {
        let (server, asks) = (self.server.clone(), self.asks.clone());
        let (channel, own) = (self.channel.clone(), self.own.clone());
        let (abort, registration) = AbortHandle::new_pair();
        let listening = async move {
            while let Err(error) = hear(&server, &asks, &channel, &own).await {
                tracing::debug!(%error, "other instances are not heard for now");
                sleep(AGAIN).await;
            }
        };
        tokio::task::spawn_local(Abortable::new(listening, registration));
        Listening(abort)
    }
}

/// Has the ticker look whenever another instance says so.
async fn hear(
    server: &PgConnectOptions,
    asks: &WeakUnboundedSender<Ask>,
    channel: &str,
    own: &str,
) -> Result<(), sqlx::Error> {
    let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(server.clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(channel).await?;
    // What was said before, nobody here has heard.
    let mut is_new = true;
    while let Some(asks) = asks.upgrade() {
        if is_new && asks.send(Ask::Look).is_err() {
            break;
        }
        drop(asks);
        is_new = listener.recv().await?.payload() != own;
    }
    Ok(())
}
