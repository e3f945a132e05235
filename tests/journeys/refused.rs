//! What the command refuses, each with one line that says what to do about it, and an exit code; nothing is touched.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};

use freehold_testkit::Scratch;
use freehold_testkit::process::Signal;

use crate::mesh::{Up, finish, run};
use crate::ports;
use crate::records::Records;

#[tokio::test]
async fn a_busy_port_is_one_clear_line() {
    let scratch = Scratch::new("busy");
    let first = ports::of_a_mesh();
    for (busy, of) in [(first, "the gateway's"), (first + 3, "a service's")] {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, busy)).unwrap();
        let up = run(scratch.path(), &["up", "--port", &first.to_string(), "--data", "data"]).await;
        let line = up.refusal(3);
        assert!(
            line.starts_with(&format!("freehold: failed to listen on 127.0.0.1:{busy}: ")),
            "{of}: {line}"
        );
        assert!(line.contains("--port 0"), "{line}");
        drop(taken);
    }
}

#[tokio::test]
async fn an_unknown_setting_names_its_file_its_line_and_the_nearest_one() {
    let scratch = Scratch::new("setting");
    fs::write(scratch.join("freehold.toml"), "port = 0\ndatta = \"elsewhere\"\n").unwrap();
    let up = run(scratch.path(), &["up"]).await;
    let line = up.refusal(2);
    assert!(line.starts_with("freehold: freehold.toml:2: unknown field `datta`"), "{line}");
    assert!(line.ends_with("did you mean `data`?"), "{line}");
    fs::rename(scratch.join("freehold.toml"), scratch.join("mine.toml")).unwrap();
    let up = run(scratch.path(), &["--config", "mine.toml"]).await;
    assert!(up.refusal(2).starts_with("freehold: mine.toml:2: "), "{up:#?}");
    let up = run(scratch.path(), &["--config", "none.toml"]).await;
    assert!(up.refusal(2).contains("none.toml"), "{up:#?}");
}

#[tokio::test]
async fn an_unknown_service_is_refused_with_those_there_are() {
    let scratch = Scratch::new("service");
    let up = run(scratch.path(), &["up", "--only", "users,order"]).await;
    let line = up.refusal(2);
    assert!(line.contains("`order`") && line.contains("orders"), "{line}");
    assert!(!scratch.join("freehold-data").exists());
}

#[tokio::test]
async fn a_database_that_is_not_ours_is_refused_untouched() {
    let scratch = Scratch::new("not-ours");
    let up = Up::start(scratch.path()).await;
    up.process.signal(Signal::Interrupt);
    assert_eq!(finish(up.process).await.code, Some(0));
    let records = Records::of(&scratch.join("data"));

    records.change(
        "catalog",
        "INSERT INTO freehold_migration (set_name, version, name, checksum, applied_ms)
         SELECT set_name, 99, 'newer', checksum, applied_ms FROM freehold_migration
         WHERE set_name = 'catalog' AND version = 1",
    );
    refuses(&scratch, "catalog", "it is newer").await;

    fs::copy(records.file("payments"), records.file("users")).unwrap();
    refuses(&scratch, "users", "the database belongs to `payments`, not to `users`").await;

    fs::write(
        records.file("users"),
        "a letter, not a database, and long enough to be taken for one".repeat(20),
    )
    .unwrap();
    refuses(&scratch, "users", "failed to start users: failed to open the database: ").await;
}

async fn refuses(scratch: &Scratch, service: &str, because: &str) {
    let records = Records::of(&scratch.join("data"));
    let before = records.bytes(service);
    let up = run(scratch.path(), &["up", "--only", service, "--port", "0", "--data", "data"]).await;
    let line = up.refusal(3);
    assert!(line.contains(because), "{line}");
    assert_eq!(records.bytes(service), before, "{line}");
    let verify = run(scratch.path(), &["verify", "--data", "data"]).await;
    assert_eq!(records.bytes(service), before, "{verify:#?}");
}

#[tokio::test]
async fn a_folder_without_databases_has_nothing_to_verify() {
    let scratch = Scratch::new("nothing");
    let verify = run(scratch.path(), &["verify", "--data", "nowhere"]).await;
    assert!(verify.refusal(2).contains("nowhere"), "{verify:#?}");
    assert!(!scratch.join("nowhere").exists());
}

#[tokio::test]
async fn a_mesh_that_does_not_answer_is_one_clear_line() {
    let scratch = Scratch::new("silent");
    let nobody = format!("http://127.0.0.1:{}", ports::in_a_row(1));
    let status = run(scratch.path(), &["status", "--mesh", &nobody]).await;
    assert!(status.refusal(4).contains(&nobody), "{status:#?}");
}
