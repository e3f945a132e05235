//! docker-compose.yml, kept as honest as can be where no engine runs it: a service for each owner, on its own port over a
//! volume of its own, which finds all others and starts after those whose answers it needs.
//!
//! What is compared with is the table of ports and the contract, so a service that is added is missed here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use freehold_sdk::ports::DIRECTORY;
use freehold_sdk::{CONTRACT, PORTS};
use serde_json::Value;

use crate::{assert_none, root};

/// What is wrong with a compose file.
fn wrong(compose: &Value) -> Vec<String> {
    let found: BTreeSet<&str> = names(&compose["services"]);
    let wanted: BTreeMap<&str, u16> = ports();
    let mut wrong: Vec<String> = found
        .symmetric_difference(&wanted.keys().copied().collect())
        .map(|service| format!("`{service}` is in the file or in the mesh, not in both"))
        .collect();
    for (service, port) in wanted {
        let entry = &compose["services"][service];
        let mut expect = |what: &str, right: bool| {
            if !right {
                wrong.push(format!("{service}: {what}"));
            }
        };
        let variable = |name: &str| format!("FREEHOLD_{}_{name}", service.to_uppercase());
        let set = |name: &str| entry["environment"][variable(name)].as_str().unwrap_or_default();
        expect("is not built under its name", entry["build"]["args"]["SERVICE"] == service);
        expect("does not listen on its port", set("LISTEN") == format!("0.0.0.0:{port}"));
        expect("has another database", set("DATABASE_URL") == format!("sqlite:/data/{service}.db"));
        expect(
            "has no volume of its own",
            entry["volumes"] == serde_json::json!([format!("{service}:/data")]),
        );
        expect("has a volume that is not declared", names(&compose["volumes"]).contains(service));
        let published = format!("127.0.0.1:{port}:{port}");
        expect("is published elsewhere", entry["ports"] == serde_json::json!([published]));
        expect(
            "has no health check",
            entry["healthcheck"]["test"] == serde_json::json!(["CMD", "/service", "health"]),
        );
        expect(
            "does not trust the names of callers",
            entry["command"] == serde_json::json!(["--trust-metadata"]),
        );
        expect(
            "does not find everybody",
            ports().iter().all(|(other, port)| {
                let url = format!("FREEHOLD_{}_URL", other.to_uppercase());
                entry["environment"][url] == format!("http://{other}:{port}")
            }),
        );
        let before: BTreeSet<&str> = names(&entry["depends_on"]);
        expect("does not start after those it calls", before == called_by(service));
        let healthy = before.iter().all(|other| entry["depends_on"][other]["condition"] == "service_healthy");
        expect("starts before they are healthy", healthy);
    }
    wrong
}

fn names(mapping: &Value) -> BTreeSet<&str> {
    mapping.as_object().into_iter().flat_map(|entries| entries.keys().map(String::as_str)).collect()
}

/// The services of the mesh with their ports.
fn ports() -> BTreeMap<&'static str, u16> {
    PORTS.iter().copied().chain([("gateway", DIRECTORY)]).collect()
}

/// Whose answers a service cannot do without: the owners of the methods that it declares to call.
fn called_by(service: &str) -> BTreeSet<&'static str> {
    let calls = CONTRACT.consumer(service).map_or(&[][..], |consumer| consumer.calls);
    let owner = |method: &&str| {
        let (of, _) = method.split_once('/')?;
        CONTRACT.owners.iter().find(|owner| owner.services.contains(&of)).map(|owner| owner.name)
    };
    calls.iter().filter_map(owner).filter(|owner| *owner != service).collect()
}

fn compose() -> Value {
    file("docker-compose.yml")
}

fn file(name: &str) -> Value {
    let text = fs::read_to_string(root().join(name)).expect("the file is there");
    serde_saphyr::from_str(&text).expect("the file is YAML")
}

/// On the engines that teams grow into: a database of its own for each, and events over a broker that writes through.
#[test]
fn the_containers_on_engines_are_the_same_mesh() {
    let on = file("docker-compose.engines.yml");
    let known: BTreeSet<&str> = ports().into_keys().chain(["nats", "postgres"]).collect();
    assert_eq!(names(&on["services"]), known);
    let script = on["configs"]["databases"]["content"].as_str().unwrap_or_default();
    for service in ports().into_keys() {
        let entry = &on["services"][service];
        let database = format!("FREEHOLD_{}_DATABASE_URL", service.to_uppercase());
        assert_eq!(entry["environment"][database], format!("postgres://{service}@postgres/{service}"));
        assert!(script.contains(&format!("CREATE DATABASE {service} OWNER {service};")), "{service}");
        for engine in ["nats", "postgres"] {
            assert_eq!(entry["depends_on"][engine]["condition"], "service_healthy", "{service}");
        }
        let bus = entry["environment"]["FREEHOLD_BUS_URL"].as_str().unwrap_or_default();
        assert!(bus.starts_with("nats://nats:4222") || service == "gateway", "{service} has no bus");
    }
    let settings = on["configs"]["nats"]["content"].as_str().unwrap_or_default();
    assert!(
        settings.contains("sync_interval: always") && settings.contains("max_payload: 2MB"),
        "{settings}"
    );
}

#[test]
fn the_containers_are_the_mesh() {
    assert_none(&wrong(&compose()));
}

/// Whoever watches the containers watches all of them.
#[test]
fn prometheus_is_told_of_every_service() {
    let text = fs::read_to_string(root().join("docs/prometheus.yml")).expect("the file is there");
    let config: Value = serde_saphyr::from_str(&text).expect("the file is YAML");
    let targets = config["scrape_configs"][0]["static_configs"][0]["targets"].as_array().expect("targets");
    let targets: BTreeSet<&str> = targets.iter().filter_map(Value::as_str).collect();
    let services: BTreeSet<String> = ports().iter().map(|(name, port)| format!("{name}:{port}")).collect();
    assert_eq!(targets, services.iter().map(String::as_str).collect());
}

#[test]
fn what_does_not_fit_the_mesh_is_found() {
    type Plant = (&'static str, fn(&mut Value));
    let planted: [Plant; 6] = [
        ("/services/orders/volumes/0", |volume| *volume = "users:/data".into()),
        ("/services/orders/environment/FREEHOLD_ORDERS_LISTEN", |listen| *listen = "0.0.0.0:7401".into()),
        ("/services/orders/environment/FREEHOLD_CATALOG_URL", |url| *url = "http://127.0.0.1:7402".into()),
        ("/services/orders/depends_on", |before| *before = serde_json::json!({})),
        ("/services/users/healthcheck", |check| *check = Value::Null),
        ("/services/users/ports/0", |port| *port = "7401:7401".into()),
    ];
    for (place, plant) in planted {
        let mut compose = compose();
        plant(compose.pointer_mut(place).expect(place));
        assert!(!wrong(&compose).is_empty(), "{place}");
    }
}
