//! The power is cut under load: what was acknowledged is there when it is back.
//!
//! Runs where `FREEHOLD_TEST_POWER` is set, since it mounts a file system: `cargo xtask soak power`. The control commits in
//! the same way without waiting for the disk, and must lose; else the cut would prove nothing.

use freehold_testkit::{Disk, eventually, rounds};
use rusqlite::Connection;

use crate::faults::judged::Books;
use crate::faults::shop::Shop;
use crate::mesh::{LONG, Up, is_sound};
use crate::ports;
use crate::records::Records;

/// Set where a test may mount.
const MAY: &str = "FREEHOLD_TEST_POWER";
/// How many commits the control acknowledges before the cut.
const COMMITS: i64 = 200;

/// E17, invariant 13.
#[tokio::test]
async fn what_was_acknowledged_survives_a_power_loss() {
    if std::env::var_os(MAY).is_none() {
        println!("not run: {MAY} is not set");
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
            eventually("the moment", LONG, async || (records.events() >= moment).then_some(())).await;
            disk.cut().unwrap();
            up.process.kill();
            disk.restore().unwrap();
            println!("round {round}: cut after {moment} events, {} are there", records.events());
            up = Up::at(&folder, port).await;
            let moment = records.events() + 20;
            eventually("it to go on", LONG, async || (records.events() >= moment).then_some(())).await;
            shop.close();
        };
        let (told, ()) = tokio::join!(shop.serve(), failing);
        let books = eventually("everything to come right", LONG, async || {
            let books = Books::open(&folder).await;
            books.are_idle().then_some(books)
        })
        .await;
        let wrong = books.wrong(&told);
        assert!(wrong.is_empty(), "{wrong:#?}");
        is_sound(&folder).await;
        up.process.kill();
        println!("round {round}: {told:?}");
    }
    assert_eq!(lost("FULL"), 0, "the same commits with FULL");
    assert!(lost("NORMAL") > 0, "the control must lose");
}

/// How many of the commits that SQLite acknowledged with this setting a cut takes.
fn lost(synchronous: &str) -> i64 {
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
