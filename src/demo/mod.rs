//! `freehold demo`: an outside consumer with needs of its own that replays Northwind through a mesh.
//!
//! It loads customers, products and drivers, places orders while goods arrive, prices change and riders are driven,
//! waits until every mail is out, and says what came of it. It outlives a restart of the mesh, and done again it resumes.
//! A mesh that it starts itself ends at rest.

mod drive;
mod fleet;
#[rustfmt::skip]
#[expect(unreachable_pub, reason = "generated, for crates as for commands")]
mod generated;
mod load;
mod northwind;
mod persist;
mod place;
mod plan;
mod probe;
mod progress;
mod report;
mod tracking;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use freehold_sdk::notifications::v1::CountMailsRequest;
use freehold_sdk::{Error, Mesh, Session};
use freehold_server::host;
use tokio_util::sync::CancellationToken;

use crate::cli::{DemoArgs, Format};
use crate::config::Config;
use crate::demo::generated::Calls;
use crate::demo::persist::{PATIENCE, persist};
use crate::demo::plan::Plan;
use crate::demo::progress::Progress;
use crate::demo::report::{Driven, Report, Tally, percentile_ms};
use crate::exit::{Exit, Failure};
use crate::place::Place;
use crate::up::{self, RunningMesh};
use crate::verify;

/// The name that the demo's contract gives it.
const NAME: &str = "demo";
/// How long the mails may take after the last order.
const QUIET: Duration = Duration::from_secs(30);

/// Runs the demo against the mesh that is named, or the one that answers at the usual address, or one of its own.
pub(crate) fn run(args: &DemoArgs, config: &Config, format: Format) -> Result<(), Failure> {
    host::log_to_stderr();
    let northwind =
        northwind::read(&northwind::EMBEDDED).map_err(|error| Failure::new(Exit::Failed, error))?;
    let plan = Plan::new(&northwind, args.seed, args.orders as usize);
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::new(Exit::Failed, error))?;
    let report = runtime.block_on(async {
        let (mesh, own) = find(args, config).await?;
        let mut replayed = replay(&mesh, &plan, args.workers as usize).await;
        if let Some(own) = own {
            if let Ok(report) = &mut replayed {
                report.network = own.mesh.traffic();
            }
            own.end(replayed.is_ok()).await?;
        }
        replayed.map_err(|error| Failure::new(Exit::Failed, error))
    })?;
    report.print(format);
    Ok(())
}

/// The mesh that this demo has started.
struct Own {
    mesh: RunningMesh,
    shutdown: CancellationToken,
    data: PathBuf,
}

impl Own {
    /// Ends it; where the demo went well, once every copy and view of it is up to date.
    async fn end(self, went_well: bool) -> Result<(), Failure> {
        let rested = if went_well { verify::at_rest(&self.data).await } else { Ok(()) };
        self.shutdown.cancel();
        self.mesh.ended().await?;
        rested
    }
}

async fn find(args: &DemoArgs, config: &Config) -> Result<(Mesh, Option<Own>), Failure> {
    if let Some(place) = &args.mesh {
        return Ok((reach(place).await?, None));
    }
    let usual = format!("http://127.0.0.1:{}", config.port.unwrap_or(up::PORT));
    if args.data.is_none()
        && !args.faults
        && let Ok(mesh) = Mesh::directory(NAME, &usual).await
    {
        eprintln!("using the mesh at {usual}");
        return Ok((mesh, None));
    }
    let shutdown = CancellationToken::new();
    let data = up::data_folder(args.data.clone(), config);
    eprintln!("starting a mesh over {}", data.display());
    let faults = args.faults.then_some(args.seed);
    let plan = up::Plan { faults, ..up::Plan::private(data.clone()) };
    let own = RunningMesh::start(plan, shutdown.clone()).await?;
    let mesh = Mesh::fixed(NAME, own.services().iter().cloned());
    Ok((mesh, Some(Own { mesh: own, shutdown, data })))
}

/// The mesh at a place; where none answers yet, one may be about to start.
async fn reach(place: &Place) -> Result<Mesh, Failure> {
    let asked = place.mesh(NAME).await;
    if asked.as_ref().is_err_and(Error::is_retryable_with_same_key) {
        eprintln!("no mesh answers at {place} yet; asking again for {} s", PATIENCE.as_secs());
        return persist(|| place.mesh(NAME)).await.map_err(|error| unreachable(place, &error));
    }
    asked.map_err(|error| unreachable(place, &error))
}

fn unreachable(place: &Place, error: &Error) -> Failure {
    Failure::new(Exit::Unreachable, format!("no mesh answers at {place}: {error}"))
}

async fn replay(mesh: &Mesh, plan: &Plan, workers: usize) -> Result<Report, Error> {
    let began = Instant::now();
    let calls = in_one_session(Calls::connect(mesh)?);
    let before = probe::events(mesh).await?;
    {
        let _loading = Progress::begin("loading", plan.customers.len() + plan.products.len());
        load::load(&calls, plan, workers).await?;
    }
    let (tally, driven, placed) = place_and_drive(&calls, plan, workers).await?;
    let mails = settle(&calls, plan, &tally).await?;
    let (events, took) = (probe::events(mesh).await?.saturating_sub(before), began.elapsed());
    let mut lags = probe::replica_lag(&calls, plan).await?;
    let mut report = report(plan, tally, driven, mails, placed);
    report.events = events;
    report.events_per_second = events as f64 / took.as_secs_f64();
    report.replica_lag_p50_ms = percentile_ms(&mut lags, 50);
    report.replica_lag_p99_ms = percentile_ms(&mut lags, 99);
    report.seconds = began.elapsed().as_secs_f64();
    Ok(report)
}

/// Places all orders and drives whoever rides after them; how long the placing took.
async fn place_and_drive(
    calls: &Calls,
    plan: &Plan,
    workers: usize,
) -> Result<(Tally, Driven, Duration), Error> {
    let (queues, shifts) = drive::queues(plan);
    let placing = async {
        let began = Instant::now();
        let progress = Progress::begin("placing orders", plan.orders.len());
        let tally = place::place_all(calls, plan, workers, &progress, queues).await?;
        Ok((tally, began.elapsed()))
    };
    let ((tally, placed), driven) = tokio::try_join!(placing, drive::drive_all(calls, plan, shifts))?;
    Ok((tally, driven, placed))
}

/// Clients that share what they have seen: an order placed after a price was changed is placed at the changed price.
fn in_one_session(calls: Calls) -> Calls {
    let session = Session::new();
    Calls {
        catalog: calls.catalog.with_session(&session),
        drivers: calls.drivers.with_session(&session),
        inventory: calls.inventory.with_session(&session),
        notifications: calls.notifications.with_session(&session),
        orders: calls.orders.with_session(&session),
        payments: calls.payments.with_session(&session),
        rides: calls.rides.with_session(&session),
        users: calls.users.with_session(&session),
    }
}

/// Waits until every mail of this run is out. How many there are then.
async fn settle(calls: &Calls, plan: &Plan, tally: &Tally) -> Result<u64, Error> {
    let _settling = Progress::begin("waiting for mails", 1);
    let until = Instant::now() + QUIET;
    loop {
        let request = CountMailsRequest::default().with_order_id_prefix(plan.prefix());
        let counts = persist(|| calls.notifications.count_mails(request.clone())).await?;
        let ended = u64::try_from(counts.sent + counts.dropped).unwrap_or(0);
        if ended >= tally.mails() || Instant::now() > until {
            return Ok(ended);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn report(plan: &Plan, mut tally: Tally, driven: Driven, mails: u64, placed: Duration) -> Report {
    Report {
        seed: plan.seed,
        orders: plan.orders.len() as u64,
        placed: tally.placed(),
        confirmed: tally.confirmed,
        compensated: tally.compensated(),
        shipped: tally.shipped,
        cancelled: tally.cancelled,
        rides_finished: driven.finished,
        rides_cancelled: driven.cancelled,
        rides_shown_live: driven.shown_live,
        locations_sent: driven.locations_sent,
        locations_accepted: driven.locations_accepted,
        mails,
        place_p50_ms: percentile_ms(&mut tally.latencies, 50),
        place_p99_ms: percentile_ms(&mut tally.latencies, 99),
        orders_per_second: tally.placed() as f64 / placed.as_secs_f64(),
        rejected: tally.rejected,
        refused: tally.refused,
        events: 0,
        events_per_second: 0.0,
        replica_lag_p50_ms: 0.0,
        replica_lag_p99_ms: 0.0,
        seconds: 0.0,
        network: None,
    }
}
