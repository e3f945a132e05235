//! Each service as a process of its own: the same workload, the same checks, and what goes on when one of them stops.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use freehold_sdk::orders::v1::{ListOrdersRequest, OrderSummary, OrdersClient};
use freehold_sdk::{Mesh, PORTS};
use freehold_server::databases::Databases;
use freehold_testkit::process::Signal;
use freehold_testkit::{FaultProxy, PATIENCE, Process, Scratch, eventually};
use serde_json::Value;

use crate::engines::Engines;
use crate::mesh::{Ended, clean, finish, freehold, is_sound};
use crate::ports;
use crate::records::Records;

#[tokio::test]
async fn services_that_run_apart_are_the_same_mesh() {
    let scratch = Scratch::new("apart");
    let mut apart = Apart::start(scratch.path()).await;
    let demo = ["demo", "--mesh", "env", "--orders", "60", "--workers", "16", "-o", "json"];
    let demo = apart.run(&demo).await;
    assert_eq!(demo.code, Some(0), "{demo:#?}");
    assert!(demo.json()[0]["confirmed"].as_i64() > Some(0), "{demo:#?}");
    is_sound(scratch.path()).await;

    let before = apart.orders().await;
    assert!(before.iter().flat_map(|order| &order.lines).all(|line| !line.product_name.is_empty()));
    apart.stop("catalog").await;
    let status = apart.run(&["status", "--mesh", "env"]).await;
    assert_eq!(status.code, Some(1), "{status:#?}");
    assert_eq!(apart.orders().await, before, "orders has the names without catalog");
    apart.begin("catalog");
    apart.serves().await;
    is_sound(scratch.path()).await;
}

/// Each service ends as an orchestrator ends it, while orders are placed, and comes back: nobody's order fails.
#[tokio::test]
async fn services_that_restart_one_after_the_other_fail_no_order() {
    let scratch = Scratch::new("rolling");
    let records = Records::of(&scratch.join("data"));
    let mut apart = Apart::start(scratch.path()).await;
    for ((service, _), seed) in PORTS.iter().zip(1..) {
        let demo = apart.demo(seed);
        let placed = format!("SELECT 1 FROM shop_order WHERE id LIKE 's{seed}-%' LIMIT 1");
        eventually("orders are placed", PATIENCE, async || records.number("orders", &placed)).await;
        apart.stop(service).await;
        assert_eq!(apart.health(service).await, Some(1), "{service} is stopped");
        apart.begin(service);
        apart.is_healthy(service).await;
        let demo = finish(demo).await;
        assert_eq!(demo.code, Some(0), "{service}: {demo:#?}");
        let report = &demo.json()[0];
        let count = |outcome: &str| sum(&report[outcome]);
        assert_eq!(
            count("confirmed") + count("rejected") + count("refused"),
            ORDERS,
            "{service}: {report:#}"
        );
    }
    apart.serves().await;
    is_sound(scratch.path()).await;
}

const ORDERS: i64 = 80;

/// A count, or the sum of what is counted by reason.
fn sum(counted: &Value) -> i64 {
    let by_reason = |counts: &serde_json::Map<String, Value>| counts.values().map(sum).sum();
    counted.as_i64().unwrap_or_else(|| counted.as_object().map_or(0, by_reason))
}

/// A process for each service, each told by the environment alone where it and the others are.
pub(crate) struct Apart {
    folder: PathBuf,
    environment: BTreeMap<String, String>,
    processes: BTreeMap<&'static str, Process>,
}

impl Apart {
    /// Starts all services over the folder `data` of `folder`; returns when all of them serve.
    pub(crate) async fn start(folder: &Path) -> Self {
        Self::told_of(folder, environment(folder, a_row())).await
    }

    /// The same on engines that were made for that folder.
    pub(crate) async fn on(folder: &Path, engines: &Engines) -> Self {
        let mut environment = environment(folder, a_row());
        environment.extend(engines.bus().map(|(name, url)| (name.to_owned(), url.to_owned())));
        Self::told_of(folder, environment).await
    }

    /// The same, where everybody reaches everybody through a proxy: one before each service, in their order.
    pub(crate) async fn start_behind_proxies(
        folder: &Path,
        engines: &Engines,
        seed: u64,
    ) -> (Self, Vec<FaultProxy>) {
        let first = a_row();
        let (mut environment, mut proxies) = (environment(folder, first), Vec::new());
        environment.extend(engines.bus().map(|(name, url)| (name.to_owned(), url.to_owned())));
        for ((service, _), port) in PORTS.iter().zip(first..) {
            let proxy = FaultProxy::seeded(("127.0.0.1", port), seed ^ u64::from(port - first)).await;
            environment.insert(format!("FREEHOLD_{}_URL", service.to_uppercase()), proxy.url());
            proxies.push(proxy);
        }
        (Self::told_of(folder, environment).await, proxies)
    }

    async fn told_of(folder: &Path, environment: BTreeMap<String, String>) -> Self {
        let mut apart = Self { folder: folder.to_owned(), environment, processes: BTreeMap::new() };
        PORTS.iter().for_each(|(service, _)| apart.begin(service));
        apart.serves().await;
        apart
    }

    /// Kills one service.
    pub(crate) fn kill(&mut self, service: &str) {
        self.processes.get_mut(service).expect("the service runs").kill();
    }

    /// Waits until one service is healthy.
    pub(crate) async fn is_healthy(&self, service: &str) {
        let serves = async || (self.health(service).await == Some(0)).then_some(());
        eventually("it is healthy again", PATIENCE, serves).await;
    }

    /// Whether each of them still runs.
    pub(crate) fn all_run(&mut self) -> bool {
        self.processes.values_mut().all(|process| process.has_ended().is_none())
    }

    /// Starts one service.
    pub(crate) fn begin(&mut self, service: &'static str) {
        let process = Process::start(&mut self.told(Command::new(program(service))));
        self.processes.insert(service, process);
    }

    /// Starts another instance of a service, on a port of its own to which nobody is sent, under a name of its own.
    pub(crate) fn begin_second(&mut self, service: &str, name: &'static str) {
        let mut command = self.told(Command::new(program(service)));
        let listen = format!("127.0.0.1:{}", ports::in_a_row(1));
        self.environment.insert(listens(name), listen.clone());
        let process = Process::start(command.env(listens(service), listen));
        self.processes.insert(name, process);
    }

    /// The names of all processes.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.processes.keys().copied()
    }

    /// What a process has counted, over everything that it counts apart.
    pub(crate) fn counted(&self, name: &str, metric: &str) -> u64 {
        let mut socket = TcpStream::connect(&self.environment[&listens(name)]).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        let mut said = String::new();
        socket.read_to_string(&mut said).unwrap();
        let samples = said.lines().filter_map(|line| line.strip_prefix(metric)?.rsplit(' ').next());
        samples.filter_map(|number| number.parse::<u64>().ok()).sum()
    }

    /// Waits until all of them serve.
    pub(crate) async fn serves(&self) {
        eventually("all services serve", PATIENCE, async || {
            let status = self.run(&["status", "--mesh", "env"]).await;
            (status.code == Some(0)).then_some(())
        })
        .await;
    }

    /// Ends one service, as an orchestrator would.
    pub(crate) async fn stop(&mut self, service: &str) {
        let process = self.processes.remove(service).expect("the service runs");
        process.signal(Signal::Terminate);
        let ended = finish(process).await;
        assert_eq!(ended.code, Some(0), "{ended:#?}");
    }

    /// Sends a signal to one service.
    pub(crate) fn signal(&self, service: &str, signal: Signal) {
        self.processes[service].signal(signal);
    }

    /// The mesh as a consumer of that name sees it.
    pub(crate) fn mesh(&self, consumer: &str) -> Mesh {
        let url =
            |service: &str| self.environment[&format!("FREEHOLD_{}_URL", service.to_uppercase())].clone();
        Mesh::fixed(consumer, PORTS.iter().map(|(service, _)| (*service, url(service))))
    }

    /// What whoever watches a container is told.
    async fn health(&self, service: &str) -> Option<i32> {
        let mut command = Command::new(program(service));
        command.arg("health");
        finish(Process::start(&mut self.told(command))).await.code
    }

    /// Begins to place orders of its own for each seed.
    fn demo(&self, seed: u32) -> Process {
        let (orders, seed) = (ORDERS.to_string(), seed.to_string());
        let demo =
            ["demo", "--mesh", "env", "--workers", "8", "-o", "json", "--orders", &orders, "--seed", &seed];
        Process::start(&mut self.told(freehold(&self.folder, &demo)))
    }

    /// Runs the command as somebody who lives in the same environment.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ended {
        finish(Process::start(&mut self.command(arguments))).await
    }

    /// The command of somebody who lives in the same environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.told(freehold(&self.folder, arguments))
    }

    fn told(&self, mut command: Command) -> Command {
        clean(&mut command);
        command.current_dir(&self.folder).envs(&self.environment);
        command
    }

    /// All orders as a list shows them.
    pub(crate) async fn orders(&self) -> Vec<OrderSummary> {
        let orders = OrdersClient::connect(&self.mesh("demo")).unwrap().with_deadline(PATIENCE);
        orders.list_orders(ListOrdersRequest::default().with_page_size(1000)).await.unwrap().orders
    }
}

/// The first of as many ports in a row as there are services.
fn a_row() -> u16 {
    ports::in_a_row(u16::try_from(PORTS.len()).expect("a row of ports"))
}

/// The variable that says where a process listens.
fn listens(name: &str) -> String {
    format!("FREEHOLD_{}_LISTEN", name.to_uppercase())
}

fn environment(folder: &Path, first: u16) -> BTreeMap<String, String> {
    let databases = Databases::of(&folder.join("data")).expect("the databases are said");
    let mut environment = BTreeMap::new();
    for ((service, _), port) in PORTS.iter().zip(first..) {
        let mut set = |what: &str, value| {
            environment.insert(format!("FREEHOLD_{}_{what}", service.to_uppercase()), value);
        };
        set("LISTEN", format!("127.0.0.1:{port}"));
        set("URL", format!("http://127.0.0.1:{port}"));
        set("DATABASE_URL", databases.url(service));
    }
    let mails = folder.join("mails").display().to_string();
    environment.insert("FREEHOLD_NOTIFICATIONS_MAILS".to_owned(), mails);
    environment
}

/// The program of a service, beside the command. Cargo builds it for the tests of the workspace; where only this test was
/// asked for, it may still have to be built, and where the bus was, what lies there may know none.
fn program(service: &str) -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    let beside = |name: &str| Path::new(env!("CARGO_BIN_EXE_freehold")).with_file_name(name);
    BUILT.get_or_init(|| {
        if cfg!(feature = "nats") || !PORTS.iter().all(|(name, _)| beside(name).exists()) {
            build();
        }
    });
    let program = beside(service);
    assert!(program.exists(), "{} is missing: run `cargo build --workspace --bins`", program.display());
    program
}

/// How the variables begin that cargo sets for the tests of a package.
const OF_A_PACKAGE: [&str; 3] = ["CARGO_PKG_", "CARGO_MANIFEST_", "OUT_DIR"];

/// Of the whole workspace, with this test beside them and its features, as `cargo xtask test` builds them: then there is
/// nothing left to build. What cargo tells a test about its own package, build scripts would take for news.
fn build() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).args(["build", "--locked", "--workspace"]);
    cargo.args(["--bins", "--test", "journeys"]);
    let ours = std::env::vars_os().map(|(name, _)| name);
    for name in ours.filter(|name| OF_A_PACKAGE.iter().any(|of| name.to_string_lossy().starts_with(of))) {
        cargo.env_remove(name);
    }
    if cfg!(feature = "nats") {
        cargo.args(["--features", "nats"]);
    }
    assert!(cargo.status().is_ok_and(|status| status.success()), "the services do not build");
}
