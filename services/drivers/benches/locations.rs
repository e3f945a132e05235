//! Locations of a thousand drivers on a stream each: how many a second get through the service into its database, beside
//! bare rusqlite inserting the same rows; and what 20,000 a second take of the machine and how late watchers see them.
//!
//! `cargo bench --bench locations`; the service is a process of its own, drivers and watchers share another. Method and
//! figures are in docs/benchmarks.md.

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use freehold_sdk::drivers::v1::{
    DriversClient, Location, Position, RegisterDriverRequest, ReportLocationsRequest,
    ReportLocationsResponse, Vehicle, WatchDriverRequest,
};
use freehold_sdk::{Mesh, Messages, Requests};
use freehold_server::host::Host;
use futures_util::future::try_join_all;
use futures_util::{Stream, stream};
use rusqlite::{Connection, params};
use tokio::task::JoinSet;
use tokio::time::{Instant as Tick, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Makes this program the service, over the folder that follows.
const SERVE: &str = "--serve";
const DRIVERS: usize = 1000;
/// A connection takes 512 calls at once, but only some 2,400 small frames that wait to be read.
const CONNECTIONS: usize = 50;
/// Drivers who are watched, each by one who reads and one who does not.
const WATCHED: usize = 50;
const FULL_SPEED: Duration = Duration::from_secs(8);
const PACED: Duration = Duration::from_secs(8);
/// 1000 drivers, 20 locations a second each.
const PACE: Duration = Duration::from_millis(50);
/// As many rows as a unit of the service takes.
const BATCH: usize = 1024;

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut arguments = std::env::args().skip_while(|argument| argument != SERVE);
    if let Some(folder) = arguments.nth(1) {
        return runtime.block_on(serve(Path::new(&folder)));
    }
    let folder = tempfile::tempdir()?;
    let service = Service::start(folder.path())?;
    let kept = runtime.block_on(load(&service))?;
    drop(service);
    let rate = peer(&folder.path().join("bare.db"), kept.rows)?;
    println!("bare rusqlite              {rate:.0} rows/s, as many rows in batches of {BATCH}");
    println!("of bare rusqlite           {:.2}", kept.rate / rate);
    Ok(())
}

/// Runs the service until its standard input ends; says on its standard output where it listens.
async fn serve(folder: &Path) -> Result<()> {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into();
    let database_url = format!("sqlite:{}", folder.join("drivers.db").display());
    let running =
        drivers::start(Host { listen, database_url, bus_url: None, trust_metadata: false, keep: None })
            .await?;
    println!("http://{}", running.addr());
    let shutdown = CancellationToken::new();
    let ended = shutdown.clone();
    std::thread::spawn(move || {
        // It never says anything, so this is its end.
        let _ = std::io::stdin().read_line(&mut String::new());
        ended.cancel();
    });
    Ok(running.run(shutdown).await?)
}

/// The service in a process of its own, which ends with this value.
struct Service {
    process: Child,
    url: String,
}

impl Service {
    fn start(folder: &Path) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(SERVE).arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let mut url = String::new();
        BufReader::new(process.stdout.take().ok_or("no output")?).read_line(&mut url)?;
        Ok(Self { process, url: url.trim().to_owned() })
    }

    /// A line of what the system says of its memory, in megabytes.
    fn memory(&self, line: &str) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find(|found| found.starts_with(line)).ok_or("no such line")?;
        Ok(line.split_whitespace().nth(1).ok_or("no number")?.parse::<f64>()? / 1024.0)
    }

    /// What it has used of the processors, in seconds: user and system, in ticks of 10 ms.
    fn processor_seconds(&self) -> Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        let (_, after_name) = stat.rsplit_once(')').ok_or("no name")?;
        let ticks = after_name.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
        Ok(ticks.sum::<std::result::Result<f64, _>>()? / 100.0)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // It ends by itself, whatever it says of that.
        let _ = self.process.wait();
    }
}

/// What full speed came to.
struct Kept {
    rows: usize,
    rate: f64,
}

async fn load(service: &Service) -> Result<Kept> {
    let clients: Vec<DriversClient> =
        (0..CONNECTIONS).map(|_| client(&service.url)).collect::<std::result::Result<_, _>>()?;
    register(&clients[0]).await?;
    println!("idle                       {:.1} MB resident", service.memory("VmRSS:")?);
    paced(&clients, service).await?;
    println!("most held at that pace     {:.1} MB resident", service.memory("VmHWM:")?);
    let kept = full_speed(&clients).await?;
    println!("most held at full speed    {:.1} MB resident", service.memory("VmHWM:")?);
    Ok(kept)
}

fn client(url: &str) -> std::result::Result<DriversClient, freehold_sdk::Error> {
    DriversClient::connect(&Mesh::fixed("demo", [("drivers", url.to_owned())]))
}

async fn register(client: &DriversClient) -> Result<()> {
    let vehicle = Vehicle::default().with_plate("B-AL 1815").with_seats(4);
    for driver in 0..DRIVERS {
        let request = RegisterDriverRequest::default().with_id(id(driver)).with_name("Ada");
        client.register_driver(request.with_phone("030 1815").with_vehicle(vehicle.clone())).await?;
    }
    Ok(())
}

fn id(driver: usize) -> String {
    format!("driver-{driver}")
}

/// Every driver sends as fast as the service takes it.
async fn full_speed(clients: &[DriversClient]) -> Result<Kept> {
    let (began, first) = (Instant::now(), now_ms());
    let streams = (0..DRIVERS).map(|driver| {
        let times = (first..).take_while(move |_| began.elapsed() < FULL_SPEED);
        let reports = Requests::new(stream::iter(times.map(move |time_ms| report(driver, time_ms))));
        clients[driver % CONNECTIONS].report_locations(reports)
    });
    let replies: Vec<ReportLocationsResponse> = try_join_all(streams).await?;
    let rows: i64 = replies.iter().map(|reply| reply.accepted).sum();
    let rate = rows as f64 / began.elapsed().as_secs_f64();
    println!(
        "full speed                 {rate:.0} locations/s kept, of {DRIVERS} drivers on {DRIVERS} streams"
    );
    Ok(Kept { rows: usize::try_from(rows)?, rate })
}

/// Every driver sends at its pace, and some are watched.
async fn paced(clients: &[DriversClient], service: &Service) -> Result<()> {
    let lags = Arc::new(Mutex::new(Vec::new()));
    let watchers = watch(service, &lags).await?;
    let (began, used) = (Tick::now(), service.processor_seconds()?);
    let streams = (0..DRIVERS).map(|driver| {
        let reports = Requests::new(at_pace(driver, began));
        clients[driver % CONNECTIONS].report_locations(reports)
    });
    let replies = try_join_all(streams).await?;
    let seconds = began.elapsed().as_secs_f64();
    let kept: i64 = replies.iter().map(|reply| reply.accepted).sum();
    let refused: i64 = replies.iter().map(|reply| reply.refused).sum();
    let cores = (service.processor_seconds()? - used) / seconds;
    println!(
        "at a pace of 20,000/s      {:.0} /s kept, {refused} refused, {cores:.2} cores",
        kept as f64 / seconds
    );
    drop(watchers);
    let mut lags = std::mem::take(&mut *lags.lock().map_err(|_| "a watcher panicked")?);
    lags.sort_unstable();
    let (p50, p99) = (lags[lags.len() / 2], lags[lags.len() * 99 / 100]);
    println!("seen by a watcher after    p50 {p50} ms, p99 {p99} ms, {} times", lags.len());
    Ok(())
}

/// The locations of a driver, one at each tick; the drivers tick one after the other.
fn at_pace(driver: usize, began: Tick) -> impl Stream<Item = ReportLocationsRequest> + Send + 'static {
    let mut ticks = interval_at(began + PACE.mul_f64(driver as f64 / DRIVERS as f64), PACE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let first = now_ms();
    stream::unfold(ticks, move |mut ticks| async move {
        // When it was due and not when it was sent, so that what is late counts as late.
        let at = ticks.tick().await.duration_since(began);
        let time_ms = first + i64::try_from(at.as_millis()).unwrap_or(0);
        (at < PACED).then(|| (report(driver, time_ms), ticks))
    })
}

/// Those who watch until they are dropped: who read, and who do not.
struct Watchers {
    _reading: JoinSet<()>,
    _idle: Vec<Messages<Position>>,
}

async fn watch(service: &Service, lags: &Arc<Mutex<Vec<i64>>>) -> Result<Watchers> {
    // What one does not read must not fill the connection of those who do.
    let (client, sleeper) = (client(&service.url)?, client(&service.url)?);
    let (mut reading, mut idle) = (JoinSet::new(), Vec::new());
    for driver in 0..WATCHED {
        let request = WatchDriverRequest::default().with_driver_id(id(driver));
        idle.push(sleeper.watch_driver(request.clone()).await?);
        let (mut positions, lags, began) = (client.watch_driver(request).await?, Arc::clone(lags), now_ms());
        reading.spawn(async move {
            while let Some(Ok(position)) = positions.next().await {
                let time_ms = position.location.map_or(0, |location| location.time_ms);
                // The first is where the driver was before.
                if let (true, Ok(mut lags)) = (time_ms >= began, lags.lock()) {
                    lags.push(now_ms() - time_ms);
                }
            }
        });
    }
    Ok(Watchers { _reading: reading, _idle: idle })
}

/// The same rows into the same two tables by bare rusqlite, as durable; how many a second.
fn peer(database: &Path, rows: usize) -> Result<f64> {
    let mut connection = Connection::open(database)?;
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
    connection.execute_batch(
        "CREATE TABLE latest (driver INTEGER PRIMARY KEY, id INTEGER, time INTEGER, latitude INTEGER,
             longitude INTEGER, heading INTEGER, speed INTEGER) STRICT;
         CREATE TABLE track (id INTEGER PRIMARY KEY, previous INTEGER, driver INTEGER, time INTEGER, latitude INTEGER,
             longitude INTEGER, heading INTEGER, speed INTEGER) STRICT;",
    )?;
    let (began, first) = (Instant::now(), now_ms());
    for batch in (0..rows).collect::<Vec<_>>().chunks(BATCH) {
        let unit = connection.transaction()?;
        let mut latest =
            unit.prepare_cached("INSERT OR REPLACE INTO latest VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
        let mut track = unit.prepare_cached("INSERT INTO track VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
        for row in batch {
            let id = i64::try_from(*row)?;
            let (driver, previous) = (id % DRIVERS as i64, id - DRIVERS as i64);
            let time = first + id / DRIVERS as i64;
            latest.execute(params![driver, id, time, 525_200_066, 134_050_000, 90, 1400])?;
            track.execute(params![id, previous, driver, time, 525_200_066, 134_050_000, 90, 1400])?;
        }
        drop((latest, track));
        unit.commit()?;
    }
    Ok(rows as f64 / began.elapsed().as_secs_f64())
}

fn report(driver: usize, time_ms: i64) -> ReportLocationsRequest {
    let location = Location::default()
        .with_latitude_e7(525_200_066)
        .with_longitude_e7(134_050_000)
        .with_time_ms(time_ms)
        .with_heading_degrees(90)
        .with_speed_cm_per_s(1400);
    ReportLocationsRequest::default().with_driver_id(id(driver)).with_location(location)
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
