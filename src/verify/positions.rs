//! How far each consumer has come in each owner's feed, by the consumers' own records.

use freehold_store::vals;

use crate::verify::databases::{Databases, Moment, ReadError, cell};

/// The position of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) consumer: &'static str,
    pub(crate) subscription: String,
    pub(crate) owner: String,
    pub(crate) mark: i64,
    /// The owner's head when the subscription began.
    pub(crate) origin: i64,
}

/// All positions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Positions(pub(crate) Vec<Position>);

impl Positions {
    /// Reads the positions of all consumers.
    pub(crate) async fn read(databases: &Databases, moment: &mut Moment) -> Result<Self, ReadError> {
        let mut positions = Vec::new();
        for consumer in databases.names() {
            if !moment.has_table(consumer, "freehold_position").await? {
                continue;
            }
            let sql = "SELECT subscription, owner, mark, origin FROM freehold_position ORDER BY subscription";
            for row in moment.rows(consumer, sql, vals![]).await? {
                positions.push(Position {
                    consumer,
                    subscription: cell(consumer, &row, "subscription")?,
                    owner: cell(consumer, &row, "owner")?,
                    mark: cell(consumer, &row, "mark")?,
                    origin: cell(consumer, &row, "origin")?,
                });
            }
        }
        Ok(Self(positions))
    }

    /// How far the slowest subscription of `consumer` has come in the feed of `owner`; `None` where it has none.
    pub(crate) fn of(&self, consumer: &str, owner: &str) -> Option<i64> {
        let ours = self.0.iter().filter(|position| position.consumer == consumer && position.owner == owner);
        ours.map(|position| position.mark).min()
    }
}
