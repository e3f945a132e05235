//! PostgreSQL: the same units and reads as on SQLite, through sqlx.
//!
//! `units` runs what writes, `lane` is one transaction, `pool` keeps connections, `errors` knows the codes. A unit runs
//! at READ COMMITTED and locks the rows that it decides on; a read runs at REPEATABLE READ. `tick` gives events their
//! marks, `ticker` does so when units have committed. Several instances of an owner may have the database open; `others`
//! wakes them. **Invariant:** where the database lacks what this store has told, it tells nothing any more, and closes.

mod blockers;
mod connections;
mod errors;
mod flight;
mod lane;
mod others;
mod pool;
mod provision;
mod tick;
mod ticker;
mod units;
mod values;

use std::str::FromStr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use freehold_wire::pb::Token;
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::task::LocalSet;

pub(crate) use self::lane::Lane;
pub use self::provision::{Login, Provision};
pub(crate) use self::tick::{MOST as TICK_MOST, begin_era};

use self::pool::{Link, Pool};
use self::ticker::{Asking, Ticker};
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

/// The first half of the key of the advisory lock that every instance shares; the second is the schema.
const OWNER_LOCK: i32 = 0x6672_686c;
/// The same of the one that an instance has alone while it opens the database.
const OPENING_LOCK: i32 = OWNER_LOCK + 1;
/// What an instance that stops while it opens does not keep the others from for ever.
const OPEN_OR_LEAVE: &str = "SET LOCAL idle_in_transaction_session_timeout = 30000";
/// How long opening may take, migrations included.
const OPENING: Duration = Duration::from_secs(3600);

/// A running PostgreSQL store.
pub(crate) struct Database {
    queue: Queue,
    reads: Reads,
    ticks: Asking,
}

/// Where reads have their connections from.
#[derive(Clone)]
pub(crate) struct Reads(Pool);

/// A read's place among the connections.
pub(crate) struct Home(OwnedSemaphorePermit);

/// Opens the database that the options name, on the thread that will run its units.
pub(crate) async fn open(options: Options) -> Result<Opened<Database>, OpenError> {
    let (url, connections) = connections::split(&options.url)?;
    let server = Arc::new(server(&url)?.application_name(&format!("freehold {}", options.service)));
    let reads = Reads(Pool::new(server.clone(), options.readers.unwrap_or(connections.reads)));
    let units = Pool::new(server, options.readers.unwrap_or(connections.units));
    let pools = (units, reads.0.clone());
    let (queue, orders) = queue(options.queue);
    let (opened, opening) = oneshot::channel();
    let run = move || run(&options, pools, orders, opened);
    let failed = |error| StoreError::Io(Arc::new(error));
    thread::Builder::new().name("freehold-postgres".to_owned()).spawn(run).map_err(failed)?;
    let (view, ticks) = opening.await.unwrap_or(Err(StoreError::Closed.into()))?;
    Ok(Opened { database: Database { queue, reads, ticks }, view })
}

/// Opens the database to read it, and says whose it is.
pub(crate) async fn open_read_only(url: &str) -> Result<(String, Reads), OpenError> {
    const MOST: usize = 4;
    let (url, _) = connections::split(url)?;
    let server = Arc::new(server(&url)?.application_name("freehold reader"));
    let link = Link::open(&server).await?;
    let pool = Pool::new(server, MOST);
    let mut looking = engine::Lane::Postgres(Lane::new(link, pool.clone(), Instant::now() + OPENING));
    let service = open::owner(&mut looking, &url).await?;
    Ok((service, Reads(pool)))
}

impl Database {
    pub(crate) async fn submit(&self, job: Job) -> Result<(), StoreError> {
        self.queue.submit(job).await
    }

    pub(crate) async fn read(&self, deadline: Instant) -> Result<Read, StoreError> {
        self.reads.read(deadline).await
    }

    /// A read, and the mark up to which it sees everything, and nothing behind it.
    pub(crate) async fn exact_read(&self, deadline: Instant) -> Result<(Read, i64), StoreError> {
        let pool = &self.reads.0;
        let place = pool.place(deadline).await?;
        let asked = tokio::time::timeout_at(deadline.into(), self.ticks.exact(deadline));
        let (link, mark) = asked.await.unwrap_or(Err(StoreError::DeadlineExceeded))?;
        Ok((Reads::read_on(pool, place, link, deadline), mark))
    }

    /// A token that covers every commit until now.
    pub(crate) async fn cover(&self, deadline: Instant) -> Result<Token, StoreError> {
        let asked = tokio::time::timeout_at(deadline.into(), self.ticks.cover());
        asked.await.unwrap_or(Err(StoreError::DeadlineExceeded))
    }

    /// What holds up events, as the ticker has seen it last.
    pub(crate) fn blockers(&self) -> Vec<String> {
        self.ticks.blockers()
    }

    pub(crate) fn queue(&self) -> &Queue {
        &self.queue
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
        Ok(Self::read_on(&self.0, place, link, deadline))
    }

    /// A read on a connection whose transaction has begun.
    fn read_on(pool: &Pool, place: OwnedSemaphorePermit, link: Link, deadline: Instant) -> Read {
        let lane = engine::Lane::Postgres(Lane::new(link, pool.clone(), deadline));
        Read::new(lane, engine::Home::Postgres(Home(place)), deadline)
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
    // Statements are short here, and compiling one takes longer than it runs, however large its tables are guessed. A tick
    // has to see what was committed before its lock was given, whatever the server, the database or the role defaults to.
    let settings = [("jit", "off"), ("default_transaction_isolation", "read committed")];
    Ok(server.disable_statement_logging().options(settings))
}

/// The thread: opens, says how that went, and serves. The first pool is for units, the second for reads.
fn run(
    options: &Options,
    pools: (Pool, Pool),
    orders: Orders,
    opened: oneshot::Sender<Result<(View, Asking), OpenError>>,
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
        match prepare(options, pools).await {
            Ok((units, ticker)) => {
                // A caller that went away drops its end of the queue too, which ends the service at once.
                let _ = opened.send(Ok((units.ledger.view(), units.ticks.clone())));
                units.serve(orders, ticker).await;
            }
            Err(error) => {
                let _ = opened.send(Err(error));
            }
        }
    });
    drop(end);
}

/// Asserts durability, applies migrations and begins an epoch: one instance at a time, beside others that run.
async fn prepare(options: &Options, (pool, reads): (Pool, Pool)) -> Result<(Units, Ticker), OpenError> {
    let mut link = Link::open(&pool.server).await?;
    let seat = link.seat().await?;
    others::enter(&mut link.connection).await?;
    link.script(&format!("BEGIN; {OPEN_OR_LEAVE}")).await?;
    let mut lane = engine::Lane::Postgres(Lane::new(link, pool.clone(), Instant::now() + OPENING));
    assert_durable(&mut lane, options).await?;
    let schema = open_alone(&mut lane).await?;
    open::inspect(&mut lane, options).await?;
    let (history, mark) = open::prepare(&mut lane, options, (options.clock)()).await?;
    let engine::Lane::Postgres(lane) = lane else { return Err(StoreError::Closed.into()) };
    let mut link = lane.into_link();
    link.script("COMMIT").await?;
    let ledger = Arc::new(Ledger::new(history, options.clock.clone(), mark));
    let (ticker, ticks) = Ticker::new(reads, (link, seat), schema, ledger.clone());
    Ok((Units { pool, ledger, ticks }, ticker))
}

/// Waits until no other instance opens the database; answers the number of its schema.
async fn open_alone(lane: &mut engine::Lane) -> Result<i32, StoreError> {
    const LOCK: &str = "SELECT CAST(hashtext(current_schema) AS BIGINT) AS schema \
                        FROM pg_advisory_xact_lock(CAST($1 AS INTEGER), hashtext(current_schema))";
    let row = lane.one(LOCK, vals![i64::from(OPENING_LOCK)]).await?;
    let schema: i64 = row.map_or(Ok(0), |row| row.get("schema"))?;
    Ok(i32::try_from(schema).unwrap_or_default())
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

/// Whether somebody has the database open as its owner.
pub(crate) async fn is_locked(reads: &Reads, deadline: Instant) -> Result<bool, StoreError> {
    const HELD: &str = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 \
                        AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
                        AND CAST(classid AS BIGINT) = $1 \
                        AND CAST(objid AS BIGINT) = CAST(hashtext(current_schema) AS BIGINT) & 4294967295";
    let read = reads.read(deadline).await?;
    Ok(read.only(HELD, vals![i64::from(OWNER_LOCK)]).await?.is_some())
}
