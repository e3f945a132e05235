//! Gates on PostgreSQL: they hold a unit in the middle of its transaction until a test has seen it there.

use freehold_store::{Queries, StoreError, Work, vals};
use sqlx::postgres::PgConnection;

use crate::engines::Database;
use crate::ticks::SOON;

/// Gates that units wait at, in the middle of their transaction.
pub(crate) struct Gates(pub(crate) PgConnection);

impl Gates {
    /// Closed ones, with numbers that no other test has.
    pub(crate) async fn closed<const COUNT: usize>(database: &Database) -> (Self, [i64; COUNT]) {
        let mut outside = database.connect().await;
        let first = fastrand::i64(1..i64::from(i32::MAX) - 9);
        let gates = std::array::from_fn(|index| first + index as i64);
        for gate in gates {
            sqlx::query("SELECT pg_advisory_lock($1)").bind(gate).execute(&mut outside).await.unwrap();
        }
        (Self(outside), gates)
    }

    pub(crate) async fn open(&mut self, gate: i64) {
        sqlx::query("SELECT pg_advisory_unlock($1)").bind(gate).execute(&mut self.0).await.unwrap();
    }

    /// Waits until a unit stands before the gate; answers its backend.
    pub(crate) async fn reached(&mut self, gate: i64) -> i32 {
        let waiting = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = $1 \
                       AND classid = 0 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        let standing = async {
            loop {
                let found = sqlx::query_scalar(waiting).bind(gate).fetch_optional(&mut self.0).await.unwrap();
                if let Some(backend) = found {
                    return backend;
                }
            }
        };
        tokio::time::timeout(SOON, standing).await.unwrap()
    }

    /// Waits until so many wait for what a backend has locked.
    pub(crate) async fn waited_for(&mut self, backend: i32, count: i64) {
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))";
        let standing = async {
            loop {
                let waiting = sqlx::query_scalar::<_, i64>(waiting).bind(backend).fetch_one(&mut self.0);
                if waiting.await.unwrap() == count {
                    return;
                }
            }
        };
        tokio::time::timeout(SOON, standing).await.unwrap();
    }
}

/// Waits until a gate is open.
pub(crate) async fn wait_at(work: &mut Work, gate: i64) -> Result<(), StoreError> {
    work.exec("SELECT pg_advisory_xact_lock($1)", vals![gate]).await.map(drop)
}
