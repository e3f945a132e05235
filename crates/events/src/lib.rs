//! Events between owners: the feed that an owner serves, and the consumers that take from it.
//!
//! A [`feed::Feed`] serves an owner's outbox, a [`Relay`] publishes it to a [`bus`] as well; a [`Consumer`] runs
//! [`Subscription`]s beside its own database. Order comes
//! from versions, once-only from the inbox, durability from the outbox: the way in between is never trusted for them.
//! **Invariant:** what was delivered took effect in the unit of work that says so, or it did not take effect.

mod acknowledge;
pub mod bus;
mod causes;
mod clock;
mod consumer;
mod dead_letters;
mod delivered;
pub mod feed;
#[cfg(test)]
mod fixture;
mod handle;
mod inbox;
pub mod link;
mod meter;
pub mod operations;
mod parked;
pub mod position;
pub mod projection;
pub mod purpose;
mod reaction;
pub mod relay;
mod replays;
mod retry;
mod sharing;
mod subscription;
mod superseded;

pub use consumer::{Consumer, Instances, Options};
pub use dead_letters::{DeadLetters, DecisionError, ParkedKey};
pub use delivered::{Changed, Delivered};
pub use feed::Feed;
pub use handle::{Behind, Handle, Status};
pub use operations::Operations;
pub use parked::Parking;
pub use projection::Projection;
pub use purpose::State;
pub use reaction::ReactionError;
pub use relay::Relay;
pub use retry::RetryPolicy;
pub use subscription::{Reacted, Subscription};

use freehold_store::{Migration, Migrations};

/// The tables of feeds and consumers; a service that serves a feed or reacts to events adds them to its store.
pub static MIGRATIONS: Migrations = Migrations {
    set: "events",
    steps: &[
        Migration {
            version: 1,
            name: "events",
            sql: include_str!("../migrations/0001_events.sql"),
            postgres: None,
        },
        Migration {
            version: 2,
            name: "projections",
            sql: include_str!("../migrations/0002_projections.sql"),
            postgres: None,
        },
        Migration {
            version: 3,
            name: "shares",
            sql: include_str!("../migrations/0003_shares.sql"),
            postgres: None,
        },
        Migration {
            version: 4,
            name: "relay",
            sql: include_str!("../migrations/0004_relay.sql"),
            postgres: None,
        },
        Migration {
            version: 5,
            name: "replays",
            sql: include_str!("../migrations/0005_replays.sql"),
            postgres: None,
        },
        Migration {
            version: 6,
            name: "portions",
            sql: "SELECT 1",
            postgres: Some(include_str!("../migrations/0006_portions_postgres.sql")),
        },
        Migration {
            version: 7,
            name: "tried",
            sql: include_str!("../migrations/0007_tried.sql"),
            postgres: Some(include_str!("../migrations/0007_tried_postgres.sql")),
        },
        Migration {
            version: 8,
            name: "forgotten",
            sql: include_str!("../migrations/0008_forgotten.sql"),
            postgres: None,
        },
    ],
};
