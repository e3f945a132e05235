//! Batches made by hand, so that who shares a commit with whom is no accident of timing.
//!
//! What is checked is what each unit of a batch is told, and that it is true: told well means it is in the file, told
//! ill means it is not.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use freehold_wire::Context;
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::*;
use crate::epoch::History;
use crate::sqlite::connection;
use crate::unit::{self, Settled};
use crate::{Queries, StoreError, vals};

type Told = oneshot::Receiver<Settled<(), StoreError>>;

/// A writer's connection on a file of its own.
struct Bench {
    _folder: TempDir,
    lane: Option<Lane>,
    ledger: Ledger,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lane = connection::writer(&folder.path().join("a.db"), None).unwrap();
        lane.script("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT) STRICT;").unwrap();
        Self {
            _folder: folder,
            lane: Some(lane),
            ledger: Ledger::new(History::new("orders", vec![]), Arc::new(|| 0), 0),
        }
    }

    /// Runs the jobs as one batch; answers what each one was told.
    fn run(&mut self, jobs: Vec<(Job, Told)>) -> Vec<Result<(), StoreError>> {
        let (mut jobs, told): (Vec<_>, Vec<_>) = jobs.into_iter().unzip();
        jobs.reverse();
        let first = jobs.pop().unwrap();
        let mut batch = Batch::new(self.lane.take(), &self.ledger);
        batch.most_time = Duration::MAX;
        self.lane = batch.run(first, || jobs.pop());
        assert!(jobs.is_empty() || self.ids().is_empty(), "a batch that goes on takes all");
        told.into_iter().map(|mut told| told.try_recv().map_or(Err(StoreError::Closed), flatten)).collect()
    }

    fn ids(&self) -> Vec<i64> {
        let rows = self.lane.as_ref().unwrap().all("SELECT id FROM t ORDER BY id", &[]).unwrap();
        rows.iter().map(|row| row.get("id").unwrap()).collect()
    }

    fn set(&self, pragma: &str) {
        self.lane.as_ref().unwrap().set_for_tests(pragma);
    }
}

fn flatten(settled: Settled<(), StoreError>) -> Result<(), StoreError> {
    settled.and_then(|(result, _)| result)
}

fn job(handler: impl AsyncFnOnce(&mut Work) -> Result<(), StoreError> + Send + 'static) -> (Job, Told) {
    unit::job(Context::new("orders", Duration::from_secs(20)), handler)
}

fn brief_job(handler: impl AsyncFnOnce(&mut Work) -> Result<(), StoreError> + Send + 'static) -> (Job, Told) {
    unit::job(Context::new("orders", Duration::from_millis(50)), handler)
}

/// A unit that adds one row.
fn adds(id: i64) -> (Job, Told) {
    job(async move |work: &mut Work| add(work, id).await)
}

async fn add(work: &mut Work, id: i64) -> Result<(), StoreError> {
    work.exec("INSERT INTO t (id) VALUES ($1)", vals![id]).await.map(drop)
}

#[test]
fn units_that_fail_leave_the_rest_of_their_batch_intact() {
    let mut bench = Bench::new();
    let told = bench.run(vec![
        adds(1),
        job(async |work: &mut Work| {
            add(work, 2).await?;
            panic!("planted")
        }),
        adds(3),
        job(async |work: &mut Work| {
            add(work, 4).await?;
            std::future::pending::<()>().await;
            Ok(())
        }),
        job(async |work: &mut Work| {
            add(work, 5).await?;
            let _ = add(work, 1).await;
            Ok(())
        }),
        job(async |work: &mut Work| {
            add(work, 6).await?;
            Err(StoreError::KeyReused)
        }),
        adds(7),
    ]);
    assert!(told[0].is_ok() && told[2].is_ok() && told[6].is_ok(), "{told:?}");
    assert!(matches!(told[1], Err(StoreError::Panicked(_))));
    assert!(matches!(told[3], Err(StoreError::ForeignAwait)));
    assert!(matches!(told[4], Err(StoreError::Constraint { .. })));
    assert!(matches!(told[5], Err(StoreError::KeyReused)));
    assert_eq!(bench.ids(), [1, 3, 7]);
}

/// The planted bug is the statement itself: it rolls back a transaction that is not its own.
#[test]
fn a_statement_that_rolls_back_ends_its_batch_as_retryable() {
    let mut bench = Bench::new();
    let told = bench.run(vec![
        adds(1),
        job(async |_: &mut Work| Err(StoreError::KeyReused)),
        job(async |work: &mut Work| {
            work.exec("INSERT OR ROLLBACK INTO t (id) VALUES (1)", vals![]).await.map(drop)
        }),
        adds(2),
    ]);
    assert!(matches!(told[0], Err(StoreError::RolledBack(_))), "{told:?}");
    assert!(told[0].as_ref().is_err_and(StoreError::is_retryable));
    assert!(
        matches!(told[1], Err(StoreError::RolledBack(_))),
        "a refusal may rest on what is gone: {told:?}"
    );
    assert!(matches!(told[2], Err(StoreError::Constraint { .. })));
    assert!(matches!(told[3], Err(StoreError::Closed)), "it waits for the next batch");
    assert_eq!(bench.ids(), [] as [i64; 0]);
    assert!(bench.run(vec![adds(1)])[0].is_ok(), "the writer goes on");
}

#[test]
fn a_full_disk_ends_the_batch_as_retryable() {
    let mut bench = Bench::new();
    bench.set("PRAGMA max_page_count = 12");
    let told = bench.run(vec![
        adds(1),
        job(async |work: &mut Work| {
            let large = "x".repeat(1_000_000);
            work.exec("INSERT INTO t (id, text) VALUES (2, $1)", vals![large]).await.map(drop)
        }),
    ]);
    assert!(matches!(told[0], Err(StoreError::RolledBack(_))), "{told:?}");
    assert!(matches!(told[1], Err(StoreError::Full(_))), "{told:?}");
    assert!(told.iter().all(|told| told.as_ref().is_err_and(StoreError::is_retryable)));
    assert_eq!(bench.ids(), [] as [i64; 0]);
    bench.set("PRAGMA max_page_count = 100000");
    assert!(bench.run(vec![adds(1)])[0].is_ok(), "the writer goes on when there is room");
}

#[test]
fn a_unit_that_is_cut_while_it_reads_leaves_the_rest_intact() {
    let mut bench = Bench::new();
    let told = bench.run(vec![
        adds(1),
        brief_job(async |work: &mut Work| {
            add(work, 2).await?;
            let endless =
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT count(*) FROM n";
            work.one(endless, vals![]).await.map(drop)
        }),
        adds(3),
    ]);
    assert!(matches!(told[1], Err(StoreError::DeadlineExceeded)), "{told:?}");
    assert_eq!(bench.ids(), [1, 3]);
}

/// SQLite rolls back the whole transaction when a statement that writes is interrupted.
#[test]
fn a_unit_that_is_cut_while_it_writes_ends_its_batch_as_retryable() {
    let mut bench = Bench::new();
    let told = bench.run(vec![
        adds(1),
        brief_job(async |work: &mut Work| {
            let endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
                           INSERT INTO t (id) SELECT i FROM n WHERE i < 0";
            work.exec(endless, vals![]).await.map(drop)
        }),
    ]);
    assert!(matches!(told[0], Err(StoreError::RolledBack(_))), "{told:?}");
    assert!(matches!(told[1], Err(StoreError::DeadlineExceeded)), "{told:?}");
    assert!(bench.run(vec![adds(1)])[0].is_ok());
}

/// The planted bug is a constraint that is checked at the commit, which migrations may not have.
#[test]
fn a_batch_whose_commit_fails_is_told_so() {
    let mut bench = Bench::new();
    bench.set("CREATE TABLE late (id INTEGER REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED) STRICT");
    let told = bench.run(vec![
        adds(1),
        job(async |work: &mut Work| work.exec("INSERT INTO late (id) VALUES (99)", vals![]).await.map(drop)),
    ]);
    assert!(told.iter().all(|told| matches!(told, Err(StoreError::RolledBack(_)))), "{told:?}");
    assert_eq!(bench.ids(), [] as [i64; 0]);
    assert_eq!(bench.ledger.view().tally().commits, 0);
}

#[test]
fn a_batch_that_cannot_begin_tells_its_unit() {
    let mut bench = Bench::new();
    bench.set("PRAGMA busy_timeout = 1");
    let file = bench._folder.path().join("a.db");
    let other = lock_out(&file);
    assert!(matches!(bench.run(vec![adds(1)])[0], Err(StoreError::Busy(_))));
    drop(other);
    assert!(bench.run(vec![adds(1)])[0].is_ok());
}

fn lock_out(file: &Path) -> rusqlite::Connection {
    let other = rusqlite::Connection::open(file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}
