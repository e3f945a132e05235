//! The same work by those who do nothing else: a broker that writes through, and a library's subscriber on PostgreSQL.
//!
//! Each peer is measured in turns with ours, in the same run, with the same payload. One that is not there is named.

use std::path::Path;
use std::process::Command;

use freehold_testkit::{Scratch, engines};

use crate::growth::{Drained, drained};
use crate::mesh::{Outcome, PAYLOAD};

const ROUNDS: usize = 3;
/// Messages of the library's subscriber in a round, and events of ours.
const THEIRS: usize = 5_000;
const OURS: usize = 20_000;

/// Where the run's PostgreSQL is.
const POSTGRES: &str = "FREEHOLD_TEST_POSTGRES_URL";

/// Our subscription on PostgreSQL beside Watermill's, each over a backlog.
pub(crate) async fn watermill() -> Outcome<()> {
    let Ok(server) = std::env::var(POSTGRES) else {
        println!("Watermill: {POSTGRES} names no server");
        return Ok(());
    };
    let folder = Scratch::new("watermill");
    let program = folder.join("watermill");
    if !built(&program) {
        println!("Watermill: there is no Go to build it with, or its module cannot be had");
        return Ok(());
    }
    for _ in 0..ROUNDS {
        let theirs = peer(&program, &server).await?;
        let (owner, consumer) = (engines::postgres().await, engines::postgres().await);
        let (owner, consumer) = owner.zip(consumer).ok_or("a database is missing")?;
        let Drained { rate, spent } = drained(owner, vec![consumer], OURS, 1024).await?;
        println!(
            "subscription on PostgreSQL: {rate:.0} events/s ({spent}), Watermill's {theirs:.0}: {:.1} times",
            rate / theirs
        );
    }
    Ok(())
}

/// One run in a database of its own; messages a second.
async fn peer(program: &Path, server: &str) -> Outcome<f64> {
    let database = engines::postgres().await.ok_or("a database is missing")?;
    let schema = database.url().rsplit_once("search_path]=").ok_or("a database without a schema")?.1;
    let url = format!("{server}?sslmode=disable&search_path={schema}");
    let mut command = Command::new(program);
    command.args([url, THEIRS.to_string(), PAYLOAD.to_string()]);
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().parse()?)
}

fn built(program: &Path) -> bool {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/watermill");
    ["go", "/usr/local/go/bin/go"].iter().any(|go| {
        let mut build = Command::new(go);
        build.arg("build").arg("-o").arg(program).arg(".").current_dir(&sources);
        build.status().is_ok_and(|status| status.success())
    })
}

#[cfg(not(feature = "nats"))]
pub(crate) async fn nats() -> Outcome<()> {
    println!("nats-server: this program was built without the feature `nats`");
    Ok(())
}

#[cfg(feature = "nats")]
pub(crate) use broker::nats;

#[cfg(feature = "nats")]
mod broker {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use async_nats::jetstream::{self, Context, stream};
    use freehold_testkit::engines;

    use super::ROUNDS;
    use crate::load::WRITERS;
    use crate::mesh::{Outcome, PAYLOAD, PLACE, Placed, Running};

    /// Where the run's NATS is; `cargo xtask bench` starts one that syncs each message.
    const NATS: &str = "FREEHOLD_TEST_NATS_URL";
    const TIME: Duration = Duration::from_secs(3);

    /// Our log beside a broker's, both written by as many publishers who each wait until theirs is on disk.
    pub(crate) async fn nats() -> Outcome<()> {
        let Ok(server) = std::env::var(NATS) else {
            println!("nats-server: {NATS} names none");
            return Ok(());
        };
        let broker = jetstream::new(async_nats::connect(server).await?);
        let name = format!("bench-{:016x}", fastrand::u64(..));
        let subjects = vec![format!("{name}.>")];
        let storage = stream::StorageType::File;
        broker
            .create_stream(stream::Config { name: name.clone(), subjects, storage, ..Default::default() })
            .await?;
        let mesh = Arc::new(Running::start([engines::sqlite(), engines::sqlite()], None).await?);
        for _ in 0..ROUNDS {
            let theirs = for_a_while(Log::Broker(Box::new(broker.clone()), name.clone())).await?;
            let called = for_a_while(Log::Called(Arc::clone(&mesh))).await?;
            let within = for_a_while(Log::Within(Arc::clone(&mesh))).await?;
            println!(
                "{WRITERS} publishers: our log {called:.0} events/s by calls, {within:.0} in its process; nats-server \
                 {theirs:.0}: {:.1} and {:.1} times",
                called / theirs,
                within / theirs
            );
        }
        broker.delete_stream(name).await?;
        Ok(())
    }

    /// Where publishers write, each until it has the acknowledgement.
    #[derive(Clone)]
    enum Log {
        /// To a stream of the broker.
        Broker(Box<Context>, String),
        /// By a call of the owner.
        Called(Arc<Running>),
        /// In the owner's process.
        Within(Arc<Running>),
    }

    impl Log {
        async fn write(&self, key: String) -> Outcome<()> {
            match self {
                Self::Broker(broker, name) => {
                    broker.publish(format!("{name}.{key}"), vec![7; PAYLOAD].into()).await?.await?;
                }
                Self::Called(mesh) => mesh.place(Placed::new(key, None), &PLACE).await?,
                Self::Within(mesh) => drop(mesh.commit(Placed::new(key, None)).await?),
            }
            Ok(())
        }
    }

    /// How many a second come of as many publishers.
    async fn for_a_while(log: Log) -> Outcome<f64> {
        let began = Instant::now();
        let writers = (0..WRITERS).map(|writer| {
            let log = log.clone();
            tokio::spawn(async move {
                let mut written = 0_u32;
                while began.elapsed() < TIME {
                    log.write(format!("k{}", writer * 16 + (written % 16) as usize)).await?;
                    written += 1;
                }
                Outcome::Ok(written)
            })
        });
        let mut written = 0.0;
        for writer in writers.collect::<Vec<_>>() {
            written += f64::from(writer.await??);
        }
        Ok(written / began.elapsed().as_secs_f64())
    }
}
