//! Which member of the workspace may depend on which.
//!
//! The table is section 4 of the design. Beside it stand the rules that hold over any distance, by whatever way one crate
//! is reached from another.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use cargo_metadata::{DependencyKind, Metadata};

use crate::sources::{self, Source};
use crate::{WORKSPACE, assert_none, root};

/// Every crate of the framework. Tests may depend on any of them.
const FRAMEWORK: &[&str] = &[
    "freehold-client",
    "freehold-codegen",
    "freehold-contract",
    "freehold-events",
    "freehold-metrics",
    "freehold-replica",
    "freehold-saga",
    "freehold-server",
    "freehold-store",
    "freehold-testkit",
    "freehold-transcode",
    "freehold-wire",
];

/// Every service: what is in the folder of the services.
static SERVICES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let here = root().join("services");
    let packages = WORKSPACE.workspace_packages().into_iter();
    packages
        .filter(|package| package.manifest_path.starts_with(&here))
        .map(|package| package.name.as_str())
        .collect()
});

/// What a service is made of, where it has no row of its own.
const OF_A_SERVICE: &[&str] = &[
    "freehold-sdk",
    "freehold-server",
    "freehold-store",
    "freehold-events",
    "freehold-replica",
    "freehold-saga",
    "freehold-wire",
];

/// What each member may depend on, tests aside. The root package, the `freehold` command, may depend on anything.
const ARROWS: &[(&str, &[&str])] = &[
    ("freehold-wire", &[]),
    ("freehold-contract", &[]),
    ("freehold-codegen", &["freehold-contract"]),
    ("freehold-metrics", &[]),
    ("freehold-client", &["freehold-metrics", "freehold-wire"]),
    ("freehold-server", &["freehold-metrics", "freehold-wire"]),
    ("freehold-store", &["freehold-wire"]),
    ("freehold-events", &["freehold-store", "freehold-client", "freehold-metrics", "freehold-wire"]),
    ("freehold-replica", &["freehold-events", "freehold-client", "freehold-store", "freehold-wire"]),
    ("freehold-saga", &["freehold-store", "freehold-wire"]),
    ("freehold-transcode", &["freehold-client", "freehold-wire"]),
    ("freehold-testkit", FRAMEWORK),
    ("freehold-sdk", &["freehold-client", "freehold-wire"]),
    (
        "gateway",
        &[
            "freehold-sdk",
            "freehold-server",
            "freehold-store",
            "freehold-saga",
            "freehold-transcode",
            "freehold-wire",
        ],
    ),
    // Built first, and by whoever wants to test anything: it waits for no other crate.
    ("xtask", &[]),
];

/// From these, to these, and why.
type Never = (&'static [&'static str], &'static [&'static str], &'static str);

/// What is never reached, however far the way: from these, to these, and why.
fn never() -> [Never; 5] {
    let services = SERVICES.as_slice();
    [
        (services, services, "services know each other by contract alone"),
        (FRAMEWORK, &["freehold-sdk"], "the framework knows no contract"),
        (FRAMEWORK, services, "the framework knows no service"),
        (
            &["freehold-sdk"],
            &[
                "sqlx",
                "rusqlite",
                "freehold-server",
                "freehold-store",
                "freehold-events",
                "freehold-replica",
                "freehold-saga",
            ],
            "who calls a service builds neither a database nor a server",
        ),
        (&["freehold-contract", "freehold-codegen"], &["tokio"], "contracts are text in, text out"),
    ]
}

/// Who depends on whom, by name.
#[derive(Default)]
struct Graph {
    /// In the program; build scripts count.
    program: BTreeMap<String, BTreeSet<String>>,
    /// In its tests, besides.
    tests: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    fn of(metadata: &Metadata) -> Self {
        let mut graph = Self::default();
        let resolve = metadata.resolve.as_ref().expect("cargo metadata resolves");
        for node in &resolve.nodes {
            let from = metadata[&node.id].name.as_str();
            for dependency in &node.deps {
                let to = metadata[&dependency.pkg].name.as_str();
                for kind in &dependency.dep_kinds {
                    graph.add(from, to, kind.kind);
                }
            }
        }
        graph
    }

    fn add(&mut self, from: &str, to: &str, kind: DependencyKind) {
        let edges = if kind == DependencyKind::Development { &mut self.tests } else { &mut self.program };
        edges.entry(from.to_owned()).or_default().insert(to.to_owned());
    }

    fn program(&self, from: &str) -> impl Iterator<Item = &str> {
        self.program.get(from).into_iter().flatten().map(String::as_str)
    }

    fn tests(&self, from: &str) -> impl Iterator<Item = &str> {
        self.tests.get(from).into_iter().flatten().map(String::as_str)
    }

    /// A way from `from` to `to` through programs.
    fn way(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let mut seen = BTreeSet::new();
        let mut ways = vec![vec![from.to_owned()]];
        while let Some(way) = ways.pop() {
            let end = way.last().cloned().unwrap_or_default();
            for next in self.program(&end) {
                let mut further = way.clone();
                further.push(next.to_owned());
                if next == to {
                    return Some(further);
                }
                if seen.insert(next.to_owned()) {
                    ways.push(further);
                }
            }
        }
        None
    }
}

/// Arrows between `members` that the table does not have.
fn undrawn(graph: &Graph, members: &BTreeSet<String>) -> Vec<String> {
    let mut violations = Vec::new();
    for member in members.iter().filter(|member| *member != "freehold") {
        let Some(allowed) = row(member) else {
            violations.push(format!("{member} has no row in the table of arrows"));
            continue;
        };
        let refused = graph.program(member).filter(|to| members.contains(*to) && !allowed.contains(to));
        violations.extend(refused.map(|to| format!("{member} -> {to} is no arrow of the design")));
        let refused = graph.tests(member).filter(|to| {
            members.contains(*to) && !allowed.contains(to) && !FRAMEWORK.contains(to) && to != member
        });
        violations
            .extend(refused.map(|to| format!("the tests of {member} -> {to} is no arrow of the design")));
    }
    violations
}

/// What a member may depend on.
fn row(member: &str) -> Option<&'static [&'static str]> {
    let drawn = ARROWS.iter().find(|(name, _)| *name == member).map(|(_, allowed)| *allowed);
    drawn.or_else(|| SERVICES.contains(&member).then_some(OF_A_SERVICE))
}

/// Ways that must not be, and tests that must not know.
fn forbidden(graph: &Graph) -> Vec<String> {
    let mut violations = Vec::new();
    for (from, to, why) in never() {
        for from in from {
            for to in to.iter().filter(|to| *to != from) {
                if let Some(way) = graph.way(from, to) {
                    violations.push(format!("{}: {why}", way.join(" -> ")));
                }
                let of_ours = FRAMEWORK.contains(to) || SERVICES.contains(to) || *to == "freehold-sdk";
                if of_ours && graph.tests(from).any(|test| test == *to) && *from != "freehold-sdk" {
                    violations.push(format!("the tests of {from} -> {to}: {why}"));
                }
            }
        }
    }
    violations
}

/// Uses of the test kit in crates that it depends on itself, outside their tests/ folder. There the crate would exist
/// twice, as the one under test and as the one of the kit, with types that do not fit.
fn kit_inside_out(graph: &Graph, sources: &[Source]) -> Vec<String> {
    let below = FRAMEWORK.iter().filter(|name| graph.way("freehold-testkit", name).is_some());
    let folders: Vec<String> =
        below.map(|name| format!("crates/{}/src/", name.trim_start_matches("freehold-"))).collect();
    let inside = |source: &&Source| folders.iter().any(|folder| source.path.starts_with(folder));
    let uses = |source: &&Source| source.text.contains("freehold_testkit");
    let tell =
        |source: &Source| format!("{}: the kit depends on this crate; use it from tests/", source.path);
    sources.iter().filter(inside).filter(uses).map(tell).collect()
}

fn members() -> BTreeSet<String> {
    WORKSPACE.workspace_packages().iter().map(|package| package.name.to_string()).collect()
}

#[test]
fn members_depend_on_each_other_as_drawn() {
    assert_none(&undrawn(&Graph::of(&WORKSPACE), &members()));
}

#[test]
fn what_is_never_reached_is_never_reached() {
    assert_none(&forbidden(&Graph::of(&WORKSPACE)));
}

#[test]
fn the_test_kit_is_used_from_outside() {
    assert_none(&kit_inside_out(&Graph::of(&WORKSPACE), &sources::all()));
}

/// Rules that see nothing would pass as well.
#[test]
fn the_graph_has_this_workspace_in_it() {
    let graph = Graph::of(&WORKSPACE);
    assert_eq!(graph.way("freehold-events", "freehold-wire").map(|way| way.len() >= 2), Some(true));
    assert!(graph.tests("freehold").any(|to| to == "cargo_metadata"));
    assert!(ARROWS.iter().all(|(name, _)| members().contains(*name)), "every row is of a member");
    assert!(SERVICES.len() > 5 && SERVICES.contains(&"orders"), "{:?}", *SERVICES);
}

fn planted(edges: &[(&str, &str, DependencyKind)]) -> Graph {
    let mut graph = Graph::default();
    for (from, to, kind) in edges {
        graph.add(from, to, *kind);
    }
    graph
}

#[test]
fn an_arrow_that_is_not_drawn_is_found() {
    let graph = planted(&[
        ("freehold-client", "freehold-wire", DependencyKind::Normal),
        ("freehold-wire", "freehold-client", DependencyKind::Build),
        ("freehold-sdk", "freehold-testkit", DependencyKind::Development),
        ("freehold-store", "users", DependencyKind::Development),
        ("postbox", "freehold-wire", DependencyKind::Normal),
    ]);
    let members = [
        "freehold-client",
        "freehold-wire",
        "freehold-sdk",
        "freehold-testkit",
        "freehold-store",
        "users",
        "postbox",
    ];
    let found = undrawn(&graph, &members.map(str::to_owned).into());
    assert_eq!(
        found,
        [
            "the tests of freehold-store -> users is no arrow of the design",
            "freehold-wire -> freehold-client is no arrow of the design",
            "postbox has no row in the table of arrows",
        ]
    );
}

#[test]
fn a_forbidden_way_is_found_over_any_distance() {
    let graph = planted(&[
        ("freehold-sdk", "freehold-wire", DependencyKind::Normal),
        ("freehold-wire", "pool", DependencyKind::Normal),
        ("pool", "sqlx", DependencyKind::Normal),
        ("freehold-codegen", "freehold-contract", DependencyKind::Normal),
        ("freehold-contract", "tokio", DependencyKind::Build),
        ("orders", "users", DependencyKind::Development),
    ]);
    let found = forbidden(&graph).join("\n");
    for expected in [
        "freehold-sdk -> freehold-wire -> pool -> sqlx: who calls",
        "freehold-codegen -> freehold-contract -> tokio: contracts",
        "the tests of orders -> users: services",
    ] {
        assert!(found.contains(expected), "{expected} in\n{found}");
    }
}

#[test]
fn a_kit_used_from_below_is_found() {
    let graph = planted(&[
        ("freehold-testkit", "freehold-store", DependencyKind::Normal),
        ("freehold-saga", "freehold-testkit", DependencyKind::Development),
    ]);
    let uses = "use freehold_testkit::engines;";
    let sources = ["crates/store/src/work.rs", "crates/store/tests/suite.rs", "crates/saga/src/run.rs"]
        .map(|path| Source::new(path, uses));
    assert_eq!(
        kit_inside_out(&graph, &sources),
        ["crates/store/src/work.rs: the kit depends on this crate; use it from tests/"]
    );
}
