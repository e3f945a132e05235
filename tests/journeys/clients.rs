//! Clients of others: grpcurl, buf, k6 and Python's gRPC know nothing but an address, find all of a service by reflection,
//! and call it.
//!
//! Each has a mesh of its own, finds every service of it and every RPC of the contract, and makes one call to each owner.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use freehold_sdk::CONTRACT;
use freehold_testkit::{Process, Scratch};
use serde_json::{Value, json};

use crate::mesh::{Ended, Up, finish};
use crate::tools::{python, tool};

/// A call that a client makes: who it says it is, what it calls, what it sends, and which code it expects.
struct Call {
    owner: &'static str,
    caller: &'static str,
    method: &'static str,
    request: &'static str,
    code: u8,
}

const OK: u8 = 0;
const NOT_FOUND: u8 = 5;

/// One call to each owner, by a consumer that declares it: reads, a write, and a refusal.
const CALLS: [Call; 9] = [
    call("catalog", "demo", "catalog.v1.CatalogService/ListProducts", "{}", OK),
    call("drivers", "demo", "drivers.v1.DriversService/ListDrivers", "{}", OK),
    call(
        "gateway",
        "backoffice",
        "gateway.v1.GatewayService/GetOrderPage",
        r#"{"order_id": "NONE"}"#,
        NOT_FOUND,
    ),
    call("inventory", "demo", "inventory.v1.InventoryService/ListStock", "{}", OK),
    call("notifications", "demo", "notifications.v1.NotificationsService/CountMails", "{}", OK),
    call("orders", "demo", "orders.v1.OrdersService/ListOrders", "{}", OK),
    call("payments", "demo", "payments.v1.PaymentsService/OpenAccount", r#"{"customer_id": "ALFKI"}"#, OK),
    call("rides", "demo", "rides.v1.RidesService/ListRides", "{}", OK),
    call("users", "demo", "users.v1.UsersService/ListUsers", "{}", OK),
];

const fn call(
    owner: &'static str,
    caller: &'static str,
    method: &'static str,
    request: &'static str,
    code: u8,
) -> Call {
    Call { owner, caller, method, request, code }
}

impl Call {
    fn header(&self) -> String {
        format!("freehold-caller: {}", self.caller)
    }

    fn address<'a>(&self, up: &'a Up) -> &'a str {
        up.services[self.owner].strip_prefix("http://").expect("an address is a URL")
    }

    /// The RPCs that the contract gives the owner, "package.Service/Method".
    fn methods(&self) -> impl Iterator<Item = &'static str> {
        CONTRACT.owner(self.owner).expect("it is an owner").methods.iter().map(|rules| rules.name())
    }
}

async fn run(program: &Path, arguments: &[&str]) -> Ended {
    finish(Process::start(Command::new(program).args(arguments))).await
}

#[tokio::test]
async fn grpcurl_describes_and_calls_every_service() {
    let Some(grpcurl) = tool("grpcurl") else { return };
    let scratch = Scratch::new("grpcurl");
    let up = Up::start(scratch.path()).await;
    for call in &CALLS {
        let address = call.address(&up);
        let (mut listed, mut described) = (BTreeSet::new(), String::new());
        for service in CONTRACT.owner(call.owner).unwrap().services {
            let list = run(&grpcurl, &["-plaintext", address, "list", service]).await;
            listed.extend(list.stdout.lines().map(str::to_owned));
            described += &run(&grpcurl, &["-plaintext", address, "describe", service]).await.stdout;
        }
        let methods: BTreeSet<String> = call.methods().map(|method| method.replace('/', ".")).collect();
        assert_eq!(listed, methods);
        for (_, method) in methods.iter().filter_map(|method| method.rsplit_once('.')) {
            assert!(described.contains(&format!("rpc {method} (")), "{method}: {described}");
        }
        let (header, code) = (call.header(), if call.code == OK { 0 } else { 64 + i32::from(call.code) });
        let answered =
            run(&grpcurl, &["-plaintext", "-H", &header, "-d", call.request, address, call.method]).await;
        assert_eq!(answered.code, Some(code), "{}: {answered:#?}", call.method);
    }
}

const GRPC: [&str; 4] = ["curl", "--http2-prior-knowledge", "--protocol", "grpc"];

#[tokio::test]
async fn buf_curl_finds_and_calls_every_service() {
    let Some(buf) = tool("buf") else { return };
    let scratch = Scratch::new("buf");
    let up = Up::start(scratch.path()).await;
    for call in &CALLS {
        let url = &*up.services[call.owner];
        let listed = run(&buf, &[&GRPC[..], &["--list-methods", url]].concat()).await;
        for method in call.methods() {
            assert!(listed.stdout.lines().any(|line| line == method), "{method}: {listed:#?}");
        }
        let (header, url) = (call.header(), format!("{url}/{}", call.method));
        let answered =
            run(&buf, &[&GRPC[..], &["--header", &header, "--data", call.request, &url]].concat()).await;
        // buf's exit code is the status, moved by three bits.
        assert_eq!(answered.code, Some(i32::from(call.code) << 3), "{}: {answered:#?}", call.method);
    }
}

/// What a script is told: per owner its address, its RPCs and the call.
fn told(up: &Up) -> Value {
    let owners = CALLS.iter().map(|call| {
        json!({
            "address": call.address(up),
            "caller": call.caller,
            "methods": call.methods().collect::<Vec<_>>(),
            "method": call.method,
            "request": serde_json::from_str::<Value>(call.request).expect("a request is JSON"),
            "code": call.code,
        })
    });
    Value::Array(owners.collect())
}

/// Runs a script over all owners; it says how many RPCs and calls there were.
async fn script(name: &str, program: Option<PathBuf>, arguments: &[&str]) {
    let Some(program) = program else { return };
    let scratch = Scratch::new(name);
    let up = Up::start(scratch.path()).await;
    let owners = scratch.join("owners.json");
    std::fs::write(&owners, told(&up).to_string()).unwrap();
    let mut command = Command::new(program);
    command.args(arguments).current_dir(scratch.path()).env("OWNERS", &owners);
    let ended = finish(Process::start(&mut command)).await;
    let methods: usize = CALLS.iter().map(|call| call.methods().count()).sum();
    let expected = format!("described {methods} methods, made {} calls", CALLS.len());
    // k6 logs what a script says.
    let said = [&*ended.stdout, &ended.stderr].concat();
    assert!(said.contains(&expected), "{expected}: {ended:#?}");
    assert_eq!(ended.code, Some(0), "{ended:#?}");
}

#[tokio::test]
async fn python_describes_and_calls_every_service() {
    let script_file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/journeys/clients/reflect.py");
    script("python", python(), &[script_file]).await;
}

#[tokio::test]
async fn k6_calls_every_service() {
    let script_file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/journeys/clients/calls.js");
    script("k6", tool("k6"), &["run", "--quiet", "--no-usage-report", "--no-summary", script_file]).await;
}
