//! What the generator implements for a message that declares a replica: whose fields, in which table.

use std::time::Duration;

use freehold_store::{Row, StoreError, Value};
use prost::Message;

/// A declared copy of another owner's entity.
pub trait Copied: Message + Default + Clone + Send + Sync + 'static {
    /// The message that declares it: "orders.v1.ProductCopy".
    const NAME: &'static str;
    /// The entity that is copied: "catalog.v1.Product".
    const OF: &'static str;
    /// Whose entity it is.
    const OWNER: &'static str;
    /// Who keeps the copy.
    const CONSUMER: &'static str;
    /// The table of the copy: "product_copy".
    const TABLE: &'static str;
    /// The column of the key.
    const KEY: &'static str;
    /// The columns, in the order of the message's fields, the key's included.
    const COLUMNS: &'static [Column];
    /// The age beyond which a bounded read does not take the copy as it stands; `None` where none is declared.
    const MAX_STALENESS: Option<Duration>;
    /// What a read does when the copy does not meet its level in time.
    const WHEN_STALE: WhenStale;

    /// The key.
    fn key(&self) -> &str;

    /// The values of the columns, in their order.
    fn values(&self) -> Vec<Value>;

    /// Reads a row of the table, which is taken apart.
    ///
    /// # Errors
    /// [`StoreError::Decode`] where a column does not hold what it should.
    fn from_row(row: &mut Row) -> Result<Self, StoreError>;
}

/// A column of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name: the field's.
    pub name: &'static str,
    /// Its type.
    pub kind: ColumnKind,
}

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// A string.
    Text,
    /// A number or an enum.
    BigInt,
    /// A bool.
    Boolean,
    /// A float.
    Double,
    /// Bytes, or a message in its encoding.
    Blob,
}

/// What a read does when the copy does not meet its level in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenStale {
    /// It asks the owner for the keys.
    AskOwner,
    /// It takes the copy as it stands and says how old it is.
    ServeStale,
    /// It fails.
    Fail,
}
