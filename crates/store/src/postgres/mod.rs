//! PostgreSQL: the same units and reads as on SQLite, through sqlx.
//!
//! `units` runs what writes, `lane` is one transaction, `pool` keeps connections, `errors` knows the codes. A unit runs
//! at READ COMMITTED and locks the rows that it decides on; a read runs at REPEATABLE READ. **Limit:** the owner's lock is
//! held by a connection; where the server drops it, another owner could open the database while this one runs.

mod errors;
mod flight;
mod lane;
mod pool;
mod units;
mod values;

use std::str::FromStr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::task::LocalSet;

pub(crate) use self::lane::Lane;

use self::pool::{Link, Pool};
use self::units::{Units, begin_words};
use crate::engine;
use crate::error::StoreError;
use crate::ledger::{Ledger, View};
use crate::open::{self, OpenError};
use crate::options::{Options, redacted};
use crate::queue::{Orders, Queue, queue};
use crate::read::Read;
use crate::store::Opened;
use crate::unit::Job;
use crate::vals;

/// The first half of the advisory lock's key; the second is the schema.
const OWNER_LOCK: i64 = 0x6672_686c;
/// How long opening may take, migrations included.
const OPENING: Duration = Duration::from_secs(3600);

/// A running PostgreSQL store.
pub(crate) struct Database {
    queue: Queue,
    reads: Reads,
}

/// Where reads have their connections from.
#[derive(Clone)]
pub(crate) struct Reads(Pool);

/// A read's place among the connections.
pub(crate) struct Home(OwnedSemaphorePermit);

/// Opens the database that the options name, on the thread that will run its units.
pub(crate) async fn open(options: Options) -> Result<Opened<Database>, OpenError> {
    let server = Arc::new(server(&options.url)?.application_name(&format!("freehold {}", options.service)));
    let reads = Reads(Pool::new(server.clone(), options.readers));
    let (queue, orders) = queue(options.queue);
    let (opened, opening) = oneshot::channel();
    let run = move || run(&options, server, orders, opened);
    let failed = |error| StoreError::Io(Arc::new(error));
    thread::Builder::new().name("freehold-postgres".to_owned()).spawn(run).map_err(failed)?;
    let view = opening.await.unwrap_or(Err(StoreError::Closed.into()))?;
    Ok(Opened { database: Database { queue, reads }, view })
}

/// Opens the database to read it, and says whose it is.
pub(crate) async fn open_read_only(url: &str) -> Result<(String, Reads), OpenError> {
    const MOST: usize = 4;
    let server = Arc::new(server(url)?.application_name("freehold reader"));
    let link = Link::open(&server).await?;
    let pool = Pool::new(server, MOST);
    let mut looking = engine::Lane::Postgres(Lane::new(link, pool.clone(), Instant::now() + OPENING));
    let service = open::owner(&mut looking, url).await?;
    Ok((service, Reads(pool)))
}

impl Database {
    pub(crate) async fn submit(&self, job: Job) -> Result<(), StoreError> {
        self.queue.submit(job).await
    }

    pub(crate) async fn read(&self, deadline: Instant) -> Result<Read, StoreError> {
        self.reads.read(deadline).await
    }

    pub(crate) async fn close(&self) {
        self.reads.0.close().await;
        self.queue.close().await;
    }
}

impl Reads {
    pub(crate) async fn read(&self, deadline: Instant) -> Result<Read, StoreError> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let place = self.0.place(deadline).await?;
        let link = self.0.begin(&begin_words(BEGIN, deadline), deadline).await?;
        let lane = engine::Lane::Postgres(Lane::new(link, self.0.clone(), deadline));
        Ok(Read::new(lane, engine::Home::Postgres(Home(place)), deadline))
    }
}

impl Home {
    /// Ends the read's transaction in the background. Outside of a runtime the connection is closed, which ends it too.
    pub(crate) fn take_back(self, lane: Lane) {
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let Self(place) = self;
            runtime.spawn(async move {
                lane.roll_back().await;
                drop(place);
            });
        }
    }
}

fn server(url: &str) -> Result<PgConnectOptions, OpenError> {
    let server = PgConnectOptions::from_str(url).map_err(|_| OpenError::Url(redacted(url)))?;
    Ok(server.disable_statement_logging())
}

/// The thread: opens, says how that went, and serves.
fn run(
    options: &Options,
    server: Arc<PgConnectOptions>,
    orders: Orders,
    opened: oneshot::Sender<Result<View, OpenError>>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = opened.send(Err(StoreError::Io(Arc::new(error)).into()));
            return;
        }
    };
    let Orders { orders, end } = orders;
    LocalSet::new().block_on(&runtime, async move {
        match prepare(options, server).await {
            Ok(units) => {
                // A caller that went away drops its end of the queue too, which ends the service at once.
                let _ = opened.send(Ok(units.ledger.view()));
                units.serve(orders).await;
            }
            Err(error) => {
                let _ = opened.send(Err(error));
            }
        }
    });
    drop(end);
}

/// Asserts durability, takes the owner's lock, applies migrations and begins an epoch.
async fn prepare(options: &Options, server: Arc<PgConnectOptions>) -> Result<Units, OpenError> {
    let pool = Pool::new(server.clone(), options.readers);
    let mut owner = Link::open(&server).await?;
    owner.script("BEGIN").await?;
    let mut lane = engine::Lane::Postgres(Lane::new(owner, pool.clone(), Instant::now() + OPENING));
    assert_durable(&mut lane, options).await?;
    take_lock(&mut lane, options).await?;
    open::inspect(&mut lane, options).await?;
    let (history, mark) = open::prepare(&mut lane, options, (options.clock)()).await?;
    let engine::Lane::Postgres(lane) = lane else { return Err(StoreError::Closed.into()) };
    let mut owner = lane.into_link();
    owner.script("COMMIT").await?;
    let ledger = Ledger::new(history, options.clock.clone(), mark);
    Ok(Units { pool, ledger, owner, most: options.readers })
}

/// A server that acknowledges before it has written would lose commits.
async fn assert_durable(lane: &mut engine::Lane, options: &Options) -> Result<(), OpenError> {
    const SETTINGS: &str = "SELECT name, setting FROM pg_settings \
                            WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit')";
    for row in lane.all(SETTINGS, vals![]).await? {
        let (setting, found): (String, String) = (row.get("name")?, row.get("setting")?);
        let of_server = setting != "synchronous_commit";
        if found == "off" && !(of_server && options.throwaway) {
            return Err(OpenError::Durability { setting, wanted: "on".to_owned(), found });
        }
    }
    Ok(())
}

/// The lock is the connection's, not the transaction's: it is held until the store is closed.
async fn take_lock(lane: &mut engine::Lane, options: &Options) -> Result<(), OpenError> {
    const LOCK: &str = "SELECT pg_try_advisory_lock(CAST($1 AS INTEGER), hashtext(current_schema)) AS mine";
    let row = lane.one(LOCK, vals![OWNER_LOCK]).await?;
    match row.map(|row| row.get("mine")).transpose()? {
        Some(true) => Ok(()),
        _ => Err(OpenError::Owned(redacted(&options.url))),
    }
}
