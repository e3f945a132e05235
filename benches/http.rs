//! A call as HTTP/JSON through the gateway beside the same call over gRPC, one of each in turn: a read by id, and beside
//! them a request that the gateway answers alone, which is what its hop costs without a call behind it.
//!
//! Client, gateway and owner are processes of their own on loopback; each client keeps one connection.
//! `cargo bench --bench http`; the bars and the figures are in docs/benchmarks.md.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use freehold_sdk::Mesh;
use freehold_sdk::users::v1::{GetUserRequest, RegisterUserRequest, UsersClient};
use freehold_sdk::wire::metadata::CALLER;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

type Result<T> = std::result::Result<T, Box<dyn Error>>;
type Services = BTreeMap<String, String>;

const ROUNDS: usize = 10_000;
/// Calls before the first that counts: connections, caches, the allocator.
const WARM: usize = 1_000;
/// How long a service may take to start.
const START: Duration = Duration::from_secs(10);

fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (_owner, mut services) = up(folder.path(), "users", &Services::new())?;
    let (_gateway, gateway) = up(folder.path(), "gateway", &services)?;
    services.extend(gateway);
    let runtime = tokio::runtime::Runtime::new()?;
    let mut times = runtime.block_on(turns(&services))?;
    let [grpc, json, hop] = times.each_mut().map(|times| {
        times.sort_unstable();
        (times[ROUNDS / 2].as_secs_f64() * 1e6, times[ROUNDS * 99 / 100].as_secs_f64() * 1e6)
    });
    println!("GetUser, {ROUNDS} of each in turn      p50       p99");
    for (what, (p50, p99)) in [("gRPC", grpc), ("HTTP/JSON", json), ("a route that is not there", hop)] {
        println!("  {what:<26} {p50:>7.0} us {p99:>7.0} us");
    }
    println!("HTTP/JSON over gRPC, p50       {:+.0} us", json.0 - grpc.0);
    Ok(())
}

/// Each call once, round after round, so that whatever else the machine does hits all of them alike.
async fn turns(services: &Services) -> Result<[Vec<Duration>; 3]> {
    let users = UsersClient::connect(&Mesh::fixed("demo", services.clone()))?;
    let maria =
        RegisterUserRequest::default().with_id("MARIA").with_name("Maria").with_email("maria@example.com");
    users.register_user(maria).await?;
    let mut web = connect(services.get("gateway").ok_or("no gateway")?).await?;
    let mut times = [const { Vec::new() }; 3];
    for round in 0..WARM + ROUNDS {
        let began = Instant::now();
        let user = users.get_user(GetUserRequest::default().with_id("MARIA")).await?;
        let grpc = began.elapsed();
        let began = Instant::now();
        let (status, body) = get(&mut web, "/v1/users/MARIA").await?;
        let json = began.elapsed();
        let began = Instant::now();
        let (unknown, _) = get(&mut web, "/nowhere").await?;
        let hop = began.elapsed();
        let read: serde_json::Value = serde_json::from_slice(&body)?;
        if status != StatusCode::OK || unknown != StatusCode::NOT_FOUND || read["name"] != user.name.as_str()
        {
            return Err(format!("{status} {unknown} {read}").into());
        }
        if round >= WARM {
            times.iter_mut().zip([grpc, json, hop]).for_each(|(times, time)| times.push(time));
        }
    }
    Ok(times)
}

async fn connect(url: &str) -> Result<SendRequest<Empty<Bytes>>> {
    let socket = TcpStream::connect(url.strip_prefix("http://").unwrap_or(url)).await?;
    socket.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(socket)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn get(web: &mut SendRequest<Empty<Bytes>>, path: &str) -> Result<(StatusCode, Bytes)> {
    web.ready().await?;
    let request = Request::get(path).header("host", "gateway").header(CALLER, "demo");
    let response = web.send_request(request.body(Empty::new())?).await?;
    let status = response.status();
    Ok((status, response.into_body().collect().await?.to_bytes()))
}

/// A mesh of those services, which knows where the others are.
fn up(folder: &Path, only: &str, others: &Services) -> Result<(Ended, Services)> {
    let ready = folder.join(format!("{only}.json"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_freehold"));
    command.args(["up", "--port", "0", "--only", only, "--data"]).arg(folder.join("data"));
    command.arg("--ready-file").arg(&ready).stderr(Stdio::null()).stdout(Stdio::null());
    for (name, url) in others {
        command.env(format!("FREEHOLD_{}_URL", name.to_uppercase()), url);
    }
    let up = Ended(command.spawn()?);
    let began = Instant::now();
    while !ready.exists() && began.elapsed() < START {
        std::thread::sleep(Duration::from_millis(1));
    }
    let said: serde_json::Value = serde_json::from_slice(&fs::read(&ready)?)?;
    Ok((up, serde_json::from_value(said["services"].clone())?))
}

/// A process that ends with this value.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
