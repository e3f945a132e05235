//! Snapshot and Read: the entities of one type as they stand, cut down to what the caller copies.
//!
//! **Invariant:** a chunk holds everything up to its position and nothing behind it: both are of one read.

use freehold_store::{Queries, Row, Store, StoreError, outbox, vals};
use freehold_wire::Context;
use freehold_wire::pb::{EntityRow, Position, ReadResponse, SnapshotResponse};
use freehold_wire::reason::Reason;
use prost::Message;
use tokio::sync::mpsc::Sender;
use tonic::Status;

use super::{PAGE_BYTES, READ_TOO_LARGE, REPLY_BYTES, fields};

/// One type of entity, as one caller may see it.
pub(crate) struct Entities {
    pub(crate) store: Store,
    pub(crate) entity: String,
    pub(crate) fields: Vec<u32>,
}

impl Entities {
    /// Sends the entities after a key in chunks. Keys beyond the last one that there is at the start come by the feed:
    /// so a snapshot ends, however quickly the owner writes.
    pub(crate) async fn snapshot(
        self,
        after: String,
        chunk: usize,
        out: Sender<Result<SnapshotResponse, Status>>,
    ) {
        let sent = self.chunks(after, chunk, &out).await;
        if let Err(status) = sent {
            // A caller that is gone hears nothing.
            let _ = out.send(Err(status)).await;
        }
    }

    async fn chunks(
        &self,
        mut after: String,
        chunk: usize,
        out: &Sender<Result<SnapshotResponse, Status>>,
    ) -> Result<(), Status> {
        let last = self.last_key().await?.unwrap_or_default();
        let mut told = None;
        loop {
            let (rows, position) = self.chunk(&after, &last, chunk).await?;
            if let Some(row) = rows.last() {
                after.clone_from(&row.key);
            }
            let ended = rows.is_empty() || after >= last;
            let head = self.store.head();
            // They are told with the first chunk, and again where another instance has begun one since.
            let epochs = head.epochs().to_vec();
            let news = if told.as_ref() == Some(&epochs) { Vec::new() } else { epochs.clone() };
            told = Some(epochs);
            let response = SnapshotResponse::default()
                .with_rows(rows)
                .with_position(position)
                .with_epochs(news)
                .with_last(ended);
            if out.send(Ok(response)).await.is_err() || ended {
                return Ok(());
            }
        }
    }

    async fn last_key(&self) -> Result<Option<String>, StoreError> {
        const LAST: &str = "SELECT max(key) AS key FROM freehold_entity WHERE entity = $1";
        let row = self.store.read().await?.one(LAST, vals![&self.entity]).await?;
        row.map_or(Ok(None), |row| row.get("key"))
    }

    /// The next rows, keys without a value included: what matters of them is their version.
    async fn chunk(
        &self,
        after: &str,
        last: &str,
        most: usize,
    ) -> Result<(Vec<EntityRow>, Position), Status> {
        const CHUNK: &str = "SELECT key, version, deleted, data FROM freehold_entity WHERE entity = $1 \
                             AND key > $2 AND key <= $3 AND version > 0 ORDER BY key LIMIT $4";
        let (mut read, position) = self.store.exact_read().await?;
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        let found = read.page(CHUNK, vals![&self.entity, after, last, limit], PAGE_BYTES).await?;
        let rows = found.rows.iter().map(|row| self.granted(row)).collect::<Result<_, _>>()?;
        Ok((rows, position))
    }

    /// The entities of these keys; one that never had an event is left out.
    pub(crate) async fn read(&self, context: &Context, keys: &[String]) -> Result<ReadResponse, Status> {
        const BY_KEY: &str = "SELECT key, version, deleted, data FROM freehold_entity \
                              WHERE entity = $1 AND key = $2 AND version > 0";
        let mut read = self.store.read_within(context).await?;
        let mut rows = Vec::with_capacity(keys.len());
        let mut room = REPLY_BYTES;
        for key in keys {
            if let Some(row) = read.one(BY_KEY, vals![&self.entity, key]).await? {
                let row = self.granted(&row)?;
                room = room.checked_sub(row.encoded_len()).ok_or_else(too_much)?;
                rows.push(row);
            }
        }
        // On PostgreSQL a row may be newer than that; it is never older.
        let position = outbox::standing(&self.store, &mut read).await?;
        Ok(ReadResponse::default().with_rows(rows).with_position(position))
    }

    fn granted(&self, row: &Row) -> Result<EntityRow, Status> {
        let key: String = row.get("key")?;
        let damaged = |error| Reason::Internal.status(format!("{} `{key}` is damaged: {error}", self.entity));
        let data = row.get::<Option<Vec<u8>>>("data")?;
        let data = data.map(|data| fields::keep(&self.fields, &data)).transpose().map_err(damaged)?;
        let mut granted =
            EntityRow::default().with_version(row.get("version")?).with_deleted(row.get("deleted")?);
        granted.data = data;
        Ok(granted.with_key(key))
    }
}

fn too_much() -> Status {
    Reason::ResourceExhausted
        .because(READ_TOO_LARGE, "the entities are more than one message holds; ask for fewer keys")
}
