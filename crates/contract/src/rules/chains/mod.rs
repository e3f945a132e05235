//! Chains of synchronous calls: none goes round in a circle, and none needs more time than its caller has.
//!
//! What a hop needs is its `min_deadline`, as with less left it refuses. A method needs its own, and on top of it the most
//! that any of the calls needs which name it as their `from`; those may run side by side, so they are not added up.

mod graph;

use std::collections::BTreeSet;
use std::time::Duration;

use graph::{By, Graph, Hop};

use super::scope::{Rpc, Scope, is_entity};
use crate::finding::Finding;
use crate::language::{self, number};
use crate::model::Model;

const DEADLINE: &[i32] = &[number::CALL, 1];
const MIN_DEADLINE: &[i32] = &[number::CALL, 2];

/// Hops that one finding shows; the figures are those of the whole chain.
const MOST_HOPS: usize = 16;

/// FH4301. The lines of a step and of what takes it back are the same, and so may be the circles through them.
pub(super) fn circle(scope: &Scope<'_>) -> Vec<Finding> {
    let graph = Graph::new(scope);
    let (mut findings, mut seen) = (Vec::new(), BTreeSet::new());
    for circle in graph.circles() {
        let mut lines: Vec<_> =
            circle.iter().filter_map(|(_, hop)| hop.need.map(|need| &need.place)).collect();
        lines.sort_unstable();
        if !seen.insert(lines.into_iter().cloned().collect::<Vec<_>>()) {
            continue;
        }
        let methods = circle.iter().filter(|(node, _)| *node < graph.rpcs.len());
        let mut path: Vec<&str> = methods.map(|(node, _)| graph.rpcs[*node].name.as_str()).collect();
        path.extend(path.first().copied());
        let mut finding = Finding::error(format!("calls wait for themselves: {}", path.join(" -> ")));
        let declared = circle.iter().filter_map(|(_, hop)| Some((hop.need?, hop.by)));
        for ((need, by), index) in declared.zip(1..) {
            finding = finding.at(need.place.clone(), format!("{index}{}", maker(by)));
        }
        findings.push(finding.help(way_out(&graph, &circle)));
    }
    findings
}

/// FH4302.
pub(super) fn too_deep(scope: &Scope<'_>) -> Vec<Finding> {
    let graph = Graph::new(scope);
    let chains = Chains::new(&graph);
    let mut findings = Vec::new();
    for (node, rpc) in graph.rpcs.iter().enumerate() {
        let (Some(chain), deadline) = (&chains.of[node], deadline(rpc)) else { continue };
        if chain.next.is_some() && chain.needs > deadline && least(rpc) <= deadline {
            findings.push(too_deep_finding(scope, &graph, &chains, node));
        }
    }
    findings
}

/// FH4303. A stream's deadline is its greatest age, so nobody waits for all of it.
pub(super) fn outlasting(scope: &Scope<'_>) -> Vec<Finding> {
    let graph = Graph::new(scope);
    let mut findings = Vec::new();
    for (caller, hop) in
        graph.rpcs.iter().zip(&graph.hops).flat_map(|(rpc, hops)| hops.iter().map(move |hop| (rpc, hop)))
    {
        let (Some(need), By::Named) = (hop.need, hop.by) else { continue };
        let called = graph.rpcs[hop.to];
        let Some(longer) =
            called.words.deadline.and_then(language::span).filter(|span| *span > deadline(caller))
        else {
            continue;
        };
        if called.method.is_server_streaming() || called.method.is_client_streaming() {
            continue;
        }
        let message = format!(
            "`{}` may take {longer:?}, and `{}`, which calls it, has {:?}",
            called.name,
            caller.name,
            deadline(caller)
        );
        let finding = Finding::warning(message)
            .at(need.place.clone(), "")
            .at(scope.places.method_option(&called.method, DEADLINE), "longer")
            .at(scope.places.method_option(&caller.method, DEADLINE), of_deadline(caller));
        findings.push(finding.help(format!(
            "give `{}` at least as long, or shorten what it calls:\n    option (freehold.v1.call).deadline = {};",
            caller.method.name(),
            literal(longer)
        )));
    }
    findings
}

/// What each method needs with all that it calls; none for a method from which a circle is reached.
struct Chains {
    of: Vec<Option<Chain>>,
}

#[derive(Clone, Copy)]
struct Chain {
    needs: Duration,
    /// The hop to what needs most, by its index.
    next: Option<usize>,
}

impl Chains {
    /// Each method after all that it calls, which is Kahn's order, backwards.
    fn new(graph: &Graph<'_>) -> Self {
        let calls = |node: usize| graph.hops[node].iter().enumerate().filter(|(_, hop)| hop.by == By::Named);
        let mut waiting: Vec<usize> = (0..graph.rpcs.len()).map(|node| calls(node).count()).collect();
        let mut callers = vec![Vec::new(); graph.rpcs.len()];
        for node in 0..graph.rpcs.len() {
            calls(node).for_each(|(_, hop)| callers[hop.to].push(node));
        }
        let mut of: Vec<Option<Chain>> = vec![None; graph.rpcs.len()];
        let mut ready: Vec<usize> = (0..graph.rpcs.len()).filter(|node| waiting[*node] == 0).collect();
        while let Some(node) = ready.pop() {
            let needs = |hop: &Hop<'_>| of[hop.to].map(|chain| chain.needs).unwrap_or_default();
            let most = calls(node).max_by_key(|(index, hop)| (needs(hop), std::cmp::Reverse(*index)));
            let below = most.map(|(_, hop)| needs(hop)).unwrap_or_default();
            let needs = least(graph.rpcs[node]).saturating_add(below);
            of[node] = Some(Chain { needs, next: most.map(|(index, _)| index) });
            for caller in &callers[node] {
                waiting[*caller] -= 1;
                if waiting[*caller] == 0 {
                    ready.push(*caller);
                }
            }
        }
        Self { of }
    }

    /// The hops from the node down to where nothing more is called, as many as are shown.
    fn hops<'a>(&self, graph: &Graph<'a>, mut node: usize) -> Vec<Hop<'a>> {
        let mut hops = Vec::new();
        while let Some(next) = self.of[node].and_then(|chain| chain.next).filter(|_| hops.len() < MOST_HOPS) {
            hops.push(graph.hops[node][next]);
            node = graph.hops[node][next].to;
        }
        hops
    }
}

fn too_deep_finding(scope: &Scope<'_>, graph: &Graph<'_>, chains: &Chains, node: usize) -> Finding {
    let rpc = graph.rpcs[node];
    let needs = chains.of[node].map(|chain| chain.needs).unwrap_or_default();
    let hops = chains.hops(graph, node);
    let needing = std::iter::once(rpc).chain(hops.iter().map(|hop| graph.rpcs[hop.to]));
    let mut path: Vec<String> = needing.map(|rpc| format!("{} {:?}", rpc.name, least(rpc))).collect();
    if hops.len() == MOST_HOPS {
        path.push("..".to_owned());
    }
    let mut finding = Finding::error(format!(
        "`{}` has {:?}, and its chain of calls needs {needs:?}: {}",
        rpc.name,
        deadline(rpc),
        path.join(" -> ")
    ))
    .at(scope.places.method_option(&rpc.method, DEADLINE), of_deadline(rpc));
    for hop in &hops {
        let called = graph.rpcs[hop.to];
        finding = finding.at(
            hop.need.map(|need| need.place.clone()).unwrap_or_else(|| scope.places.method(&called.method)),
            "",
        );
        if !least(called).is_zero() {
            finding = finding
                .at(scope.places.method_option(&called.method, MIN_DEADLINE), format!("{:?}", least(called)));
        }
    }
    finding.help(format!(
        "give it the time that its calls need, or make the chain shorter:\n    option (freehold.v1.call).deadline = {};",
        literal(needs)
    ))
}

/// The deadline of a caller that sets none.
fn deadline(rpc: &Rpc) -> Duration {
    rpc.words.deadline.and_then(language::span).unwrap_or(Model::default_deadline())
}

fn of_deadline(rpc: &Rpc) -> String {
    match rpc.words.deadline {
        Some(_) => format!("{:?}", deadline(rpc)),
        None => "two seconds where none is declared".to_owned(),
    }
}

/// The least that must be left when the method is called.
fn least(rpc: &Rpc) -> Duration {
    rpc.words.min_deadline.and_then(language::span).unwrap_or_default()
}

fn maker(by: By) -> &'static str {
    match by {
        By::Named => "",
        By::Any => ": any RPC may make it, as it names no `from`",
        By::Step => ": a saga's step",
        By::Undo => ": a saga, taking the step back",
    }
}

/// The circle is cut where something is read that can be copied; else a call may be pinned to the RPC that makes it.
fn way_out(graph: &Graph<'_>, circle: &[(usize, Hop<'_>)]) -> String {
    let called = || circle.iter().filter_map(|(_, hop)| graph.rpcs.get(hop.to));
    let mut help = match called().find(|rpc| rpc.words.read && is_entity(&rpc.method.output())) {
        Some(rpc) => format!(
            "read a copy there instead of calling `{}`:\n    option (freehold.v1.replica).of = \"{}\";",
            rpc.name,
            rpc.method.output().full_name()
        ),
        None => {
            "let one of them hear of it by an event: declare a view in its needs.proto instead of the call"
                .to_owned()
        }
    };
    let loose = circle.iter().find(|(_, hop)| hop.by == By::Any && hop.need.is_some());
    if let Some(need) = loose.and_then(|(_, hop)| hop.need) {
        help.push_str(&format!(
            "\nor, where one RPC alone makes the call, name it:\n    option (freehold.v1.calls) = {{ method: \"{}\" from: \"..\" }};",
            need.method
        ));
    }
    help
}

/// A span as the contract language writes it.
fn literal(span: Duration) -> String {
    match (span.as_secs(), span.subsec_nanos()) {
        (seconds, 0) => format!("{{ seconds: {seconds} }}"),
        (0, nanos) => format!("{{ nanos: {nanos} }}"),
        (seconds, nanos) => format!("{{ seconds: {seconds} nanos: {nanos} }}"),
    }
}
