//! A consumer that dies while it reads again what it has read: it goes on where it was, and nothing takes effect twice.

use freehold_sdk::PORTS;
use freehold_testkit::fault_proxy::Lane;
use freehold_testkit::{Faults, PATIENCE, Scratch, eventually};

use crate::apart::Apart;
use crate::engines::Engines;
use crate::faults;
use crate::mesh::is_sound;
use crate::records::Records;

/// Refuses to go back, as a replay would that begins anew with its process.
const NEVER_BACK: &str = "CREATE TRIGGER never_back BEFORE UPDATE OF mark ON freehold_replay WHEN NEW.mark < OLD.mark \
                          BEGIN SELECT RAISE(ABORT, 'it began anew'); END";
/// How far the replay of what orders told has come, which is by far the longest, while it is in the middle.
const MIDDLE: &str = "SELECT mark FROM freehold_replay WHERE ended_ms IS NULL AND mark > 20 AND mark + 20 < until_mark \
                      AND until_mark = (SELECT MAX(until_mark) FROM freehold_replay)";

/// E42.
#[tokio::test]
async fn a_replay_goes_on_where_its_process_was_killed() {
    const MAILS: &str = "SELECT COUNT(*) FROM mail";
    const DONE: &str = "SELECT COUNT(*) FROM freehold_replay WHERE outcome = 'done'";
    const CLAIMS: &str = "SELECT claim FROM freehold_replay ORDER BY until_mark DESC LIMIT 1";
    let scratch = Scratch::new("reread");
    let records = Records::of(&scratch.join("data"));
    let engines = Engines::on(scratch.path(), None, None).await;
    let (mut apart, proxies) = Apart::start_behind_proxies(scratch.path(), &engines, faults::seed()).await;
    let demo = apart.run(&["demo", "--mesh", "env", "--orders", "60", "--workers", "8"]).await;
    assert_eq!(demo.code, Some(0), "{demo:#?}");
    is_sound(scratch.path()).await;
    let mails = records.number("notifications", MAILS);
    records.change_running("notifications", NEVER_BACK);

    let before_orders = PORTS.iter().position(|(service, _)| *service == "orders").unwrap();
    let slow = Lane { bytes_per_second: Some(4_000), ..Lane::CLEAR };
    proxies[before_orders].set(Faults { answers: slow, ..Faults::NONE });
    let replay =
        ["replay", "notifications", "--from", "beginning", "--who", "ann", "--mesh", "env", "-o", "json"];
    let asked = apart.run(&replay).await.json().len();
    eventually("the middle", PATIENCE, async || records.number("notifications", MIDDLE)).await;
    proxies[before_orders].set(Faults::black_hole());
    apart.kill("notifications");
    let stood = records.number("notifications", MIDDLE);
    assert!(stood.is_some(), "it died in the middle");
    let database = rusqlite::Connection::open(records.file("notifications")).unwrap();
    let anew = database.execute("UPDATE freehold_replay SET mark = 1 WHERE mark > 20", []);
    assert!(anew.is_err(), "the planted bug is seen");
    drop(database);
    apart.begin("notifications");
    proxies[before_orders].set(Faults::NONE);
    apart.is_healthy("notifications").await;

    eventually("the end of each", PATIENCE, async || {
        (records.number("notifications", DONE) == Some(asked as i64)).then_some(())
    })
    .await;
    assert!(records.number("notifications", CLAIMS) > Some(1), "a second process had it");
    is_sound(scratch.path()).await;
    assert_eq!(records.number("notifications", MAILS), mails);
}
