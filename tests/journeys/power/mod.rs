//! The power is cut under load: what was acknowledged is there when it is back.
//!
//! Runs where a file system may be mounted: `cargo xtask soak power`. The control commits in the same way without waiting
//! for the disk, and must lose; else the cut would prove nothing.

pub(crate) mod server;

use std::path::Path;

use freehold_testkit::{Disk, PATIENCE, Scratch, engines, eventually, rounds};
use rusqlite::Connection;

use crate::engines::Engines;
use crate::faults::judged;
use crate::faults::shop::Shop;
use crate::mesh::Up;
use crate::ports;
use crate::records::Records;
use server::Server;

/// How many commits the control acknowledges before the cut.
const COMMITS: i64 = 200;
/// How many cuts the control may lose nothing in: what it does not wait for may be on the disk by chance.
const CUTS: usize = 10;

/// E17, invariant 13.
#[tokio::test]
async fn what_sqlite_acknowledged_survives_a_power_loss() {
    if !Disk::is_allowed() {
        return;
    }
    for round in 0..rounds(3) {
        let disk = Disk::mount().unwrap();
        let (folder, port) = (disk.path(), ports::of_a_mesh());
        let records = Records::of(&folder.join("data"));
        let mut up = Up::at(&folder, port).await;
        let shop = Shop::open(&up.mesh()).await;
        let failing = async {
            let moment = records.events() + fastrand::i64(50..300);
            eventually("the moment", PATIENCE, async || (records.events() >= moment).then_some(())).await;
            disk.cut().unwrap();
            up.process.kill();
            disk.restore().unwrap();
            println!("round {round}: cut after {moment} events, {} are there", records.events());
            up = Up::at(&folder, port).await;
            let moment = records.events() + 20;
            eventually("it to go on", PATIENCE, async || (records.events() >= moment).then_some(())).await;
            shop.close();
        };
        let (told, ()) = tokio::join!(shop.serve(), failing);
        judged::comes_right(&folder, &told).await;
        up.process.kill();
    }
    assert_eq!(lost_by_sqlite("FULL"), 0, "the same commits with FULL");
    assert!((0..CUTS).any(|_| lost_by_sqlite("NORMAL") > 0), "the control must lose");
}

/// The same of PostgreSQL, whose files are on the disk.
#[tokio::test]
async fn what_postgresql_acknowledged_survives_a_power_loss() {
    let Some(programs) = server::programs().filter(|_| Disk::is_allowed()) else { return };
    for round in 0..rounds(3) {
        let (disk, scratch) = (Disk::mount().unwrap(), Scratch::new("power"));
        let (folder, port) = (scratch.path(), ports::of_a_mesh());
        let mut server = Server::make(&programs, &disk.path(), "fsync=on").await;
        let mut engines = Engines::on(folder, Some(&server.url()), None).await;
        let mut up = Up::at(folder, port).await;
        let shop = Shop::open(&up.mesh()).await;
        let failing = async {
            engines.reach(fastrand::i64(20..100)).await;
            disk.cut().unwrap();
            up.process.kill();
            server.kill();
            eventually("the disk to be let go of", PATIENCE, async || disk.restore().ok()).await;
            assert!(server.begin().await, "it recovers");
            up = Up::at(folder, port).await;
            println!("round {round}: {} events are there", engines.events().await);
            engines.reach(20).await;
            shop.close();
        };
        let (told, ()) = tokio::join!(shop.serve(), failing);
        judged::comes_right(folder, &told).await;
        up.process.kill();
    }
    assert_eq!(lost_by_postgresql(&programs, "fsync=on").await, 0, "the same commits with fsync");
    for _ in 0..CUTS {
        if lost_by_postgresql(&programs, "fsync=off").await > 0 {
            return;
        }
    }
    panic!("the control must lose");
}

/// How many of the commits that SQLite acknowledged with this setting a cut takes.
fn lost_by_sqlite(synchronous: &str) -> i64 {
    let disk = Disk::mount().unwrap();
    let open = || Connection::open(disk.path().join("control.db")).unwrap();
    let database = open();
    let settings = format!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; CREATE TABLE told (n BIGINT)"
    );
    database.execute_batch(&settings).unwrap();
    for n in 0..COMMITS {
        database.execute("INSERT INTO told VALUES ($1)", [n]).unwrap();
    }
    disk.cut().unwrap();
    drop(database);
    disk.restore().unwrap();
    let kept = open().query_row("SELECT COUNT(*) FROM told", [], |row| row.get::<_, i64>(0)).unwrap_or(0);
    println!("synchronous = {synchronous}: {} of {COMMITS} lost", COMMITS - kept);
    COMMITS - kept
}

/// The same of PostgreSQL: all, where it cannot start again.
async fn lost_by_postgresql(programs: &Path, setting: &'static str) -> i64 {
    let disk = Disk::mount().unwrap();
    let mut server = Server::make(programs, &disk.path(), setting).await;
    engines::change(&server.url(), "CREATE TABLE told (n BIGINT)").await;
    let commits = format!(
        "DO $$ BEGIN FOR n IN 1..{COMMITS} LOOP INSERT INTO told VALUES (n); COMMIT; END LOOP; END $$"
    );
    engines::change(&server.url(), &commits).await;
    disk.cut().unwrap();
    server.kill();
    eventually("the disk to be let go of", PATIENCE, async || disk.restore().ok()).await;
    let began = server.begin().await;
    let kept = if began { engines::number(&server.url(), "SELECT COUNT(*) FROM told").await } else { None };
    println!("{setting}: {} of {COMMITS} lost", COMMITS - kept.unwrap_or(0));
    COMMITS - kept.unwrap_or(0)
}
